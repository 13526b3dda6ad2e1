"""The authorisation journal: one JSON line for each decision of the IAM evaluator.

    journal = Journal(state / "journal.jsonl"); journal.record(principal, "s3:GetObject", "arn:aws:s3:::b/k", allowed=True); journal.close()
    for decision in read(state / "journal.jsonl"): ...
    used(state / "journal.jsonl")      # {("agent-data", "s3:GetObject"), …}

Lines are buffered and reach the file within half a second; a line cut short by a crash is skipped by the reader.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FLUSH_SECONDS = 0.5


@dataclass(frozen=True)
class Decision:
    """One decision: the role's name (or the service, or ``key/…`` for a user's key), action, resource, outcome."""

    role: str
    action: str
    resource: str
    allowed: bool


class Journal:
    """Appends decisions; safe to call from many threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._pending: threading.Timer | None = None

    def record(self, principal: str, action: str, resource: str, *, allowed: bool) -> None:
        """Append one decision of a principal, given as an ARN or a service name."""
        line = json.dumps({"role": _role(principal), "action": action, "resource": resource, "allowed": allowed})
        with self._lock:
            if self._file.closed:
                return
            self._file.write(line + "\n")
            if self._pending is None:
                self._pending = threading.Timer(_FLUSH_SECONDS, self._flush)
                self._pending.daemon = True
                self._pending.start()

    def close(self) -> None:
        """Write what is buffered and stop."""
        with self._lock:
            if self._pending is not None:
                self._pending.cancel()
            self._file.close()

    def _flush(self) -> None:
        with self._lock:
            self._pending = None
            if not self._file.closed:
                self._file.flush()


def read(path: Path) -> Iterator[Decision]:
    """Decisions in the order they were taken; nothing when the file does not exist."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield Decision(**json.loads(line))
            except (ValueError, TypeError):  # the last line of a killed host
                continue


def used(path: Path) -> set[tuple[str, str]]:
    """The (role, action) pairs that were allowed at least once."""
    return {(one.role, one.action) for one in read(path) if one.allowed}


def _role(principal: str) -> str:
    return principal.split(":assumed-role/", 1)[1].split("/", 1)[0] if ":assumed-role/" in principal else principal
