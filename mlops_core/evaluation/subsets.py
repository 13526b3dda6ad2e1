"""Figures of some rows of a split: what a slice, or a shuffled sample, is measured by.

    rows = Rows("binary", y, scores, classes=2)
    rows.inside(mask).value("roc_auc")                    # float, or None where it is not defined
    rows.inside(mask).intervals(Resampling(42, 1000))     # every figure a request can name

Areas and errors have normal intervals here (DeLong, delta method), whatever the number of rows; threshold figures are resampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from mlops_core.contracts.request import MetricName, Task
from mlops_core.contracts.verdict import Interval
from mlops_core.evaluation.checks import predicted_classes
from mlops_core.evaluation.classification import confusion, threshold_metrics
from mlops_core.evaluation.intervals import by_influence
from mlops_core.evaluation.ranking import influence_of, keys_of, rank
from mlops_core.evaluation.regression import influences, regression_metrics, terms
from mlops_core.evaluation.resampling import Resampling

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rows:
    """Targets (class indices, or values) and scores [N] or [N,K], probabilities in 0 … 1."""

    task: Task
    y: Array
    scores: Array
    classes: int

    def inside(self, mask: Array) -> Rows:
        """The rows of a mask."""
        return Rows(self.task, self.y[mask], self.scores[mask], self.classes)

    def value(self, metric: MetricName) -> float | None:
        """One figure, without an interval."""
        if self.task == "regression":
            found = float(regression_metrics(terms(self.y, self.scores).sum(axis=0), len(self.y))[metric])
            return found if np.isfinite(found) else None
        if metric == "roc_auc":
            areas = [ranking.area.value for ranking in (rank(keys_of(score, hit)) for hit, score in self._curves()) if ranking.area]
            return float(np.mean(areas)) if areas else None
        return float(threshold_metrics(self.task, self._cells())[metric])

    def intervals(self, resampling: Resampling) -> dict[MetricName, Interval]:
        """Every figure that a request can name and that is defined on these rows (at least one)."""
        if self.task == "regression":
            rows = terms(self.y, self.scores)
            parts, values = influences(rows), regression_metrics(rows.sum(axis=0), len(rows))
            estimates = {
                name: by_influence(float(values[name]), parts[name], "delta", bounded=False) for name in values if np.isfinite(values[name])
            }
        else:
            estimates = resampling.of_cells(self.task, self._cells())
            areas = [influence_of(hit, score) for hit, score in self._curves() if 0 < hit.sum() < len(hit)]
            if areas:
                value = float(np.mean([area.values[0] for area in areas]))
                estimates["roc_auc"] = by_influence(value, np.mean([area.rows[0] for area in areas], axis=0), "delong")
        return {name: estimates[name].interval for name in get_args(MetricName) if name in estimates}

    def _cells(self) -> Array:
        return confusion(self.y, predicted_classes(self.task, self.scores), classes=self.classes)

    def _curves(self) -> list[tuple[Array, Array]]:
        if self.task == "binary":
            return [(self.y == 1, self.scores)]
        return [(self.y == index, self.scores[:, index]) for index in range(self.classes)]


def rows_of(task: Task, y: Array, raw: Array, *, classes: int) -> Rows:
    """Rows from targets as float64 and raw scores of any width, as `look` takes them."""
    scores = np.asarray(raw, dtype=np.float64)
    if task == "regression":
        return Rows(task, y, scores.ravel(), classes)
    wide = np.clip(scores.reshape(len(y), -1), 0.0, 1.0)
    return Rows(task, y.astype(np.int64), wide if task == "multiclass" else wide[:, 0], classes)
