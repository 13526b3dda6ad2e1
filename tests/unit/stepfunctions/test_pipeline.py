"""The pipeline: given these decisions and errors, this path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.stepfunctions.interpreter import Call, Ended, TaskError, load, walk

RUN = "income-1a2b3c4d-g0"
RECORD = {"model_name": "income", "version": "1.0.0"}
GOOD_END = ["Packaging", "Release", "Monitoring", "Improvement", "Close"]


def _verdict(decision: str) -> dict[str, Any]:
    if decision == "opened":
        return {"decision": "opened", "reason": "", "verdict": None}
    return {"decision": decision, "reason": f"because {decision}", "verdict": {"decision": decision}}


def _walk(*decisions: str, failing: dict[str, TaskError] | None = None, operator: Any = None) -> Ended:
    queue, rounds = list(decisions), [0]

    def answer(call: Call) -> Any:
        if failing and call.state in failing:
            raise failing[call.state]
        if call.state == "Judge":
            return _verdict(queue.pop(0))
        if call.state == "AskOperator":
            if operator is not None:
                raise operator
            rounds[0] += 1
            return {"round": rounds[0]}
        if call.state == "Data":
            return {"state": "completed", "job": "j", "decision": "prepared"}
        if call.state == "Validation":
            return {"state": "completed", "verdict_input": {"split": call.payload["event"]["split"]}, "policy": {}}
        return {"state": "completed", "job": "j", "record": RECORD}

    return walk(load("pipeline"), {"run_id": RUN}, answer=answer, name=RUN)


def _call(ended: Ended, state: str, number: int = 0) -> Call:
    return [call for call in ended.calls if call.state == state][number]


START = ["Data", "Verdict", "Experiment", "Validation", "Judge", "Verdict"]
TEST_LOOK = ["Validation", "Judge", "Verdict"]
AGAIN = ["AskOperator", "Experiment", "Validation", "Judge", "Verdict"]


@pytest.mark.parametrize(
    ("decisions", "path"),
    [
        (("accept", "opened"), [*START, *TEST_LOOK, *GOOD_END]),
        (("retrain", "accept", "opened"), [*START, *AGAIN, *TEST_LOOK, *GOOD_END]),
        (("retrain", "retrain", "retrain", "refuse"), [*START, *AGAIN, *AGAIN, *AGAIN, "Close"]),
        (("refuse",), [*START, "Close"]),
    ],
)
def test_decisions_lead_along_their_path(decisions: tuple[str, ...], path: list[str]) -> None:
    ended = _walk(*decisions)
    assert (ended.status, ended.path) == ("SUCCEEDED", path)


def test_the_test_split_is_opened_once_and_only_after_acceptance() -> None:
    ended = _walk("retrain", "accept", "opened")
    splits = [call.payload["event"]["split"] for call in ended.calls if call.state == "Validation"]
    assert splits == ["validation", "validation", "test"]


def test_the_accepting_verdict_is_stored_by_the_next_call() -> None:
    ended = _walk("accept", "opened")
    assert "verdict" not in _call(ended, "Validation").payload["event"]
    assert _call(ended, "Validation", 1).payload["event"]["verdict"] == {"decision": "accept"}


def test_an_operator_s_answer_starts_the_next_round_on_the_same_data() -> None:
    ended = _walk("retrain", "accept", "opened")
    assert [call.payload["event"]["round"] for call in ended.calls if call.state == "Experiment"] == [0, 1]
    assert ended.path.count("Data") == 1
    asked = _call(ended, "AskOperator").payload
    assert (asked["action"], asked["round"], asked["verdict"]["decision"]) == ("ask", 0, "retrain")
    assert asked["token"].startswith("token-of-AskOperator")


def test_nested_executions_have_names_of_their_own() -> None:
    ended = _walk("retrain", "accept", "opened")
    names = [call.arguments["Name"] for call in ended.calls if "Name" in call.arguments]
    assert len(names) == len(set(names))
    assert all(name.startswith(RUN) and len(name) <= 80 for name in names)


def test_a_refused_run_is_closed_with_the_deciding_rule() -> None:
    closing = _call(_walk("refuse"), "Close").payload
    assert (closing["outcome"], closing["reason"]) == ("refused", "because refuse")
    assert closing["verdict"] == {"decision": "refuse"}


def test_data_that_the_policy_stops_on_close_the_run_as_refused_and_train_nothing() -> None:
    said = {"state": "completed", "job": "j", "decision": "refuse", "reason": "it stops on W-LEAK-001."}
    ended = walk(load("pipeline"), {"run_id": RUN}, answer=lambda _call: said, name=RUN)
    assert (ended.status, ended.path) == ("SUCCEEDED", ["Data", "Verdict", "Close"])
    closing = _call(ended, "Close").payload
    assert (closing["outcome"], closing["reason"]) == ("refused", "it stops on W-LEAK-001.")
    assert "verdict" not in closing


def test_a_run_whose_operator_never_answers_expires_with_a_record() -> None:
    ended = _walk("retrain", operator=TaskError("States.Timeout"))
    closing = _call(ended, "Close").payload
    assert (ended.status, ended.path[-2:], closing["outcome"]) == ("SUCCEEDED", ["AskOperator", "Close"], "expired")


def test_a_successful_run_is_closed_as_succeeded_with_the_registered_record() -> None:
    ended = _walk("accept", "opened")
    assert _call(ended, "Improvement").payload["record"] == RECORD
    assert _call(ended, "Release").payload["event"] == {"run_id": RUN, "record": RECORD}
    assert ended.output == {"run_id": RUN, "outcome": "succeeded"}


@pytest.mark.parametrize(
    "state", ["Data", "Experiment", "Validation", "Judge", "Packaging", "Release", "Monitoring", "Improvement", "Close"]
)
def test_any_error_fails_the_run_under_its_name(state: str) -> None:
    ended = _walk("accept", "opened", failing={state: TaskError("JobFailed", "why")})
    assert (ended.status, ended.error, ended.cause, ended.path[-1]) == ("FAILED", "JobFailed", "why", "Failed")


def test_a_nested_machine_s_failure_shows_the_innermost_words() -> None:
    described = {"ExecutionArn": "arn", "Status": "FAILED", "Input": "{}", "Error": "JobFailed", "Cause": "column age is empty."}
    ended = _walk(failing={"Data": TaskError("States.TaskFailed", json.dumps(described))})
    assert (ended.error, ended.cause) == ("JobFailed", "column age is empty.")


def test_a_nested_machine_that_ran_out_of_time_says_so() -> None:
    described = {"ExecutionArn": "arn", "Status": "TIMED_OUT", "Input": "{}"}
    ended = _walk(failing={"Data": TaskError("States.TaskFailed", json.dumps(described))})
    assert (ended.error, ended.cause) == ("States.TIMED_OUT", "TIMED_OUT")


def test_an_agent_s_failure_shows_its_message_without_the_trace() -> None:
    cause = json.dumps({"errorType": "Defect", "errorMessage": "say what", "stackTrace": ["..."]})
    ended = _walk("accept", "opened", failing={"Monitoring": TaskError("Defect", cause)})
    assert (ended.error, ended.cause) == ("Defect", "say what")


def test_an_operator_question_that_cannot_be_asked_fails_the_run() -> None:
    ended = _walk("retrain", operator=TaskError("Unauthorized", "why"))
    assert (ended.status, ended.error) == ("FAILED", "Unauthorized")


def test_the_state_stays_small() -> None:
    """abuse row 61: ids and small messages travel, never data."""
    ended = _walk("accept", "opened")
    assert all(len(str(call.arguments)) < 16_000 for call in ended.calls)
