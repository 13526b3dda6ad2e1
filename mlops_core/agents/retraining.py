"""Retrain: registers the champion that later challengers must beat.

handler({"action": "register", "run_id": "income-1a2b3c4d-g1", "record": ModelRecord}, context)
"""

from __future__ import annotations

from mlops_core.agents.following import line, phase
from mlops_core.agents.handler import Agent, Document, answer, key_of


def handler(event: Document, context: object) -> Document:
    """Lambda entry."""
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


ACTIONS = {"register": register}
