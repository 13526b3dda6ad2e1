"""Retrain: registers the champion that later challengers must beat, and starts challengers that new data or a schedule ask for.

    handler({"action": "register", "run_id": "income-1a2b3c4d-g1", "record": ModelRecord}, context)      # the pipeline
    handler({"source": "aws.s3", "detail": {"bucket": {…}, "object": {"key": "datasets/adult/raw/…"}}}, context)   # EventBridge
    handler({"action": "tick"}, context)                                                                 # Scheduler

A repository asks for either in its policy; a cool-down keeps two such runs of one model apart.
"""

from __future__ import annotations

import logging
import re

from mlops_core.agents.following import line, phase
from mlops_core.agents.handler import Agent, Document, answer, fresh_key, key_of
from mlops_core.errors import MlopsError, Retryable

_RAW = re.compile(r"datasets/(?P<dataset>[A-Za-z0-9._-]{1,64})/raw/(?:[A-Za-z0-9._-]{1,128}/)*(?P<file>[A-Za-z0-9._-]{1,128})\Z")
_log = logging.getLogger(__name__)


def handler(event: Document, context: object) -> Document:
    """Lambda entry: the pipeline, EventBridge's new objects, Scheduler's ticks."""
    if event.get("source") == "aws.s3":
        event = {"action": "arrived", "bucket": event["detail"]["bucket"]["name"], "object_key": event["detail"]["object"]["key"]}
    return answer("retraining", ACTIONS, event, context)


def register(agent: Agent, event: Document) -> Document:
    """Make an accepted and promoted version the champion; a version that was only packaged stays a challenger."""
    run_id = str(event["run_id"])
    run: Document = agent.tools.call("read_run", run_id=run_id)
    if run["request"]["promotion"] != "auto":
        agent.record(run_id, {"phase": phase("improvement", "skipped", line("detail.unpromoted")), "champion": False})
        return {"state": "skipped"}
    replaced = agent.tools.call("register_champion", record=event["record"], key=key_of(run_id, "champion"))["replaced"]
    version = event["record"]["version"]
    told = line("detail.champion_after", version=version, before=replaced) if replaced else line("detail.champion", version=version)
    agent.record(run_id, {"phase": phase("improvement", "done", told), "champion": True})
    return {"state": "completed"}


def arrived(agent: Agent, event: Document) -> Document:
    """A new object: train the models again whose champion learned from a file of this name in this data set."""
    key = str(event["object_key"])
    found = _RAW.match(key)
    if found is None or event["bucket"] != agent.settings.require("bucket"):
        return {"models": {}}
    watched: Document = agent.tools.call("list_watched", dataset=found["dataset"], file=found["file"])
    uri = f"s3://{event['bucket']}/{key}"
    return {"models": _each(agent, watched["models"], trigger="data", uri=uri)}


def tick(agent: Agent, event: Document) -> Document:  # noqa: ARG001 - every action takes an event
    """The schedule's look at every watched model."""
    watched: Document = agent.tools.call("list_watched", dataset="", file="")
    return {"models": _each(agent, watched["models"], trigger="schedule", uri="")}


def _each(agent: Agent, models: list[str], *, trigger: str, uri: str) -> Document:
    """What became of each model; one bad policy does not hide the next model, and what may succeed later is raised at the end."""
    told: Document = {}
    later: list[Retryable] = []
    for name in models:
        try:
            told[name] = _considered(agent, name, trigger=trigger, uri=uri)
        except MlopsError as error:
            told[name] = error.code or type(error).__name__
            later += [error] if isinstance(error, Retryable) else []
            _log.error(
                "a model was not trained again", extra={"fields": {"model": name, "error": type(error).__name__, "code": error.code}}
            )
    _log.info("looked at models to train again", extra={"fields": {"trigger": trigger, "models": told}})
    if later:
        raise later[0]
    return told


def _considered(agent: Agent, name: str, *, trigger: str, uri: str) -> str:
    terms: Document = agent.tools.call("retraining_terms", model_name=name, dataset=uri)
    if trigger == "data" and not terms["on_data"]:
        return "not asked for"
    if trigger == "schedule" and not terms["schedule_seconds"]:
        return "not asked for"
    if trigger == "schedule" and terms["idle_seconds"] < terms["schedule_seconds"]:
        return "not due"
    if not terms["dataset"]:
        return "nothing newer"
    claimed = agent.tools.call("claim_retraining", model_name=name, seconds=terms["cool_down_seconds"], key=fresh_key("cool-down"))
    if not claimed["first"]:
        return "cooling down"
    try:
        return _started(agent, name, trigger, terms)
    except Retryable:
        agent.tools.call("release_retraining", model_name=name, key=fresh_key("release"))
        raise


def _started(agent: Agent, name: str, trigger: str, terms: Document) -> str:
    wanted = {"model_name": name, "trigger": trigger, "dataset": terms["dataset"]}
    # The same data against the same champion are one issue, however often a call is repeated.
    key = [terms["dataset"], terms["mark"], terms["champion"]]
    issue = agent.tools.call("open_retraining", key=key_of(name, "retrain-issue", key), **wanted)["issue"]
    started: Document = agent.tools.call("start_retraining", issue=issue, key=key_of(name, "retrain", [*key, issue]), **wanted)
    return str(started["run_id"])


ACTIONS = {"register": register, "arrived": arrived, "tick": tick}
