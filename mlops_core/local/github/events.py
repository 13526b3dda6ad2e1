"""What happened, told to webhooks and to the runner.

    events.emit(repository, "issues", "labeled", identity, {"issue": …, "label": …})

A hook's deliveries and a workflow's run are written in the caller's transaction, so a crash loses neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mlops_core.local.github.database import Database, Row, now
from mlops_core.local.github.identity import Identity


@dataclass(frozen=True)
class Event:
    """One event with its whole payload; ``ref`` and ``sha`` say where workflows run (empty: head of the default branch)."""

    repository: Row
    name: str
    action: str
    identity: Identity
    payload: dict[str, Any]
    ref: str = ""
    sha: str = ""


Listener = Callable[[Event], None]
Shape = Callable[[Row, Identity], dict[str, Any]]


@dataclass
class Events:
    """The record of everything; listeners are the webhooks and the runner."""

    database: Database
    envelope: Shape
    listeners: list[Listener] = field(default_factory=list)

    def emit(self, repository: Row, name: str, action: str, identity: Identity, **more: Any) -> None:
        """Record an event and tell the listeners; ``at`` may give (ref, sha), the rest goes into the payload."""
        ref, sha = more.pop("at", ("", ""))
        payload = {**({"action": action} if action else {}), **more, **self.envelope(repository, identity)}
        self.database.insert(
            "events", repository=repository["id"], event=name, action=action or None, actor=identity.login, created_at=now(),
            payload=json.dumps(payload),
        )  # fmt: skip
        event = Event(repository, name, action, identity, payload, ref, sha)
        for listener in self.listeners:
            listener(event)

    def recent(self, repository: Row, limit: int = 100) -> list[Row]:
        """The newest events of a repository."""
        rows = self.database.rows("select * from events where repository = ? order by id desc limit ?", repository["id"], limit)
        return [{**row, "payload": json.loads(row["payload"])} for row in rows]
