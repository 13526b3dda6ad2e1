"""Where a model is worst: rows of one or two columns whose loss is significantly above everyone else's.

    columns = [coded_numbers("age", ages), coded_words("sex", codes, words)]
    found = worst_slices(columns, losses, loss="brier")
    found.found[0].conditions, found.found[0].loss

Each slice of at least 50 rows is compared with all other rows by Welch's test (1947, one-sided, normal tail: both sides have 50 rows or
more); Benjamini and Hochberg (1995) hold the share of false alarms among all slices tested at 5 %.  Pairs are made of the dozen columns
with the most significant slices of their own, and a pair is shown only where it is worse than both of its parts (Chung and others 2019).
A slice that shares more than three quarters of its rows with a more significant one is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Literal

import numpy as np

from mlops_core.contracts.findings import Condition, Slice, Slices
from mlops_core.contracts.request import MetricName
from mlops_core.contracts.verdict import Interval
from mlops_core.evaluation.intervals import mean_estimate

Array = np.ndarray[Any, Any]
LossName = Literal["brier", "absolute_error", "error"]
Figures = Mapping[MetricName, Interval]
Inside = Callable[[tuple[Condition, ...]], Array]
LEAST_ROWS = 50
MOST_FOUND = 10
FALSE_ALARMS = 0.05
_MOST_PAIRED = 12
_MOST_PER_CONDITION = 3
_MOST_LOOKED_AT = 100
_SAME_ROWS = 0.75
_MOST_CATEGORIES = 20
_FEW_VALUES = 10
_BINS = 5


@dataclass(frozen=True)
class Coded:
    """A column as codes [N] into conditions; -1 is in no slice."""

    name: str
    codes: Array
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Moments:
    """Rows, sum and sum of squares of the losses of every slice [S, 3], with the conditions of each."""

    table: Array
    conditions: tuple[tuple[Condition, ...], ...]


def coded_numbers(name: str, values: Array) -> Coded:
    """A numeric column (NaN: missing): its values where it has at most ten, otherwise fifths."""
    missing = np.isnan(values)
    known = values[~missing]
    distinct = np.unique(known) if len(known) else known
    if len(distinct) <= _FEW_VALUES:
        edges = distinct
        conditions = [Condition(column=name, category=f"{value:.12g}") for value in distinct]
    else:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]))
        ends = [None, *edges.tolist(), None]
        conditions = [Condition(column=name, low=low, high=high) for low, high in pairwise(ends)]
    codes = np.where(missing, len(conditions), np.searchsorted(edges, values, side="left"))
    return Coded(name, codes, (*conditions, Condition(column=name, missing=True)))


def coded_words(name: str, codes: Array, words: Sequence[str]) -> Coded:
    """A text column as codes into words (-1: missing): its twenty most frequent categories, as long as they have enough rows."""
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    kept = [int(place) for place in np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES] if counts[place] >= LEAST_ROWS]
    table = np.full(len(words) + 1, -1)
    table[kept] = np.arange(len(kept))
    table[-1] = len(kept)
    return Coded(
        name, table[codes], (*(Condition(column=name, category=words[place]) for place in kept), Condition(column=name, missing=True))
    )


def moments_of(columns: Sequence[Coded], losses: Array) -> Moments:
    """Sums over the slices of one column or of a pair."""
    size = math.prod(len(column.conditions) for column in columns)
    codes = columns[0].codes if len(columns) == 1 else columns[0].codes.astype(np.int64) * len(columns[1].conditions) + columns[1].codes
    inside = np.logical_and.reduce([column.codes >= 0 for column in columns])
    kept, values = codes[inside], losses[inside]
    sums = [np.bincount(kept, minlength=size), *(np.bincount(kept, weights=part, minlength=size) for part in (values, values * values))]
    if len(columns) == 1:
        return Moments(np.column_stack(sums), tuple((condition,) for condition in columns[0].conditions))
    pairs = tuple((first, second) for first in columns[0].conditions for second in columns[1].conditions)
    return Moments(np.column_stack(sums), pairs)


@dataclass(frozen=True)
class _Tested:
    """A slice with its test."""

    conditions: tuple[Condition, ...]
    sums: tuple[float, float, float]
    z: float


def _tests(moments: Moments, whole: Array) -> list[_Tested]:
    """Welch's statistic of every slice that has enough rows, against all other rows."""
    found = []
    for conditions, (rows, total, squares) in zip(moments.conditions, moments.table.tolist(), strict=True):
        others = whole[0] - rows
        if rows < LEAST_ROWS or others < LEAST_ROWS:
            continue
        mean, rest = total / rows, (whole[1] - total) / others
        spread = max(0.0, squares / rows - mean * mean) / (rows - 1) + max(0.0, (whole[2] - squares) / others - rest * rest) / (others - 1)
        found.append(_Tested(conditions, (rows, total, squares), (mean - rest) / math.sqrt(spread) if spread > 0 else 0.0))
    return found


def worst_slices(
    columns: Sequence[Coded],
    losses: Array,
    *,
    loss: LossName,
    metric: MetricName | None = None,
    figures: Callable[[Array], Figures] = lambda _: {},
) -> Slices:
    """The worst slices of one or two columns; ``figures`` is told which rows are inside, ``metric`` is the one of them to show first."""
    whole = np.array([len(losses), losses.sum(), (losses * losses).sum()])
    single = {column.name: moments_of([column], losses) for column in columns}
    reach = {name: max((each.z for each in _tests(moments, whole)), default=-math.inf) for name, moments in single.items()}
    best = sorted(columns, key=lambda column: -reach[column.name])[:_MOST_PAIRED]
    pairs = [moments_of(pair, losses) for pair in combinations(best, 2)]
    places = {column.name: column for column in columns}

    def inside(conditions: tuple[Condition, ...]) -> Array:
        coded = [(places[condition.column], condition) for condition in conditions]
        mask: Array = np.logical_and.reduce([column.codes == column.conditions.index(condition) for column, condition in coded])
        return mask

    found = _judged([*single.values(), *pairs], whole, loss, inside)
    shown = []
    for each in found.found:
        measured = dict(figures(inside(each.conditions)))
        shown.append(each.model_copy(update={"figures": measured, "metric": measured.get(metric) if metric else None}))
    return found.model_copy(update={"found": tuple(shown), "columns": len(columns)})


def slices_of(moments: Sequence[Moments], *, loss: LossName, columns: int) -> Slices:
    """The same from sums alone; the first one covers all rows once."""
    whole = moments[0].table.sum(axis=0) if moments else np.array([1.0, 0.0, 0.0])
    return _judged(moments, whole, loss, None).model_copy(update={"columns": columns})


def _judged(moments: Sequence[Moments], whole: Array, loss: LossName, inside: Inside | None) -> Slices:
    tested = sorted((each for part in moments for each in _tests(part, whole)), key=lambda each: -each.z)
    found = tuple(_told(each, q, whole) for each, q in _chosen(tested, inside))
    return Slices(loss=loss, mean=float(whole[1] / whole[0]), least_rows=LEAST_ROWS, columns=0, tested=len(tested), found=found)


def _chosen(ordered: Sequence[_Tested], inside: Inside | None) -> list[tuple[_Tested, float]]:
    """The most significant ones, without pairs that add nothing, one condition over and over, and nearly the same rows again."""
    means = {each.conditions[0]: each.sums[1] / each.sums[0] for each in ordered if len(each.conditions) == 1}
    adjusted = false_discovery([tail(each.z) for each in ordered])
    chosen: list[tuple[_Tested, float]] = []
    masks: list[Array] = []
    used: dict[Condition, int] = {}
    looked = 0
    for each, q in zip(ordered, adjusted, strict=True):
        if q >= FALSE_ALARMS or each.z <= 0 or len(chosen) == MOST_FOUND or looked == _MOST_LOOKED_AT:
            break
        mean = each.sums[1] / each.sums[0]
        adds = len(each.conditions) == 1 or all(mean > means.get(part, -math.inf) for part in each.conditions)
        if not adds or any(used.get(part, 0) >= _MOST_PER_CONDITION for part in each.conditions):
            continue
        looked += 1
        mask = inside(each.conditions) if inside else np.empty(0, dtype=bool)
        if any((mask & other).sum() > _SAME_ROWS * (mask | other).sum() for other in masks):
            continue
        chosen.append((each, q))
        masks.append(mask)
        used |= {part: used.get(part, 0) + 1 for part in each.conditions}
    return chosen


def tail(z: float) -> float:
    """The probability that a standard normal figure exceeds ``z``."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def false_discovery(ordered: Sequence[float]) -> list[float]:
    """Adjusted values of ascending p values (Benjamini and Hochberg 1995)."""
    count, least, found = len(ordered), 1.0, []
    for place in range(count, 0, -1):
        least = min(least, ordered[place - 1] * count / place)
        found.append(least)
    return found[::-1]


def _told(each: _Tested, q: float, whole: Array) -> Slice:
    rows, total, squares = each.sums
    spread = math.sqrt(max(0.0, whole[2] / whole[0] - (whole[1] / whole[0]) ** 2))
    rest = float((whole[1] - total) / (whole[0] - rows))
    return Slice(
        conditions=each.conditions,
        rows=int(rows),
        share=float(rows / whole[0]),
        loss=mean_estimate(int(rows), total, squares).interval,
        rest=rest,
        effect=(total / rows - rest) / spread if spread else 0.0,
        p_value=tail(each.z),
        q_value=q,
    )
