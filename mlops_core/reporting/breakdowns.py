"""Where the model is weak, and what it looks at: slices, groups of protected attributes and inputs, as rows with intervals.

slice_ranges(results, t)          # the worst slices against the mean loss
audits(results, t)                # per protected attribute: groups by figure, gaps, the four-fifths rule
importance_ranges(results, t)
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.findings import Condition, GroupAudit, GroupFigure, Slice
from mlops_core.contracts.verdict import Interval
from mlops_core.reporting.drawings import percent
from mlops_core.reporting.figures import figure, number
from mlops_core.reporting.pages import Range, Words, named, share

_MOST_SLICES = 12
_MOST_INPUTS = 20
_MOST_GROUPS = 20
_SHOWN: tuple[GroupFigure, ...] = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "positive_predictive_value",
    "accuracy",
    "mae",
    "bias",
)


@dataclass(frozen=True)
class FigureRanges:
    """One figure over the groups of an attribute, with the sentence about its widest gap."""

    title: str
    rows: list[Range]
    gap: str


@dataclass(frozen=True)
class Audit:
    """One protected attribute; ``rule`` tells the four-fifths rule, ``tone`` how it ended."""

    attribute: str
    figures: list[FigureRanges]
    rule: str
    tone: str
    hidden: str


def condition(item: Condition, t: Words) -> str:
    """A slice's condition as people write it: ``education = Masters``, ``30 < age ≤ 45``, ``age > 60``."""
    column = named(item.column, 40)
    if item.missing:
        return t("report.is_missing", column=column)
    if item.category is not None:
        return f"{column} = {named(item.category, 40)}"
    if item.low is None and item.high is not None:
        return f"{column} ≤ {number(item.high)}"
    if item.high is None and item.low is not None:
        return f"{column} > {number(item.low)}"
    return f"{number(item.low or 0.0)} < {column} ≤ {number(item.high or 0.0)}"


def slice_ranges(results: EvaluationResults, t: Words) -> list[Range]:
    """The worst slices: the loss with its interval, marked with the mean loss of the whole split."""
    found = results.slices
    if found is None or not found.found:
        return []
    top = max(item.loss.high for item in found.found[:_MOST_SLICES])
    return [_slice_range(item, results, top, t) for item in found.found[:_MOST_SLICES]]


def _slice_range(item: Slice, results: EvaluationResults, top: float, t: Words) -> Range:
    name = t("report.and").join(condition(each, t) for each in item.conditions)
    told = t("report.slice_told", rows=f"{item.rows:,}", share=share(item.share))
    if item.metric is not None:
        told = t("report.slice_metric", told=told, metric=t(f"metric.{results.metric}"), value=figure(item.metric.value))
    mean = results.slices.mean if results.slices is not None else 0.0
    return _interval_range(name, item.loss, (0.0, top), told=told, mark=mean, t=t)


def _interval_range(name: str, found: Interval, scale: tuple[float, float], *, told: str, mark: float | None, t: Words) -> Range:
    low, high = scale
    left = percent(found.low, low, high)
    return Range(
        name=name,
        alt=t("report.range_alt", name=name, value=figure(found.value), low=figure(found.low), high=figure(found.high)),
        value=figure(found.value),
        told=told,
        dot=percent(found.value, low, high),
        left=left,
        width=max(0.6, percent(found.high, low, high) - left),
        mark=None if mark is None else percent(mark, low, high),
    )


def importance_ranges(results: EvaluationResults, t: Words) -> list[Range]:
    """What is lost when an input is shuffled; inputs that help first."""
    found = results.importance
    if found is None or not found.inputs:
        return []
    shown = found.inputs[:_MOST_INPUTS]
    top = max(*(item.value + item.deviation for item in shown), 1e-12)
    return [
        Range(
            name=named(item.column),
            alt=t("report.importance_bar", name=named(item.column), value=figure(item.value), deviation=figure(item.deviation)),
            value=figure(item.value),
            told=f"± {figure(item.deviation)}",
            bar=max(0.4, percent(item.value, 0.0, top)) if item.value > 0 else 0.0,
        )
        for item in shown
    ]


def audits(results: EvaluationResults, t: Words) -> list[Audit]:
    """Every protected attribute whose groups can be compared."""
    return [_audit(item, t) for item in results.groups]


def _audit(audit: GroupAudit, t: Words) -> Audit:
    rule, tone = t("report.four_fifths_none"), "plain"
    if audit.four_fifths is not None:
        rule = t("report.four_fifths_met" if audit.four_fifths else "report.four_fifths_missed")
        tone = "good" if audit.four_fifths else "bad"
    if not any("selection_rate" in row.figures for row in audit.groups):
        rule = ""
    hidden = t("report.groups_hidden", count=audit.hidden_groups, rows=f"{audit.hidden_rows:,}") if audit.hidden_groups else ""
    figures = [_figure_ranges(audit, name, t) for name in _SHOWN if any(name in row.figures for row in audit.groups)]
    return Audit(named(audit.attribute), figures, rule, tone, hidden)


def _figure_ranges(audit: GroupAudit, name: GroupFigure, t: Words) -> FigureRanges:
    rows = [(row, row.figures[name]) for row in audit.groups if name in row.figures][:_MOST_GROUPS]
    scale = (0.0, 1.0)
    if name in {"mae", "bias"}:
        low, high = min(found.low for _, found in rows), max(found.high for _, found in rows)
        scale = (min(0.0, low), max(0.0, high))
    mark = 0.0 if name == "bias" else None
    ranges = [
        _interval_range(named(row.name), found, scale, told=t("report.rows_told", rows=f"{row.rows:,}"), mark=mark, t=t)
        for row, found in rows
    ]
    gap = audit.gaps.get(name)
    told = ""
    if gap is not None:
        told = t(
            "report.gap",
            difference=figure(gap.difference.value),
            low=figure(gap.difference.low),
            high=figure(gap.difference.high),
            highest=named(gap.highest, 30),
            lowest=named(gap.lowest, 30),
        )
        if gap.ratio is not None:
            told = f"{told} {t('report.gap_ratio', ratio=figure(gap.ratio.value), low=figure(gap.ratio.low), high=figure(gap.ratio.high))}"
    return FigureRanges(t(f"group.{name}"), ranges, told)
