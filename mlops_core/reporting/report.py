"""The evaluation report of one look at a split.

    page = render_report(Subject(config, results, profile, training, target), y, scores)

The job that measures does not judge: the page says so between two marks, and `reporting.judged` puts the verdict there when the run is
closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_core.contracts.dataset import DataProfile
from mlops_core.contracts.evaluation import EvaluationJobConfig, EvaluationResults
from mlops_core.contracts.findings import Figure
from mlops_core.contracts.training import TrainingReport
from mlops_core.reporting.breakdowns import audits, importance_ranges, slice_ranges
from mlops_core.reporting.charts import curve_charts, metric_title
from mlops_core.reporting.densities import error_charts, score_charts
from mlops_core.reporting.drawings import Chart, percent
from mlops_core.reporting.figures import figure, interval
from mlops_core.reporting.judged import unjudged
from mlops_core.reporting.messages import method
from mlops_core.reporting.messages.wording import warned
from mlops_core.reporting.pages import Words, html, named, warning, words
from mlops_core.reporting.thresholds import threshold_rows

Array = np.ndarray[Any, Any]
_MOST_CLASSES = 30
_UNITS = {
    **dict.fromkeys(("rmse", "mae", "median_ae"), "report.unit"),
    **dict.fromkeys(("mape", "brier", "ece"), "report.better_low"),
    "mse": "report.unit_square",
    "log_loss": "report.unit_nats",
    "mcc": "report.unit_correlation",
}
"""What a figure is counted in; the others are shares, higher is better."""


@dataclass(frozen=True)
class Subject:
    """What the report is about."""

    config: EvaluationJobConfig
    results: EvaluationResults
    profile: DataProfile
    training: TrainingReport | None
    target: str


@dataclass(frozen=True)
class MetricRow:
    """One metric: its figures as text and its interval, value and baseline as places (percent) on a shared scale, if it has one."""

    title: str
    value: str
    low: str
    high: str
    baseline: str
    unit: str
    method: str
    chosen: bool
    scaled: bool
    left: float = 0.0
    width: float = 0.0
    dot: float = 0.0
    mark: float | None = None


def metric_rows(subject: Subject, t: Words) -> list[MetricRow]:
    """All metrics, the request's own first."""
    results = subject.results
    found: dict[str, Figure] = {}
    for name, known in results.metrics.items():
        method = results.interval_methods.get(name, "none")
        found[name] = Figure(
            value=known.value, low=known.low, high=known.high, method=method, baseline=results.baseline.get(name)
        )  # fmt: skip
    found |= {name: item for name, item in results.measures.items() if name not in found}
    return [_metric_row(subject, name, found[name], t) for name in sorted(found, key=lambda name: name != results.metric)]


def _metric_row(subject: Subject, name: str, found: Figure, t: Words) -> MetricRow:
    scaled = subject.results.task != "regression" and name not in {"log_loss", "mcc"}
    left = percent(found.low, 0, 1)
    return MetricRow(
        title=metric_title(name, t),
        value=figure(found.value),
        low=figure(found.low),
        high=figure(found.high),
        baseline="–" if found.baseline is None else figure(found.baseline),
        unit=t(_UNITS.get(name, "report.share"), target=named(subject.target, 30)),
        method=t(f"report.by_{found.method}"),
        chosen=name == subject.results.metric,
        scaled=scaled,
        left=left,
        width=max(0.6, percent(found.high, 0, 1) - left),
        dot=percent(found.value, 0, 1),
        mark=None if found.baseline is None else percent(found.baseline, 0, 1),
    )


def champion_rows(results: EvaluationResults, t: Words) -> list[tuple[str, str, str]]:
    """Metric, this model and the champion on the same rows, the request's metric first."""
    names = sorted((name for name in results.champion if name in results.metrics), key=lambda name: name != results.metric)
    return [(metric_title(name, t), interval(results.metrics[name]), interval(results.champion[name])) for name in names]


def confusion_rows(results: EvaluationResults) -> list[tuple[str, int, list[tuple[int, float]]]]:
    """Per true class its name, its rows, and every cell's count and share; empty for more classes than a table can show."""
    if not results.confusion or len(results.confusion) > _MOST_CLASSES:
        return []
    return [
        (label, sum(row), [(count, count / sum(row) if sum(row) else 0.0) for count in row])
        for label, row in zip(results.labels, results.confusion, strict=True)
    ]


def rule_of_three(results: EvaluationResults) -> float:
    """The error share that this many flawless rows cannot rule out (3 / n, Hanley and Lippman-Hand 1983); 0 when an interval has width."""
    flat = any(found.low == found.high for found in results.metrics.values())
    return min(1.0, 3 / results.rows) if flat and results.task != "regression" else 0.0


def charts_of(subject: Subject, y: Array, scores: Array, t: Words) -> list[Chart]:
    """Every drawing that the look's figures allow."""
    results, rows = subject.results, {str(name): count for name, count in subject.profile.rows.items()}
    if results.task == "regression":
        return [*error_charts(y, scores.ravel(), target=subject.target, t=t), *curve_charts(results, rows, t)]
    return [*curve_charts(results, rows, t), *score_charts(y, scores, results, t)]


def render_report(subject: Subject, y: Array, scores: Array) -> str:
    """The whole page in the request's language."""
    language = subject.config.language
    t = words(language)
    results = subject.results
    warnings = tuple(
        warning(item.code, item.text) for item in (warned(language, finding) for finding in (*subject.profile.findings, *results.findings))
    )
    return html(
        "report.html.j2",
        language,
        subject=subject,
        results=results,
        state=unjudged(language, warnings),
        rows=metric_rows(subject, t),
        charts=charts_of(subject, y, scores, t),
        slices=slice_ranges(results, t),
        algorithm=method(language, subject.training.algorithm) if subject.training else "",
        audits=audits(results, t),
        importance=importance_ranges(results, t),
        importance_metric=metric_title(results.importance.metric, t) if results.importance else "",
        confusion=confusion_rows(results),
        champion=champion_rows(results, t),
        thresholds=threshold_rows(results),
        positive=results.labels[-1] if results.labels else "",
        flat=rule_of_three(results),
        bootstrapped=[name for name, method in results.interval_methods.items() if method == "bootstrap"],
        normal=[name for name, method in results.interval_methods.items() if method in ("delong", "delta")],
    )
