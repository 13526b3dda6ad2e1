"""How each column goes with the target, and numeric columns with each other, on training rows.

    train = draw(connection, "train", profiles, config, most=rows_for(len(profiles)))
    found = related(connection, train, profiles, config=config, labels=labels)
    found.associations[0]      # Association(column="age", measure="eta", value=0.232, rows=26048, auc=0.681)

Number and number: Spearman's rank correlation (Spearman 1904), equal values at their mean rank.  Number and groups, of the target or of
the column: the correlation ratio (Pearson 1905), less what chance gives many groups (epsilon squared, Kelley 1935).  Category and category:
Cramér's V with the same done to it (Bergsma 2013).  For a binary target a number's area under the ROC curve (Mann and Whitney 1947).
Between numbers Pearson's r, as the selection by correlation takes it.  A pair of columns is asked on the rows that hold both.  Up to
`MOST_ROWS` training rows are looked at, fewer from 20 columns on (`MOST_CELLS` values), never fewer than the checks take
(`mlops_core.features.checks.sample`, which says which rows those are); and at most `MOST_COLUMNS` columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.contracts.relations import Association, AssociationMeasure, CorrelatedPair, Relations
from mlops_core.features.checks import sample
from mlops_core.features.checks.sample import Array, Rows, correlation, grouped, ranks, ranks_of, scaled, target_code
from mlops_core.features.selection import CORRELATED

MOST_ROWS = 50_000
MOST_CELLS = 1_000_000
MOST_COLUMNS = 1_000
MOST_COMPARED = 200
"""Numeric columns among which near twins are looked for, those that go most with the target first."""
MOST_DRAWN = 10
MOST_PAIRS = 30
_PLACES = 6
_VARIES = 1e-12


def rows_for(columns: int) -> int:
    """How many training rows to look at."""
    return max(sample.MOST_ROWS, min(MOST_ROWS, MOST_CELLS // (columns + 1)))


def related(connection: Any, train: Rows, profiles: Sequence[ColumnProfile], *, config: DataJobConfig, labels: Sequence[str]) -> Relations:
    """The strongest associations with the target first, then how the numeric columns go together."""
    names = [item.name for item in profiles if not item.dropped and item.name in train.columns][:MOST_COLUMNS]
    positive = target_code(connection, config, labels[1]) if config.task == "binary" else None
    found = associations(train, names, positive=positive)
    strongest = [item.column for item in found]
    ordered = [*strongest, *(name for name in names if name not in set(strongest))]
    compared = [name for name in ordered if name not in train.texts][:MOST_COMPARED]
    matrix, rows = correlations([train.columns[name] for name in compared])
    pairs = _pairs(compared, matrix, rows)
    drawn = compared[:MOST_DRAWN] if len(compared) > 1 else []
    half = tuple(tuple(_rounded(matrix[line, place]) for place in range(line)) for line in range(len(drawn)))
    return Relations(
        rows=len(train), of_rows=train.total, associations=tuple(found), columns=tuple(drawn), correlations=half,
        pairs=tuple(pairs[:MOST_PAIRS]), pair_count=len(pairs),
    )  # fmt: skip


def associations(train: Rows, names: Sequence[str], *, positive: float | None) -> list[Association]:
    """The columns that ten rows or more speak of and that vary there, the strongest first; ``positive`` is the class of the area."""
    order = grouped(train.target)[1]
    found = []
    for name in names:
        there = ~np.isnan(train.columns[name])
        x, y = train.columns[name][there], train.target[there]
        if len(x) < SMALLEST_GROUP:
            continue
        text = name in train.texts
        measure, value = _with_number(x, y, order[there], text=text) if train.regression else _with_class(x, order[there], text=text)
        if value is not None:
            area = None if text or positive is None else auc(x, y == positive)
            found.append(Association(column=name, measure=measure, value=round(value, _PLACES), rows=len(x), auc=area))
    return sorted(found, key=lambda item: (-abs(item.value), item.column))


def _with_number(x: Array, y: Array, order: Array, *, text: bool) -> tuple[AssociationMeasure, float | None]:
    return ("eta", eta(grouped(x)[1], y)) if text else ("spearman", spearman(x, order))


def _with_class(x: Array, labels: Array, *, text: bool) -> tuple[AssociationMeasure, float | None]:
    return ("cramers_v", cramers_v(grouped(x)[1], labels)) if text else ("eta", eta(labels, x))


def spearman(x: Array, order: Array) -> float | None:
    """Pearson's correlation of the ranks, equal values at their mean rank (Spearman 1904); None where a side is constant.

    ``order`` are the other side's places among its distinct values, as `grouped` gives them.
    """
    return correlation(ranks(x), ranks_of(order))


def eta(groups: Array, values: Array) -> float | None:
    """The root of the share of the values' variance that lies between groups (0 … K-1), corrected: epsilon squared (Kelley 1935).

    1 - (within / (n - k)) / (total / (n - 1)), 0 where that is negative; None for one group, a value a group, or equal values.
    """
    counts, even = np.bincount(groups), scaled(values)
    rows, filled = len(values), int((counts > 0).sum())
    if filled < 2 or rows <= filled or not np.ptp(even) > 0:
        return None
    even = scaled(even - even.mean())
    means = np.bincount(groups, weights=even) / np.maximum(counts, 1)
    within = float(((even - means[groups]) ** 2).sum()) / (rows - filled)
    total = float(((even - even.mean()) ** 2).sum()) / (rows - 1)
    return float(max(0.0, 1 - within / total) ** 0.5)


def cramers_v(left: Array, right: Array) -> float | None:
    """Cramér's V of two lists of codes 0 … K-1, corrected for chance (Bergsma 2013); None where a side is constant or all differ."""
    rows, columns = np.bincount(left), np.bincount(right)
    total, r, k = len(left), int((rows > 0).sum()), int((columns > 0).sum())
    if r < 2 or k < 2:
        return None
    pairs, _, counts = grouped(left.astype(np.int64) * len(columns) + right)
    expected = rows[pairs // len(columns)].astype(np.float64) * columns[pairs % len(columns)]
    phi = max(0.0, float((counts.astype(np.float64) ** 2 / expected).sum()) - 1 - (r - 1) * (k - 1) / (total - 1))
    least = min(r - (r - 1) ** 2 / (total - 1), k - (k - 1) ** 2 / (total - 1)) - 1
    return min(1.0, (phi / least) ** 0.5) if least > 0 else None


def auc(values: Array, positive: Array) -> float | None:
    """The area under the ROC curve of a number as a score (Mann and Whitney 1947); None under ten rows of a class."""
    ones = int(positive.sum())
    zeros = len(values) - ones
    if min(ones, zeros) < SMALLEST_GROUP:
        return None
    above = float(ranks(values)[positive].sum()) - ones * (ones - 1) / 2
    return round(above / (ones * zeros), _PLACES)


def correlations(columns: Sequence[Array]) -> tuple[Array, Array]:
    """Pearson's r of every pair on the rows that hold both, and how many those are; NaN where one does not vary, or under ten rows."""
    if not columns:
        return np.zeros((0, 0)), np.zeros((0, 0))
    there = np.column_stack([~np.isnan(values) for values in columns]).astype(np.float64)
    values = np.column_stack([_even(column) for column in columns])
    rows, sums, squares = there.T @ there, values.T @ there, (values**2).T @ there
    spread = rows * squares - sums**2
    spread[spread <= _VARIES * rows * squares] = 0.0
    deviation = np.sqrt(spread)
    both = deviation * deviation.T
    usable = (both > 0) & (rows >= SMALLEST_GROUP)
    found = np.divide(rows * (values.T @ values) - sums * sums.T, both, out=np.full_like(both, np.nan), where=usable)
    return np.clip(found, -1.0, 1.0), rows


def _even(column: Array) -> Array:
    """Centred at 0 and at most 1 away from it; 0 where a value is missing, and all of a constant."""
    there = ~np.isnan(column)
    found = np.zeros(len(column))
    known = scaled(column[there])
    if len(known) and np.ptp(known) > 0:
        found[there] = scaled(known - known.mean())
    return found


def _pairs(names: Sequence[str], matrix: Array, rows: Array) -> list[CorrelatedPair]:
    """Pairs whose r is above the selection's bound, the strongest first."""
    with np.errstate(invalid="ignore"):
        places = np.argwhere(np.tril(np.abs(matrix) > CORRELATED, k=-1))
    found = [CorrelatedPair(left=names[b], right=names[a], r=round(float(matrix[a, b]), _PLACES), rows=int(rows[a, b])) for a, b in places]
    return sorted(found, key=lambda pair: (-abs(pair.r), pair.left, pair.right))


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _PLACES)
