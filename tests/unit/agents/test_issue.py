"""The issue agent: web hook and polling end in the same one run, and nobody else starts any."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from mlops_core.agents import issue
from mlops_core.errors import Unavailable
from mlops_core.intake.render import render_body
from tests.unit.mcp_server import world as w

SECRET = "s" * 32
LABELED_AT = "2026-11-21T09:59:00Z"


def line() -> w.Line:
    """A world with a web hook secret and an issue that was labelled by somebody with permission."""
    memory = w.world()
    memory.secrets.values["hook"] = SECRET
    there = memory.repository.issues[w.REPOSITORY, 7]
    body = render_body(w.request())
    memory.repository.issues[w.REPOSITORY, 7] = replace(there, body=body, label_actor="wataru", labeled_at=LABELED_AT)
    return w.Line(memory)


def payload(action: str = "labeled", sender: str = "wataru", **changes: Any) -> dict[str, Any]:
    """What GitHub sends when a label is set."""
    plain = {
        "action": action,
        "label": {"name": "mlops:train"},
        "repository": {"full_name": w.REPOSITORY},
        "sender": {"login": sender, "type": "User"},
        "issue": {"number": 7, "body": render_body(w.request()), "user": {"login": "ana", "type": "User"}, "updated_at": LABELED_AT},
    }
    return plain | changes


def comment(text: str, sender: str = "wataru", **changes: Any) -> dict[str, Any]:
    """What GitHub sends when somebody comments."""
    plain = {
        "action": "created",
        "repository": {"full_name": w.REPOSITORY},
        "sender": {"login": sender, "type": "User"},
        "issue": {"number": 7},
        "comment": {"id": 11, "body": text},
    }
    return plain | changes


def deliver(there: w.Line, body: dict[str, Any], *, kind: str = "issues", delivery: str = "d-1", **headers: str) -> tuple[int, str]:
    """Status and result of one delivery."""
    raw = json.dumps(body)
    signature = "sha256=" + hmac.new(SECRET.encode(), raw.encode(), hashlib.sha256).hexdigest()
    told = {"X-GitHub-Event": kind, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": signature, **headers}
    event = {"requestContext": {"http": {"method": "POST"}}, "headers": told, "body": raw, "action": "webhook"}
    answer = there.act("issue", issue.ACTIONS, event)
    return answer["statusCode"], json.loads(answer["body"])["result"]


def runs(there: w.Line) -> list[str]:
    """Names of the executions that were started."""
    return [item.name for item in there.memory.machines.executions.values()]


def comments(there: w.Line) -> str:
    """Every comment of the issue."""
    return "\n".join(there.memory.repository.comments.get((w.REPOSITORY, 7), {}).values())


def test_a_labelled_issue_starts_a_run() -> None:
    there = line()
    status, result = deliver(there, payload())
    assert (status, result, len(runs(there))) == (200, f"run {runs(there)[0]}", 1)
    assert there.state(runs(there)[0]).approved_by == "wataru"


@pytest.mark.parametrize("signature", ["", "sha1=" + "0" * 40, "sha256=" + "0" * 64, "sha256=00", "x" * 190])
def test_a_forged_delivery_is_refused_before_anything_is_read(signature: str) -> None:
    """abuse row 40"""
    there = line()
    status, _ = deliver(there, payload(), **{"X-Hub-Signature-256": signature})
    assert (status, runs(there), comments(there)) == (401, [], "")


def test_a_replayed_delivery_has_no_effect() -> None:
    """abuse row 41"""
    there = line()
    deliver(there, payload())
    assert deliver(there, payload()) == (200, "answered before")
    assert len(runs(there)) == 1


def test_the_same_event_under_another_delivery_has_no_effect() -> None:
    """abuse row 42"""
    there = line()
    deliver(there, payload())
    assert deliver(there, payload(), delivery="d-2") == (200, "answered before")
    assert len(runs(there)) == 1


def test_a_late_delivery_is_taken_once() -> None:
    """abuse row 43"""
    there = line()
    there.memory.clock.sleep(600)
    assert deliver(there, payload())[1].startswith("run ")
    assert deliver(there, payload(), delivery="d-2")[1] == "answered before"


def test_label_off_and_on_finds_the_same_run() -> None:
    """abuse row 38"""
    there = line()
    deliver(there, payload())
    again = payload()
    again["issue"]["updated_at"] = "2026-11-21T10:05:00Z"
    assert deliver(there, again, delivery="d-2")[1].endswith("(adopted)")
    assert len(runs(there)) == 1


def test_web_hook_and_polling_together_start_one_run() -> None:
    there = line()
    deliver(there, payload())
    found = there.act("issue", issue.ACTIONS, {"action": "poll"})
    assert found["looked_at"] == [f"{w.REPOSITORY}#7: answered before"]
    assert len(runs(there)) == 1


def test_polling_alone_starts_the_run_and_does_not_start_it_again() -> None:
    there = line()
    first = there.act("issue", issue.ACTIONS, {"action": "poll"})["looked_at"][0]
    second = there.act("issue", issue.ACTIONS, {"action": "poll"})["looked_at"][0]
    assert (f"run {runs(there)[0]}" in first, second, len(runs(there))) == (True, f"{w.REPOSITORY}#7: answered before", 1)


def test_an_edit_after_the_label_takes_the_approval_back() -> None:
    there = line()
    issue_ = there.memory.repository.issues[w.REPOSITORY, 7]
    there.memory.repository.issues[w.REPOSITORY, 7] = replace(issue_, edited_at="2026-11-21T10:00:00Z")
    for _ in range(2):
        assert there.act("issue", issue.ACTIONS, {"action": "poll"})["looked_at"] == [f"{w.REPOSITORY}#7: edited after the label"]
    assert runs(there) == []
    assert len(there.memory.repository.comments[w.REPOSITORY, 7]) == 1


@pytest.mark.parametrize("sender", ["tom", "nobody", "ghost"])
def test_people_without_permission_start_nothing_and_hear_of_it_once_a_day(sender: str) -> None:
    """abuse row 30"""
    there = line()
    for number in range(3):
        again = payload(sender=sender)
        again["issue"]["updated_at"] = f"2026-11-21T10:0{number}:00Z"
        assert deliver(there, again, delivery=f"d-{number}")[0] == 200
    assert runs(there) == []
    assert len(there.memory.repository.comments[w.REPOSITORY, 7]) == 1


def test_a_bot_starts_nothing_and_is_not_answered() -> None:
    there = line()
    assert deliver(there, payload(sender="renovate[bot]") | {"sender": {"login": "renovate[bot]", "type": "Bot"}})[1] == "not_human"
    assert (runs(there), comments(there)) == ([], "")


def test_a_permission_that_cannot_be_verified_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """abuse row 31"""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    there = line()
    asked = []

    def fault(action: str) -> None:
        if action == "permission":
            asked.append(action)
            raise Unavailable("GitHub answered 502.")

    there.memory.repository.fault = fault
    assert deliver(there, payload())[1] == "unverified"
    assert (runs(there), len(asked)) == ([], 3)


def test_a_wrong_request_is_answered_with_every_problem_and_no_run() -> None:
    there = line()
    wrong = payload()
    wrong["issue"]["body"] = render_body(w.request()).replace("roc_auc", "acc")
    status, result = deliver(there, wrong)
    assert (status, runs(there)) == (200, [])
    assert result.startswith("E-PARSE-")
    assert result in comments(there)


def test_a_start_that_is_refused_is_told_on_the_issue() -> None:
    there = line()
    deliver(there, payload())
    other = payload()
    other["issue"]["body"] = render_body(w.request(seed=7))
    assert deliver(there, other, delivery="d-2")[1] == "E-RUN-LIVE"
    assert "is live on" in comments(there).replace("\\", "")


def test_another_repository_another_label_and_other_actions_do_nothing() -> None:
    there = line()
    assert deliver(there, payload(repository={"full_name": "evil/repo"}))[1] == "the repository is not served here"
    assert deliver(there, payload(label={"name": "bug"}), delivery="d-2")[1] == "another label"
    assert deliver(there, payload("opened"), delivery="d-3")[1] == "nothing to do"
    assert deliver(there, {"zen": "x"}, kind="ping", delivery="d-4") == (200, "nothing to do")
    assert runs(there) == []


def test_a_body_over_one_mebibyte_is_refused_unread() -> None:
    status, _ = deliver(line(), payload(label={"name": "x" * (1 << 20)}))
    assert status == 413


@pytest.mark.parametrize("delivery", ["", "a b", "x" * 200, "ü"])
def test_a_delivery_without_a_plain_id_is_refused(delivery: str) -> None:
    assert deliver(line(), payload(), delivery=delivery)[0] == 401


def test_a_command_of_somebody_without_permission_is_ignored() -> None:
    """abuse row 33"""
    there = line()
    assert deliver(there, comment("/retrain max_depth=8", "tom"), kind="issue_comment") == (200, "ignored")
    assert comments(there) == ""


@pytest.mark.parametrize("text", ["> /retrain max_depth=8", "```\n/retrain max_depth=8\n```", "thanks!"])
def test_quotes_fences_and_talk_are_no_commands(text: str) -> None:
    """abuse row 36"""
    assert deliver(line(), comment(text), kind="issue_comment") == (200, "talk")


def test_an_edited_comment_is_never_a_command() -> None:
    """abuse row 35"""
    assert deliver(line(), comment("/retrain max_depth=8", action="edited"), kind="issue_comment") == (200, "nothing to do")


def test_a_command_without_a_waiting_run_is_answered_on_the_issue() -> None:
    there = line()
    assert deliver(there, comment("/retrain max_depth=8"), kind="issue_comment") == (200, "not accepted")
    assert "run is live on this issue" in comments(there)


def test_an_unknown_option_is_answered_with_what_it_may_have_meant() -> None:
    """abuse row 37"""
    there = line()
    assert deliver(there, comment("/retrain max_dept=8"), kind="issue_comment") == (200, "refused")
    assert "max" in comments(there)


def test_only_the_first_of_three_commands_of_one_second_runs() -> None:
    """abuse row 44"""
    there = line()
    asked = payload()
    asked["issue"]["body"] = render_body(w.request(algorithm="xgboost"))
    deliver(there, asked)
    run = runs(there)[0]
    there.memory.machines.waiting.add("token")
    ports = there.memory.ports
    from mlops_core.runs.shared import park_operator

    park_operator(ports, run, 0, "token")
    told = []
    for number in range(3):
        body = comment(f"/retrain max_depth={5 + number}")
        body["comment"]["id"] = 11 + number
        told.append(deliver(there, body, kind="issue_comment", delivery=f"c-{number}")[1])
    assert told == ["accepted", "not accepted", "not accepted"]
    assert len(there.memory.machines.answers) == 1


def test_one_bad_issue_does_not_hide_the_next() -> None:
    there = line()
    first = there.memory.repository.issues[w.REPOSITORY, 7]
    there.memory.repository.issues[w.REPOSITORY, 3] = replace(first, number=3, label_actor="-broken-")
    looked = there.act("issue", issue.ACTIONS, {"action": "poll"})["looked_at"]
    assert len(looked) == 2
    assert any("run " in item for item in looked)
