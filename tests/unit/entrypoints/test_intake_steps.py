"""The steps without credentials: authorize and parse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mlops_core.adapters.in_memory.repository import MemoryRepository
from mlops_core.contracts.approval import ApprovedRequest
from mlops_core.contracts.base import digest
from mlops_core.entrypoints import authorize, parse
from mlops_core.entrypoints.start import read_approved
from mlops_core.errors import Unavailable
from mlops_core.facts import IssueFacts, Level, Permission
from mlops_core.intake.problems import RequestRefused
from tests.unit.entrypoints.runners import REPOSITORY, Runner, labeled
from tests.unit.intake.bodies import BUCKET, body


def host(level: Level = "write") -> MemoryRepository:
    issue = IssueFacts(7, "t", "b", "bob", "open", ("mlops:train",), f"https://github.com/{REPOSITORY}/issues/7")
    return MemoryRepository(people={"ana": Permission(level, True)}, issues={(REPOSITORY, 7): issue})


def comments(gateway: MemoryRepository) -> list[str]:
    return list(gateway.comments.get((REPOSITORY, 7), {}).values())


def run_authorize(runner: Runner, gateway: MemoryRepository, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(authorize, "repository_gateway", lambda *_: gateway)
    authorize.main(runner.step(monkeypatch))
    return runner.outputs()


def run_parse(runner: Runner, gateway: MemoryRepository, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(parse, "repository_gateway", lambda *_: gateway)
    parse.main(runner.step(monkeypatch))
    return runner.outputs()


def test_a_person_with_write_permission_is_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = host()
    assert run_authorize(Runner(tmp_path, labeled()), gateway, monkeypatch) == {"allowed": "true", "login": "ana"}
    assert comments(gateway) == []


def test_a_stranger_gets_one_comment_however_often_they_label_abuse_row_30(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = host("triage")
    for _ in range(3):
        assert run_authorize(Runner(tmp_path, labeled()), gateway, monkeypatch)["allowed"] == "false"
    assert len(comments(gateway)) == 1


def test_a_bot_gets_silence_abuse_row_30(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = host("admin")
    payload = labeled(sender={"login": "renovate[bot]", "type": "Bot"})
    assert run_authorize(Runner(tmp_path, payload), gateway, monkeypatch)["allowed"] == "false"
    assert comments(gateway) == []


def test_another_label_starts_nothing_and_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = host()
    gateway.fault = pytest.fail
    assert run_authorize(Runner(tmp_path, labeled(label={"name": "bug"})), gateway, monkeypatch) == {"allowed": "false"}


def test_a_permission_that_cannot_be_verified_fails_the_job_abuse_row_31(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, runner = host(), Runner(tmp_path, labeled())

    def fault(action: str) -> None:
        if action == "permission":
            raise Unavailable("502")

    gateway.fault = fault
    monkeypatch.setattr("mlops_core.intake.authorization._PAUSE_SECONDS", 0)
    with pytest.raises(Unavailable, match="could not be verified"):
        run_authorize(runner, gateway, monkeypatch)
    assert runner.outputs()["allowed"] == "false"
    assert "could not be verified" in comments(gateway)[0]


def test_a_complete_issue_becomes_validated_json_and_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = run_parse(Runner(tmp_path, labeled()), host(), monkeypatch)
    approved = ApprovedRequest.model_validate_json(outputs["request"])
    assert set(outputs) == {"ok", "issue", "problems", "request", "digest"}
    assert (outputs["ok"], outputs["issue"], outputs["digest"]) == ("true", "7", digest(approved))
    assert (approved.approved_by, approved.author, approved.repository) == ("ana", "bob", REPOSITORY)
    assert read_approved(outputs["request"], outputs["digest"], bucket=BUCKET) == approved


@pytest.mark.parametrize(("reference", "commit"), [("a" * 40, "a" * 40), ("0" * 40, ""), ("v1", ""), ("", "")])
def test_the_commit_of_the_suite_is_recorded_when_the_caller_pinned_one(
    reference: str, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(tmp_path, labeled(), GITHUB_ACTION_REF=reference)
    assert parse.suite_commit(runner.step(monkeypatch)) == commit


def test_a_refused_issue_gets_one_comment_edited_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = host()
    for metric in ("acc", "auc"):
        pinned = {"GITHUB_ACTION_REF": "a" * 40, "GITHUB_ACTION_REPOSITORY": "acme/mlops"}
        runner = Runner(tmp_path, labeled(body(metric=metric)), **pinned)
        with pytest.raises(RequestRefused):
            run_parse(runner, gateway, monkeypatch)
        assert runner.outputs() == {"issue": "7", "ok": "false", "problems": "1"}
    (comment,) = comments(gateway)
    assert comment.startswith("<!-- mlops:refusal:7 -->")
    assert "E-PARSE-007 metric: auc" in comment
    assert f"**[E-PARSE-007](https://github.com/acme/mlops/blob/{'a' * 40}/docs/reference/codes/issue.md#e-parse-007)**" in comment


def test_without_a_token_the_front_door_only_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = host()
    with pytest.raises(RequestRefused):
        run_parse(Runner(tmp_path, labeled("nothing"), INPUT_GITHUB_TOKEN=""), gateway, monkeypatch)
    assert comments(gateway) == []


HOSTILE = [
    "::set-output name=ok::true\n::add-mask::a\n::stop-commands::x\n##[command]y",
    "EOF\nok=true\nghadelimiter_1\nok=true",
    "NODE_OPTIONS=--require /tmp/x\nBASH_ENV=/tmp/x\nLD_PRELOAD=/tmp/x",
    "${{ secrets.GITHUB_TOKEN }}",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["metric", "target", "hyperparameters", None])
def test_nothing_of_the_body_reaches_the_runner_abuse_rows_2_3_4_5(
    text: str, field: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole: Any = f"{text}\n{body()}" if field is None else body(**{field: text})
    runner = Runner(tmp_path, labeled(whole))
    try:
        run_parse(runner, host(), monkeypatch)
    except RequestRefused:
        assert set(runner.outputs()) == {"issue", "ok", "problems"}
        assert runner.outputs()["ok"] == "false"
    assert runner.read("env") == ""
    log = capsys.readouterr().out
    assert not [line for line in log.split("\n") if re.match(r"\s*(::|##\[)", line)]


def test_a_title_is_never_looked_at_abuse_row_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = run_parse(Runner(tmp_path, labeled()), host(), monkeypatch)
    assert "curl" not in outputs["request"]
