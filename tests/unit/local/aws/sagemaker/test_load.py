"""CPU and memory of serving processes reach CloudWatch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_core.local.aws.sagemaker.load import NAMESPACE, Load, memory_total, sessions
from tests.unit.local.aws.sagemaker.bench import Bench
from tests.unit.local.aws.sagemaker.serving_program import SERVER


class Told:
    """A host that keeps metrics."""

    def __init__(self) -> None:
        self.metrics: list[tuple[str, dict[str, str], float]] = []

    def put_metric(self, namespace: str, name: str, dimensions: dict[str, str], value: float, unit: str) -> None:
        assert (namespace, unit) == (NAMESPACE, "Percent")
        self.metrics.append((name, dimensions, value))


def proc(folder: Path, **ticks: int) -> Path:
    """A /proc of a machine with 1,000 pages of memory: a guard 100 and its program 101, and somebody else's 200."""
    (folder / "meminfo").write_text("MemTotal:        4000 kB\nMemFree: 1 kB\n")
    for pid, session, used, pages in ((100, 100, 1, 10), (101, 100, ticks.get("cpu", 0), 90), (200, 7, 900, 500)):
        (folder / str(pid)).mkdir(exist_ok=True)
        fields = ["S", "1", "1", str(session), *"0000000", str(used), "0", *"00000000", str(pages)]
        (folder / str(pid) / "stat").write_text(f"{pid} (a name) with) {' '.join(fields)}\n")
    (folder / "self").mkdir(exist_ok=True)
    return folder


def test_a_sessions_processes_are_counted_together_and_nobody_elses(tmp_path: Path) -> None:
    found = sessions(proc(tmp_path, cpu=50))[100]
    assert (round(found.cpu_s, 6), found.memory) == (0.51, 100 * 4096)
    assert memory_total(tmp_path) == 4000 * 1024


def test_cpu_is_the_difference_of_two_looks_and_memory_a_share_of_the_machine(tmp_path: Path, monkeypatch: Any) -> None:
    host, moment = Told(), [1000.0]
    monkeypatch.setattr("mlops_core.local.aws.sagemaker.load.time.monotonic", lambda: moment[0])
    load = Load(host, lambda: [("census", "blue", [100, 999])], proc=proc(tmp_path, cpu=50))  # type: ignore[arg-type]
    load.publish()
    assert host.metrics == [("MemoryUtilization", {"EndpointName": "census", "VariantName": "blue"}, 10.0)]
    proc(tmp_path, cpu=550)
    moment[0] += 4
    load.publish()
    assert [(name, value) for name, _, value in host.metrics[1:]] == [("MemoryUtilization", 10.0), ("CPUUtilization", 125.0)]


def test_an_endpoints_load_is_published_with_its_variant(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "one", 1.0))
    assert bench.served("census")["EndpointStatus"] == "InService"
    wanted = {"EndpointName": "census", "VariantName": "blue"}

    def told(name: str) -> list[float]:
        return [entry[3] for entry in bench.host.metrics if entry[:3] == (NAMESPACE, name, wanted)]

    bench.until(lambda: told("CPUUtilization") and told("MemoryUtilization"))
    assert 0 < told("MemoryUtilization")[-1] < 100
    assert told("CPUUtilization")[-1] >= 0
