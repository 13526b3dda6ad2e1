"""The trivial answer every model must beat: always the most frequent class, or always the mean.

class_baseline("binary", y, classes=2, shares=(0.76, 0.24))     # figures of the constant answer on this split
value_baseline(y, mean=12.5)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlops_core.contracts.findings import MeasureName
from mlops_core.contracts.request import Task
from mlops_core.evaluation.classification import confusion, threshold_metrics
from mlops_core.evaluation.losses import LEAST_PROBABILITY
from mlops_core.evaluation.regression import regression_metrics, terms

Array = np.ndarray[Any, Any]


def class_baseline(task: Task, y: Array, *, classes: int, shares: Sequence[float] = ()) -> dict[MeasureName, float]:
    """Figures of always answering the class with the greatest share in training (on this split where shares are unknown).

    As probabilities it answers the shares themselves.  A constant ranks nothing: its ROC area is 0.5 by definition, its average precision
    the share of the class, its calibration error the gap between the two shares.
    """
    here = np.bincount(y.astype(np.int64), minlength=classes) / len(y)
    prior = np.asarray(shares, dtype=np.float64) if len(shares) == classes else here
    best = int(np.argmax(prior))
    figures = threshold_metrics(task, confusion(y, np.full(len(y), best), classes=classes))
    found = {name: float(value) for name, value in figures.items()}
    found["roc_auc"] = 0.5
    found["log_loss"] = float(-(here * np.log(np.clip(prior, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY))).sum())
    if task == "binary":
        found["average_precision"] = float(here[1])
        found["brier"] = float(here[1] * (1 - prior[1]) ** 2 + here[0] * prior[1] ** 2)
        found["ece"] = float(abs(prior[1] - here[1]))
        return found
    found["roc_auc_weighted"] = 0.5
    found["average_precision"] = float(here[here > 0].mean())
    found["average_precision_weighted"] = float((here * here).sum())
    found["brier"] = float((prior * prior).sum() - 2 * (here * prior).sum() + 1)
    found["ece"] = float(abs(prior[best] - here[best]))
    return found


def value_baseline(y: Array, *, mean: float | None = None) -> dict[MeasureName, float]:
    """Figures of always answering the mean of training (of this split where it is unknown)."""
    constant = np.full(len(y), y.mean() if mean is None else mean)
    found = regression_metrics(terms(y, constant).sum(axis=0), len(y))
    figures = {name: float(value) for name, value in found.items() if np.isfinite(value)}
    return {**figures, "median_ae": float(np.median(np.abs(y - constant)))}
