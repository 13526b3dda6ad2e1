"""95 % intervals: bootstrap percentiles where resampling is affordable, normal by influence where it is not.

    intervals = Resampling(seed=42, resamples=1000)
    intervals.of_cells("binary", cells)             # threshold metrics: multinomial resamples of the matrix, exact at any size
    intervals.of_area([y == 1], scores)             # ranks are computed once; a resample is two counts per distinct score
    intervals.of_terms(rows)                        # regression: one weighted sum per resample

Bootstrap: Efron 1979, percentile intervals.  Above `AFFORDABLE` row draws the area uses DeLong's variance and errors the delta method;
``method`` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_core.contracts.request import MetricName, Task
from mlops_core.contracts.verdict import Interval
from mlops_core.evaluation.classification import area, area_influence, threshold_metrics, tie_groups
from mlops_core.evaluation.regression import influences, regression_metrics

Array = np.ndarray[Any, Any]
AFFORDABLE = 200_000_000
_CELLS_AT_ONCE = 4_000_000
_NORMAL_975 = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval and how the interval was made."""

    interval: Interval
    method: str


def _percentiles(value: float, resampled: Array) -> Estimate:
    kept = resampled[np.isfinite(resampled)]
    if not len(kept):
        return Estimate(Interval(value=value, low=value, high=value), "none")
    low, high = np.quantile(kept, [0.025, 0.975])
    return Estimate(Interval(value=value, low=float(low), high=float(high)), "bootstrap")


def _exact(value: float, rows: int) -> Estimate:
    """All rows right or all wrong never resample to anything else: the binomial interval of Clopper and Pearson (1934) instead."""
    reach = 0.025 ** (1 / rows)
    low, high = (reach, 1.0) if value == 1 else (0.0, 1 - reach)
    return Estimate(Interval(value=value, low=low, high=high), "exact")


def _normal(value: float, influence: Array, method: str, *, bounded: bool) -> Estimate:
    half = _NORMAL_975 * float(np.sqrt(np.mean(influence**2) / len(influence)))
    low, high = value - half, value + half
    if bounded:
        low, high = max(0.0, low), min(1.0, high)
    return Estimate(Interval(value=value, low=low, high=high), method)


@dataclass(frozen=True)
class Resampling:
    """Seed and number of resamples; the same inputs give the same intervals on every machine."""

    seed: int
    resamples: int

    def of_cells(self, task: Task, cells: Array) -> dict[MetricName, Estimate]:
        """Threshold metrics: rows of one cell are alike, so a resample of rows is a multinomial draw of the matrix."""
        generator = np.random.default_rng([self.seed, 1])
        rows, classes = int(cells.sum()), len(cells)
        step = max(1, _CELLS_AT_ONCE // (classes * classes))
        drawn: dict[MetricName, list[Array]] = {}
        for start in range(0, self.resamples, step):
            size = min(step, self.resamples - start)
            matrices = generator.multinomial(rows, cells.ravel() / rows, size=size).reshape(size, classes, classes)
            for name, values in threshold_metrics(task, matrices).items():
                drawn.setdefault(name, []).append(values)
        values_now = threshold_metrics(task, cells)
        found = {name: _percentiles(float(value), np.concatenate(drawn[name])) for name, value in values_now.items()}
        if found["accuracy"].interval.value in (0.0, 1.0):
            found["accuracy"] = _exact(found["accuracy"].interval.value, rows)
        return found

    def of_area(self, positives: Sequence[Array], scores: Sequence[Array]) -> Estimate | None:
        """The mean area over one-vs-rest curves (one for a binary task); curves without both classes are left out."""
        curves = [(positive, score) for positive, score in zip(positives, scores, strict=True) if 0 < positive.sum() < len(positive)]
        if not curves:
            return None
        if len(curves[0][0]) * len(curves) * self.resamples > AFFORDABLE:
            parts = [found for found in (area_influence(positive, score) for positive, score in curves) if found]
            value = float(np.mean([part[0] for part in parts]))
            return _normal(value, np.mean([part[1] for part in parts], axis=0), "delong", bounded=True)
        return self._resampled_area(curves)

    def _resampled_area(self, curves: Sequence[tuple[Array, Array]]) -> Estimate:
        rows = len(curves[0][0])
        keys = [(2 * tie_groups(score) + positive).astype(np.int32) for positive, score in curves]
        sizes = [int(key.max()) // 2 * 2 + 2 for key in keys]
        generator = np.random.default_rng([self.seed, 2])
        everything = slice(None)
        value = _mean_area(keys, sizes, everything)
        drawn = np.array([_mean_area(keys, sizes, generator.integers(0, rows, rows, dtype=np.int32)) for _ in range(self.resamples)])
        return _percentiles(value, drawn)

    def of_terms(self, rows: Array) -> dict[MetricName, Estimate]:
        """Regression figures that are defined on this split."""
        count = len(rows)
        now = {name: float(value) for name, value in regression_metrics(rows.sum(axis=0), count).items() if np.isfinite(value)}
        if count * self.resamples > AFFORDABLE:
            parts = influences(rows)
            return {name: _normal(value, parts[name], "delta", bounded=False) for name, value in now.items()}
        generator = np.random.default_rng([self.seed, 3])
        sums = np.empty((self.resamples, rows.shape[1]))
        for number in range(self.resamples):
            sums[number] = np.bincount(generator.integers(0, count, count, dtype=np.int32), minlength=count) @ rows
        drawn = regression_metrics(sums, count)
        return {name: _percentiles(value, drawn[name]) for name, value in now.items()}


def _mean_area(keys: Sequence[Array], sizes: Sequence[int], chosen: Any) -> float:
    areas = []
    for key, size in zip(keys, sizes, strict=True):
        counts = np.bincount(key[chosen], minlength=size)
        value = area(counts[1::2], counts[0::2])
        if value is not None:
            areas.append(value)
    return float(np.mean(areas)) if areas else float("nan")
