"""Commits of many runs in one repository, one after the other.

    made = commit(ports, "octo/churn", "Record run …", build)

GitHub takes a commit only on the head it was built on, so ten runs that end together would push each other off five times and more.  A
short lease in the ledger lines them up.  It is a courtesy, not a guard: whoever waits too long goes ahead, and the head decides.
"""

from __future__ import annotations

import contextlib
import uuid

from mlops_core.errors import Stale
from mlops_core.facts import CommitFacts
from mlops_core.ports import Builder, Ports

_LEASE_SECONDS = 15
_PATIENCE_SECONDS = 20.0
_STEP_SECONDS = 0.2


def commit(ports: Ports, repository: str, message: str, build: Builder) -> CommitFacts:
    """Commit when it is this caller's turn; errors are those of the repository port."""
    owner = uuid.uuid4().hex
    _wait_for_turn(ports, repository, owner)
    try:
        return ports.repository.commit(repository, message, build)
    finally:
        # Stale: the lease ran out and somebody else holds it by now.
        with contextlib.suppress(Stale):
            ports.ledger.delete(f"LOCK#commit#{repository}", "LOCK", expected={"owner": owner})


def _wait_for_turn(ports: Ports, repository: str, owner: str) -> None:
    begin = ports.clock.now()
    while (ports.clock.now() - begin).total_seconds() < _PATIENCE_SECONDS:
        expires = int(ports.clock.now().timestamp()) + _LEASE_SECONDS
        if ports.ledger.claim(f"LOCK#commit#{repository}", "LOCK", {"owner": owner}, expires_at=expires) is None:
            return
        ports.clock.sleep(_STEP_SECONDS)
