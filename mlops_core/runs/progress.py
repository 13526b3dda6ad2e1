"""The tools every station has: read a run, report progress; and those of stations that start jobs: park a token.

COMMON + WAITING are offered next to a capability's own tools.
"""

from __future__ import annotations

from mlops_core.contracts.base import RunId
from mlops_core.contracts.changes import RunChanges
from mlops_core.contracts.run import RunState
from mlops_core.ports import Ports
from mlops_core.runs import state as states
from mlops_core.runs.page import refresh_page
from mlops_core.tool import JobName, Token, acts, reads

_TOKEN_SECONDS = 86_400


def read_run(ports: Ports, run_id: RunId) -> RunState:
    """The whole state of a run; NotFound when there is none."""
    return states.read_run(ports, run_id)


def record_progress(ports: Ports, run_id: RunId, changes: RunChanges) -> None:
    """Apply changes to a run's state, stamp times and edit its living comment (which never fails the call)."""
    now = ports.clock.now()
    before = states.read_run(ports, run_id)
    state = states.change_run(ports, run_id, lambda found: states.applied(found, changes, now))
    moved = [item.status for item in state.phases] != [item.status for item in before.phases]
    refresh_page(ports, state, progress_only=not (moved or changes.outcome or changes.verdict or changes.rounds))


def park_token(ports: Ports, run_id: RunId, job: JobName, token: Token) -> None:
    """Keep the token of a state that waits for a job, so that the job's end can wake it early."""
    expires = int(ports.clock.now().timestamp()) + _TOKEN_SECONDS
    ports.ledger.put(f"TOKEN#JOB#{job}", "TOKEN", {"token": token, "run_id": run_id}, expires_at=expires)


COMMON = (reads(read_run), acts(record_progress))
WAITING = (acts(park_token),)
