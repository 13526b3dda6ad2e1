"""Text columns and their crosses: which categories are told apart, what is rare, and the target means that stand for them.

    columns = fit_texts(facts, profiles)               # [CategoricalColumn, …], crosses by `fit_crosses`
    encoded = with_targets(facts, columns, spec)       # encoding "target": the means filled in
    out_of_fold(facts, spec)                           # training features in which no row has seen its own target

Categories: the most frequent first, names in order among equals; for one-hot at most ``one_hot_limit``, for codes and target means at most
`CODE_LIMIT`.  Text beyond is rare when ``rare_share`` is set (then it shares one category with the rare ones), else unknown.

Target means are smoothed, (sum + m * mean) / (rows + m) with m = `SMOOTHING` rows of the overall mean (D. Micci-Barreca, "A preprocessing
scheme for high-cardinality categorical attributes", 2001).  For training rows they are taken out of fold: a row's mean is made of the
other folds' rows, so that it does not hold the row's own answer.  Folds come from the row's digest: equal rows share a fold.  Sums are
exact: counts, or the target in fixed point of 62 bits, so that neither threads nor order change a bit.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from mlops_core.contracts.dataset import CategoricalColumn, ColumnProfile, CrossedColumn, DataJobConfig, FeatureSpec
from mlops_core.features.sql import all_features, codes, double, encoded, pair_sql, places, target_sql, width, word_sql
from mlops_core.features.typing import count_sql, identifier

CODE_LIMIT = 1_000
FOLD = "__fold"
"""Column of the prepared splits when target means are asked for: the digest modulo `FOLDS`."""
FOLDS = 5
MISSING_CATEGORY = "missing"
SMOOTHING = 10.0
_FIXED_BITS = 62

Column = TypeVar("Column", bound=CategoricalColumn)


@dataclass(frozen=True)
class Facts:
    """Where the training rows are: ``table`` with ``rows`` rows, and `FOLD` among its columns when target means are asked for."""

    connection: Any
    table: str
    rows: int
    config: DataJobConfig
    classes: int

    @property
    def code_limit(self) -> int:
        """Fewer categories when each has a mean of every class."""
        return max(CODE_LIMIT // 20, min(CODE_LIMIT, 20 * CODE_LIMIT // max(self.classes, 1)))


@dataclass(frozen=True)
class Folded:
    """Rare text of a column: how many categories and rows share one."""

    name: str
    categories: int
    rows: int


def fit_texts(facts: Facts, profiles: Sequence[ColumnProfile]) -> tuple[list[CategoricalColumn], list[Folded]]:
    """A categorical column for each text profile that is not dropped, and what was folded; target means are not filled in yet."""
    columns, folded = [], []
    for item in profiles:
        counted, distinct = _counted_text(facts, item)
        fill = MISSING_CATEGORY if facts.config.missing_values == "constant" else counted[0][0]
        if facts.config.missing_values == "constant" and item.missing:
            merged = dict(counted)
            distinct += fill not in merged
            merged[fill] = merged.get(fill, 0) + item.missing
            counted = _by_frequency(merged)
        filled = facts.rows if facts.config.missing_values == "constant" else facts.rows - item.missing
        kept, rare = _kept(facts, counted, filled)
        encoding = facts.config.encoding
        columns.append(CategoricalColumn(name=item.name, fill=fill, categories=kept, encoding=encoding, rare=rare > 0))
        if rare:
            folded.append(Folded(item.name, distinct - len(kept), rare))
    return columns, folded


def fit_crosses(facts: Facts, texts: Sequence[CategoricalColumn]) -> tuple[list[CrossedColumn], list[Folded]]:
    """A crossed column for each cross that the recipe asks for and whose texts are columns; one with a single pair is left out."""
    fills = {item.name: item.fill for item in texts}
    columns, folded = [], []
    for wanted in facts.config.derived:
        if wanted.kind != "cross" or wanted.left not in fills or wanted.right not in fills:
            continue
        counted, distinct = _frequent(facts, pair_sql((wanted.left, wanted.right), fills))
        if distinct < 2:
            continue
        kept, rare = _kept(facts, counted, facts.rows)
        name = f"{wanted.left} & {wanted.right}"
        columns.append(
            CrossedColumn(
                name=name, fill="", categories=kept, encoding=facts.config.encoding, rare=rare > 0, left=wanted.left, right=wanted.right
            )
        )
        if rare:
            folded.append(Folded(name, distinct - len(kept), rare))
    return columns, folded


def with_targets(facts: Facts, columns: Sequence[Column], spec: FeatureSpec) -> list[Column]:
    """The columns with target means over all training rows where the encoding is ``target``."""
    return [_with_means(facts, column, spec) if column.encoding == "target" else column for column in columns]


def out_of_fold(facts: Facts, spec: FeatureSpec) -> list[tuple[str, str]]:
    """`sql.feature_columns` for training rows: target means come from the folds that the row is not in."""
    expressions = all_features(spec)
    place = len(spec.numeric) + len(spec.derived)
    for column in (*spec.categorical, *spec.crossed):
        if column.encoding == "target":
            expressions[place : place + width(column)] = _outside_folds(facts, column, spec)
        place += width(column)
    return [(expressions[kept], f"f{index}") for index, kept in enumerate(places(spec))]


def _counted_text(facts: Facts, item: ColumnProfile) -> tuple[list[tuple[str, int]], int]:
    filled = item.rows - item.missing
    if facts.config.encoding == "one_hot":
        return [(word, round(share * filled)) for word, share in item.categories], item.distinct
    return _frequent(facts, identifier(item.name))


def _frequent(facts: Facts, word: str) -> tuple[list[tuple[str, int]], int]:
    """The most frequent words with their counts, and how many different ones there are."""
    limit = facts.config.one_hot_limit if facts.config.encoding == "one_hot" else facts.code_limit
    grouped = f"select {word} as word, count(*) as n from {facts.table} group by 1"
    found = facts.connection.execute(
        f"select word, n, count(*) over () as kinds from ({grouped}) where word is not null order by n desc, word limit {limit}"
    ).fetchall()
    return [(value, count) for value, count, _ in found], found[0][2] if found else 0


def _by_frequency(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _kept(facts: Facts, counted: Sequence[tuple[str, int]], filled: int) -> tuple[tuple[str, ...], int]:
    """The categories that are told apart, and how many rows hold others (0 unless rare text is folded)."""
    share = facts.config.rare_share
    kept = [pair for pair in counted if pair[1] >= share * facts.rows] or list(counted[:1])
    return tuple(word for word, _ in kept), (filled - sum(count for _, count in kept)) if share else 0


class _Sums:
    """Rows and exact sums of the target (one per feature) by code and fold; `means` makes them smoothed means."""

    def __init__(self, cells: Mapping[tuple[int, int], tuple[int, tuple[int, ...]]], unit: Fraction, features: int) -> None:
        self._unit = unit
        self._none = (0, (0,) * features)
        self._cells: dict[tuple[int | None, int | None], tuple[int, tuple[int, ...]]] = {}
        for (code, fold), cell in cells.items():
            for key in ((code, fold), (code, None), (None, fold), (None, None)):
                self._cells[key] = _added(self._cells.get(key, self._none), cell, 1)

    def means(self, codes: int, without: int | None = None) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
        """The smoothed means of each code, and the overall mean, leaving out the rows of a fold."""
        rows, sums = self._of(None, without)
        overall = [Fraction(value) / (rows * self._unit) if rows else Fraction(0) for value in sums]
        values = []
        for code in range(codes):
            own, sums = self._of(code, without)
            values.append(
                tuple(
                    float((Fraction(value) / self._unit + _WEIGHT * mean) / (own + _WEIGHT))
                    for value, mean in zip(sums, overall, strict=True)
                )
            )
        return tuple(values), tuple(float(value) for value in overall)

    def _of(self, code: int | None, without: int | None) -> tuple[int, tuple[int, ...]]:
        whole = self._cells.get((code, None), self._none)
        return whole if without is None else _added(whole, self._cells.get((code, without), self._none), -1)


_WEIGHT = Fraction(SMOOTHING)


def _added(left: tuple[int, tuple[int, ...]], right: tuple[int, tuple[int, ...]], sign: int) -> tuple[int, tuple[int, ...]]:
    return left[0] + sign * right[0], tuple(one + sign * other for one, other in zip(left[1], right[1], strict=True))


def _with_means(facts: Facts, column: Column, spec: FeatureSpec) -> Column:
    sums = _sums(facts, column, spec)
    values, prior = sums.means(codes(column))
    return column.model_copy(update={"values": values, "prior": prior})


def _outside_folds(facts: Facts, column: CategoricalColumn, spec: FeatureSpec) -> list[str]:
    sums, word = _sums(facts, column, spec), word_sql(column, spec)
    folds = []
    for fold in range(FOLDS):
        values, prior = sums.means(codes(column), fold)
        folds.append(encoded(column.model_copy(update={"values": values, "prior": prior}), word))
    return [
        f"cast(case {FOLD} " + " ".join(f"when {fold} then {item}" for fold, item in enumerate(items)) + " end as float)"
        for items in zip(*folds, strict=True)
    ]


def _sums(facts: Facts, column: CategoricalColumn, spec: FeatureSpec) -> _Sums:
    """One pass over the training rows; the listed words are joined, as their number may be large."""
    target, unit = _target_sums(facts, spec)
    rows = facts.connection.execute(
        f"with w as (select unnest($words) as word, unnest($codes) as code) select coalesce(w.code, -1), t.fold, count(*), "
        f"{', '.join(target)} from (select {word_sql(column, spec)} as word, {FOLD} as fold, {target_sql(spec)} as y from {facts.table}) t "
        f"left join w on w.word = t.word group by 1, 2",
        {"words": list(column.categories), "codes": list(range(len(column.categories)))},
    ).fetchall()
    rare = len(column.categories) if column.rare else -1
    cells: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = {}
    for code, fold, count, *values in rows:
        cells[(rare if code < 0 else code, fold)] = (count, tuple(int(value) for value in values))
    return _Sums(cells, unit, len(target))


def _target_sums(facts: Facts, spec: FeatureSpec) -> tuple[list[str], Fraction]:
    """Aggregates of whole numbers over ``y``, and how many units of theirs are one."""
    if spec.task != "regression":
        classes = [1] if spec.task == "binary" else range(len(spec.labels))
        return [count_sql(f"y = {index}") for index in classes], Fraction(1)
    greatest = facts.connection.execute(f"select max(abs(y)) from (select {target_sql(spec)} as y from {facts.table})").fetchone()[0]
    bits = _FIXED_BITS - math.frexp(greatest or 1.0)[1]
    bits = min(bits, 1_000)
    return [f"sum(cast(round(y * {double(2.0**bits)}) as bigint))"], Fraction(2) ** bits
