"""CPU and memory of serving processes, as SageMaker publishes them for endpoint instances.

    load = Load(host, lambda: [("census", "blue", [4711, 4712])])      # endpoint, variant, sessions of its processes
    load.publish()                                                     # the housekeeper calls it every few seconds

``CPUUtilization`` is in percent of one core, summed over the cores (0 to 100 times their number), ``MemoryUtilization`` in percent of the
machine's memory; one value for each process, with the dimensions EndpointName and VariantName.  Read from /proc (Linux); elsewhere
nothing is published.  Source: "Amazon SageMaker AI metrics in Amazon CloudWatch", jobs and endpoint metrics.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_core.local.aws.host import Host

NAMESPACE = "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class Used:
    """What the processes of one session used: seconds of processor time since they started, and bytes in memory now."""

    cpu_s: float
    memory: int


Fleet = Iterable[tuple[str, str, Sequence[int]]]


class Load:
    """Publishes the difference between two looks; the first look at a process publishes its memory only."""

    def __init__(self, host: Host, fleet: Callable[[], Fleet], *, proc: Path = Path("/proc")) -> None:
        self._host = host
        self._fleet = fleet
        self._proc = proc
        self._before: dict[int, tuple[float, float]] = {}

    def publish(self) -> None:
        """Send CPU and memory of every process to CloudWatch."""
        fleet = list(self._fleet())
        if not fleet or not self._proc.is_dir():
            return
        moment, used, total = time.monotonic(), sessions(self._proc), memory_total(self._proc)
        known: dict[int, tuple[float, float]] = {}
        for endpoint, variant, pids in fleet:
            for pid in pids:
                found = used.get(pid)
                if found is None:
                    continue
                known[pid] = (moment, found.cpu_s)
                dimensions = {"EndpointName": endpoint, "VariantName": variant}
                self._tell("MemoryUtilization", dimensions, 100 * found.memory / total)
                if pid in self._before and moment > self._before[pid][0]:
                    earlier, spent = self._before[pid]
                    self._tell("CPUUtilization", dimensions, max(0.0, 100 * (found.cpu_s - spent) / (moment - earlier)))
        self._before = known

    def _tell(self, name: str, dimensions: Mapping[str, str], value: float) -> None:
        self._host.put_metric(NAMESPACE, name, dimensions, round(value, 3), "Percent")


def sessions(proc: Path) -> dict[int, Used]:
    """What each session's processes use together, by the session's id (that of the guard which started them)."""
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    found: dict[int, Used] = {}
    for entry in proc.iterdir():
        fields = _stat(entry) if entry.name.isdigit() else []
        if len(fields) < 22:
            continue
        session, cpu, memory = int(fields[3]), (int(fields[11]) + int(fields[12])) / tick, int(fields[21]) * page
        before = found.get(session, Used(0.0, 0))
        found[session] = Used(before.cpu_s + cpu, before.memory + memory)
    return found


def memory_total(proc: Path) -> int:
    """The machine's memory in bytes."""
    for line in (proc / "meminfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 1 << 30


def _stat(entry: Path) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty when the process is gone."""
    try:
        text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
