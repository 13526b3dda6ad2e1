"""One look at one scored split: every figure that a report, a judge or a record wants.

known = Training(labels=("<=50K", ">50K"), shares=(0.76, 0.24))
seen = look("binary", y, scores, training=known, resampling=Resampling(42, 1000))
seen.metrics["roc_auc"].interval      # value, low, high
seen.confusion, seen.roc, seen.per_class, seen.baseline
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlops_core.contracts.findings import Curve
from mlops_core.contracts.request import MetricName, Task
from mlops_core.errors import JobFailed
from mlops_core.evaluation.baseline import class_baseline, value_baseline
from mlops_core.evaluation.checks import checked_scores, predicted_classes
from mlops_core.evaluation.classification import class_metrics, confusion, roc_auc, roc_curve
from mlops_core.evaluation.intervals import Estimate, Resampling
from mlops_core.evaluation.regression import terms

Array = np.ndarray[Any, Any]
SMALLEST_GROUP = 10
CURVE_POINTS = 200
_MOST_CURVES = 12
_QUANTILES = 101


@dataclass(frozen=True)
class Training:
    """What the training split says: the labels in class order, their shares (for the baseline), the target's mean."""

    labels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    mean: float | None = None


@dataclass(frozen=True)
class Look:
    """Figures with estimates; groups under ten rows are counted in ``hidden_groups`` and not shown."""

    rows: int
    metrics: dict[MetricName, Estimate]
    baseline: dict[MetricName, float]
    baseline_rule: str
    score_quantiles: tuple[float, ...]
    predicted: Array
    confusion: tuple[tuple[int, ...], ...] = ()
    roc: tuple[Curve, ...] = ()
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    hidden_groups: int = 0
    left_out: dict[MetricName, int] = field(default_factory=dict)


def look(task: Task, y: Array, raw: Array, *, training: Training, resampling: Resampling) -> Look:
    """All figures of one split; `JobFailed` when it has no rows, a target is missing or a score is no number."""
    if not len(y):
        raise JobFailed("the split holds no rows, so nothing can be measured.", code="E-EVAL-001")
    if not np.isfinite(y).all():
        raise JobFailed(f"the target is missing on {int((~np.isfinite(y)).sum())} of {len(y)} rows.", code="E-EVAL-005")
    scores = checked_scores(task, raw, classes=len(training.labels))
    if task == "regression":
        return _regression(y, scores, resampling, training.mean)
    return _classification(task, y.astype(np.int64), scores, training, resampling)


def _regression(y: Array, scores: Array, resampling: Resampling, mean: float | None) -> Look:
    zeros = int((y == 0).sum())
    return Look(
        rows=len(y),
        metrics=resampling.of_terms(terms(y, scores)),
        baseline=value_baseline(y, mean=mean),
        baseline_rule="mean",
        score_quantiles=_quantiles(scores),
        predicted=scores,
        left_out={"mape": zeros} if zeros else {},
    )


def _classification(task: Task, y: Array, scores: Array, training: Training, resampling: Resampling) -> Look:
    labels = training.labels
    predicted = predicted_classes(task, scores)
    cells = confusion(y, predicted, classes=len(labels))
    columns = [(1, scores)] if task == "binary" else [(index, scores[:, index]) for index in range(len(labels))]
    estimates = resampling.of_cells(task, cells)
    area = resampling.of_area([y == index for index, _ in columns], [column for _, column in columns])
    if area is not None:
        estimates["roc_auc"] = area
    per_class, hidden = _per_class(y, cells, dict(columns), labels)
    return Look(
        rows=len(y),
        metrics=estimates,
        baseline=class_baseline(task, y, classes=len(labels), shares=training.shares),
        baseline_rule="majority_class",
        score_quantiles=_quantiles(scores if task == "binary" else scores.max(axis=1)),
        predicted=predicted,
        confusion=tuple(tuple(int(count) for count in row) for row in cells),
        roc=_curves(y, columns, labels),
        per_class=per_class,
        hidden_groups=hidden,
    )


def _per_class(y: Array, cells: Array, columns: dict[int, Array], labels: tuple[str, ...]) -> tuple[dict[str, dict[str, float]], int]:
    figures = class_metrics(cells)
    truth = cells.sum(axis=1)
    shown: dict[str, dict[str, float]] = {}
    for index, label in enumerate(labels):
        if truth[index] < SMALLEST_GROUP:
            continue
        shown[label] = {"rows": float(truth[index]), **{name: float(values[index]) for name, values in figures.items()}}
        area = roc_auc(y == index, columns[index]) if index in columns else None
        if area is not None:
            shown[label]["roc_auc"] = area
    return shown, len(labels) - len(shown)


def _curves(y: Array, columns: Sequence[tuple[int, Array]], labels: tuple[str, ...]) -> tuple[Curve, ...]:
    largest = sorted(columns, key=lambda item: -int((y == item[0]).sum()))[:_MOST_CURVES]
    found = []
    for index, column in sorted(largest, key=lambda item: item[0]):
        points = roc_curve(y == index, column, points=CURVE_POINTS)
        if points is not None:
            found.append(Curve(name=labels[index], x=tuple(points[0].tolist()), y=tuple(points[1].tolist())))
    return tuple(found)


def _quantiles(scores: Array) -> tuple[float, ...]:
    return tuple(np.quantile(scores, np.linspace(0, 1, _QUANTILES)).tolist())
