"""Every kind of end answers on the issue and writes history: one test each, machines, agents and server together."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlops_core.capabilities.retraining import answer_operator
from mlops_core.contracts.approval import RetrainCommand
from mlops_core.contracts.history import HistoryRecord
from mlops_core.contracts.job import JobStatus
from mlops_core.contracts.run import RunState
from tests.unit.mcp_server import world as w
from tests.unit.stepfunctions.interpreter import Call, TaskError
from tests.unit.stepfunctions.walker import Walker


def _closed(walker: Walker, run: str, outcome: str, label: str) -> RunState:
    """The run is closed, its issue labelled, its page answered, its record written."""
    state = walker.line.state(run)
    issue = walker.memory.repository.issues[w.REPOSITORY, 7]
    record = HistoryRecord.model_validate_json(walker.memory.repository.files[w.REPOSITORY][f"training_history/income/{run}.json"])
    pages = [body for body in walker.memory.repository.comments[w.REPOSITORY, 7].values() if f"mlops:run:{run}" in body]
    assert (state.outcome, record.run.outcome, issue.labels, len(pages)) == (outcome, outcome, (label,), 1)
    assert issue.state == ("closed" if outcome == "succeeded" else "open")
    assert not [phase for phase in state.phases if phase.status == "running"]
    return state


def test_a_success_is_served_recorded_and_closes_the_issue() -> None:
    walker = Walker(w.world())
    run = walker.start()
    ended = walker.run(run)
    assert ended.status == "SUCCEEDED"
    state = _closed(walker, run, "succeeded", "mlops:done")
    assert (state.champion, state.endpoint, state.model_version) == (True, "mlops-income", "1.0.0")
    assert {phase.status for phase in state.phases} == {"done"}


def test_a_refusal_names_the_deciding_rule() -> None:
    walker = Walker(w.world(), auc=[0.7])
    run = walker.start(threshold=0.9, max_retrains=0)
    assert walker.run(run).status == "SUCCEEDED"
    state = _closed(walker, run, "refused", "mlops:refused")
    assert "0.7" in state.reason
    assert "0.9" in state.reason
    assert not state.endpoint


def test_a_failed_job_tells_its_own_words() -> None:
    told = json.dumps({"code": "E-DATA-TARGET", "headline": "the target has one class.", "remedy": "Choose another target."})
    walker = Walker(w.world(), statuses={"data": "failed"}, messages={"data": told})
    run = walker.start()
    assert walker.run(run).status == "FAILED"
    state = _closed(walker, run, "failed", "mlops:failed")
    assert "the target has one class. Choose another target." in state.reason
    assert next(phase for phase in state.phases if phase.name == "data").status == "failed"


@pytest.mark.parametrize(
    ("status", "words"),
    [("failed", "failed"), ("stopped", "was stopped"), ("max_runtime", "maximum run time"), ("internal_error", "twice")],
)
def test_each_bad_end_of_a_job_is_told_apart_and_none_loops(status: JobStatus, words: str) -> None:
    """abuse row 71"""
    walker = Walker(w.world(), statuses={"train-r0": status, "train-r0-a2": status})
    run = walker.start()
    assert walker.run(run).status == "FAILED"
    assert words in _closed(walker, run, "failed", "mlops:failed").reason
    tries = [name for name in walker.memory.jobs.asked if "-train-" in name]
    assert len(tries) == (2 if status == "internal_error" else 1)


def test_an_internal_error_is_tried_once_more_under_a_new_name() -> None:
    walker = Walker(w.world(), statuses={"train-r0": "internal_error"})
    run = walker.start()
    assert walker.run(run).status == "SUCCEEDED"
    assert f"mlops-{run}-train-r0-a2" in walker.memory.jobs.asked


def test_an_aborted_run_is_closed_and_its_jobs_are_stopped() -> None:
    """abuse row 96"""
    walker = Walker(w.world())
    run = walker.start()
    walker.before = _stop_at("Describe")
    with pytest.raises(KeyboardInterrupt):
        walker.run(run)
    walker.memory.jobs.facts[f"mlops-{run}-data"] = walker.memory.jobs.facts[f"mlops-{run}-data"].model_copy(update={"status": "running"})
    walker.end(run, "ABORTED", cause="the operator stopped it.")
    state = _closed(walker, run, "aborted", "mlops:failed")
    assert state.reason == "the operator stopped it."
    assert walker.memory.jobs.facts[f"mlops-{run}-data"].status == "stopped"


def test_a_run_that_took_too_long_is_closed() -> None:
    walker = Walker(w.world())
    run = walker.start()
    walker.end(run, "TIMED_OUT")
    assert "longer than the machine allows" in _closed(walker, run, "timed_out", "mlops:failed").reason


def test_a_runtime_error_of_the_machine_is_closed() -> None:
    walker = Walker(w.world())
    run = walker.start()
    walker.end(run, "FAILED", error="States.Runtime", cause="An error occurred while executing the state 'Judge'.")
    assert _closed(walker, run, "failed", "mlops:failed").reason.startswith("States.Runtime: An error occurred")


def test_a_crash_of_an_agent_is_closed_with_its_message() -> None:
    walker = Walker(w.world(), before=_failing("Monitoring", "Defect", "say what"))
    run = walker.start()
    assert walker.run(run).status == "FAILED"
    assert _closed(walker, run, "failed", "mlops:failed").reason == "Defect: say what"


def test_a_wait_that_nobody_answers_expires_with_a_record() -> None:
    walker = Walker(w.world(), auc=[0.7])
    run = walker.start(threshold=0.9)
    assert walker.run(run).status == "SUCCEEDED"
    state = _closed(walker, run, "expired", "mlops:refused")
    assert state.verdict is not None
    assert state.verdict.decision == "retrain"


def test_an_operator_s_answer_trains_again_on_the_same_data_and_the_table_shows_the_change() -> None:
    walker = Walker(w.world(), auc=[0.7, 0.95], operator=_retrain({"max_depth": 8}))
    run = walker.start(threshold=0.9, algorithm="xgboost", hyperparameters={"max_depth": 4})
    assert walker.run(run).status == "SUCCEEDED"
    state = _closed(walker, run, "succeeded", "mlops:done")
    changes = [(item.name, item.before, item.after) for number in state.rounds for item in number.changes]
    assert (state.round, changes) == (1, [("max_depth", 4, 8)])
    assert len([name for name in walker.memory.jobs.asked if name.endswith("-data")]) == 1


def test_three_answers_are_the_most_and_then_the_run_is_refused() -> None:
    walker = Walker(w.world(), auc=[0.7], operator=_retrain({"max_depth": 8}, {"max_depth": 7}, {"max_depth": 5}))
    run = walker.start(threshold=0.9, algorithm="xgboost")
    assert walker.run(run).status == "SUCCEEDED"
    assert _closed(walker, run, "refused", "mlops:refused").round == 3


def test_an_endpoint_that_answers_wrongly_fails_the_release_and_keeps_the_earlier_version() -> None:
    walker = Walker(w.world())
    first = walker.start()
    assert walker.run(first).status == "SUCCEEDED"
    walker.served_score = 0.9
    issue = walker.memory.repository.issues[w.REPOSITORY, 7]
    walker.memory.repository.issues[w.REPOSITORY, 7] = replace(issue, state="open", labels=("mlops:train",))
    second = walker.start(seed=7)
    assert walker.run(second).status == "FAILED"
    state = _closed(walker, second, "failed", "mlops:failed")
    pointer = json.loads(walker.memory.repository.files[w.REPOSITORY]["mlops/models/income/production.json"])
    assert (pointer["version"], pointer["previous"]) == ("1.0.0", "1.0.1")
    assert walker.memory.endpoints.endpoints["mlops-income"].config_name.startswith("mlops-income-1-0-0-")
    assert "not serving 1.0.1 as promised" in state.reason


def test_a_package_alone_is_registered_and_touches_no_endpoint() -> None:
    walker = Walker(w.world())
    run = walker.start(endpoint=False)
    assert walker.run(run).status == "SUCCEEDED"
    state = _closed(walker, run, "succeeded", "mlops:done")
    assert {phase.name for phase in state.phases if phase.status == "skipped"} >= {"release", "monitoring"}
    assert not walker.memory.endpoints.endpoints


def test_the_same_recipe_on_the_same_bytes_is_prepared_once() -> None:
    walker = Walker(w.world())
    walker.run(walker.start())
    walker.run(walker.start(seed=42, threshold=0.6))
    assert len([name for name in walker.memory.jobs.asked if name.endswith("-data")]) == 1


def test_an_end_that_is_told_twice_has_one_effect() -> None:
    walker = Walker(w.world())
    run = walker.start()
    walker.end(run, "FAILED", error="JobFailed", cause="why")
    commits = len(walker.memory.repository.commits[w.REPOSITORY])
    walker.end(run, "FAILED", error="JobFailed", cause="why")
    assert len(walker.memory.repository.commits[w.REPOSITORY]) == commits


def test_a_deleted_issue_still_gets_its_record() -> None:
    """abuse row 39"""
    walker = Walker(w.world())
    run = walker.start()
    walker.before = _deleting_the_issue(walker)
    walker.run(run)
    assert f"training_history/income/{run}.json" in walker.memory.repository.files[w.REPOSITORY]
    assert walker.line.state(run).outcome == "succeeded"


def _stop_at(state: str) -> Any:
    def before(call: Call) -> None:
        if call.state == state:
            raise KeyboardInterrupt

    return before


def _failing(state: str, name: str, message: str) -> Any:
    def before(call: Call) -> None:
        if call.state == state:
            raise TaskError(name, json.dumps({"errorType": name, "errorMessage": message}))

    return before


def _retrain(*answers: dict[str, Any]) -> Any:
    queue = list(answers)

    def operator(walker: Walker, token: str) -> Any:
        number = len(walker.memory.machines.answers) + 11
        command = RetrainCommand(
            repository=w.REPOSITORY, issue=7, given_by="wataru", comment_id=number, parameters=queue.pop(0), path="webhook"
        )
        answered = answer_operator(walker.memory.ports, command)
        assert answered.accepted, answered.text
        found = json.loads(walker.memory.machines.answers[token])
        walker.memory.machines.answers[f"{token}-{number}"] = walker.memory.machines.answers.pop(token)
        return found

    return operator


def _deleting_the_issue(walker: Walker) -> Any:
    def before(call: Call) -> None:
        if call.state == "Packaging":
            walker.memory.repository.issues.pop((w.REPOSITORY, 7), None)

    return before
