"""Whether scores mean what they say: positives per score bin, and the expected calibration error.

    table = calibration(keys, name=">50K", bins=10)     # keys of `ranking.keys_of`, sorted
    table.bins[3].rate.value, table.ece

Bins are equal widths and right-closed, (0.1, 0.2], as scikit-learn's `calibration_curve`; the error weighs each bin's gap by its rows
(Naeini, Cooper and Hauskrecht 2015).  A bin's interval is Wilson's (1927).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from mlops_core.contracts.findings import SMALLEST_GROUP, Calibration, CalibrationBin
from mlops_core.evaluation.intervals import wilson
from mlops_core.evaluation.ranking import BLOCK, keys_of, scores_of

Array = np.ndarray[Any, Any]


def bin_sums(keys: Array, bins: int) -> Array:
    """Rows, sum of scores and positives of every bin [bins, 3] of sorted keys."""
    edges = np.linspace(0.0, 1.0, bins + 1)[1:-1]
    cuts = np.concatenate([[0], np.searchsorted(keys, keys_of(edges, np.ones(len(edges), dtype=bool)), side="right"), [len(keys)]])
    found = np.zeros((bins, 3))
    for number, (start, stop) in enumerate(pairwise(cuts.tolist())):
        for first in range(start, stop, BLOCK):
            block = keys[first : min(first + BLOCK, stop)]
            found[number] += [len(block), scores_of(block).sum(), (block & np.uint64(1)).sum()]
    return found


def expected_error(sums: Array) -> float:
    """The mean gap between score and share over all rows, from `bin_sums` […, bins, 3]."""
    return float(np.abs(sums[:, 1] - sums[:, 2]).sum() / sums[:, 0].sum())


def calibration(keys: Array, *, name: str, bins: int) -> Calibration:
    """The table of one class; bins under ten rows are counted, empty ones are not."""
    sums = bin_sums(keys, bins)
    edges = np.linspace(0.0, 1.0, bins + 1)
    shown = tuple(
        CalibrationBin(
            low=float(edges[number]), high=float(edges[number + 1]), rows=int(rows), score=float(total / rows), rate=wilson(hits, rows)
        )
        for number, (rows, total, hits) in enumerate(sums)
        if rows >= SMALLEST_GROUP
    )
    hidden = int(((sums[:, 0] > 0) & (sums[:, 0] < SMALLEST_GROUP)).sum())
    return Calibration(name=name, bins=shown, ece=expected_error(sums), hidden_bins=hidden)
