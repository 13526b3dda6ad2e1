"""The rows that the checks look at, as arrays.

    train = draw(connection, "train", profiles, config)
    train.columns["age"]          # float64, NaN where missing
    train.columns["city"]         # float64 codes of equal texts, NaN where missing
    train.target, train.numbers   # classes as 0 … K-1 or the number itself; row numbers in the file

A split of at most 10,000 rows is taken whole (fewer in tables wider than 400 columns: 4,000,000 cells, never under 2,000 rows).  Of a
longer one a row is taken when Weyl's sequence of its number falls below the share: the same rows in every run, spread evenly over the file
and in step with no period of it.  Rows stand in the order of the file.  Who needs more of a split asks for ``most`` rows, of which
`Rows.thinned` gives the checks theirs without another scan.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig
from mlops_core.features.load import ROW
from mlops_core.features.typing import identifier, literal

Array = np.ndarray[Any, Any]
MOST_ROWS = 10_000
LEAST_ROWS = 2_000
MOST_CELLS = 4_000_000
_SPACE = 2**32
_GOLDEN = 1_640_531_527
_GAMMA = 0x9E3779B97F4A7C15
_CODES = 2**52


@dataclass(frozen=True)
class Rows:
    """Some rows of one split, which has ``total``; sets name the columns that are codes, epoch seconds, and numbers that count the rows."""

    columns: Mapping[str, Array]
    target: Array
    numbers: Array
    total: int
    texts: frozenset[str] = frozenset()
    moments: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    regression: bool = False

    def __len__(self) -> int:
        return len(self.target)

    @property
    def measured(self) -> Mapping[str, Array]:
        """The columns whose distribution means something: all but those that count the rows."""
        return {name: values for name, values in self.columns.items() if name not in self.serials}

    def first_half(self) -> Array:
        """A fair coin per row, tossed by its number."""
        return hashed(self.numbers, salt=7) < 0.5

    def thinned(self) -> Rows:
        """The rows that `draw` takes by itself: a longer draw holds them all."""
        limit = _limit(MOST_ROWS, len(self.columns))
        if self.total <= limit:
            return self
        kept = self.numbers % _SPACE * _GOLDEN % _SPACE < limit * _SPACE // self.total
        columns = {name: values[kept] for name, values in self.columns.items()}
        return replace(self, columns=columns, target=self.target[kept], numbers=self.numbers[kept])


def draw(connection: Any, part: str, profiles: Sequence[ColumnProfile], config: DataJobConfig, *, most: int = MOST_ROWS) -> Rows:
    """The rows of the view ``part``: every column that holds something in training and is no copy or identifier."""
    kept = [item for item in profiles if item.dropped in {"", "constant"} and item.distinct]
    limit = _limit(most, len(kept))
    total = connection.execute(f"select count(*) from {part}").fetchone()[0]
    rule = "true" if total <= limit else f"{_spread()} < {limit * _SPACE // total}"
    dates = _dates(connection, part, kept)
    # Null would come as a masked array, whose module alone takes longer to load than all of this.
    listed = "".join(f"coalesce({_number(item, dates)}, cast('NaN' as double)) as c{index}, " for index, item in enumerate(kept))
    target = _target(config, identifier(config.target))
    found = connection.execute(f"select {listed}{target} as target, {ROW} as number from {part} where {rule}").fetchnumpy()
    sorter = np.argsort(found["number"], kind="stable")
    arrays = {item.name: found[f"c{index}"][sorter] for index, item in enumerate(kept)}
    texts = frozenset(item.name for item in kept if item.type == "string") - dates
    moments = dates | {item.name for item in kept if str(item.type) == "datetime"}
    return Rows(
        columns=arrays, target=found["target"][sorter], numbers=found["number"][sorter], total=total, texts=texts,
        moments=moments, serials=frozenset(item.name for item in kept if serial(item)), regression=config.task == "regression",
    )  # fmt: skip


def target_code(connection: Any, config: DataJobConfig, label: str) -> float:
    """What stands for a class in `Rows.target`."""
    return float(connection.execute(f"select {_target(config, literal(label))}").fetchone()[0])


def grouped(values: Array) -> tuple[Array, Array, Array]:
    """The distinct values in ascending order, the place of each value among them, and their counts; for arrays without NaN.

    `numpy.unique` loads the module of masked arrays, which takes longer than all checks of a small table.
    """
    sorter = np.argsort(values)
    ordered = values[sorter]
    first = np.ones(len(values), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    places = np.empty(len(values), dtype=np.int64)
    places[sorter] = np.cumsum(first) - 1
    return ordered[first], places, np.bincount(places)


def scaled(values: Array) -> Array:
    """The values over the greatest of them without its sign, so that sums of squares of any finite numbers stay finite."""
    most = float(np.abs(values).max(initial=0.0))
    return values / most if most > 0 else values


def ranks(values: Array) -> Array:
    """Ranks from 0, equal values share their mean rank."""
    return ranks_of(grouped(values)[1])


def ranks_of(places: Array) -> Array:
    """The same for whole numbers from 0 that stand in the order of the values, without sorting: `grouped` gives them."""
    counts = np.bincount(places)
    found: Array = (np.cumsum(counts) - (counts + 1) / 2)[places]
    return found


def correlation(left: Array, right: Array) -> float | None:
    """Pearson's r; None where a side is constant."""
    if not (np.ptp(left) > 0 and np.ptp(right) > 0):
        return None
    a, b = left - left.mean(), right - right.mean()
    a, b = scaled(a), scaled(b)
    # Sums, not products of vectors: those wake threads of the linear algebra that then wait for each other.
    return float((a * b).sum() / ((a * a).sum() * (b * b).sum()) ** 0.5)


def hashed(numbers: Array, *, salt: int = 0) -> Array:
    """Whole numbers to 0 … 1: alike in every run, in step with no period."""
    found: Array = mixed(numbers.astype(np.uint64) + np.uint64(salt * _GAMMA % 2**64)).astype(np.float64) / 2.0**64
    return found


def mixed(state: Array) -> Array:
    """64-bit numbers stirred by splitmix64 (Steele, Lea and Flood 2014)."""
    value = state + np.uint64(_GAMMA)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Array = value ^ (value >> np.uint64(31))
    return found


def serial(item: ColumnProfile) -> bool:
    """Whether a column counts or names the rows: whole numbers, each once."""
    return item.type == "int64" and item.distinct == item.rows


def _number(item: ColumnProfile, dates: frozenset[str]) -> str:
    column = identifier(item.name)
    if item.name in dates:
        return f"epoch({_moment(column)})"
    if item.type == "string" and item.distinct <= len(item.categories):
        known = ", ".join(literal(value) for value, _ in item.categories)
        # Several times as fast as a digest per cell; text that training never showed is one more code.
        return f"case when {column} is not null then cast(coalesce(list_position([{known}], {column}), 0) as double) end"
    if item.type == "string":
        return f"cast(md5_number_lower({column}) % {_CODES} as double)"
    return f"cast({column} as double)"


def _limit(most: int, columns: int) -> int:
    return max(LEAST_ROWS, min(most, MOST_CELLS // (columns + 1)))


def _target(config: DataJobConfig, target: str) -> str:
    if config.task == "regression":
        return f"cast({target} as double)"
    if config.task == "binary" and config.positive_label is not None:
        return f"cast({target} = {literal(config.positive_label)} as double)"
    return f"cast(md5_number_lower({target}) % {_CODES} as double)"


def _dates(connection: Any, part: str, kept: Sequence[ColumnProfile]) -> frozenset[str]:
    """Text columns that look like dates and whose every value is one."""
    found = set()
    for item in kept:
        first = item.categories[0][0] if item.type == "string" and item.categories else ""
        if len(first) >= 8 and first[:4].isdigit() and first[4] in "-/":
            column = identifier(item.name)
            wrong = connection.execute(f"select count(*) from {part} where {column} is not null and {_moment(column)} is null").fetchone()
            found |= {item.name} if not wrong[0] else set()
    return frozenset(found)


def _moment(column: str) -> str:
    return f"try_cast({column} as timestamp)"


def _spread() -> str:
    """The row's number times the golden section, modulo 1 (times 2^32): evenly spread along any regular choice of rows (Weyl)."""
    return f"((({ROW} % {_SPACE}) * {_GOLDEN}) % {_SPACE})"
