"""What a binary model would give at other thresholds than 0.5.

    points = thresholds(keys)          # keys of `ranking.keys_of`, sorted
    points[4].precision.value          # at 0.5

A score at or above the threshold counts as positive.  Intervals are Wilson's (1927).  A threshold that leaves fewer than ten rows on one
side is left out, as is everything about a class of fewer than ten rows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from mlops_core.contracts.findings import SMALLEST_GROUP, ThresholdPoint
from mlops_core.evaluation.intervals import wilson
from mlops_core.evaluation.ranking import BLOCK, keys_of

Array = np.ndarray[Any, Any]
TENTHS = np.arange(1, 10) / 10


def thresholds(keys: Array) -> tuple[ThresholdPoint, ...]:
    """The points 0.1 … 0.9 of one binary split."""
    cuts = np.searchsorted(keys, keys_of(TENTHS, np.zeros(len(TENTHS), dtype=bool)), side="left").tolist()
    below = np.cumsum([_positives(keys, start, stop) for start, stop in pairwise([0, *cuts, len(keys)])]).tolist()
    rows, positives = len(keys), below[-1]
    if min(positives, rows - positives) < SMALLEST_GROUP:
        return ()
    return tuple(
        _point(float(threshold), rows - cut, positives - missed, (rows, positives))
        for threshold, cut, missed in zip(TENTHS, cuts, below, strict=False)
        if min(cut, rows - cut) >= SMALLEST_GROUP
    )


def _positives(keys: Array, start: int, stop: int) -> int:
    """Positive rows between two places, counted in blocks."""
    return sum(int((keys[first : min(first + BLOCK, stop)] & np.uint64(1)).sum()) for first in range(start, stop, BLOCK))


def _point(threshold: float, selected: int, hits: int, of: tuple[int, int]) -> ThresholdPoint:
    rows, positives = of
    return ThresholdPoint(
        threshold=threshold,
        rows=selected,
        share=selected / rows,
        precision=wilson(hits, selected),
        recall=wilson(hits, positives),
        f1=2 * hits / (selected + positives),
        false_positive_rate=(selected - hits) / (rows - positives),
    )
