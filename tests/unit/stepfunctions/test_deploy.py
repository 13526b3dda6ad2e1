"""The deploy machine: given these looks at an endpoint, this path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.stepfunctions.interpreter import Call, Ended, TaskError, load, walk

GOOD = ["Begin", "Wanted", "Apply", "Wait", "Check", "Ready", "Verify", "Finish"]


def _walk(*looks: str, begin: Any = None, failing: dict[str, str] | None = None, backs: list[str] | None = None) -> Ended:
    queue, ways = list(looks), list(backs or [])

    def answer(call: Call) -> Any:
        action = call.payload["action"]
        if failing and action in failing:
            raise TaskError("JobFailed", json.dumps({"errorType": "JobFailed", "errorMessage": failing[action]}))
        if action == "begin":
            return begin or {"state": "running", "event": {"run_id": "r", "owner": call.payload["owner"], "model_name": "income"}}
        if action == "check":
            return {"state": queue.pop(0) if queue else "running"}
        if action == "rollback":
            return {"state": ways.pop(0) if ways else "rolled back"}
        return {"state": "completed"}

    return walk(load("deploy"), {"event": {"run_id": "r", "record": {}}}, answer=answer, name="r-deploy")


@pytest.mark.parametrize(
    ("looks", "path"),
    [
        (("completed",), GOOD),
        (("running", "completed"), [*GOOD[:3], "Wait", "Check", "Ready", "Wait", "Check", "Ready", "Verify", "Finish"]),
    ],
)
def test_an_endpoint_is_verified_before_the_machine_is_done(looks: tuple[str, ...], path: list[str]) -> None:
    ended = _walk(*looks)
    assert (ended.status, ended.path) == ("SUCCEEDED", path)


def test_a_request_for_a_package_alone_touches_no_endpoint() -> None:
    ended = _walk(begin={"state": "skipped", "event": {"run_id": "r", "skipped": True}})
    assert ended.path == ["Begin", "Wanted", "Finish"]


@pytest.mark.parametrize("action", ["apply", "check", "verify"])
def test_a_failed_step_goes_back_and_tells_the_first_problem(action: str) -> None:
    ended = _walk("completed", failing={action: "not healthy", "rollback": "the rollback failed too"})
    assert ended.path[-2:] == ["Rollback", "Failed"]
    assert (ended.error, ended.cause) == ("JobFailed", "not healthy")


def test_the_way_back_is_followed_until_the_endpoint_has_settled() -> None:
    ended = _walk("completed", failing={"verify": "wrong answers"}, backs=["running", "running", "rolled back"])
    assert ended.path[-9:] == ["Verify", *("Rollback", "Returned", "Pause") * 2, "Rollback", "Returned", "Failed"][-9:]
    assert ended.path.count("Rollback") == 3
    assert ended.cause == "wrong answers"


def test_a_way_back_that_never_settles_ends_too() -> None:
    ended = _walk("completed", failing={"verify": "wrong answers"}, backs=["running"] * 500)
    assert (ended.path[-1], ended.path.count("Rollback")) == ("Failed", 399)


def test_a_failed_begin_changes_nothing_and_so_undoes_nothing() -> None:
    ended = _walk(failing={"begin": "the signature is wrong"})
    assert (ended.path, ended.cause) == (["Begin", "Failed"], "the signature is wrong")


def test_an_endpoint_that_never_settles_is_given_up_and_rolled_back() -> None:
    ended = _walk()
    assert (ended.path[-3:], ended.error) == (["Rollback", "Returned", "Failed"], "JobFailed")
    assert ended.path.count("Check") == 200


def test_the_owner_of_the_lock_is_the_execution() -> None:
    assert _walk("completed").calls[0].payload["owner"] == "r-deploy"
