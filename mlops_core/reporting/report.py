"""The HTML report of one look at a split: one file, no script, light and dark, readable on a telephone.

    html = render_report(Subject(config, results, profile, training, target), y, scores)

The report states no verdict: the judge comes later.  Everything that comes from data or people is escaped by the template engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlops_core.contracts.dataset import DataProfile
from mlops_core.contracts.evaluation import EvaluationJobConfig, EvaluationResults
from mlops_core.contracts.request import LOWER_IS_BETTER, MetricName
from mlops_core.contracts.training import TrainingReport
from mlops_core.reporting.drawings import BOX, Bar, Square, curve_points, density, histogram, percent
from mlops_core.reporting.figures import figure
from mlops_core.reporting.markdown import shorten, visible
from mlops_core.reporting.messages import plain
from mlops_core.reporting.rendering import TEMPLATES

Array = np.ndarray[Any, Any]
_MOST_CLASSES = 30
_UNIT_METRICS = ("rmse", "mae")


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
    chosen: bool
    scaled: bool
    left: float = 0.0
    width: float = 0.0
    dot: float = 0.0
    mark: float | None = None


def metric_rows(subject: Subject, t: Callable[..., str]) -> list[MetricRow]:
    """All metrics, the request's own first."""
    results = subject.results
    names = sorted(results.metrics, key=lambda name: name != results.metric)
    return [_metric_row(subject, name, t) for name in names]


def _metric_row(subject: Subject, name: MetricName, t: Callable[..., str]) -> MetricRow:
    results = subject.results
    found, base = results.metrics[name], results.baseline.get(name)
    scaled = results.task != "regression"
    return MetricRow(
        title=t(f"metric.{name}"),
        value=figure(found.value),
        low=figure(found.low),
        high=figure(found.high),
        baseline="–" if base is None else figure(base),
        unit=t("report.unit", target=subject.target)
        if name in _UNIT_METRICS
        else t("report.better_low" if name in LOWER_IS_BETTER else "report.share"),
        chosen=name == results.metric,
        scaled=scaled,
        left=percent(found.low, 0, 1),
        width=max(0.6, percent(found.high, 0, 1) - percent(found.low, 0, 1)),
        dot=percent(found.value, 0, 1),
        mark=None if base is None else percent(base, 0, 1),
    )


@dataclass(frozen=True)
class Errors:
    """The regression drawings and the ends of their scales."""

    squares: list[Square]
    bars: list[Bar]
    low: float
    high: float
    edge: float


def error_drawings(y: Array, predicted: Array) -> Errors:
    """Measured against predicted, and the errors up to their 99.5 % quantile."""
    low, high = float(min(y.min(), predicted.min())), float(max(y.max(), predicted.max()))
    errors = predicted - y
    edge = float(np.quantile(np.abs(errors), 0.995)) or 1.0
    return Errors(density(y, predicted, low=low, high=high), histogram(errors, low=-edge, high=edge), low, high, edge)


def score_drawings(y: Array, scores: Array, results: EvaluationResults) -> list[tuple[str, int, list[Bar]]]:
    """Per class of a binary task the distribution of the score; classes under ten rows are left out."""
    if results.task != "binary":
        return []
    groups = [(label, scores.ravel()[y == index]) for index, label in enumerate(results.labels)]
    return [(label, len(values), histogram(values, low=0.0, high=1.0, bins=30)) for label, values in groups if len(values) >= 10]


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


def render_report(subject: Subject, y: Array, scores: Array) -> str:
    """The whole page in the request's language."""
    language = subject.config.language
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )

    def t(key: str, **values: object) -> str:
        return plain(language, key, **values)

    def shown(value: object, limit: int = 60) -> str:
        return shorten(visible(str(value)), limit)

    results = subject.results
    regression = results.task == "regression"
    return environment.get_template("report.html.j2").render(
        t=t,
        shown=shown,
        figure=figure,
        language=language,
        subject=subject,
        results=results,
        box=BOX,
        rows=metric_rows(subject, t),
        curves=[(curve.name, curve_points(curve.x, curve.y)) for curve in results.roc],
        confusion=confusion_rows(results),
        score_groups=score_drawings(y, scores, results),
        errors=error_drawings(y, scores.ravel()) if regression else None,
        flat=rule_of_three(results),
        bootstrapped=[name for name, method in results.interval_methods.items() if method == "bootstrap"],
        normal=[name for name, method in results.interval_methods.items() if method in ("delong", "delta")],
    )
