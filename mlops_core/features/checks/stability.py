"""Population stability: does a split look like the training split?

    psi((0.5, 0.5), (0.7, 0.3))              # 0.169; above 0.2 is a shift worth a warning
    differ(before, after)                    # whether chance alone explains two histograms (1 in 1,000)
    shifts(train, {"validation": validation, "test": test}, config)

PSI is the symmetric Kullback-Leibler divergence of two histograms (Siddiqi, Credit Risk Scorecards, 2006): the sum of (q - p) ln(q / p),
shares below 0.0001 taken as 0.0001, so that an empty cell divides by nothing.  Two small samples of one population reach 0.2 by chance
(Yurdakul 2018): a shift must also be one by Pearson's test.  Cells: deciles of the training rows (right-closed; a constant has one below,
at and above it), or the 20 most frequent values and the rest; missing is a cell of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np

from mlops_core.contracts.dataset import DataJobConfig, Finding
from mlops_core.features.checks.sample import Array, Rows, grouped

SHIFT = 0.2
FLOOR = 1e-4
CHANCE = 1e-3
MOST_VALUES = 20


def psi(reference: Sequence[float], current: Sequence[float]) -> float:
    """The stability index of two lists of shares over the same cells: 0 for equal ones, above 0.2 a shift."""
    pairs = [(max(before, FLOOR), max(after, FLOOR)) for before, after in zip(reference, current, strict=True)]
    return math.fsum((after - before) * math.log(after / before) for before, after in pairs)


def differ(before: Array, after: Array, *, chance: float = CHANCE) -> bool:
    """Whether two histograms come from two populations: Pearson's chi-square above what chance exceeds once in 1 / ``chance`` times."""
    used = (before + after) > 0
    counts = np.stack([before[used], after[used]]).astype(np.float64)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return float(((counts - expected) ** 2 / expected).sum()) > chi_square(int(used.sum()) - 1, chance)


def chi_square(degrees: int, chance: float) -> float:
    """The value that chi-square exceeds with probability ``chance``; within 4 % for small chances (Wilson and Hilferty 1931)."""
    if degrees < 1:
        return 0.0
    spread = 2 / (9 * degrees)
    return float(degrees * (1 - spread + NormalDist().inv_cdf(1 - chance) * math.sqrt(spread)) ** 3)


def shifts(train: Rows, others: Mapping[str, Rows], config: DataJobConfig) -> list[Finding]:
    """W-SHIFT-001 per split with its shifted columns, most shifted first; W-SHIFT-002 when the target itself is shifted."""
    found = []
    for part, rows in others.items():
        # Dates always move; that a later split lies beyond them is no news.
        still = {name: values for name, values in train.measured.items() if name not in train.moments}
        moved = moved_columns(still, rows.columns, texts=train.texts)
        if moved:
            values: dict[str, str | int | float] = {"split": part, "psi": round(max(moved.values()), 4), "columns": len(moved)}
            found.append(Finding(code="W-SHIFT-001", columns=tuple(moved), values=values))
        target = moved_columns({"": train.target}, {"": rows.target}, texts=frozenset() if train.regression else {""})
        if target:
            found.append(Finding(code="W-SHIFT-002", columns=(config.target,), values={"split": part, "psi": round(target[""], 4)}))
    return found


def moved_columns(reference: Mapping[str, Array], current: Mapping[str, Array], *, texts: frozenset[str] | set[str]) -> dict[str, float]:
    """Columns whose index is above 0.2 and above what chance explains (1 in 1,000, shared by the columns), the greatest first."""
    chance = CHANCE / max(len(reference), 1)
    found = {}
    for name, values in reference.items():
        if not len(values) or not len(current[name]):
            continue
        before, after = cells(values, current[name], text=name in texts)
        index = psi((before / before.sum()).tolist(), (after / after.sum()).tolist())
        if index > SHIFT and differ(before, after, chance=chance):
            found[name] = index
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def cells(reference: Array, current: Array, *, text: bool) -> tuple[Array, Array]:
    """Rows per cell of both; the cells are made from the reference alone and the last one counts what is missing."""
    there = reference[~np.isnan(reference)]
    if not len(there):
        return _counts(reference, np.zeros(0), np.isnan), _counts(current, np.zeros(0), np.isnan)
    if text:
        values, _, numbers = grouped(there)
        known = np.sort(values[np.lexsort((values, -numbers))[:MOST_VALUES]])
        return _listed(reference, known), _listed(current, known)
    tenths = np.ceil(np.arange(1, 10) / 10 * len(there)).astype(np.int64) - 1
    edges, _, _ = grouped(np.sort(there)[tenths])
    if len(edges) == 1:
        with np.errstate(over="ignore"):
            edges = np.array([np.nextafter(edges[0], -np.inf), edges[0]])
    return _counts(reference, edges, np.isnan), _counts(current, edges, np.isnan)


def _counts(values: Array, edges: Array, missing: np.ufunc) -> Array:
    holes = missing(values)
    places = np.where(holes, len(edges) + 1, np.searchsorted(edges, values, side="left"))
    return np.bincount(places, minlength=len(edges) + 2)


def _listed(values: Array, known: Array) -> Array:
    places = np.searchsorted(known, values)
    right = known[np.minimum(places, len(known) - 1)] == values
    return np.bincount(np.where(np.isnan(values), len(known) + 1, np.where(right, places, len(known))), minlength=len(known) + 2)
