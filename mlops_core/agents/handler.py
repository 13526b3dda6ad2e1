"""The one wrapper around an agent: picks the action, gives it tools, logs in JSON, and lets errors keep their names.

    ACTIONS = {"start": start, "describe": describe}

    def handler(event, context):
        return answer("data", ACTIONS, event, context)

An action is ``(agent, event) -> dict``.  What it raises reaches the state machine under its class name, so `Throttled` is retried there
and `JobFailed` is not.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_core import journal
from mlops_core.errors import Defect, InvalidRequest, MlopsError
from mlops_core.mcp_server.client import Client
from mlops_core.settings import Settings, from_environment

_log = logging.getLogger(__name__)

Document = dict[str, Any]


class Tools(Protocol):
    """The MCP server as an agent sees it: its own alias's tools by name."""

    def call(self, name: str, /, **arguments: Any) -> Any:
        """The tool's structured result; raises the error of `mlops_core.errors` that the tool raised."""


@dataclass(frozen=True)
class Agent:
    """What an action may use: its word, its tools and its settings."""

    word: str
    tools: Tools
    settings: Settings

    def record(self, run_id: str, changes: Document) -> None:
        """Tell the run and its living comment what changed; the same change of the same run is told once."""
        self.tools.call("record_progress", run_id=run_id, changes=changes, key=key_of(run_id, self.word, changes))


Action = Callable[[Agent, Document], Document]


def key_of(run_id: str, step: str, content: object = "") -> str:
    """An idempotency key (at most 100 characters): equal for a repeated call, different for different content."""
    body = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return f"{run_id}-{step}-{hashlib.sha256(body).hexdigest()[:16]}"


def fresh_key(step: str) -> str:
    """A key for calls that are idempotent by what they claim, where a replayed answer would be a lie: claims and locks."""
    return f"{step}-{uuid.uuid4().hex}"


def coded(error: MlopsError) -> MlopsError:
    """The error with its code at the end of its words: the state machine keeps nothing else, and pages explain the code."""
    if error.code and not str(error).endswith(f"({error.code})"):
        error.args = (f"{error} ({error.code})",)
    return error


def answer(word: str, actions: Mapping[str, Action], event: Document, context: object) -> Document:
    """Run the action that an event names, with tools of the deployed server; the entry of every agent."""
    settings = from_environment(os.environ)
    journal.configure(level=settings.log_level)
    run_id = str(event.get("run_id", ""))
    correlation = run_id or str(getattr(context, "aws_request_id", ""))
    with journal.bound(run_id=run_id, correlation_id=correlation):
        tools = Client(f"{settings.require('server_function')}:{word}", run_id=run_id, correlation_id=correlation)
        return act(Agent(word=word, tools=tools, settings=settings), actions, event)


def act(agent: Agent, actions: Mapping[str, Action], event: Document) -> Document:
    """Run the action that an event names; logs one line at the end with its duration and its error's name."""
    name = str(event.get("action", ""))
    if name not in actions:
        raise InvalidRequest(f"the {agent.word} agent has no action {name!r}; choose one of {', '.join(actions)}.", code="E-AGENT-001")
    started = time.monotonic()
    problem = ""
    try:
        return actions[name](agent, event)
    except MlopsError as error:
        problem = type(error).__name__
        coded(error)
        raise
    except (KeyError, TypeError, ValueError) as error:
        problem = "Defect"
        raise Defect(
            f"the {agent.word} agent cannot read its event or a tool's answer: {type(error).__name__}: {error}.", code="E-AGENT-002"
        ) from error
    finally:
        fields = {"word": agent.word, "action": name, "milliseconds": round((time.monotonic() - started) * 1000), "error": problem}
        _log.log(logging.ERROR if problem else logging.INFO, "action ended", extra={"fields": fields})
