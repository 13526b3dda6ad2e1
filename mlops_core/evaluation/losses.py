"""Log loss and Brier score: what each row's probability costs.

    losses = row_losses(positive, scores)           # log loss [N], squared error [N]
    losses = class_losses(y, probabilities)         # the same for several classes
    mean_estimates(len(losses), losses.sum(axis=0), (losses**2).sum(axis=0))

Probabilities are clipped as scikit-learn clips float64 ones, 2.2e-16 from both ends, so that a saturated wrong answer costs 36 and not
infinity.  The Brier score of two classes is the squared error of the positive one (0 … 1), of several the sum over the classes (0 … 2).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_core.contracts.findings import MeasureName

Array = np.ndarray[Any, Any]
LEAST_PROBABILITY = float(np.finfo(np.float64).eps)
LOSSES: tuple[MeasureName, MeasureName] = ("log_loss", "brier")


def row_losses(positive: Array, scores: Array) -> tuple[Array, Array]:
    """Log loss and squared error of every row; ``positive`` is bool, scores are probabilities of the positive class."""
    wrong = np.where(positive, 1.0 - scores, scores)
    right = np.where(positive, scores, 1.0 - scores)
    np.clip(right, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY, out=right)
    np.log(right, out=right)
    np.negative(right, out=right)
    np.multiply(wrong, wrong, out=wrong)
    return right, wrong


def class_losses(y: Array, probabilities: Array) -> tuple[Array, Array]:
    """Log loss and squared error of every row of several classes; ``y`` holds class indices, ``probabilities`` is [N,K]."""
    chosen = probabilities[np.arange(len(y)), y]
    squares = (probabilities * probabilities).sum(axis=1) - 2 * chosen + 1
    return -np.log(np.clip(chosen, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)), squares
