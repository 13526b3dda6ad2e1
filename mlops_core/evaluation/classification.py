"""Threshold figures from confusion matrices, one or many at once.

    cells = confusion(y, predicted, classes=2)         # cells[true, predicted]
    threshold_metrics("binary", cells)["f1"]

Definitions are scikit-learn's: binary figures are those of the positive class (index 1), multiclass ones the unweighted mean over the
classes that occur in the truth or in the predictions, and a ratio without a denominator is 0.  Specificity is the recall of everything
else; balanced accuracy the mean recall of the classes that occur in the truth; ``mcc`` the correlation of Matthews (1975), of several
classes that of Gorodkin (2004).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_core.contracts.findings import MeasureName
from mlops_core.contracts.request import Task

Array = np.ndarray[Any, Any]


def confusion(y: Array, predicted: Array, *, classes: int) -> Array:
    """Counts [true, predicted] as int64."""
    keys = y.astype(np.int64) * classes + predicted.astype(np.int64)
    return np.bincount(keys, minlength=classes * classes).reshape(classes, classes)


def _ratio(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros(np.broadcast_shapes(np.shape(top), np.shape(bottom))), where=np.asarray(bottom) != 0)


def class_metrics(cells: Array) -> dict[MeasureName, Array]:
    """Precision, recall, specificity and F1 of every class against the rest; ``cells`` may have leading axes: […, true, predicted]."""
    hits = np.diagonal(cells, axis1=-2, axis2=-1).astype(np.float64)
    truth, named = cells.sum(axis=-1), cells.sum(axis=-2)
    rows = truth.sum(axis=-1, keepdims=True)
    others = rows - truth
    return {
        "precision": _ratio(hits, named),
        "recall": _ratio(hits, truth),
        "specificity": _ratio(others - named + hits, others),
        "f1": _ratio(2 * hits, truth + named),
    }


def threshold_metrics(task: Task, cells: Array) -> dict[MeasureName, Array]:
    """Every figure of a confusion matrix, for every matrix in ``cells`` […, true, predicted]."""
    per_class = class_metrics(cells)
    truth, named = cells.sum(axis=-1), cells.sum(axis=-2)
    hits = np.diagonal(cells, axis1=-2, axis2=-1).sum(axis=-1).astype(np.float64)
    rows = truth.sum(axis=-1)
    result: dict[MeasureName, Array] = {
        "accuracy": _ratio(hits, rows),
        "balanced_accuracy": _ratio(per_class["recall"].sum(axis=-1), (truth > 0).sum(axis=-1)),
        "mcc": _matthews(hits, truth, named),
    }
    occurs = (truth + named) > 0
    for name, values in per_class.items():
        result[name] = values[..., 1] if task == "binary" else _ratio((values * occurs).sum(axis=-1), occurs.sum(axis=-1))
    if task == "multiclass":
        result["precision_weighted"] = _ratio((per_class["precision"] * truth).sum(axis=-1), rows)
        result["f1_weighted"] = _ratio((per_class["f1"] * truth).sum(axis=-1), rows)
    return result


def _matthews(hits: Array, truth: Array, named: Array) -> Array:
    truth, named = truth.astype(np.float64), named.astype(np.float64)
    rows = truth.sum(axis=-1)
    shared = hits * rows - (truth * named).sum(axis=-1)
    scale = np.sqrt((rows * rows - (truth * truth).sum(axis=-1)) * (rows * rows - (named * named).sum(axis=-1)))
    return _ratio(shared, scale)
