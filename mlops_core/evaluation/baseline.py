"""The trivial answer every model must beat: always the most frequent class, or always the mean.

baseline("binary", y, classes=2, shares=(0.76, 0.24))     # figures of the constant answer on this split
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlops_core.contracts.request import MetricName, Task
from mlops_core.evaluation.classification import confusion, threshold_metrics
from mlops_core.evaluation.regression import regression_metrics, terms

Array = np.ndarray[Any, Any]


def class_baseline(task: Task, y: Array, *, classes: int, shares: Sequence[float] = ()) -> dict[MetricName, float]:
    """Figures of always answering the class with the greatest share in training (on this split where shares are unknown).

    A constant score ranks nothing: its area is 0.5 by definition.
    """
    counts = np.asarray(shares if len(shares) == classes else np.bincount(y.astype(np.int64), minlength=classes))
    constant = np.full(len(y), int(np.argmax(counts)))
    found = {name: float(value) for name, value in threshold_metrics(task, confusion(y, constant, classes=classes)).items()}
    return {**found, "roc_auc": 0.5}


def value_baseline(y: Array, *, mean: float | None = None) -> dict[MetricName, float]:
    """Figures of always answering the mean of training (of this split where it is unknown)."""
    constant = np.full(len(y), y.mean() if mean is None else mean)
    found = regression_metrics(terms(y, constant).sum(axis=0), len(y))
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}
