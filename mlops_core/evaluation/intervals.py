"""95 % intervals in closed form: of shares, means, medians, and of figures whose rows' influences are known.

    wilson(hits, rows)                          # a share
    mean_estimate(rows, total, squares)         # a mean, from its sum and its sum of squares
    by_deviation(value, deviation, "delong")    # a figure in 0 … 1 with a standard error
    median_estimate(values)                     # order statistics

What is resampled instead is in `mlops_core.evaluation.resampling`; ``method`` of every estimate says which it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_core.contracts.findings import IntervalMethod
from mlops_core.contracts.verdict import Interval

Array = np.ndarray[Any, Any]
NORMAL_975 = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval and how the interval was made."""

    interval: Interval
    method: IntervalMethod


def point(value: float) -> Estimate:
    """A figure for which these rows allow no interval."""
    return Estimate(Interval(value=value, low=value, high=value), "none")


def wilson(hits: float, rows: float) -> Interval:
    """The score interval of a share of ``rows`` > 0 (Wilson 1927)."""
    share, squared = hits / rows, NORMAL_975**2
    centre = (share + squared / (2 * rows)) / (1 + squared / rows)
    half = NORMAL_975 / (1 + squared / rows) * float(np.sqrt(share * (1 - share) / rows + squared / (4 * rows * rows)))
    return Interval(value=share, low=max(0.0, min(share, centre - half)), high=min(1.0, max(share, centre + half)))


def exact_share(value: float, rows: int) -> Estimate:
    """All rows right or all wrong never resample to anything else: the binomial interval of Clopper and Pearson (1934) instead."""
    reach = 0.025 ** (1 / rows)
    low, high = (reach, 1.0) if value == 1 else (0.0, 1 - reach)
    return Estimate(Interval(value=value, low=low, high=high), "exact")


def by_deviation(value: float, deviation: float, method: IntervalMethod, *, bounded: bool = True) -> Estimate:
    """The normal interval of a figure with a standard error; ``bounded`` keeps it in 0 … 1."""
    half = NORMAL_975 * deviation
    low, high = value - half, value + half
    if bounded:
        low, high = max(0.0, low), min(1.0, high)
    return Estimate(Interval(value=value, low=low, high=high), method)


def by_influence(value: float, influence: Array, method: IntervalMethod, *, bounded: bool = True) -> Estimate:
    """The normal interval of a figure from every row's influence on it."""
    return by_deviation(value, float(np.sqrt(np.mean(influence**2) / len(influence))), method, bounded=bounded)


def mean_estimate(rows: int, total: float, squares: float) -> Estimate:
    """A mean of ``rows`` losses, never below 0, from their sum and their sum of squares."""
    value = total / rows
    half = NORMAL_975 * float(np.sqrt(max(0.0, squares / rows - value * value) / max(rows - 1, 1)))
    return Estimate(Interval(value=value, low=max(0.0, value - half), high=value + half), "normal") if half else point(value)


def median_estimate(values: Array) -> Estimate:
    """A median with the order statistics around it: the binomial ranks of 95 % (David and Nagaraja 2003), normal approximation."""
    rows = len(values)
    half = NORMAL_975 * float(np.sqrt(rows)) / 2
    low, high = max(0, int(np.floor(rows / 2 - half))), min(rows - 1, int(np.ceil(rows / 2 + half)))
    ordered = np.partition(values, [low, high])
    return Estimate(Interval(value=float(np.median(values)), low=float(ordered[low]), high=float(ordered[high])), "order")


def percentiles(value: float, resampled: Array) -> Estimate:
    """The middle 95 % of resampled figures (Efron 1979); resamples where the figure is not defined are left out."""
    kept = resampled[np.isfinite(resampled)]
    if not len(kept):
        return point(value)
    low, high = np.quantile(kept, [0.025, 0.975])
    return Estimate(Interval(value=value, low=float(low), high=float(high)), "bootstrap")
