"""Figures of some rows of a split: what a slice, or a shuffled sample, is measured by.

    rows = Rows("binary", y, scores, classes=2)
    rows.inside(mask).value("roc_auc")                    # float, or None where it is not defined
    rows.inside(mask).intervals(Resampling(42, 1000))     # every figure a request can name

Areas, losses and errors have normal intervals here (DeLong, delta method), whatever the number of rows; threshold figures are resampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from mlops_core.contracts.findings import MeasureName
from mlops_core.contracts.request import MetricName, Task
from mlops_core.contracts.verdict import Interval
from mlops_core.evaluation.checks import predicted_classes
from mlops_core.evaluation.classification import confusion, threshold_metrics
from mlops_core.evaluation.intervals import Estimate, by_influence, mean_estimate, median_estimate
from mlops_core.evaluation.losses import LOSSES, class_losses, row_losses
from mlops_core.evaluation.ranking import keys_of, rank
from mlops_core.evaluation.regression import influences, regression_metrics, terms
from mlops_core.evaluation.resampling import RANKED, Resampling, ranked_by_influence

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
            if metric == "median_ae":
                return float(np.median(np.abs(self.scores - self.y)))
            found = float(regression_metrics(terms(self.y, self.scores).sum(axis=0), len(self.y))[metric])
            return found if np.isfinite(found) else None
        if metric in RANKED:
            return self.ranked().get(metric)
        if metric in LOSSES:
            return float(self.losses()[LOSSES.index(metric)].mean())
        return float(threshold_metrics(self.task, self._cells())[metric])

    def ranked(self) -> dict[MeasureName, float]:
        """Area and average precision over the classes that occur beside others, plain and weighted by their rows; nothing without one."""
        there = [found for found in (rank(keys_of(score, hit)) for hit, score in self._curves()) if found.area and found.precision]
        if not there:
            return {}
        table = np.array([(found.area.value, found.precision.value) for found in there if found.area and found.precision])
        weighed = np.average(table, axis=0, weights=[found.positives for found in there])
        values = np.concatenate([table.mean(axis=0), weighed]).tolist()
        return dict(zip(RANKED if self.task == "multiclass" else RANKED[:2], values, strict=False))

    def losses(self) -> tuple[Array, Array]:
        """Log loss and Brier score of every row."""
        return row_losses(self.y == 1, self.scores) if self.task == "binary" else class_losses(self.y, self.scores)

    def intervals(self, resampling: Resampling) -> dict[MetricName, Interval]:
        """Every figure that a request can name and that is defined on these rows (at least one)."""
        estimates = self.estimates(resampling)
        return {name: estimates[name].interval for name in get_args(MetricName) if name in estimates}

    def estimates(self, resampling: Resampling) -> dict[MeasureName, Estimate]:
        """The same with how each interval was made, in no order."""
        if self.task == "regression":
            rows = terms(self.y, self.scores)
            parts, values = influences(rows), regression_metrics(rows.sum(axis=0), len(rows))
            estimates = {
                name: by_influence(float(values[name]), parts[name], "delta", bounded=False) for name in values if np.isfinite(values[name])
            }
            return {**estimates, "median_ae": median_estimate(np.abs(self.scores - self.y))}
        estimates = resampling.of_cells(self.task, self._cells())
        curves = [(hit, score) for hit, score in self._curves() if 0 < hit.sum() < len(hit)]
        estimates |= ranked_by_influence(curves) if curves else {}
        for name, loss in zip(LOSSES, self.losses(), strict=True):
            estimates[name] = mean_estimate(len(loss), float(loss.sum()), float((loss * loss).sum()))
        return estimates

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
