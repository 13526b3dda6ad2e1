"""The living comment of a run.

refresh_page(ports, state)     # edits the comment; never fails: an undelivered page waits in the outbox
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlops_core.contracts.base import digest
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.run import RunState
from mlops_core.errors import Conflict, MlopsError, NotFound, Retryable
from mlops_core.ports import Ports
from mlops_core.runs import names, outbox
from mlops_core.runs.state import stamp

if TYPE_CHECKING:
    from mlops_core.reporting.links import Links

log = logging.getLogger(__name__)
_PROGRESS_SECONDS = 10
_RESULTS_LIMIT = 2 << 20


def links_of(ports: Ports, state: RunState) -> Links:
    """Where the things of a run are on the web."""
    from mlops_core.reporting.links import Links, docs_at

    settings = ports.settings
    home = f"{settings.github_server_url}/{state.repository}"
    local = settings.cost_note != "billed"
    console = f"https://{settings.region}.console.aws.amazon.com/states/home?region={settings.region}#/v2/executions/details/"
    return Links(
        issue=f"{home}/issues/{state.issue}",
        files=f"{home}/blob/HEAD",
        raw=f"{home}/raw/HEAD",
        docs="" if local else docs_at(settings.github_server_url, settings.owner_repository, state.code_commit),
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

    if outbox.held(ports, state.repository):
        # GitHub asked us to wait: progress is dropped, everything else is delivered when the wait is over.
        if not progress_only:
            outbox.keep(ports, state.repository, run_id=state.run_id)
        return False
    try:
        body = rendered(ports, state)
        ports.repository.upsert_comment(state.repository, state.issue, marker(state.run_id), body)
    except MlopsError as error:
        log.warning("the page of the run was not delivered: %s", error, extra={"fields": {"run_id": state.run_id}})
        outbox.note(ports, state.repository, error)
        if isinstance(error, Retryable) and not progress_only:
            outbox.keep(ports, state.repository, run_id=state.run_id)
        return False
    ports.ledger.put(names.run_key(state.run_id), "PAGE", {"at": now, "digest": digest(body)})
    return True


def write_once(ports: Ports, uri: str, body: bytes) -> None:
    """Store a JSON document unless an earlier call of the same step did."""
    try:
        ports.objects.write(uri, body, content_type="application/json", only_new=True)
    except Conflict:
        log.debug("already stored: %s", uri)
