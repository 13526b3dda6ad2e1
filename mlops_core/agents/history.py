"""History Writer: the one closing path of every run, however it ended.

    handler({"action": "close", "run_id": "…", "outcome": "succeeded", "reason": ""}, context)     # the pipeline's last state
    handler({"source": "aws.states", "detail": {"status": "ABORTED", "name": "…", "executionArn": "…"}}, context)

A run that failed, was aborted or timed out cannot close itself; EventBridge brings its end here.  Every step is idempotent and the next
ones are tried when one fails, so that people hear of the end even when, say, no commit is possible.
"""

from __future__ import annotations

import json
import re

from mlops_core.agents.following import line, phase
from mlops_core.agents.handler import Agent, Document, answer, key_of
from mlops_core.errors import MlopsError

_OUTCOMES = {"FAILED": "failed", "ABORTED": "aborted", "TIMED_OUT": "timed_out"}
_MESSAGE = re.compile(r'"errorMessage"\s*:\s*("(?:[^"\\]|\\.)*")')


def handler(event: Document, context: object) -> Document:
    """Lambda entry: the pipeline's last state, or EventBridge's unsuccessful ends."""
    if event.get("source") == "aws.states":
        detail = event["detail"]
        event = {"action": "ended", "run_id": detail["name"], "execution_arn": detail["executionArn"], "status": detail["status"]}
    return answer("history", ACTIONS, event, context)


def ended(agent: Agent, event: Document) -> Document:
    """Close a run whose machine failed, was aborted or timed out, with the reason the machine kept."""
    facts: Document = agent.tools.call("describe_execution", arn=event["execution_arn"])
    outcome = _OUTCOMES[str(event["status"])]
    return close(agent, {"run_id": event["run_id"], "outcome": outcome, "reason": reason(outcome, facts)})


def close(agent: Agent, event: Document) -> Document:
    """Sweep, publish, record and answer; raises the first problem after every step was tried."""
    run_id = str(event["run_id"])
    run: Document = agent.tools.call("read_run", run_id=run_id)
    outcome = str(run["outcome"] or event["outcome"])
    why = str(run["reason"] or event["reason"])[:1000]
    problems: list[MlopsError] = []

    def attempt(name: str, **arguments: object) -> None:
        try:
            agent.tools.call(name, run_id=run_id, key=key_of(run_id, name, arguments), **arguments)
        except MlopsError as error:
            problems.append(error)

    if outcome != "succeeded":
        attempt("stop_orphans")
    changes = _last_changes(run, why, event)
    if changes:
        attempt("record_progress", changes=changes)
    if run["evaluation_uri"] or run["prepared_uri"]:
        attempt("publish_plots")
    attempt("close_run", outcome=outcome, reason=why)
    attempt("write_record")
    attempt("finish_issue")
    if problems:
        raise problems[0]
    return {"run_id": run_id, "outcome": outcome}


def reason(outcome: str, facts: Document) -> str:
    """Why a machine ended, in one line: the innermost error's own words, else what the machine says."""
    if outcome == "aborted":
        return str(facts["cause"] or "somebody stopped the execution.")[:1000]
    if outcome == "timed_out":
        return "the run took longer than the machine allows."
    name, text = _innermost(str(facts["error"]), str(facts["cause"]))
    return f"{name}: {text}"[:1000] if text else name or "the state machine gave no reason."


def _innermost(name: str, cause: str, depth: int = 0) -> tuple[str, str]:
    """A nested execution's cause is its description as JSON, a Lambda's is its error as JSON; unfold both."""
    try:
        found = json.loads(cause)
    except ValueError:
        cut = _MESSAGE.search(cause)
        return name, str(json.loads(cut.group(1))) if cut else cause
    if not isinstance(found, dict) or depth > 4:
        return name, cause
    if "errorMessage" in found:
        return str(found.get("errorType", name)), str(found["errorMessage"])
    if found.get("Error") or found.get("Cause"):
        return _innermost(str(found.get("Error", name)), str(found.get("Cause", "")), depth + 1)
    return name, str(found.get("Status", cause))


def _last_changes(run: Document, why: str, event: Document) -> Document:
    changes: Document = {}
    running = [item["name"] for item in run["phases"] if item["status"] == "running"]
    if running:
        changes["phase"] = phase(running[0], "failed", line("detail.failed", reason=why[:300]) if why else None)
    if event.get("outcome") == "refused" and why:
        # Before the report is published: it says why too.
        changes["reason"] = why
    if event.get("verdict") and run["verdict"] != event["verdict"]:
        changes["verdict"] = event["verdict"]
    return changes


ACTIONS = {"close": close, "ended": ended}
