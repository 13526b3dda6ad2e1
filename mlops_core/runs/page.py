"""The living comment of a run, and the outbox for what GitHub did not take.

    refresh_page(ports, state)     # edits the comment; never fails: an undelivered page waits in the outbox
    deliver_outbox(ports, "octo/churn")
"""

from __future__ import annotations

import json
import logging
import uuid
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlops_core.contracts.base import digest
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.run import RunState
from mlops_core.errors import Conflict, MlopsError, NotFound, Retryable
from mlops_core.ports import Ports
from mlops_core.runs import names
from mlops_core.runs.state import read_run, stamp

if TYPE_CHECKING:
    from mlops_core.reporting.links import Links

log = logging.getLogger(__name__)
_PROGRESS_SECONDS = 10
_OUTBOX_SECONDS = 30 * 86_400
_RESULTS_LIMIT = 2 << 20


def links_of(ports: Ports, state: RunState) -> Links:
    """Where the things of a run are on the web."""
    from mlops_core.reporting.links import Links

    settings = ports.settings
    home = f"{settings.github_server_url}/{state.repository}"
    local = settings.cost_note != "billed"
    console = f"https://{settings.region}.console.aws.amazon.com/states/home?region={settings.region}#/v2/executions/details/"
    return Links(
        issue=f"{home}/issues/{state.issue}",
        files=f"{home}/blob/HEAD",
        raw=f"{home}/raw/HEAD",
        execution=f"{console}{state.execution_arn}" if state.execution_arn and settings.region and not local else "",
        local=local,
    )


def rendered(ports: Ports, state: RunState) -> str:
    """The page as text."""
    # Imported here: jinja2 is needed by the few calls that render, not by every cold start.
    from mlops_core.reporting.comment import render_comment

    looks = tuple(found for uri in (state.evaluation_uri, state.test_evaluation_uri) if uri and (found := results(ports, uri)) is not None)
    return render_comment(state, links=links_of(ports, state), now=stamp(ports.clock.now()), evaluations=looks)


def results(ports: Ports, evaluation_uri: str) -> EvaluationResults | None:
    """What an evaluation job wrote, None when it is not there (yet)."""
    try:
        return EvaluationResults.model_validate_json(ports.objects.read(f"{evaluation_uri.rstrip('/')}/results.json", limit=_RESULTS_LIMIT))
    except (NotFound, ValidationError):
        return None


def refresh_page(ports: Ports, state: RunState, *, progress_only: bool = False) -> bool:
    """Edit the comment of a run; False when it was left for later.

    ``progress_only`` changes are dropped within ten seconds of the last edit: GitHub counts edits, and the next change shows them.
    """
    row = ports.ledger.get(names.run_key(state.run_id), "PAGE") or {}
    now = int(ports.clock.now().timestamp())
    if progress_only and now - int(row.get("at") or 0) < _PROGRESS_SECONDS:
        return False
    from mlops_core.reporting.comment import marker

    try:
        body = rendered(ports, state)
        ports.repository.upsert_comment(state.repository, state.issue, marker(state.run_id), body)
    except MlopsError as error:
        log.warning("the page of the run was not delivered: %s", error, extra={"fields": {"run_id": state.run_id}})
        if isinstance(error, Retryable) and not progress_only:
            to_outbox(ports, state.repository, run_id=state.run_id)
        return False
    ports.ledger.put(names.run_key(state.run_id), "PAGE", {"at": now, "digest": digest(body)})
    return True


def to_outbox(ports: Ports, repository: str, *, run_id: str = "", issue: int = 0, marker: str = "", body: str = "") -> None:
    """Keep a page (rendered anew when delivered) or a comment until GitHub answers again."""
    now = ports.clock.now()
    expires = int(now.timestamp()) + _OUTBOX_SECONDS
    letter = json.dumps({"run_id": run_id, "issue": issue, "marker": marker, "body": body})
    name = f"{stamp(now)}#{run_id or uuid.uuid4().hex[:12]}"
    ports.ledger.put(f"OUTBOX#{repository}", name, {"letter": letter}, expires_at=expires)


def deliver_outbox(ports: Ports, repository: str, *, limit: int = 10) -> int:
    """Deliver what waits for a repository, oldest first, until GitHub refuses one for now; the number that were delivered."""
    delivered, pages = 0, set[str]()
    for name, row in ports.ledger.query(f"OUTBOX#{repository}", limit=limit):
        letter = json.loads(str(row["letter"]))
        try:
            if letter["run_id"] not in pages:
                _deliver(ports, repository, letter)
        except Retryable:
            break
        except MlopsError as error:
            log.warning("a waiting comment was given up: %s", error)
        pages |= {letter["run_id"]} - {""}
        ports.ledger.delete(f"OUTBOX#{repository}", name)
        delivered += 1
    return delivered


def _deliver(ports: Ports, repository: str, letter: dict[str, str]) -> None:
    from mlops_core.reporting.comment import marker

    if letter["run_id"]:
        state = read_run(ports, letter["run_id"])
        ports.repository.upsert_comment(repository, state.issue, marker(state.run_id), rendered(ports, state))
    elif letter["marker"]:
        ports.repository.upsert_comment(repository, int(letter["issue"]), letter["marker"], letter["body"])
    else:
        ports.repository.comment(repository, int(letter["issue"]), letter["body"])


def write_once(ports: Ports, uri: str, body: bytes) -> None:
    """Store a JSON document unless an earlier call of the same step did."""
    try:
        ports.objects.write(uri, body, content_type="application/json", only_new=True)
    except Conflict:
        log.debug("already stored: %s", uri)
