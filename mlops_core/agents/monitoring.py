"""Monitor: puts alarms and a dashboard on the endpoint that a run released.

handler({"action": "watch", "run_id": "income-1a2b3c4d-g1"}, context)
"""

from __future__ import annotations

from mlops_core.agents.following import line, phase
from mlops_core.agents.handler import Agent, Document, answer, key_of


def handler(event: Document, context: object) -> Document:
    """Lambda entry."""
    return answer("monitoring", ACTIONS, event, context)


def watch(agent: Agent, event: Document) -> Document:
    """Alarms on errors and latency and a dashboard; nothing when nothing serves."""
    run_id = str(event["run_id"])
    run: Document = agent.tools.call("read_run", run_id=run_id)
    endpoint = str(run["endpoint"])
    if not endpoint:
        agent.record(run_id, {"phase": phase("monitoring", "skipped", line("detail.unserved"))})
        return {"state": "skipped"}
    agent.record(run_id, {"phase": phase("monitoring", "running")})
    name = run["request"]["model_name"]
    agent.tools.call("put_alarms", model_name=name, endpoint=endpoint, key=key_of(run_id, "alarms"))
    agent.tools.call("put_dashboard", model_name=name, endpoint=endpoint, key=key_of(run_id, "dashboard"))
    alarms: Document = agent.tools.call("describe_alarms", model_name=name)
    watched = line("detail.alarms", count=len(alarms["alarms"]), endpoint=endpoint)
    agent.record(run_id, {"phase": phase("monitoring", "done", watched)})
    return {"state": "completed"}


ACTIONS = {"watch": watch}
