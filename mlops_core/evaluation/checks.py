"""What scores must be before anything is computed from them.

scores = checked_scores("binary", raw, classes=2)     # float64 [N] or [N,K]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_core.contracts.request import Task
from mlops_core.errors import JobFailed

Array = np.ndarray[Any, Any]


def checked_scores(task: Task, scores: Array, *, classes: int) -> Array:
    """Scores as float64, one column per class for multiclass and none otherwise.

    `JobFailed` (E-EVAL-002 … 004) for a wrong shape, a value that is no number or a probability outside 0 … 1: such a model is never good.
    """
    width = classes if task == "multiclass" else 1
    values = np.asarray(scores, dtype=np.float64)
    values = values.reshape(len(values), -1)
    if values.shape[1] != width:
        raise JobFailed(f"the model returns {values.shape[1]} scores per row where {width} are expected.", code="E-EVAL-002")
    bad = int((~np.isfinite(values)).any(axis=1).sum())
    if bad:
        raise JobFailed(f"the model returns no finite score for {bad} of {len(values)} rows.", code="E-EVAL-003")
    if task != "regression" and values.size and (values.min() < -1e-6 or values.max() > 1 + 1e-6):
        raise JobFailed(f"the model returns {values.min():g} … {values.max():g} where probabilities are expected.", code="E-EVAL-004")
    kept: Array = values if task == "multiclass" else values[:, 0]
    return kept


def predicted_classes(task: Task, scores: Array) -> Array:
    """The class index by the one stated rule: binary positive at 0.5 and above; multiclass the first of the greatest."""
    if task == "binary":
        return (scores >= 0.5).astype(np.int64)
    best: Array = np.argmax(scores, axis=1)
    return best
