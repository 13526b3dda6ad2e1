"""Delivering the outbox: pages are rendered as they are now, texts as they were kept.

delivered = deliver_outbox(ports, "octo/churn")
"""

from __future__ import annotations

import logging

from mlops_core.errors import MlopsError, Retryable
from mlops_core.ports import Ports
from mlops_core.runs import outbox
from mlops_core.runs.page import rendered
from mlops_core.runs.state import read_run

log = logging.getLogger(__name__)


def deliver_outbox(ports: Ports, repository: str, *, limit: int = 10) -> int:
    """Deliver what waits for a repository until GitHub refuses a letter for now; the number that were delivered."""
    count, pages = 0, set[str]()
    if outbox.held(ports, repository):
        return 0
    for letter in outbox.waiting(ports, repository, limit):
        try:
            if letter.run_id not in pages:
                _deliver(ports, repository, letter)
        except Retryable as error:
            outbox.note(ports, repository, error)
            break
        except MlopsError as error:
            log.warning("a waiting comment was given up: %s", error)
        pages |= {letter.run_id} - {""}
        outbox.delivered(ports, repository, letter)
        count += 1
    else:
        outbox.free(ports, repository)
    return count


def _deliver(ports: Ports, repository: str, letter: outbox.Letter) -> None:
    from mlops_core.reporting.comment import marker

    if letter.run_id:
        state = read_run(ports, letter.run_id)
        ports.repository.upsert_comment(repository, state.issue, marker(state.run_id), rendered(ports, state))
    elif letter.marker:
        ports.repository.upsert_comment(repository, letter.issue, letter.marker, letter.body)
    else:
        ports.repository.comment(repository, letter.issue, letter.body)
