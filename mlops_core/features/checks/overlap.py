"""Rows of a later split that repeat a training row in all but what names or counts the rows.

    overlap(train, {"validation": validation, "test": test})      # [Finding W-LEAK-006 …]

Our own splits keep equal rows on one side, but rows that differ in a row number or an identifier alone are not equal to them, and a split
by time or by groups does not look at what rows hold.  A model answers such rows by heart.  Compared are all columns that mean something
and the target, by a 64-bit print; when only some of the training rows were drawn, the share found is divided by the share drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mlops_core.contracts.dataset import Finding
from mlops_core.features.checks.sample import Array, Rows, grouped, mixed

SHARE = 0.01
LEAST = 10


def overlap(train: Rows, others: Mapping[str, Rows]) -> list[Finding]:
    """W-LEAK-006 for each split of which at least 1 %, and ten of the rows looked at, repeat a training row."""
    names = list(train.measured)
    if not names or not len(train):
        return []
    known, _, _ = grouped(_prints(train, names))
    found = []
    for part, rows in others.items():
        prints = _prints(rows, names)
        again = int((known[np.minimum(np.searchsorted(known, prints), len(known) - 1)] == prints).sum())
        share = min(1.0, again / max(len(rows), 1) * train.total / len(train))
        if again >= LEAST and share >= SHARE:
            values: dict[str, str | int | float] = {"split": part, "share": round(share, 4), "rows": again, "of": len(rows)}
            found.append(Finding(code="W-LEAK-006", values=values))
    return found


def _prints(rows: Rows, names: Sequence[str]) -> Array:
    """One number per row that is equal where the columns and the target are: each value's bits mixed into the ones before."""
    state = np.zeros(len(rows), dtype=np.uint64)
    for values in [*(rows.columns[name] for name in names), rows.target]:
        # Adding 0 makes -0 and 0 one, and a missing value has one print whatever bits it came with.
        plain = np.where(np.isnan(values), np.nan, values) + 0.0
        state = mixed(state ^ plain.view(np.uint64))
    return state
