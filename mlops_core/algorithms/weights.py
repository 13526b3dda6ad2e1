"""Weights of classes: what a row counts in training, by the class it has.

    weights = class_weights(task)          # {0: 0.66, 1: 2.1}; None when every row counts once
    row_weights(weights, target)           # float64 [N]

``balanced`` gives every class the same total (King and Zeng 2001): rows / (classes · rows of the class), classes of the training rows.
"""

from __future__ import annotations

import numpy as np

from mlops_core.algorithms.fitting import Array, FitTask
from mlops_core.errors import InvalidRequest


def class_weights(task: FitTask) -> dict[int, float] | None:
    """Weight per class index, None for ``none``; `InvalidRequest` (E-TRAIN-005) for a regression, which has no classes."""
    if task.hyperparameters.get("class_weight", "none") == "none":
        return None
    if task.task == "regression":
        raise InvalidRequest(
            "class_weight is balanced, but a regression has no classes.", remedy="Take class_weight out.", code="E-TRAIN-005"
        )
    found, counts = np.unique(task.train.targets().astype(np.int64), return_counts=True)
    total = int(counts.sum())
    return {int(index): total / (len(found) * int(count)) for index, count in zip(found, counts, strict=True)}


def row_weights(weights: dict[int, float] | None, target: Array) -> Array | None:
    """The weight of each row; a class without training rows counts once."""
    if weights is None:
        return None
    table = np.ones(max(int(target.max(initial=0)), *weights) + 1)
    for index, weight in weights.items():
        table[index] = weight
    return np.asarray(table[target.astype(np.int64)])
