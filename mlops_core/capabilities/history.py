"""The end of a run: sweep what still runs, publish, record, answer on the issue."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from pydantic import Field

from mlops_core.contracts.base import RunId
from mlops_core.contracts.changes import RunChanges
from mlops_core.contracts.job import TERMINAL, JobKind
from mlops_core.contracts.request import Language
from mlops_core.contracts.run import Outcome, RunState
from mlops_core.errors import NotFound, Refused, Terminal
from mlops_core.ports import Ports
from mlops_core.reporting.siblings import with_links
from mlops_core.runs import commits, names, operator, page, record, starting
from mlops_core.runs.progress import COMMON
from mlops_core.runs.shared import deliver_outbox
from mlops_core.runs.state import applied, change_run, read_run
from mlops_core.tool import acts, reads

log = logging.getLogger(__name__)
LABELS: dict[Outcome, str] = {
    "succeeded": "mlops:done",
    "refused": "mlops:refused",
    "expired": "mlops:refused",
    "failed": "mlops:failed",
    "aborted": "mlops:failed",
    "timed_out": "mlops:failed",
}
PLOTS = ("confusion_matrix.png", "roc_curve.png", "residuals.png")
REPORT = "report.html"
PAGES = ("report", "quality", "features")
_PLOT_LIMIT = 2 << 20
_TEXT_LIMIT = 16_000


def describe_execution(ports: Ports, arn: Annotated[str, Field(max_length=2048)]) -> dict[str, Any]:
    """How an execution stands or ended: {status, error, cause, input}."""
    found = ports.machines.describe(arn)
    return {"status": found.status, "error": found.error, "cause": found.cause[:_TEXT_LIMIT], "input": found.input[:_TEXT_LIMIT]}


def stop_orphans(ports: Ports, run_id: RunId) -> dict[str, Any]:
    """Stop the jobs of a run that still run: {stopped}."""
    stopped = []
    for phase in read_run(ports, run_id).phases:
        if not phase.job:
            continue
        kind: JobKind = "training" if "-train-" in phase.job.removeprefix(f"mlops-{run_id}") else "processing"
        try:
            if ports.jobs.describe(kind, phase.job).status not in TERMINAL and ports.jobs.stop(kind, phase.job):
                stopped.append(phase.job)
        except NotFound:
            continue
    return {"stopped": stopped}


def publish_plots(ports: Ports, run_id: RunId) -> dict[str, Any]:
    """Commit plots and report of a run's last look and the pages of its data: {plots, report_path, quality_path, features_path}."""
    state = read_run(ports, run_id)
    files = _files(ports, state)
    if not files:
        return {"plots": [], "report_path": "", "quality_path": "", "features_path": ""}
    folder = f"{record.folder_of(state.request.model_name)}/{run_id}"
    wanted = {f"{folder}/{name}": body for name, body in files.items()}
    commits.commit(
        ports,
        state.repository,
        f"Add plots of run {run_id}",
        lambda reader: {path: body for path, body in wanted.items() if reader(path) != body},
    )
    plots = tuple(f"{folder}/{name}" for name in PLOTS if name in files)
    pages = {f"{page}_path": f"{folder}/{page}.html" if f"{page}.html" in files else "" for page in PAGES}
    change_run(ports, run_id, lambda found: found.model_copy(update={"plots": plots, **pages}))
    return {"plots": list(plots), **pages}


def _files(ports: Ports, state: RunState) -> dict[str, bytes]:
    """What there is to publish, by its name in the repository; the report tells the verdict."""
    looked, prepared = state.test_evaluation_uri or state.evaluation_uri, state.prepared_uri
    places = {name: f"{looked.rstrip('/')}/{name}" for name in (*PLOTS, REPORT)} if looked else {}
    if prepared:
        language = state.request.language
        places |= {f"{page}.html": f"{prepared.rstrip('/')}/{page}.{language}.html" for page in ("quality", "features")}
    found = {}
    for name, uri in places.items():
        try:
            found[name] = ports.objects.read(uri, limit=_PLOT_LIMIT)
        except (NotFound, Refused):
            log.debug("there is no %s", uri)
    if REPORT in found:
        # Imported here: jinja2 is needed by the few calls that render, not by every cold start.
        from mlops_core.reporting.judged import with_verdict

        found[REPORT] = with_verdict(found[REPORT].decode("utf-8"), state).encode()
    pages = [page for page in PAGES if f"{page}.html" in found]
    linked = {f"{page}.html": with_links(found[f"{page}.html"], page, pages, language=state.request.language) for page in pages}
    return found | linked


def close_run(ports: Ports, run_id: RunId, outcome: Outcome, reason: Annotated[str, Field(max_length=2000)]) -> dict[str, Any]:
    """Close a run's state and claims and show its end on the page: {outcome}; a run that is closed already keeps its outcome."""
    now = ports.clock.now()

    def closed(found: RunState) -> RunState:
        return found if found.outcome is not None else applied(found, RunChanges(outcome=outcome, reason=reason), now)

    state = change_run(ports, run_id, closed)
    ports.ledger.delete(names.operator_key(run_id), operator.TOKEN)
    starting.end_claims(ports, state.repository, state.issue, state.request_digest, run=run_id, succeeded=state.outcome == "succeeded")
    page.refresh_page(ports, state)
    return {"outcome": state.outcome}


def write_record(ports: Ports, run_id: RunId) -> dict[str, Any]:
    """Append a closed run to its model's history: {path, commit, pull_request}."""
    path, made = record.write_record(ports, run_id)
    return {"path": path, "commit": made.commit, "pull_request": made.pull_request}


def finish_issue(ports: Ports, run_id: RunId) -> dict[str, Any]:
    """Set the issue's result label, close it on success and show the last page: {label, closed}."""
    state = read_run(ports, run_id)
    if state.outcome is None:
        raise Refused(f"the run {run_id} is not closed yet.", remedy="Close it first.", code="E-RECORD-OPEN")
    label = LABELS[state.outcome]
    page.refresh_page(ports, state)
    others = {"mlops:train", *LABELS.values()} - {label}
    try:
        ports.repository.relabel(state.repository, state.issue, add=[label], remove=sorted(others))
        if state.outcome == "succeeded":
            ports.repository.close(state.repository, state.issue)
    except Terminal as error:
        # Deleted, transferred, locked or forbidden meanwhile: the record in history is the answer.
        log.warning("the issue %s#%d was not finished: %s", state.repository, state.issue, error)
        return {"label": "", "closed": False}
    return {"label": label, "closed": state.outcome == "succeeded"}


def explain_code(
    ports: Ports,  # noqa: ARG001  every tool takes the ports
    code: Annotated[str, Field(max_length=80)],
    language: Language = "en",
) -> dict[str, Any]:
    """What an error or warning code of a run means: {code, means, why, act, page}; `NotFound` names near spellings."""
    from mlops_core.explain.table import explanation

    found = explanation(code)
    words = found.words[language]
    return {"code": found.code, "means": words.means, "why": words.why, "act": words.act, "page": f"docs/reference/{found.page(language)}"}


TOOLS = (
    *COMMON,
    reads(explain_code),
    reads(describe_execution),
    acts(stop_orphans),
    acts(publish_plots),
    acts(close_run),
    acts(write_record),
    acts(finish_issue),
    acts(deliver_outbox),
)
