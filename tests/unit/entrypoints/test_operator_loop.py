"""A comment on an issue reaches the run that waits: command step, answer step and the real capability over ports in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_core.adapters.in_memory import MemoryPorts, in_memory_ports
from mlops_core.capabilities.issue import start_run
from mlops_core.entrypoints import answer, command, start
from mlops_core.entrypoints.parse import approve
from mlops_core.facts import IssueFacts, Permission
from mlops_core.intake.event import labeled_event
from mlops_core.runs import operator
from mlops_core.runs.state import read_run
from tests.unit.entrypoints.runners import AWS, REPOSITORY, Runner, commented, labeled
from tests.unit.intake.bodies import BUCKET


def waiting_world() -> tuple[MemoryPorts, str]:
    """A run of issue 7 that waits for an operator after round 0."""
    memory = in_memory_ports(bucket=BUCKET, repositories=REPOSITORY, pipeline_arn=AWS["INPUT_STATE_MACHINE_ARN"], table="mlops-ledger")
    memory.repository.people["ana"] = Permission("write", True)
    memory.repository.issues[REPOSITORY, 7] = IssueFacts(
        7, "t", "b", "bob", "open", ("mlops:train",), f"https://github.com/{REPOSITORY}/issues/7"
    )
    started = start_run(memory.ports, approve(labeled_event(labeled()), bucket=BUCKET, commit=""))
    memory.machines.waiting.add("token")
    assert operator.park(memory.ports, started.run_id, 0, "token")
    return memory, started.run_id


def comment(memory: MemoryPorts, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, comment_id: int = 99) -> dict[str, str]:
    """Both jobs of operate.yml: outputs of the second."""
    for module in (command, answer, start):
        monkeypatch.setattr(module, "repository_gateway", lambda *_: memory.repository)
    monkeypatch.setattr(answer, "ports_of", lambda *_: memory.ports)
    first = Runner(tmp_path, commented(text, comment={"id": comment_id, "body": text}))
    command.main(first.step(monkeypatch))
    found = first.outputs()
    second = Runner(tmp_path, None, UNTRUSTED_COMMAND=found["command"], INPUT_DIGEST=found["digest"])
    answer.main(second.step(monkeypatch))
    return second.outputs()


def test_a_command_starts_the_next_round_of_the_waiting_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, run_id = waiting_world()
    assert comment(memory, "/retrain max_depth=8", tmp_path, monkeypatch) == {"accepted": "true", "run-id": run_id}
    assert json.loads(memory.machines.answers["token"])["round"] == 1
    change = read_run(memory.ports, run_id).rounds[-1].changes[0]
    assert (change.name, change.before, change.after) == ("max_depth", 6, 8)


def test_a_second_command_is_told_that_the_round_is_running_abuse_row_44(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, _ = waiting_world()
    comment(memory, "/retrain max_depth=8", tmp_path, monkeypatch)
    second = comment(memory, "/retrain max_depth=9", tmp_path, monkeypatch, comment_id=100)
    assert second["accepted"] == "false"
    assert any("lready running as round 1" in text for text in memory.repository.comments[REPOSITORY, 7].values())


def test_a_parameter_of_another_method_is_refused_by_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, _ = waiting_world()
    assert comment(memory, "/retrain max_features=sqrt", tmp_path, monkeypatch)["accepted"] == "false"
    assert "token" in memory.machines.waiting
