"""The job machine: given these answers of the agent, this path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.stepfunctions.interpreter import Call, Ended, TaskError, load, walk

GIVEN = {"agent": "DataAgent", "event": {"run_id": "income-1a2b3c4d-g0", "round": 1, "split": "test"}}


def _answers(*described: Any, start: Any = None, park: Any = None) -> Any:
    queue = list(described)

    def answer(call: Call) -> Any:
        action = call.payload["action"]
        found = {"start": start or {"state": "running", "job": "mlops-j"}, "park": park}.get(action)
        if action == "describe":
            found = queue.pop(0) if queue else {"state": "running", "job": "mlops-j"}
        if isinstance(found, TaskError):
            raise found
        return found

    return answer


def _walk(answer: Any) -> Ended:
    return walk(load("job"), GIVEN, answer=answer)


@pytest.mark.parametrize(
    ("start", "described", "path"),
    [
        ("skipped", [], ["Start", "Ended", "Finished"]),
        ("running", ["completed"], ["Start", "Ended", "WaitBriefly", "Describe", "Ended", "Finished"]),
        ("running", ["running", "completed"], ["Start", "Ended", *["WaitBriefly", "Describe", "Ended"] * 2, "Finished"]),
    ],
)
def test_the_machine_walks_until_the_agent_says_it_is_over(start: str, described: list[str], path: list[str]) -> None:
    ended = _walk(_answers(*({"state": item, "job": "mlops-j"} for item in described), start={"state": start, "job": "mlops-j"}))
    assert (ended.status, ended.path) == ("SUCCEEDED", path)


def test_waits_grow_from_seconds_to_minutes() -> None:
    ended = _walk(_answers(*[{"state": "running", "job": "mlops-j"}] * 150, {"state": "completed", "job": "mlops-j"}))
    waits = [state for state in ended.path if state.startswith("Wait")]
    assert waits == ["WaitBriefly"] * 24 + ["WaitHalfMinute"] * 116 + ["WaitLong"] * 11


def test_a_wait_that_nobody_ends_leads_to_a_look() -> None:
    ended = _walk(_answers({"state": "completed", "job": "mlops-j"}, park=TaskError("States.Timeout")))
    assert ended.path == ["Start", "Ended", "WaitBriefly", "Describe", "Ended", "Finished"]


def test_the_job_of_the_second_try_is_the_one_that_is_followed() -> None:
    ended = _walk(_answers({"state": "running", "job": "mlops-j-a2"}, {"state": "completed", "job": "mlops-j-a2"}))
    assert [call.payload["job"] for call in ended.calls if call.payload["action"] in {"park", "describe"}] == [
        "mlops-j", "mlops-j", "mlops-j-a2", "mlops-j-a2",
    ]  # fmt: skip


def test_every_call_carries_the_event_it_was_started_with() -> None:
    ended = _walk(_answers({"state": "completed", "job": "mlops-j", "record": {"version": "1.0.0"}}))
    for call in ended.calls:
        if call.payload["action"] != "park":
            assert call.payload.items() >= GIVEN["event"].items()  # type: ignore[attr-defined]
    assert ended.output["record"] == {"version": "1.0.0"}


def test_a_failed_job_ends_the_machine_with_the_job_s_own_words() -> None:
    cause = json.dumps({"errorType": "JobFailed", "errorMessage": "column age is empty.", "stackTrace": ["..."]})
    ended = _walk(_answers(TaskError("JobFailed", cause)))
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "JobFailed", "column age is empty.")


def test_an_error_that_is_no_json_keeps_its_text() -> None:
    ended = _walk(_answers(start=TaskError("States.Timeout", "Task timed out")))
    assert (ended.error, ended.cause) == ("States.Timeout", "Task timed out")


@pytest.mark.parametrize("name", ["Throttled", "Unavailable", "Stale", "Lambda.TooManyRequestsException"])
def test_what_may_succeed_later_is_tried_again(name: str) -> None:
    answers = _answers({"state": "completed", "job": "mlops-j"})

    def answer(call: Call) -> Any:
        if call.payload["action"] == "describe" and call.attempt < 3:
            raise TaskError(name)
        return answers(call)

    assert _walk(answer).status == "SUCCEEDED"


@pytest.mark.parametrize("name", ["JobFailed", "Refused", "InvalidRequest", "Defect", "Unauthorized", "Conflict"])
def test_what_cannot_succeed_is_never_tried_again(name: str) -> None:
    ended = _walk(_answers(start=TaskError(name, "no")))
    assert (ended.status, len(ended.calls)) == ("FAILED", 1)


def test_a_job_that_never_ends_is_given_up() -> None:
    """abuse row 71: no terminal state of a job makes the machine loop for ever."""
    ended = _walk(_answers())
    assert (ended.status, ended.error, ended.path.count("Describe")) == ("FAILED", "JobFailed", 600)
