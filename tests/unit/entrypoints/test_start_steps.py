"""The steps with credentials: start and answer, and the command step before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_core.adapters.in_memory import MemoryPorts, in_memory_ports
from mlops_core.contracts.approval import CommandAnswer, RetrainCommand
from mlops_core.contracts.base import canonical, digest
from mlops_core.entrypoints import answer, command, start
from mlops_core.entrypoints.parse import approve
from mlops_core.errors import InvalidRequest, MlopsError, Refused, Unauthorized
from mlops_core.facts import IssueFacts, Level, Permission
from mlops_core.intake.event import labeled_event
from tests.unit.entrypoints.runners import AWS, REPOSITORY, Runner, commented, labeled
from tests.unit.intake.bodies import BUCKET, body


def world(level: Level = "write") -> MemoryPorts:
    memory = in_memory_ports(bucket=BUCKET, repositories=REPOSITORY, pipeline_arn=AWS["INPUT_STATE_MACHINE_ARN"], table="mlops-ledger")
    memory.repository.people["ana"] = Permission(level, True)
    memory.repository.issues[REPOSITORY, 7] = IssueFacts(
        7, "t", "b", "bob", "open", ("mlops:train",), f"https://github.com/{REPOSITORY}/issues/7"
    )
    return memory


def approved_runner(tmp_path: Path, **environ: str) -> Runner:
    approved = approve(labeled_event(labeled()), bucket=BUCKET, commit="")
    return Runner(tmp_path, None, **{"UNTRUSTED_REQUEST": canonical(approved).decode(), "INPUT_DIGEST": digest(approved), **environ})


def run_start(runner: Runner, memory: MemoryPorts, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(start, "repository_gateway", lambda *_: memory.repository)
    monkeypatch.setattr(start, "ports_of", lambda *_: memory.ports)
    start.main(runner.step(monkeypatch))
    return runner.outputs()


def test_an_approved_request_starts_one_run_and_the_second_event_finds_it_abuse_row_38(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = world()
    first = run_start(approved_runner(tmp_path), memory, monkeypatch)
    second = run_start(approved_runner(tmp_path), memory, monkeypatch)
    assert first["run-id"] == second["run-id"]
    assert (first["adopted"], second["adopted"]) == ("false", "true")
    assert len(memory.machines.executions) == 1


def test_the_page_of_the_job_names_run_and_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = approved_runner(tmp_path)
    outputs = run_start(runner, world(), monkeypatch)
    assert outputs["run-id"] in runner.read("summary")
    assert "#7" in runner.read("summary")


def test_a_self_hosted_runner_is_refused_before_anything_is_asked_abuse_row_55(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = world()
    memory.repository.fault = pytest.fail
    for kind in ("self-hosted", ""):
        with pytest.raises(Refused, match="github-hosted"):
            run_start(approved_runner(tmp_path, RUNNER_ENVIRONMENT=kind), memory, monkeypatch)


def test_a_permission_lost_between_label_and_start_refuses_abuse_row_32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = world("triage")
    with pytest.raises(Unauthorized, match="ana may not start a run"):
        run_start(approved_runner(tmp_path), memory, monkeypatch)
    assert not memory.machines.executions


@pytest.mark.parametrize(
    "change",
    [
        {"UNTRUSTED_REQUEST": ""},
        {"UNTRUSTED_REQUEST": "{}"},
        {"INPUT_DIGEST": "0" * 64},
        {"INPUT_BUCKET": "another-bucket"},
        {"GITHUB_REPOSITORY": "mallory/models"},
    ],
)
def test_what_the_intake_job_did_not_check_is_refused(change: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = world()
    with pytest.raises(InvalidRequest):
        run_start(approved_runner(tmp_path, **change), memory, monkeypatch)
    assert not memory.machines.executions


def test_a_changed_request_does_not_match_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = approved_runner(tmp_path)
    changed = json.loads(runner.environ["UNTRUSTED_REQUEST"])
    changed["request"]["seed"] = 43
    runner.environ["UNTRUSTED_REQUEST"] = json.dumps(changed)
    with pytest.raises(InvalidRequest, match="not the one that was checked"):
        run_start(runner, world(), monkeypatch)


def test_a_policy_that_refuses_is_told_on_the_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = world()
    memory.repository.files[REPOSITORY] = {".github/mlops.yml": b"max_retrains: 1\n"}
    with pytest.raises(Refused):
        run_start(approved_runner(tmp_path), memory, monkeypatch)
    (comment,) = memory.repository.comments[REPOSITORY, 7].values()
    assert "E-POLICY-RETRAINS" in comment


def run_command(runner: Runner, memory: MemoryPorts, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(command, "repository_gateway", lambda *_: memory.repository)
    command.main(runner.step(monkeypatch))
    return runner.outputs()


def test_a_command_becomes_validated_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = run_command(Runner(tmp_path, commented("/retrain max_depth=8 learning_rate=0.05")), world(), monkeypatch)
    read = answer.read_command(outputs["command"], outputs["digest"])
    assert outputs["found"] == "true"
    assert (read.given_by, read.comment_id, read.parameters) == ("ana", 99, {"max_depth": 8, "learning_rate": 0.05})


@pytest.mark.parametrize("text", ["/retrain max_depth=8", "/retrain max_depth=99", "/promote x", "/rollback x", "/retrain"])
def test_an_outsiders_command_is_ignored_without_a_reaction_abuse_row_33(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = world("read")
    assert run_command(Runner(tmp_path, commented(text)), memory, monkeypatch) == {"found": "false"}
    assert memory.repository.comments == {}


def test_talk_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = world()
    memory.repository.fault = pytest.fail
    for payload in (commented("thanks"), commented("/retrain max_depth=8", issue={"number": 7, "pull_request": {}, "user": None})):
        assert run_command(Runner(tmp_path, payload), memory, monkeypatch) == {"found": "false"}


def test_an_edited_comment_is_never_a_command_abuse_row_35(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(tmp_path, commented("/retrain max_depth=8", action="edited"))
    with pytest.raises(InvalidRequest, match="created"):
        run_command(runner, world(), monkeypatch)
    assert runner.outputs() == {}


def test_a_wrong_command_of_somebody_with_permission_is_answered_once_abuse_row_37(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = world()
    for _ in range(2):
        runner = Runner(tmp_path, commented("/retrain max_dept=8 <img>@everyone"))
        with pytest.raises(MlopsError):
            run_command(runner, memory, monkeypatch)
        assert runner.outputs() == {"found": "false"}
    (comment,) = memory.repository.comments[REPOSITORY, 7].values()
    assert "max" in comment
    assert "@everyone" not in comment


def command_runner(tmp_path: Path, **environ: str) -> Runner:
    retrain = RetrainCommand(repository=REPOSITORY, issue=7, given_by="ana", comment_id=99, parameters={"max_depth": 8}, path="workflow")
    return Runner(tmp_path, None, **{"UNTRUSTED_COMMAND": canonical(retrain).decode(), "INPUT_DIGEST": digest(retrain), **environ})


def run_answer(runner: Runner, memory: MemoryPorts, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    given: list[RetrainCommand] = []

    def give(step: object, command: RetrainCommand) -> CommandAnswer:
        given.append(command)
        return CommandAnswer(accepted=True, run_id="income-1a2b3c4d-g0", round=1, text="Round 1 is started.")

    monkeypatch.setattr(answer, "repository_gateway", lambda *_: memory.repository)
    monkeypatch.setattr(start, "repository_gateway", lambda *_: memory.repository)
    monkeypatch.setattr(answer, "_answer", give)
    answer.main(runner.step(monkeypatch))
    return runner.outputs()


def test_an_accepted_command_is_answered_with_one_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = world()
    assert run_answer(command_runner(tmp_path), memory, monkeypatch) == {"accepted": "true", "run-id": "income-1a2b3c4d-g0"}
    assert len(memory.repository.comments[REPOSITORY, 7]) == 1


def test_a_command_is_refused_on_a_self_hosted_runner_without_permission_or_when_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for memory, environ in (
        (world(), {"RUNNER_ENVIRONMENT": "self-hosted"}),
        (world("read"), {}),
        (world(), {"INPUT_DIGEST": "0" * 64}),
        (world(), {"GITHUB_REPOSITORY": "mallory/models"}),
    ):
        with pytest.raises(MlopsError):
            run_answer(command_runner(tmp_path, **environ), memory, monkeypatch)
        assert memory.repository.comments == {}


def test_a_command_that_the_parser_would_not_make_is_refused() -> None:
    for parameters in ({"max_depth": 99}, {"nonsense": 1}, {}):
        retrain = RetrainCommand(
            repository=REPOSITORY, issue=7, given_by="ana", comment_id=99, parameters=dict(parameters), path="workflow"
        )
        with pytest.raises(InvalidRequest):
            answer.read_command(canonical(retrain).decode(), digest(retrain))


def test_the_body_that_was_approved_decides_and_not_a_later_one_abuse_row_38() -> None:
    first = approve(labeled_event(labeled(body(seed="1"))), bucket=BUCKET, commit="")
    second = approve(labeled_event(labeled(body(seed="2"))), bucket=BUCKET, commit="")
    again = approve(labeled_event(labeled(body(seed="1"))), bucket=BUCKET, commit="")
    assert digest(first) == digest(again) != digest(second)
