"""What GitHub did not take waits here; and while GitHub asks us to wait, nothing else is sent.

keep(ports, "octo/churn", run_id=run)         # the page of a run, rendered anew when it is delivered
letters = waiting(ports, "octo/churn")        # oldest first
note(ports, "octo/churn", error)              # a Throttled error holds the repository back for as long as it says
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from mlops_core.errors import MlopsError, Throttled
from mlops_core.ports import Ports
from mlops_core.runs.state import stamp

HOLD = "HOLD"
_CENTURY = "2"
"""Letters are sorted by their time, which begins with the year; the hold row is not a letter."""
_KEPT_SECONDS = 30 * 86_400
_LEAST_WAIT = 60
_MOST_WAIT = 3600


@dataclass(frozen=True)
class Letter:
    """One undelivered comment: the page of a run, or a text for an issue (edited in place when it has a marker)."""

    name: str
    run_id: str
    issue: int
    marker: str
    body: str


def keep(ports: Ports, repository: str, *, run_id: str = "", issue: int = 0, marker: str = "", body: str = "") -> None:
    """Keep a comment until GitHub answers again."""
    now = ports.clock.now()
    letter = json.dumps({"run_id": run_id, "issue": issue, "marker": marker, "body": body})
    name = f"{stamp(now)}#{run_id or uuid.uuid4().hex[:12]}"
    ports.ledger.put(f"OUTBOX#{repository}", name, {"letter": letter}, expires_at=int(now.timestamp()) + _KEPT_SECONDS)


def waiting(ports: Ports, repository: str, limit: int) -> list[Letter]:
    """What waits for a repository, oldest first."""
    rows = ports.ledger.query(f"OUTBOX#{repository}", prefix=_CENTURY, limit=limit)
    return [Letter(name=name, **json.loads(str(row["letter"]))) for name, row in rows]


def delivered(ports: Ports, repository: str, letter: Letter) -> None:
    """Take a letter out."""
    ports.ledger.delete(f"OUTBOX#{repository}", letter.name)


def note(ports: Ports, repository: str, error: MlopsError) -> None:
    """Hold a repository back after a rate limit: exactly as long as GitHub said, otherwise a minute, doubled each time in a row."""
    if not isinstance(error, Throttled):
        return
    row = ports.ledger.get(f"OUTBOX#{repository}", HOLD) or {}
    now = int(ports.clock.now().timestamp())
    named = error.retry_after is not None and round(error.retry_after) != _LEAST_WAIT
    rising = min(_MOST_WAIT, max(_LEAST_WAIT, 2 * int(row.get("seconds") or 0)))
    # A minute is what the adapter says when GitHub named nothing.
    seconds = max(1, round(error.retry_after or 0)) if named else rising
    ports.ledger.put(f"OUTBOX#{repository}", HOLD, {"until": now + seconds, "seconds": seconds}, expires_at=now + 4 * _MOST_WAIT)


def held(ports: Ports, repository: str) -> bool:
    """Whether GitHub asked us to send nothing to a repository for now."""
    row = ports.ledger.get(f"OUTBOX#{repository}", HOLD) or {}
    return int(row.get("until") or 0) > int(ports.clock.now().timestamp())


def free(ports: Ports, repository: str) -> None:
    """GitHub took something: the next limit starts from a minute again."""
    ports.ledger.delete(f"OUTBOX#{repository}", HOLD)
