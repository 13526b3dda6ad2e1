"""Threshold metrics from a confusion matrix, and the area under the ROC curve from ranks.

    cells = confusion(y, predicted, classes=2)         # cells[true, predicted]
    threshold_metrics("binary", cells)["f1"]
    roc_auc(y == 1, scores)                            # None when one class is missing
    roc_curve(y == 1, scores, points=200)              # false and true positive rates

Definitions are scikit-learn's: binary figures are those of the positive class (index 1), multiclass ones the unweighted mean over the
classes that occur in the truth or in the predictions, and a ratio without a denominator is 0.  The area is the probability that a
positive row scores above a negative one, ties counting half (Mann and Whitney 1947; Hanley and McNeil 1982): exact, no thresholds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_core.contracts.request import MetricName, Task

Array = np.ndarray[Any, Any]


def confusion(y: Array, predicted: Array, *, classes: int) -> Array:
    """Counts [true, predicted] as int64."""
    keys = y.astype(np.int64) * classes + predicted.astype(np.int64)
    return np.bincount(keys, minlength=classes * classes).reshape(classes, classes)


def _ratio(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros(np.broadcast_shapes(np.shape(top), np.shape(bottom))), where=np.asarray(bottom) != 0)


def class_metrics(cells: Array) -> dict[str, Array]:
    """Precision, recall and F1 of every class; ``cells`` may have leading axes: […, true, predicted]."""
    hits = np.diagonal(cells, axis1=-2, axis2=-1).astype(np.float64)
    truth, named = cells.sum(axis=-1), cells.sum(axis=-2)
    return {"precision": _ratio(hits, named), "recall": _ratio(hits, truth), "f1": _ratio(2 * hits, truth + named)}


def threshold_metrics(task: Task, cells: Array) -> dict[MetricName, Array]:
    """Accuracy, precision, recall and F1 for every matrix in ``cells`` […, true, predicted]."""
    per_class = class_metrics(cells)
    hits = np.diagonal(cells, axis1=-2, axis2=-1).sum(axis=-1)
    result: dict[MetricName, Array] = {"accuracy": _ratio(hits.astype(np.float64), cells.sum(axis=(-2, -1)))}
    occurs = (cells.sum(axis=-1) + cells.sum(axis=-2)) > 0
    names: tuple[MetricName, ...] = ("precision", "recall", "f1")
    for name in names:
        values = per_class[name]
        result[name] = values[..., 1] if task == "binary" else _ratio((values * occurs).sum(axis=-1), occurs.sum(axis=-1))
    return result


def tie_groups(scores: Array) -> Array:
    """For every row the rank of its score among the distinct scores, ascending from 0."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    steps = np.empty(len(scores), dtype=np.int64)
    if len(scores):
        steps[0] = 0
        np.cumsum(ordered[1:] != ordered[:-1], out=steps[1:])
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[order] = steps
    return ranks


def area(positives: Array, negatives: Array) -> float | None:
    """The exact area from counts per distinct score in ascending order; None when one class is missing."""
    total = float(positives.sum()) * float(negatives.sum())
    if total == 0:
        return None
    below = np.cumsum(negatives) - negatives
    return float(positives @ (below + 0.5 * negatives)) / total


def roc_auc(positive: Array, scores: Array) -> float | None:
    """The area under the ROC curve of one class against the rest."""
    ranks = tie_groups(scores)
    size = int(ranks.max()) + 1 if len(ranks) else 0
    return area(np.bincount(ranks[positive], minlength=size), np.bincount(ranks[~positive], minlength=size))


def roc_curve(positive: Array, scores: Array, *, points: int = 200) -> tuple[Array, Array] | None:
    """At most ``points`` points of the curve from (0, 0) to (1, 1); None when one class is missing."""
    ranks = tie_groups(scores)
    size = int(ranks.max()) + 1 if len(ranks) else 0
    hits = np.bincount(ranks[positive], minlength=size)[::-1].cumsum()
    alarms = np.bincount(ranks[~positive], minlength=size)[::-1].cumsum()
    if size == 0 or hits[-1] == 0 or alarms[-1] == 0:
        return None
    x = np.concatenate([[0.0], alarms / alarms[-1]])
    y = np.concatenate([[0.0], hits / hits[-1]])
    if len(x) > points:
        along = x + y  # rises from 0 to 2: equal steps follow the curve where it bends
        chosen = np.unique(np.searchsorted(along, np.linspace(0, 2, points)).clip(0, len(x) - 1))
        x, y = x[chosen], y[chosen]
    return x, y


def area_influence(positive: Array, scores: Array) -> tuple[float, Array] | None:
    """The area and every row's influence on it, whose variance is DeLong's (DeLong, DeLong and Clarke-Pearson 1988)."""
    ranks = tie_groups(scores)
    size = int(ranks.max()) + 1 if len(ranks) else 0
    hits, alarms = np.bincount(ranks[positive], minlength=size), np.bincount(ranks[~positive], minlength=size)
    value = area(hits, alarms)
    if value is None:
        return None
    total_hits, total_alarms = float(hits.sum()), float(alarms.sum())
    beaten = (np.cumsum(alarms) - 0.5 * alarms) / total_alarms
    beating = (total_hits - np.cumsum(hits) + 0.5 * hits) / total_hits
    rows = len(ranks)
    influence = np.where(positive, (beaten[ranks] - value) * rows / total_hits, (beating[ranks] - value) * rows / total_alarms)
    return value, influence
