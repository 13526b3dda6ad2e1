"""One look at one scored split: every figure that a report, a judge or a record wants.

known = Training(labels=("<=50K", ">50K"), shares=(0.76, 0.24))
seen = look("binary", y, scores, training=known, resampling=Resampling(42, 1000))
seen.metrics["roc_auc"].interval      # value, low, high
seen.confusion, seen.roc, seen.calibration, seen.per_class, seen.baseline
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlops_core.contracts.findings import SMALLEST_GROUP, Calibration, Curve, MeasureName, Residuals, ThresholdPoint
from mlops_core.contracts.request import MetricName, Task
from mlops_core.errors import JobFailed
from mlops_core.evaluation.baseline import class_baseline, value_baseline
from mlops_core.evaluation.calibration import bin_sums, calibration
from mlops_core.evaluation.checks import checked_scores, predicted_classes
from mlops_core.evaluation.classification import class_metrics, confusion
from mlops_core.evaluation.intervals import Estimate, by_deviation, mean_estimate, median_estimate
from mlops_core.evaluation.losses import LOSSES, class_losses, row_losses
from mlops_core.evaluation.ranking import Ranking, keys_of, precision_points, rank, roc_points
from mlops_core.evaluation.regression import terms
from mlops_core.evaluation.resampling import Resampling
from mlops_core.evaluation.residuals import residuals
from mlops_core.evaluation.thresholds import thresholds

Array = np.ndarray[Any, Any]
CURVE_POINTS = 200
_MOST_CURVES = 12
_QUANTILES = 101
_DIGITS = 6


@dataclass(frozen=True)
class Training:
    """What the training split says: the labels in class order, their shares (for the baseline), the target's mean."""

    labels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    mean: float | None = None


@dataclass(frozen=True)
class Curves:
    """Of each class shown: ROC, precision-recall and calibration; of a binary split what other thresholds would give."""

    roc: tuple[Curve, ...] = ()
    precision_recall: tuple[Curve, ...] = ()
    calibration: tuple[Calibration, ...] = ()
    thresholds: tuple[ThresholdPoint, ...] = ()


@dataclass(frozen=True)
class Look:
    """Figures with estimates; ``losses`` is every row's own loss (Brier, or the absolute error of a regression).

    Groups under ten rows are counted in ``hidden_groups`` and not shown.
    """

    rows: int
    metrics: dict[MeasureName, Estimate]
    baseline: dict[MeasureName, float]
    baseline_rule: str
    score_quantiles: tuple[float, ...]
    predicted: Array
    losses: Array
    confusion: tuple[tuple[int, ...], ...] = ()
    curves: Curves = field(default_factory=Curves)
    residuals: Residuals | None = None
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    hidden_groups: int = 0
    left_out: dict[MetricName, int] = field(default_factory=dict)


def look(task: Task, y: Array, raw: Array, *, training: Training, resampling: Resampling, bins: int = 10) -> Look:
    """All figures of one split; `JobFailed` when it has no rows, a target is missing or a score is no number."""
    if not len(y):
        raise JobFailed("the split holds no rows, so nothing can be measured.", code="E-EVAL-001")
    if not np.isfinite(y).all():
        raise JobFailed(f"the target is missing on {int((~np.isfinite(y)).sum())} of {len(y)} rows.", code="E-EVAL-005")
    scores = checked_scores(task, raw, classes=len(training.labels))
    if task == "regression":
        return _regression(y, scores, resampling, training.mean)
    seen = _Classes(task, y.astype(np.int64), np.clip(scores, 0.0, 1.0), training, bins)
    return _classification(seen, resampling)


def _regression(y: Array, scores: Array, resampling: Resampling, mean: float | None) -> Look:
    zeros = int((y == 0).sum())
    absolute = np.abs(scores - y)
    return Look(
        rows=len(y),
        metrics={**resampling.of_terms(terms(y, scores)), "median_ae": median_estimate(absolute)},
        baseline=value_baseline(y, mean=mean),
        baseline_rule="mean",
        score_quantiles=_quantiles(scores),
        predicted=scores,
        losses=absolute,
        residuals=residuals(y, scores),
        left_out={"mape": zeros} if zeros else {},
    )


@dataclass(frozen=True)
class _Classes:
    """The split of a classification, scores in 0 … 1."""

    task: Task
    y: Array
    scores: Array
    training: Training
    bins: int

    @property
    def binary(self) -> bool:
        return self.task == "binary"

    @property
    def columns(self) -> list[tuple[int, Array]]:
        """Class index and its scores, for every class that has a curve of its own."""
        return [(1, self.scores)] if self.binary else [(index, self.scores[:, index]) for index in range(len(self.training.labels))]


def _classification(seen: _Classes, resampling: Resampling) -> Look:
    labels, y, task = seen.training.labels, seen.y, seen.task
    predicted = predicted_classes(task, seen.scores)
    cells = confusion(y, predicted, classes=len(labels))
    sorted_keys = [keys_of(column, y == index) for index, column in seen.columns]
    steps = CURVE_POINTS // 3 if seen.binary else CURVE_POINTS // 6
    rankings = [rank(keys, steps=steps) for keys in sorted_keys]
    losses = row_losses(y == 1, seen.scores) if seen.binary else class_losses(y, seen.scores)
    estimates = resampling.of_cells(task, cells) | _ranked(seen, rankings, resampling)
    estimates |= {
        name: mean_estimate(len(y), float(loss.sum()), float((loss * loss).sum())) for name, loss in zip(LOSSES, losses, strict=True)
    }
    surest = sorted_keys[0] if seen.binary else np.sort(keys_of(seen.scores.max(axis=1), y == predicted))
    estimates["ece"] = resampling.of_bins(bin_sums(surest, seen.bins))
    per_class, hidden = class_table(cells, rankings if not seen.binary else [None, *rankings], labels)
    return Look(
        rows=len(y),
        metrics=estimates,
        baseline=class_baseline(task, y, classes=len(labels), shares=seen.training.shares),
        baseline_rule="majority_class",
        score_quantiles=_quantiles(seen.scores if seen.binary else seen.scores.max(axis=1)),
        predicted=predicted,
        losses=losses[1],
        confusion=tuple(tuple(int(count) for count in row) for row in cells),
        curves=_curves(seen, rankings, sorted_keys),
        per_class=per_class,
        hidden_groups=hidden,
    )


def _ranked(seen: _Classes, rankings: list[Ranking], resampling: Resampling) -> dict[MeasureName, Estimate]:
    """Areas: resampled where that is affordable; of a large binary split by the walk's own sums."""
    first = rankings[0]
    if not seen.binary or resampling.affords(len(seen.y)):
        return resampling.of_ranks([seen.y == index for index, _ in seen.columns], [column for _, column in seen.columns])
    if first.area is None or first.precision is None:
        return {}
    return {
        "roc_auc": by_deviation(first.area.value, first.area.deviation, "delong"),
        "average_precision": by_deviation(first.precision.value, first.precision.deviation, "delta"),
    }


def class_table(cells: Array, rankings: list[Any], labels: tuple[str, ...]) -> tuple[dict[str, dict[str, float]], int]:
    """Figures of every class with at least ten rows, and how many have fewer; a ranking that is None has no area."""
    figures = class_metrics(cells)
    truth = cells.sum(axis=1)
    shown: dict[str, dict[str, float]] = {}
    for index, (label, ranking) in enumerate(zip(labels, rankings, strict=True)):
        if truth[index] < SMALLEST_GROUP:
            continue
        shown[label] = {"rows": float(truth[index]), **{name: float(values[index]) for name, values in figures.items()}}
        if ranking is not None and ranking.area is not None:
            shown[label] |= {"roc_auc": ranking.area.value, "average_precision": ranking.precision.value}
    return shown, len(labels) - len(shown)


def _curves(seen: _Classes, rankings: list[Ranking], keys: list[Array]) -> Curves:
    """Curves of the classes with most rows."""
    places = sorted(range(len(rankings)), key=lambda place: -rankings[place].positives)[:_MOST_CURVES]
    roc: list[Curve] = []
    recall: list[Curve] = []
    tables = []
    for place in sorted(places):
        name = seen.training.labels[seen.columns[place][0]]
        for points, kept in ((roc_points(rankings[place]), roc), (precision_points(rankings[place]), recall)):
            if points is not None:
                kept.append(Curve(name=name, x=_rounded(points[0]), y=_rounded(points[1])))
        tables.append(calibration(keys[place], name=name, bins=seen.bins))
    return Curves(tuple(roc), tuple(recall), tuple(tables), thresholds(keys[0]) if seen.binary else ())


def _rounded(values: Array) -> tuple[float, ...]:
    return tuple(np.round(values, _DIGITS).tolist())


def _quantiles(scores: Array) -> tuple[float, ...]:
    """At most one quantile for ten rows, so that they do not spell the scores out."""
    return tuple(np.quantile(scores, np.linspace(0, 1, max(2, min(_QUANTILES, len(scores) // SMALLEST_GROUP)))).tolist())
