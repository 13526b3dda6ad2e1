"""The one living comment of a run.

    body = render_comment(state, links=Links(files="https://github.com/o/r/blob/main", local=True), now="2026-11-21T10:00:00Z")
    gateway.upsert_comment(repository, issue, marker(state.run_id), body)

Pure text: the same state, links and time give the same bytes.  Nothing of the request is rendered unescaped, and the page stays
within 60,000 bytes (GitHub refuses bodies over about 65,000 characters).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mlops_core.contracts import stops
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.model import FIRST_VERSION
from mlops_core.contracts.request import Language, MetricName
from mlops_core.contracts.run import PHASES, PhaseState, RunState, RunWarning
from mlops_core.contracts.verdict import Rule, Verdict
from mlops_core.judging import counts_downwards
from mlops_core.reporting.figures import dollars, duration, figure, interval, moment, span, spark
from mlops_core.reporting.links import Links
from mlops_core.reporting.markdown import Markdown, code, escape, image, link
from mlops_core.reporting.messages import method
from mlops_core.reporting.prices import REGION, price_jobs
from mlops_core.reporting.rendering import Translate, cut, render, translator
from mlops_core.reporting.suggestion import suggestion

LIMIT_BYTES = 60_000
_MOST_WARNINGS = 25
USUAL: frozenset[MetricName] = frozenset({"accuracy", "precision", "recall", "f1", "roc_auc", "rmse", "mae", "r2", "mape"})
_CODE = re.compile(r"\b[EW]-[A-Z]+(?:-[A-Z0-9]+)+\b")
_PLOT_NAMES = ("confusion_matrix", "roc_curve", "residuals")


def marker(run_id: str) -> str:
    """The hidden line by which the comment of a run is found again."""
    return f"<!-- mlops:run:{run_id} -->"


def awaits_operator(state: RunState) -> bool:
    """The last round's verdict asks for a retrain, nothing runs and the run is open."""
    latest = state.rounds[-1].verdict if state.rounds else state.verdict
    busy = any(phase.status == "running" and phase.name != "validation" for phase in state.phases)
    return state.outcome is None and latest is not None and latest.decision == "retrain" and not busy


def headline(state: RunState, t: Translate) -> Markdown:
    """One line that says where the run stands."""
    model = code(state.request.model_name)
    if state.outcome == "succeeded":
        kind = "serving" if state.endpoint and state.model_version else "registered" if state.model_version else "succeeded"
        return t(f"headline.{kind}", model=model, version=state.model_version)
    if state.outcome is not None:
        return t(f"headline.{_end(state)}", model=model)
    if awaits_operator(state):
        return t("headline.waiting", model=model, round=state.round)
    running = next((phase for phase in state.phases if phase.status == "running"), None)
    if running is None:
        return t("headline.starting", model=model)
    return t("headline.running", model=model, phase=t(f"phase.{running.name}"), number=PHASES.index(running.name) + 1, total=len(PHASES))


def _end(state: RunState) -> str:
    """The word for an unsuccessful end: what the judge did not refuse, the quality gate, a missing figure or the policy stopped."""
    if state.outcome != "refused" or (state.verdict is not None and state.verdict.decision == "refuse"):
        return str(state.outcome)
    code = stops.code_of(state.reason)
    return "gate" if code == stops.GATE else "unmeasured" if code in stops.UNMEASURED else "stopped"


@dataclass(frozen=True)
class PhaseRow:
    """One row of the phase table, ready to print."""

    title: Markdown
    status: Markdown
    started: str
    took: str
    detail: str


def phase_rows(state: RunState, t: Translate, now: str) -> list[PhaseRow]:
    """The seven phases with clock times and durations; a running phase counts up to ``now``."""
    waiting = awaits_operator(state)

    def row(phase: PhaseState) -> PhaseRow:
        end = phase.ended_at or (now if phase.status == "running" else None)
        status = "operator" if waiting and phase.name == "validation" else phase.status
        return PhaseRow(
            t(f"phase.{phase.name}"),
            t(f"status.{status}"),
            moment(phase.started_at).strftime("%H:%M:%S") if phase.started_at else "",
            span(duration(phase.started_at, end)) if phase.started_at and end else "",
            phase.detail,
        )

    return [row(phase) for phase in state.phases]


def comparison(rule: Rule, t: Translate) -> Markdown:
    """The words between measured and required: a floor, a ceiling, or strictly better."""
    strict = rule.strict or rule.name == "beat_baseline"
    if counts_downwards(rule):
        return t("comparison.below" if strict else "comparison.most")
    return t("comparison.above" if strict else "comparison.least")


def compared(rule: Rule, t: Translate) -> Markdown:
    """What a rule compared: a metric or a figure between groups, and of whom where that is not the whole split."""
    name = t(f"measure.{rule.measure}") if rule.measure else t(f"metric.{rule.metric}")
    return t("rule.of", metric=name, subject=escape(rule.subject)) if rule.subject else name


def deciding_rule(verdict: Verdict) -> Rule | None:
    """The rule that decided: the one named, else the first that was missed, else the first."""
    named = [rule for rule in verdict.rules if rule.name == verdict.decided_by]
    missed = [rule for rule in verdict.rules if not rule.passed]
    return next(iter(named + missed + list(verdict.rules)), None)


def verdict_lines(verdict: Verdict, t: Translate) -> list[Markdown]:
    """The decision with its rule, and the numbers that were compared."""
    rule = deciding_rule(verdict)
    decided = t(f"rule.{rule.name}") if rule else escape(verdict.decided_by)
    lines = [t("verdict.line", decision=t(f"decision.{verdict.decision}"), rule=decided)]
    if rule:
        whole = rule.metric == verdict.metric and rule.measured == verdict.measured.value and not rule.subject
        measured = interval(verdict.measured) if whole else figure(rule.measured)
        lines.append(
            t(
                "verdict.numbers",
                metric=compared(rule, t),
                measured=measured,
                comparison=comparison(rule, t),
                required=figure(rule.required),
            )
        )
    return lines


def rule_rows(verdict: Verdict, t: Translate) -> list[tuple[Markdown, ...]]:
    """Every rule that was checked: rule, metric, measured, required, result."""
    return [
        (
            t(f"rule.{rule.name}"),
            compared(rule, t),
            Markdown(figure(rule.measured)),
            t("rule.required", comparison=comparison(rule, t), required=figure(rule.required)),
            t("rule.passed" if rule.passed else "rule.reported" if rule.reported else "rule.missed"),
        )
        for rule in verdict.rules
    ]


@dataclass(frozen=True)
class MetricTable:
    """Figures of up to two looks beside the trivial baseline."""

    header: list[Markdown]
    rows: list[list[Markdown]]
    note: Markdown


def metric_table(evaluations: Sequence[EvaluationResults], t: Translate) -> MetricTable | None:
    """The usual metrics and the one asked for with intervals and sample sizes (the report has all), or None before the first look."""
    if not evaluations:
        return None
    header = [t("column.metric"), *(t(f"column.{item.split}", rows=f"{item.rows:,}") for item in evaluations), t("column.baseline")]
    asked = {item.metric for item in evaluations}
    names = list(dict.fromkeys(name for item in evaluations for name in item.metrics if name in USUAL or name in asked))
    rows = []
    for name in names:
        cells = [Markdown(interval(item.metrics[name])) if name in item.metrics else Markdown("") for item in evaluations]
        base = evaluations[-1].baseline.get(name)
        rows.append([t(f"metric.{name}"), *cells, Markdown("" if base is None else figure(base))])
    rule = evaluations[-1].baseline_rule
    known = rule in ("majority_class", "mean")
    note = t("metrics.note", rule=t(f"baseline.{rule}")) if known else t("metrics.note_plain")
    return MetricTable(header, rows, note)


def live_rows(state: RunState, t: Translate) -> list[Markdown]:
    """The latest value of every live metric with the way it took."""
    series: dict[str, list[float]] = {}
    for name, value in state.live_metrics:
        series.setdefault(name, []).append(value)
    return [
        Markdown(f"{t('live.value', name=code(name), value=figure(values[-1]))} {spark(values)}".rstrip())
        for name, values in series.items()
    ]


def round_rows(state: RunState, t: Translate) -> list[tuple[Markdown, ...]]:
    """The before/after table: one row per changed parameter, with what validation then said."""
    rows: list[tuple[Markdown, ...]] = []
    for item in state.rounds:
        said = t(f"decision.{item.verdict.decision}") if item.verdict else Markdown("")
        measured = Markdown(interval(item.verdict.measured)) if item.verdict else Markdown("")
        number, asked = Markdown(str(item.number)), code(item.asked_by)
        if not item.changes:
            rows.append((number, t("rounds.none"), Markdown(""), Markdown(""), asked, measured, said))
        for change in item.changes:
            before = t("rounds.unset") if change.before is None else code(change.before)
            rows.append((number, code(change.name), before, code(change.after), asked, measured, said))
    return rows


def warning_lines(warnings: Sequence[RunWarning], links: Links, language: Language) -> list[Markdown]:
    """One line per warning: its code, which leads to its explanation, and its sentence."""
    return [Markdown(f"{links.explained(item.code, language)} {escape(item.text)}") for item in warnings]


def explanations(reason: str, links: Links, t: Translate, language: Language) -> Markdown:
    """Where the codes of a reason are explained; nothing where no page is known."""
    told = [links.explained(name, language) for name in dict.fromkeys(_CODE.findall(reason))]
    pages = [item for item in told if item.startswith("[")]
    return t("reason.more", codes=Markdown(", ".join(pages))) if pages else Markdown("")


def cost_lines(state: RunState, t: Translate, *, local: bool) -> list[Markdown]:
    """Dollars, seconds, and where the prices come from."""
    cost = price_jobs(state.jobs)
    if not state.jobs:
        return [t("cost.none")]
    lines = []
    if cost.used:
        lines.append(t("cost.local" if local else "cost.billed", dollars=dollars(cost.dollars), seconds=f"{cost.seconds:,}"))
    if cost.unpriced:
        lines.append(t("cost.unpriced", types=", ".join(cost.unpriced)))
    for source, known in sorted({(price.source, price.known) for _, price in cost.used}):
        rows = [
            t("cost.row", type=code(name), price=dollars(price.hourly))
            for name, price in cost.used
            if (price.source, price.known) == (source, known)
        ]
        lines.append(t("cost.source", rows=Markdown(", ".join(rows)), region=REGION, source=source, known=known))
    return lines


def plot_images(state: RunState, links: Links, t: Translate) -> list[Markdown]:
    """The plots as images from the repository."""
    found = []
    for path in state.plots:
        name = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        title = t(f"plot.{name}") if name in _PLOT_NAMES else t("plot.other", name=name)
        found.append(image(title, links.bytes_of(path)))
    return [item for item in found if item]


def link_items(state: RunState, links: Links, t: Translate) -> list[Markdown]:
    """Report, record, endpoint, execution, dashboard and workflow, as far as they exist."""
    pairs = [
        (t("link.report"), links.bytes_of(state.report_path) if state.report_path else ""),
        (t("link.quality"), links.bytes_of(state.quality_path) if state.quality_path else ""),
        (t("link.features"), links.bytes_of(state.features_path) if state.features_path else ""),
        (t("link.history"), links.file(state.history_path)),
        (t("link.endpoint", name=code(state.endpoint)), links.endpoint if state.endpoint else ""),
        (t("link.execution"), links.execution),
        (t("link.dashboard"), links.dashboard),
        (t("link.workflow"), links.workflow),
    ]
    return [link(label, address) for label, address in pairs if address]


def render_comment(state: RunState, *, links: Links, now: str, evaluations: Sequence[EvaluationResults] = ()) -> str:
    """The whole comment in the request's language; ``now`` is a contract time stamp, ``evaluations`` the looks taken so far."""
    language = state.request.language
    t = translator(language)
    waiting = awaits_operator(state)
    page = render(
        "comment.md.j2",
        language,
        state=state,
        marker=Markdown(marker(state.run_id)),
        headline=headline(state, t),
        method=method(language, state.algorithm or state.request.algorithm),
        started=moment(state.started_at).strftime("%Y-%m-%d %H:%M:%S"),
        updated=moment(state.ended_at or now).strftime("%Y-%m-%d %H:%M:%S"),
        elapsed=span(duration(state.started_at, state.ended_at or now)),
        phases=phase_rows(state, t, now),
        live=live_rows(state, t) if state.outcome is None else [],
        verdict=verdict_lines(state.verdict, t) if state.verdict else [],
        rules=rule_rows(state.verdict, t) if state.verdict else [],
        metrics=metric_table(evaluations, t),
        rounds=round_rows(state, t) if any(item.changes for item in state.rounds) else [],
        plots=plot_images(state, links, t),
        warnings=warning_lines(state.warnings[:_MOST_WARNINGS], links, language),
        explained=explanations(state.reason, links, t, language),
        more_warnings=max(0, len(state.warnings) - _MOST_WARNINGS),
        cost=cost_lines(state, t, local=links.local),
        links=link_items(state, links, t),
        waiting=waiting,
        suggestion=suggestion(state) if waiting else None,
        first_version=FIRST_VERSION,
        rounds_left=max(0, state.request.max_retrains - state.round),
    )
    address = links.file(state.history_path)
    ending = t("link.more", limit=LIMIT_BYTES, address=Markdown(address)) if address else t("link.more_plain", limit=LIMIT_BYTES)
    return cut(page, LIMIT_BYTES, ending)
