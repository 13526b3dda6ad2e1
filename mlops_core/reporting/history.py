"""The committed records of closed runs: chained, rendered and indexed.

    record = next_record(previous, draft)          # sequence and digest of the record before are filled in
    files = {f"training_history/income/{run_id}.md": render_history_markdown(record)}
    index_json, readme = render_index(records)     # rebuilt from all records of one model
    verify_chain(records)                          # () or one sentence per break

``draft.sequence`` and ``draft.previous`` are replaced, so the same draft can be chained again when the head has moved.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from mlops_core.contracts.base import canonical, digest
from mlops_core.contracts.history import HistoryRecord
from mlops_core.contracts.run import RunState
from mlops_core.errors import InvalidRequest
from mlops_core.reporting.comment import metric_table, phase_rows, round_rows, rule_rows, verdict_lines, warning_lines
from mlops_core.reporting.figures import figure, moment
from mlops_core.reporting.links import Links
from mlops_core.reporting.markdown import Markdown, code
from mlops_core.reporting.prices import price_jobs
from mlops_core.reporting.rendering import Translate, render, translator
from mlops_core.reporting.suggestion import current_parameters

GENESIS = "0" * 64
LIMIT_BYTES = 60_000


def next_record(previous: HistoryRecord | None, draft: HistoryRecord) -> HistoryRecord:
    """The draft as the record after ``previous`` (None: the first of its model)."""
    if previous is not None and previous.run.request.model_name != draft.run.request.model_name:
        raise InvalidRequest(f"a record of {draft.run.request.model_name} cannot follow one of {previous.run.request.model_name}.")
    place = {"sequence": 0, "previous": GENESIS} if previous is None else {"sequence": previous.sequence + 1, "previous": digest(previous)}
    return draft.model_copy(update=place)


def record_bytes(record: HistoryRecord) -> bytes:
    """The canonical JSON that is committed; its SHA-256 is the record's digest."""
    return canonical(record)


def verify_chain(records: Sequence[HistoryRecord]) -> tuple[str, ...]:
    """One sentence per break of a model's chain, in any order given; empty when every record follows the one before."""
    found: list[str] = []
    before: HistoryRecord | None = None
    for place, record in enumerate(sorted(records, key=lambda item: item.sequence)):
        wanted = GENESIS if before is None else digest(before)
        if record.sequence != place:
            found.append(f"record {record.run.run_id} has number {record.sequence}, expected {place}: a record is missing or doubled.")
        if record.previous != wanted:
            found.append(
                f"record {record.run.run_id} follows {record.previous[:12]}, but the one before is {wanted[:12]}: one was changed."
            )
        before = record
    return tuple(found)


def _items(record: HistoryRecord, t: Translate) -> list[tuple[Markdown, Markdown]]:
    run, manifest = record.run, record.manifest
    parameters = manifest.hyperparameters if manifest else current_parameters(run)
    values = {
        "repository": f"{run.repository} {run.issue}",
        "request_digest": run.request_digest,
        "body_digest": run.body_digest,
        "policy": run.policy_commit,
        "code": run.code_commit or (manifest.code_commit if manifest else ""),
        "dataset": " ".join(part for part in (run.request.dataset, run.dataset_version) if part),
        "dataset_digest": run.dataset_digest,
        "algorithm": run.algorithm or run.request.algorithm,
        "hyperparameters": ", ".join(f"{name}={value}" for name, value in sorted(parameters.items())),
        "seed": str(run.request.seed),
        "instance": run.instance_type,
        "image": manifest.image if manifest else "",
        "weights": manifest.weights_digest if manifest else "",
        "spec": manifest.spec_digest if manifest else "",
        "archive": run.model_digest,
        "model_uri": run.model_uri or "",
        "package": run.model_package_arn,
        "pointer": run.pointer_commit,
        "execution": run.execution_arn,
    }
    return [(t(f"item.{name}"), code(value, 2000)) for name, value in values.items() if value]


def _pages(run: RunState, t: Translate) -> list[Markdown]:
    """The pages beside the record, by relative links, so that they lead on in any copy of the repository."""
    there = (("report", run.report_path), ("quality", run.quality_path), ("features", run.features_path))
    return [Markdown(f"[{t(f'link.{name}')}]({run.run_id}/{name}.html)") for name, path in there if path]


def _job_rows(run: RunState) -> list[tuple[Markdown, str, str, str]]:
    rows = []
    for job in run.jobs:
        cost = price_jobs([job])
        rows.append((code(job.job), job.instance_type, f"{job.billable_seconds:,} s", f"${cost.dollars:.4f}" if cost.used else "–"))
    return rows


def render_history_markdown(record: HistoryRecord) -> str:
    """The record for people, in the request's language."""
    run, language = record.run, record.run.request.language
    t = translator(language)
    looks = [item for item in (record.validation, record.test) if item is not None]
    return render(
        "history.md.j2",
        language,
        record=record,
        run=run,
        title=t("history.title", model=code(run.request.model_name), run=code(run.run_id)),
        outcome=t(f"outcome.{run.outcome or 'open'}"),
        ended=moment(run.ended_at).strftime("%Y-%m-%d %H:%M:%S") if run.ended_at else "",
        sequence=t(
            "history.sequence", sequence=record.sequence, previous=t("chain.first") if record.previous == GENESIS else code(record.previous)
        ),
        phases=phase_rows(run, t, run.ended_at or run.started_at),
        verdict=verdict_lines(run.verdict, t) if run.verdict else [],
        rules=rule_rows(run.verdict, t) if run.verdict else [],
        metrics=metric_table(looks, t),
        rounds=round_rows(run, t) if any(item.changes for item in run.rounds) else [],
        items=_items(record, t),
        pages=_pages(run, t),
        warnings=warning_lines(run.warnings, Links(), language),
        jobs=_job_rows(run),
        policy=record.policy.model_dump_json(exclude_defaults=False),
    )


def _entry(record: HistoryRecord) -> dict[str, object]:
    run = record.run
    measured = run.verdict.measured.value if run.verdict else None
    return {
        "sequence": record.sequence,
        "run_id": run.run_id,
        "digest": digest(record),
        "previous": record.previous,
        "outcome": run.outcome or "open",
        "version": run.model_version,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "metric": run.request.metric,
        "measured": measured,
        "dataset_digest": run.dataset_digest,
        "issue": run.issue,
    }


def render_index(records: Sequence[HistoryRecord]) -> tuple[str, str]:
    """``index.json`` and ``README.md`` of one model's folder, newest run last in the one and first in the other."""
    if not records:
        raise InvalidRequest("an index needs at least one record.", remedy="Write the first record before the index.")
    ordered = sorted(records, key=lambda item: item.sequence)
    latest = ordered[-1].run.request
    t = translator(latest.language)
    entries = [_entry(record) for record in ordered]
    rows = []
    for record, entry in zip(reversed(ordered), reversed(entries), strict=True):
        run = record.run
        name = Markdown(f"[{code(run.run_id)}]({run.run_id}.md)")
        measured = figure(run.verdict.measured.value) if run.verdict else ""
        rows.append(
            (
                str(record.sequence),
                name,
                t(f"outcome.{run.outcome or 'open'}"),
                run.model_version,
                measured,
                run.ended_at or "",
                code(str(entry["digest"])[:12]),
            )
        )
    index = json.dumps({"format": 1, "model": latest.model_name, "records": entries}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    page = render(
        "index.md.j2",
        latest.language,
        title=t("history.index", model=code(latest.model_name)),
        metric=t(f"metric.{latest.metric}"),
        rows=rows,
    )
    return index, page
