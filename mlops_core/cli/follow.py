"""Following a run from the issue to its end.

run = wait_for_run(ports, repository, issue, refused=lambda: None)
state = follow(ports, run, console)
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mlops_core.cli.console import Console
from mlops_core.contracts.run import RunState
from mlops_core.errors import NotFound, Refused, Unavailable
from mlops_core.ports import Ports
from mlops_core.runs import names
from mlops_core.runs.state import read_run

POLL_SECONDS = 0.4
CLOSING_SECONDS = 60.0


def wait_for_run(ports: Ports, repository: str, issue: int, *, refused: Callable[[], str | None], patience: float = 120.0) -> str:
    """The id of the run that answers an issue.

    ``refused`` is asked for the text of a refusal and ends the wait with `Refused`; `Unavailable` after ``patience`` seconds.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        row = ports.ledger.get(names.issue_key(repository, issue), "LIVE")
        if row is not None:
            return str(row["run_id"])
        said = refused()
        if said:
            raise Refused(f"the request was refused. {said}", remedy="Change what it names and start again.")
        time.sleep(POLL_SECONDS)
    raise Unavailable(f"no run answered issue {issue} within {patience:.0f} s.", remedy="Look at `mlops local logs` for the reason.")


def follow(ports: Ports, run_id: str, console: Console, *, until_waiting: bool = False) -> RunState:
    """Show a run until it is closed; returns its last state.

    The record is committed a moment after the outcome is known, so the end waits up to a minute for it.  With ``until_waiting`` it also
    returns when the run waits for an operator.
    """
    with console.live() as screen:
        ended: float | None = None
        while True:
            state = _read(ports, run_id)
            if state is not None:
                screen.show(state)
                if state.outcome is not None:
                    ended = ended or time.monotonic()
                    if state.history_path or time.monotonic() - ended > CLOSING_SECONDS:
                        return state
                elif until_waiting and state.verdict is not None and state.verdict.decision == "retrain":
                    return state
            time.sleep(POLL_SECONDS)


def _read(ports: Ports, run_id: str) -> RunState | None:
    try:
        return read_run(ports, run_id)
    except NotFound:
        return None
