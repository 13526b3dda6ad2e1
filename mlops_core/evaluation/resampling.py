"""Bootstrap where resampling is affordable, influences where it is not.

    intervals = Resampling(seed=42, resamples=1000)
    intervals.of_cells("binary", cells)             # threshold figures: multinomial resamples of the matrix, exact at any size
    intervals.of_ranks([y == 1], [scores])          # ranks are computed once; a resample is two counts per distinct score
    intervals.of_terms(rows)                        # regression: one weighted sum per resample
    intervals.of_bins(sums)                         # calibration error: multinomial resamples of bin and class

Bootstrap: Efron 1979, percentile intervals.  Above `AFFORDABLE` row draws the area uses DeLong's variance, the average precision and the
errors the delta method; ``method`` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_core.contracts.findings import IntervalMethod, MeasureName
from mlops_core.contracts.request import Task
from mlops_core.contracts.verdict import Interval
from mlops_core.evaluation.calibration import expected_error
from mlops_core.evaluation.classification import threshold_metrics
from mlops_core.evaluation.intervals import Estimate, by_influence, exact_share, percentiles
from mlops_core.evaluation.ranking import Influence, influence_of, ranks_of
from mlops_core.evaluation.regression import influences, regression_metrics

Array = np.ndarray[Any, Any]
AFFORDABLE = 100_000_000
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Resampling:
    """Seed and number of resamples; the same inputs give the same intervals on every machine."""

    seed: int
    resamples: int

    def affords(self, rows: int, figures: int = 1) -> bool:
        """Whether so many rows are resampled; otherwise intervals are normal."""
        return rows * figures * self.resamples <= AFFORDABLE

    def of_cells(self, task: Task, cells: Array) -> dict[MeasureName, Estimate]:
        """Threshold figures: rows of one cell are alike, so a resample of rows is a multinomial draw of the matrix."""
        generator = np.random.default_rng([self.seed, 1])
        rows, classes = int(cells.sum()), len(cells)
        step = max(1, _CELLS_AT_ONCE // (classes * classes))
        drawn: dict[MeasureName, list[Array]] = {}
        for start in range(0, self.resamples, step):
            size = min(step, self.resamples - start)
            matrices = generator.multinomial(rows, cells.ravel() / rows, size=size).reshape(size, classes, classes)
            for name, values in threshold_metrics(task, matrices).items():
                drawn.setdefault(name, []).append(values)
        values_now = threshold_metrics(task, cells)
        found = {name: percentiles(float(value), np.concatenate(drawn[name])) for name, value in values_now.items()}
        if found["accuracy"].interval.value in (0.0, 1.0):
            found["accuracy"] = exact_share(found["accuracy"].interval.value, rows)
        return found

    def of_bins(self, sums: Array) -> Estimate:
        """The calibration error from rows, score sums and positives of every bin [bins, 3]; a bin's mean score is held.

        Chance alone makes gaps, in the rows and once more in their resamples, so percentiles as they fall would lie above the error and
        often above the figure itself.  What the resamples add on the mean is taken off the upper end once and off the lower end twice;
        the lower end is 0 where rows of which every bin hits its mean score would show as much in 1 of 40 draws (consistency resampling,
        Bröcker and Smith 2007).
        """
        generator = np.random.default_rng([self.seed, 4])
        kept = sums[sums[:, 0] > 0]
        rows, scores, hits = kept.T
        shares = np.concatenate([hits, rows - hits]) / rows.sum()
        drawn = generator.multinomial(int(rows.sum()), shares, size=self.resamples).reshape(self.resamples, 2, len(kept))
        gaps = np.abs(drawn.sum(axis=1) * (scores / rows) - drawn[:, 0])
        value, resampled = expected_error(kept), gaps.sum(axis=1) / rows.sum()
        low, high = np.quantile(resampled, [0.025, 0.975]).tolist()
        added = float(resampled.mean()) - value
        consistent = generator.binomial(rows.astype(np.int64), np.clip(scores / rows, 0.0, 1.0), size=(self.resamples, len(kept)))
        by_chance = float(np.quantile(np.abs(consistent - scores).sum(axis=1) / rows.sum(), 0.975))
        ends = 0.0 if value <= by_chance else min(value, max(0.0, low - 2 * added)), max(value, high - added)
        return Estimate(Interval(value=value, low=ends[0], high=ends[1]), "bootstrap")

    def of_ranks(self, positives: Sequence[Array], scores: Sequence[Array]) -> dict[MeasureName, Estimate]:
        """Mean ROC AUC and average precision over one-vs-rest curves (one for a binary task), plain and weighted by the classes' rows.

        Classes of which the split holds no row, or nothing else, are left out; no curve: no figure.
        """
        curves = [(positive, score) for positive, score in zip(positives, scores, strict=True) if 0 < positive.sum() < len(positive)]
        if not curves:
            return {}
        if not self.affords(len(curves[0][0]), len(curves)):
            return ranked_by_influence(curves)
        return self._resampled(curves)

    def _resampled(self, curves: Sequence[tuple[Array, Array]]) -> dict[MeasureName, Estimate]:
        rows = len(curves[0][0])
        keys = [(2 * ranks_of(score) + positive).astype(np.int32) for positive, score in curves]
        sizes = [int(key.max()) // 2 * 2 + 2 for key in keys]
        generator = np.random.default_rng([self.seed, 2])
        now = _rank_figures(keys, sizes, slice(None))
        drawn = np.array([_rank_figures(keys, sizes, generator.integers(0, rows, rows, dtype=np.int32)) for _ in range(self.resamples)])
        found = {name: percentiles(float(now[index]), drawn[:, index]) for index, name in enumerate(RANKED)}
        return found if len(curves) > 1 else {name: found[name] for name in RANKED[:2]}

    def of_terms(self, rows: Array) -> dict[MeasureName, Estimate]:
        """Regression figures that are defined on this split."""
        count = len(rows)
        now = {name: float(value) for name, value in regression_metrics(rows.sum(axis=0), count).items() if np.isfinite(value)}
        if not self.affords(count):
            parts = influences(rows)
            return {name: by_influence(value, parts[name], "delta", bounded=False) for name, value in now.items()}
        generator = np.random.default_rng([self.seed, 3])
        sums = np.empty((self.resamples, rows.shape[1]))
        for number in range(self.resamples):
            sums[number] = np.bincount(generator.integers(0, count, count, dtype=np.int32), minlength=count) @ rows
        drawn = regression_metrics(sums, count)
        return {name: percentiles(value, drawn[name]) for name, value in now.items()}


RANKED: tuple[MeasureName, ...] = ("roc_auc", "average_precision", "roc_auc_weighted", "average_precision_weighted")


def _rank_figures(keys: Sequence[Array], sizes: Sequence[int], chosen: Any) -> Array:
    """The four figures of `RANKED` for chosen rows; keys are twice the rank plus the class."""
    figures, weights = [], []
    for key, size in zip(keys, sizes, strict=True):
        counts = np.bincount(key[chosen], minlength=size).astype(np.float64)
        hits, alarms = counts[1::2], counts[0::2]
        positives, negatives = hits.sum(), alarms.sum()
        if not positives or not negatives:
            continue
        below = np.cumsum(alarms)
        above = positives - np.cumsum(hits) + hits
        named = np.maximum(above + (negatives - below + alarms), 1.0)
        area = (hits * (below - 0.5 * alarms)).sum() / (positives * negatives)
        figures.append((area, (hits * above / named).sum() / positives))
        weights.append(positives)
    if not figures:
        return np.full(4, np.nan)
    table = np.array(figures)
    return np.concatenate([table.mean(axis=0), np.average(table, axis=0, weights=weights)])


def ranked_by_influence(curves: Sequence[tuple[Array, Array]]) -> dict[MeasureName, Estimate]:
    """The figures of `Resampling.of_ranks` with normal intervals, of curves on which both classes occur.

    The weights are estimated from the same rows and add their own influence.
    """
    rows = len(curves[0][0])
    parts: list[Influence] = [influence_of(positive, score) for positive, score in curves]
    weights = np.array([positive.sum() for positive, _ in curves]) / sum(int(positive.sum()) for positive, _ in curves)
    found: dict[MeasureName, Estimate] = {}
    for index, name in enumerate(RANKED[:2]):
        method: IntervalMethod = "delta" if index else "delong"
        values = [part.values[index] for part in parts]
        found[name] = by_influence(float(np.mean(values)), np.mean([part.rows[index] for part in parts], axis=0), method)
        if len(curves) > 1:
            mean, total = float(np.dot(weights, values)), np.zeros(rows)
            for (positive, _), part, weight in zip(curves, parts, weights, strict=True):
                total += weight * part.rows[index] + positive * (part.values[index] - mean)
            found[RANKED[index + 2]] = by_influence(mean, total, method)
    return found
