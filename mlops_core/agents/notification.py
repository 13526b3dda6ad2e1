"""Notification: asks the operator for changed parameters, and carries alarms to the issue.

handler({"action": "ask", "run_id": "…", "round": 0, "verdict": Verdict, "token": "…"}, context)   # the state machine waits for the token
handler({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "…"}}]}, context)               # an alarm
"""

from __future__ import annotations

import hashlib
import json
import sys

from mlops_core.agents.following import line, phase
from mlops_core.agents.handler import Agent, Document, answer, key_of
from mlops_core.errors import MlopsError


def handler(event: Document, context: object) -> Document:
    """Lambda entry: the state machine's question, or alarms by SNS."""
    if "Records" in event:
        event = {"action": "alarm", "messages": [record["Sns"]["Message"] for record in event["Records"]]}
    return answer("notification", ACTIONS, event, context)


def ask(agent: Agent, event: Document) -> Document:
    """Keep the token first, so that an answer finds it, then tell people; a message that cannot be sent never ends the run."""
    run_id, number = str(event["run_id"]), int(event["round"])
    waiting = phase("validation", "running", line("detail.asks", round=number))
    agent.record(run_id, {"phase": waiting, "verdict": event["verdict"]})
    key = key_of(run_id, f"ask-r{number}", event["token"])
    agent.tools.call("park_operator", run_id=run_id, round=number, token=event["token"], key=key)
    try:
        agent.tools.call("notify_operator", run_id=run_id, key=key_of(run_id, f"notify-r{number}"))
    except MlopsError as error:
        sys.stdout.write(json.dumps({"level": "ERROR", "word": "notification", "run_id": run_id, "error": type(error).__name__}) + "\n")
    return {}


def alarm(agent: Agent, event: Document) -> Document:
    """Post each alarm on the issue of the model it belongs to, once per change of state."""
    for message in event["messages"]:
        digest = hashlib.sha256(message.encode()).hexdigest()
        try:
            found = json.loads(message)
        except ValueError:
            found = {"AlarmName": "", "NewStateReason": message[:1000]}
        agent.tools.call("post_alarm", alarm=found, key=f"alarm-{digest[:32]}")
    return {"posted": len(event["messages"])}


ACTIONS = {"ask": ask, "alarm": alarm}
