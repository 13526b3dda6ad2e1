"""Whole runs: the agents' decisions and the server's tools together, every call over MCP, the outside world in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlops_core.agents import (
    data,
    deployment,
    evaluation,
    history,
    judge,
    monitoring,
    notification,
    packaging,
    retraining,
    training,
)
from mlops_core.capabilities.deployment import apply_endpoint
from mlops_core.capabilities.issue import start_run
from mlops_core.capabilities.retraining import answer_operator
from mlops_core.contracts.approval import RetrainCommand
from mlops_core.errors import JobFailed, Unavailable
from mlops_core.facts import EndpointFacts
from mlops_core.reporting.history import verify_chain
from mlops_core.runs.record import _records
from tests.unit.mcp_server import world as w


def prepare(line: w.Line, run: str) -> None:
    """The data phase up to its end."""
    started = line.act("data", data.ACTIONS, {"action": "start", "run_id": run, "round": 0})
    assert started["state"] == "running"
    w.put(line.memory, f"{line.state(run).prepared_uri}profile.json", w.profile())
    line.memory.jobs.finish(started["job"], "completed", seconds=5, billable_seconds=5)
    assert line.act("data", data.ACTIONS, {"action": "describe", "run_id": run, "job": started["job"]})["state"] == "completed"


def train(line: w.Line, run: str, number: int) -> None:
    """One training round."""
    started = line.act("training", training.ACTIONS, {"action": "start", "run_id": run, "round": number})
    uri = f"s3://lake/models/income/{run}-r{number}/{started['job']}/output/model.tar.gz"
    line.memory.jobs.finish(started["job"], "completed", seconds=9, billable_seconds=9, output_uri=uri, metrics={"validation:roc_auc": 0.9})
    line.act("training", training.ACTIONS, {"action": "describe", "run_id": run, "round": number, "job": started["job"]})
    assert line.state(run).training_uri == uri.removesuffix("model.tar.gz")


def evaluate(line: w.Line, run: str, number: int, split: str, auc: float = 0.92, **stored: Any) -> dict[str, Any]:
    """One look, and the judge's answer to it."""
    event = {"run_id": run, "round": number, "split": split}
    started = line.act("evaluation", evaluation.ACTIONS, {**event, **stored, "action": "start"})
    uri = f"s3://lake/evaluations/{run}-r{number}{'-test' if split == 'test' else ''}/"
    w.put(line.memory, f"{uri}results.json", w.results(run, split, auc))
    line.memory.objects.write(f"{uri}confusion_matrix.png", b"png")
    line.memory.objects.write(f"{uri}report.html", b"<html>")
    line.memory.jobs.finish(started["job"], "completed", seconds=3, billable_seconds=3)
    found = line.act("evaluation", evaluation.ACTIONS, {**event, "action": "describe", "job": started["job"]})
    return judge.handler({"verdict_input": found["verdict_input"], "policy": found["policy"]}, None)


def pack(line: w.Line, run: str, number: int) -> dict[str, Any]:
    """The packaging phase; the record of the registered version."""
    started = line.act("packaging", packaging.ACTIONS, {"action": "start", "run_id": run, "round": number})
    w.package(line.memory, run, line.state(run).model_version)
    line.memory.jobs.finish(started["job"], "completed", seconds=2, billable_seconds=2)
    event = {"action": "describe", "run_id": run, "round": number, "job": started["job"]}
    found: dict[str, Any] = line.act("packaging", packaging.ACTIONS, event)["record"]
    return found


def release(line: w.Line, run: str, record: dict[str, Any], score: float = 0.25) -> dict[str, Any]:
    """The deploy machine's steps; the event they share."""
    from mlops_core.contracts.model import ModelRecord

    owner = f"{run}-deploy"
    begun = line.act("deployment", deployment.ACTIONS, {"action": "begin", "run_id": run, "record": record, "owner": owner})
    event: dict[str, Any] = begun["event"]
    line.act("deployment", deployment.ACTIONS, {**event, "action": "apply"})
    answer = w.serving_answer(ModelRecord.model_validate(record), score)
    line.memory.endpoints.answers["mlops-income"] = answer
    assert line.act("deployment", deployment.ACTIONS, {**event, "action": "check"})["state"] == "completed"
    return event


def close(line: w.Line, run: str, outcome: str, reason: str = "") -> None:
    """The closing path."""
    line.act("history", history.ACTIONS, {"action": "close", "run_id": run, "outcome": outcome, "reason": reason})


def whole_run(line: w.Line, **changes: object) -> str:
    """A run from its start to its record."""
    run = start_run(line.memory.ports, w.approved(**changes)).run_id
    if not line.state(run).prepared_uri:
        prepare(line, run)
    train(line, run, 0)
    verdict = evaluate(line, run, 0, "validation")
    assert verdict["decision"] == "accept"
    opened = evaluate(line, run, 0, "test", verdict=verdict["verdict"])
    assert opened["decision"] == "opened"
    record = pack(line, run, 0)
    event = release(line, run, record)
    line.act("deployment", deployment.ACTIONS, {**event, "action": "verify"})
    line.act("deployment", deployment.ACTIONS, {**event, "action": "finish"})
    line.act("monitoring", monitoring.ACTIONS, {"action": "watch", "run_id": run})
    line.act("retraining", retraining.ACTIONS, {"action": "register", "run_id": run, "record": record})
    close(line, run, "succeeded")
    return run


def test_a_run_goes_from_its_issue_to_a_served_watched_recorded_champion() -> None:
    line = w.Line(w.world())
    run = whole_run(line)
    state, memory = line.state(run), line.memory
    assert (state.outcome, state.champion, state.model_version, state.endpoint) == ("succeeded", True, "1.0.0", "mlops-income")
    assert {phase.status for phase in state.phases} == {"done"}
    assert memory.endpoints.endpoints["mlops-income"].config_name.startswith("mlops-income-1-0-0-")
    assert set(memory.watch.put) == {"mlops-income-errors", "mlops-income-latency"}
    files = memory.repository.files[w.REPOSITORY]
    assert f"training_history/income/{run}.md" in files
    assert f"training_history/income/{run}/confusion_matrix.png" in files
    assert json.loads(files["mlops/models/income/production.json"])["version"] == "1.0.0"
    issue = memory.repository.issues[w.REPOSITORY, 7]
    assert (issue.state, issue.labels) == ("closed", ("mlops:done",))
    pages = [body for body in memory.repository.comments[w.REPOSITORY, 7].values() if f"mlops:run:{run}" in body]
    assert len(pages) == 1


def test_a_run_below_threshold_waits_for_the_operator_and_trains_again_with_the_change() -> None:
    line = w.Line(w.world())
    run = start_run(line.memory.ports, w.approved(threshold=0.91, hyperparameters={"max_depth": 4}, algorithm="xgboost")).run_id
    prepare(line, run)
    train(line, run, 0)
    verdict = evaluate(line, run, 0, "validation", auc=0.8)
    assert verdict["decision"] == "retrain"
    line.memory.machines.waiting.add("token-0")
    ask = {"action": "ask", "run_id": run, "round": 0, "verdict": verdict["verdict"], "token": "token-0"}
    line.act("notification", notification.ACTIONS, ask)
    command = RetrainCommand(
        repository=w.REPOSITORY, issue=7, given_by="wataru", comment_id=11, parameters={"max_depth": 8}, path="webhook"
    )
    assert answer_operator(line.memory.ports, command).accepted
    assert json.loads(line.memory.machines.answers["token-0"])["round"] == 1
    train(line, run, 1)
    job = line.memory.jobs.asked[f"mlops-{run}-train-r1"]
    assert getattr(job, "hyperparameters")["max_depth"] == "8"  # noqa: B009 (either kind of job)
    assert evaluate(line, run, 1, "validation", auc=0.93)["decision"] == "accept"
    rounds = line.state(run).rounds
    assert [(item.number, [(c.name, c.before, c.after) for c in item.changes]) for item in rounds] == [(0, []), (1, [("max_depth", 4, 8)])]
    assert rounds[0].verdict is not None


def test_an_expired_wait_ends_refused_on_the_issue_with_a_record() -> None:
    line = w.Line(w.world())
    run = start_run(line.memory.ports, w.approved(threshold=0.99)).run_id
    prepare(line, run)
    train(line, run, 0)
    evaluate(line, run, 0, "validation", auc=0.8)
    close(line, run, "expired", "nobody answered in time.")
    assert line.memory.repository.issues[w.REPOSITORY, 7].labels == ("mlops:refused",)
    assert line.state(run).history_path == f"training_history/income/{run}.md"


@pytest.mark.parametrize("status", ["failed", "stopped", "max_runtime"])
def test_abuse_row_71_a_job_that_ends_badly_fails_the_run_in_its_own_words(status: Any) -> None:
    line = w.Line(w.world())
    run = start_run(line.memory.ports, w.approved()).run_id
    started = line.act("data", data.ACTIONS, {"action": "start", "run_id": run, "round": 0})
    line.memory.jobs.finish(started["job"], status)
    with pytest.raises(JobFailed) as caught:
        line.act("data", data.ACTIONS, {"action": "describe", "run_id": run, "job": started["job"]})
    close(line, run, "failed", str(caught.value))
    assert line.memory.repository.issues[w.REPOSITORY, 7].labels == ("mlops:failed",)


def test_abuse_row_71_an_internal_error_is_tried_once_more_under_another_name() -> None:
    line = w.Line(w.world())
    run = start_run(line.memory.ports, w.approved()).run_id
    started = line.act("data", data.ACTIONS, {"action": "start", "run_id": run, "round": 0})
    line.memory.jobs.finish(started["job"], "internal_error")
    again = line.act("data", data.ACTIONS, {"action": "describe", "run_id": run, "job": started["job"]})
    assert again["job"] == f"{started['job']}-a2"
    line.memory.jobs.finish(again["job"], "internal_error")
    with pytest.raises(JobFailed):
        line.act("data", data.ACTIONS, {"action": "describe", "run_id": run, "job": again["job"]})


def test_an_endpoint_that_answers_wrongly_is_pointed_back_to_the_version_before() -> None:
    line = w.Line(w.world())
    whole_run(line)
    second = start_run(line.memory.ports, w.approved(algorithm="xgboost", hyperparameters={"max_depth": 5})).run_id
    started = line.act("data", data.ACTIONS, {"action": "start", "run_id": second, "round": 0})
    assert started["state"] == "skipped"
    train(line, second, 0)
    verdict = evaluate(line, second, 0, "validation", auc=0.95)
    evaluate(line, second, 0, "test", auc=0.95, verdict=verdict["verdict"])
    event = release(line, second, pack(line, second, 0), score=0.9)
    with pytest.raises(JobFailed):
        line.act("deployment", deployment.ACTIONS, {**event, "action": "verify"})
    problem = {"problem": {"Error": "JobFailed", "Cause": ""}}
    assert line.act("deployment", deployment.ACTIONS, {**event, **problem, "action": "rollback"})["state"] == "rolled back"
    pointer = json.loads(line.memory.repository.files[w.REPOSITORY]["mlops/models/income/production.json"])
    assert (pointer["version"], pointer["previous"]) == ("1.0.0", "1.1.0")
    assert line.memory.endpoints.endpoints["mlops-income"].config_name.startswith("mlops-income-1-0-0-")


def test_a_first_version_that_does_not_come_up_is_taken_out_of_production() -> None:
    line = w.Line(w.world())
    run = start_run(line.memory.ports, w.approved()).run_id
    prepare(line, run)
    train(line, run, 0)
    verdict = evaluate(line, run, 0, "validation")
    evaluate(line, run, 0, "test", verdict=verdict["verdict"])
    event = release(line, run, pack(line, run, 0), score=0.9)
    there = line.memory.endpoints.endpoints["mlops-income"]
    problem = {"problem": {"Error": "JobFailed", "Cause": ""}}
    assert line.act("deployment", deployment.ACTIONS, {**event, **problem, "action": "rollback"})["state"] == "withdrawn"
    assert "mlops/models/income/production.json" not in line.memory.repository.files[w.REPOSITORY]
    assert line.memory.ledger.get("LOCK#endpoint#mlops-income", "LOCK") is None
    # What never served is made anew by the next deployment.
    line.memory.endpoints.endpoints["mlops-income"] = replace(there, status="Failed")
    with pytest.raises(Unavailable, match="made anew"):
        apply_endpoint(line.memory.ports, "mlops-income", there.config_name)
    assert "mlops-income" not in line.memory.endpoints.endpoints


def test_the_lock_is_held_until_the_earlier_version_serves_again() -> None:
    line = w.Line(w.world())
    whole_run(line)
    second = start_run(line.memory.ports, w.approved(algorithm="xgboost", hyperparameters={"max_depth": 5})).run_id
    line.act("data", data.ACTIONS, {"action": "start", "run_id": second, "round": 0})
    train(line, second, 0)
    verdict = evaluate(line, second, 0, "validation", auc=0.95)
    evaluate(line, second, 0, "test", auc=0.95, verdict=verdict["verdict"])
    event = release(line, second, pack(line, second, 0), score=0.9)
    event = {**event, "problem": {"Error": "JobFailed", "Cause": ""}, "action": "rollback"}
    settled = line.memory.endpoints.describe

    def changing(endpoint: str) -> EndpointFacts | None:
        there = settled(endpoint)
        return replace(there, status="Updating") if there else None

    line.memory.endpoints.describe = changing  # type: ignore[method-assign]
    assert line.act("deployment", deployment.ACTIONS, event)["state"] == "running"
    assert line.memory.ledger.get("LOCK#endpoint#mlops-income", "LOCK")
    line.memory.endpoints.describe = settled  # type: ignore[method-assign]
    assert line.act("deployment", deployment.ACTIONS, event)["state"] == "rolled back"
    assert line.memory.ledger.get("LOCK#endpoint#mlops-income", "LOCK") is None
    assert len([path for path, _ in line.memory.repository.commits[w.REPOSITORY] if path.startswith("Point income to 1.0.0")]) == 2


def test_records_of_many_runs_form_one_chain_even_when_the_head_moves() -> None:
    line = w.Line(w.world())
    runs = []
    for seed in range(3):
        run = start_run(line.memory.ports, w.approved(seed=seed)).run_id
        moved: list[int] = []

        def move(seen: list[int] = moved) -> None:
            if len(seen) < 2:
                seen.append(1)
                line.memory.repository.commits.setdefault(w.REPOSITORY, []).append(("somebody else", ""))

        line.memory.repository.before_commit = move
        close(line, run, "failed", "a test")
        line.memory.repository.before_commit = None
        runs.append(run)
    reader = line.memory.repository.files[w.REPOSITORY].get
    records = _records(line.memory.ports, reader, "training_history/income")
    assert [record.run.run_id for record in records] == runs
    assert verify_chain(records) == ()
