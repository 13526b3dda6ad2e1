"""Deployments that go wrong: the machine, the agent and the server together, over real serving processes where one matters."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.agents import deployment
from mlops_core.capabilities import packaging
from mlops_core.capabilities.issue import start_run
from mlops_core.cli import rollback
from mlops_core.contracts.model import ModelRecord
from mlops_core.errors import MlopsError, NotFound
from mlops_core.runs import packages, pointers
from tests.unit.agents.bench_endpoints import BenchEndpoints
from tests.unit.local.aws.sagemaker.bench import Bench
from tests.unit.mcp_server import world as w
from tests.unit.mcp_server.test_agents_over_mcp import close
from tests.unit.stepfunctions.interpreter import Call, Ended, TaskError, load, walk

ENDPOINT = "mlops-income"
ROWS = {"tolerance": 1e-5, "rows": [{"row": {"age": age, "sex": "Male"}, "score": [age / 100], "label": "no"} for age in (20, 40, 60)]}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    opened = Bench.open(tmp_path_factory.mktemp("bench"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def released(bench: Bench) -> Iterator[MemoryPorts]:
    """Ports over real serving processes; 1.0.0 and 1.0.1 were released one after the other; packages carry three smoke rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(w, "SMOKE", ROWS)
        memory: Any = replace(w.world(), endpoints=BenchEndpoints(bench, {}))  # type: ignore[arg-type]
        line = w.Line(memory)
        for seed in range(2):
            assert deployed(line, f"1.0.{seed}", seed).status == "SUCCEEDED"
        yield memory


@pytest.fixture
def line(released: MemoryPorts) -> w.Line:
    """A line of its own over what was released."""
    return w.Line(released)


def behave(line: w.Line, **ways: str) -> None:
    """How the processes of versions behave from now on."""
    line.memory.endpoints.ways = ways  # type: ignore[attr-defined]


def registered(memory: MemoryPorts, run: str, version: str) -> ModelRecord:
    """A signed and registered package of a run."""
    record = w.package(memory, run, version)
    signature = packages.sign(memory.ports, record.model_uri.removesuffix("model.tar.gz"))
    arn = packaging.register_model(memory.ports, run, record, signature)["package_arn"]
    return record.model_copy(update={"package_arn": arn})


def walked(line: w.Line, event: dict[str, Any]) -> Ended:
    """The deploy machine over the agent, waiting in earnest while the endpoint changes."""

    def answer(call: Call) -> Any:
        try:
            found = line.act("deployment", deployment.ACTIONS, call.payload)
        except MlopsError as error:
            raise TaskError(type(error).__name__, json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})) from error
        if found.get("state") == "running" and call.payload["action"] in {"check", "rollback"}:
            time.sleep(0.05)
        return json.loads(json.dumps(found))

    return walk(load("deploy"), {"event": event}, answer=answer, name=f"deploy-{time.monotonic_ns()}")


def deployed(line: w.Line, version: str, seed: int) -> Ended:
    """A run's package on its way through the deploy machine; the run is closed after it."""
    run = start_run(line.memory.ports, w.approved(seed=seed)).run_id
    ended = walked(line, {"run_id": run, "record": registered(line.memory, run, version).model_dump(mode="json")})
    close(line, run, "succeeded" if ended.status == "SUCCEEDED" else "failed", ended.cause)
    return ended


def pointer(line: w.Line) -> Any:
    """The pointer at the head."""
    return pointers.read(line.memory.ports, w.REPOSITORY, "income")


def serving(line: w.Line) -> str:
    """The version that answers."""
    return line.memory.endpoints.invoke(ENDPOINT, json.dumps({"instances": [{"age": 20, "sex": "Male"}]}).encode()).attributes.split("/")[1]


@pytest.mark.parametrize(
    ("way", "cause"),
    [
        ("never healthy", "did not pass the ping health check"),
        ("5xx", "the endpoint answered 424"),
        ("slow", "took 3"),
        ("constant", "every row got the same answer"),
        ("nan", "a score that is no number"),
        ("wrong shape", "one row got 2 answers"),
        ("no json", "another shape than predictions"),
    ],
)
def test_a_version_that_misbehaves_is_rolled_back_with_its_cause(
    monkeypatch: pytest.MonkeyPatch, line: w.Line, way: str, cause: str
) -> None:
    """abuse row 90"""
    monkeypatch.setattr(deployment, "SLOW_MS", 250.0)
    version = f"1.1.{len(way)}"
    behave(line, **{version: way})
    ended = deployed(line, version, 100 + len(way))
    assert (ended.status, ended.error) == ("FAILED", "JobFailed")
    assert cause in str(ended.cause)
    there = pointer(line)
    assert (there.version, there.previous) == ("1.0.1", version)
    assert serving(line) == "1.0.1"
    assert line.memory.ledger.get(f"LOCK#endpoint#{ENDPOINT}", "LOCK") is None


def test_a_rollback_to_a_version_that_fails_puts_gits_pointer_back(line: w.Line) -> None:
    behave(line, **{"1.0.0": "5xx"})
    ports = line.memory.ports
    current, wanted = rollback.plan(ports, "income", "1.0.0", "latency")
    commit = rollback.point(ports, wanted, current.version)
    assert pointer(line).version == "1.0.0"
    ended = walked(line, {"model_name": "income", "pointer_commit": commit})
    assert ended.status == "FAILED"
    assert (pointer(line).version, pointer(line).previous, pointer(line).set_by) == ("1.0.1", "1.0.0", "mlops")
    assert serving(line) == "1.0.1"
    assert line.memory.ledger.get(f"LOCK#endpoint#{ENDPOINT}", "LOCK") is None


def test_a_pointer_to_a_package_that_was_tampered_with_is_put_back_before_anything_is_touched(line: w.Line) -> None:
    ports = line.memory.ports
    current, wanted = rollback.plan(ports, "income", "1.0.0", "latency")
    commit = rollback.point(ports, wanted, current.version)
    whole = line.memory.objects.bodies[wanted.model_uri]
    line.memory.objects.write(wanted.model_uri, b"another archive")
    ended = walked(line, {"model_name": "income", "pointer_commit": commit})
    line.memory.objects.write(wanted.model_uri, whole)
    assert (ended.status, ended.error, ended.path) == ("FAILED", "Refused", ["Begin", "Failed"])
    assert pointer(line).version == "1.0.1"
    assert serving(line) == "1.0.1"


def test_a_rollback_that_works_serves_the_earlier_version_and_sweeps_old_configs(
    monkeypatch: pytest.MonkeyPatch, line: w.Line, bench: Bench
) -> None:
    monkeypatch.setattr("mlops_core.capabilities.deployment._CONFIGS_KEPT", 2)
    behave(line)
    ports = line.memory.ports
    current, wanted = rollback.plan(ports, "income", "1.0.0", "latency")
    commit = rollback.point(ports, wanted, current.version)
    assert walked(line, {"model_name": "income", "pointer_commit": commit}).status == "SUCCEEDED"
    assert (pointer(line).version, serving(line)) == ("1.0.0", "1.0.0")
    assert line.memory.endpoints.configs("mlops-income-")[0] == f"mlops-income-1-0-0-{commit[:8]}"
    assert (len(line.memory.endpoints.configs("mlops-income-")), len(bench.call("ListModels")["Models"])) == (2, 2)


def test_a_rollback_of_an_unknown_model_names_the_next_act() -> None:
    with pytest.raises(NotFound, match="`mlops history list` shows the models") as caught:
        rollback.plan(w.world().ports, "incme", None, "typing")
    assert caught.value.code == "E-MODEL-UNKNOWN"
