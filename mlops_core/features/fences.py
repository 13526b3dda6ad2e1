"""Outliers: numbers beyond the fences of a rule that is fitted on training rows.

    found = fences(connection, "train", {"income": '"income"'}, rule="iqr")     # {'income': (-3100.0, 9800.0)}
    beyond(connection, "train", {"income": '"income"'}, found)                  # {'income': 12} rows
    inside_sql({"income": '"income"'}, found)                                   # a row without any outlier; missing is none

``iqr``: 1.5 interquartile ranges beyond the quartiles (J. W. Tukey, Exploratory Data Analysis, 1977), by exact linear interpolation.
``zscore``: three population deviations from the mean.  A column with fewer than three different values, or without spread by the rule
(equal quartiles, as where most values are zero), has no fences: the rule says nothing about it.
"""

# ruff: noqa: S608  every name passes typing.identifier
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_core.contracts.request import OutlierRule
from mlops_core.features.profile import moments
from mlops_core.features.sql import double
from mlops_core.features.typing import count_sql

Fences = dict[str, tuple[float, float]]
RANGES = 1.5
DEVIATIONS = 3.0
_TOGETHER = 8_000_000
"""Values that one query of exact quantiles holds in memory."""


def fences(connection: Any, table: str, numbers: Mapping[str, str], *, rule: OutlierRule) -> Fences:
    """The fences of each number (name → SQL expression) that has any."""
    wide = _with_three_values(connection, table, numbers)
    if rule == "iqr":
        quartiles = quantiles(connection, table, list(wide.values()), (0.25, 0.75))
        spread = {name: (low, high, RANGES * (high - low)) for name, (low, high) in zip(wide, quartiles, strict=True)}
    else:
        measured = moments(connection, table, list(wide.values()))
        spread = {name: (mean, mean, DEVIATIONS * deviation) for name, (mean, deviation) in zip(wide, measured, strict=True)}
    ends = {name: (low - reach, high + reach) for name, (low, high, reach) in spread.items() if reach > 0}
    return {name: pair for name, pair in ends.items() if math.isfinite(pair[0]) and math.isfinite(pair[1])}


def beyond(connection: Any, table: str, numbers: Mapping[str, str], found: Fences) -> dict[str, int]:
    """How many rows lie beyond each column's fences; columns with none are left out."""
    counts = _fetched(connection, table, [count_sql(_outside(numbers[name], ends)) for name, ends in found.items()])
    return {name: count for name, count in zip(found, counts, strict=True) if count}


def inside_sql(numbers: Mapping[str, str], found: Fences) -> str:
    """True for rows in which no number lies beyond its fences."""
    return " and ".join(f"not coalesce({_outside(numbers[name], ends)}, false)" for name, ends in found.items()) or "true"


def quantiles(connection: Any, table: str, numbers: Sequence[str], shares: Sequence[float]) -> list[tuple[float, ...]]:
    """Exact quantiles of each expression by linear interpolation; NaN where there is no value."""
    rows = connection.execute(f"select count(*) from {table}").fetchone()[0]
    wanted = [f"quantile_cont({item}, [{', '.join(repr(share) for share in shares)}])" for item in numbers]
    found = _fetched(connection, table, wanted, together=max(1, _TOGETHER // max(rows, 1)))
    return [tuple(values) if values else (float("nan"),) * len(shares) for values in found]


def _outside(number: str, ends: tuple[float, float]) -> str:
    return f"({number} < {double(ends[0])} or {number} > {double(ends[1])})"


def _with_three_values(connection: Any, table: str, numbers: Mapping[str, str]) -> dict[str, str]:
    expressions = list(numbers.values())
    lows = _fetched(connection, table, [f"min({item})" for item in expressions])
    highs = _fetched(connection, table, [f"max({item})" for item in expressions])
    filled = [(name, item, low, high) for (name, item), low, high in zip(numbers.items(), lows, highs, strict=True) if low is not None]
    between = [count_sql(f"{item} > {double(low)} and {item} < {double(high)}") for _, item, low, high in filled]
    counts = _fetched(connection, table, between)
    return {name: item for (name, item, _, _), count in zip(filled, counts, strict=True) if count}


def _fetched(connection: Any, table: str, aggregates: Sequence[str], *, together: int = 50) -> list[Any]:
    return list(_chunks(connection, table, aggregates, together))


def _chunks(connection: Any, table: str, aggregates: Sequence[str], together: int) -> Iterator[Any]:
    for start in range(0, len(aggregates), min(together, 50)):
        yield from connection.execute(f"select {', '.join(aggregates[start : start + min(together, 50)])} from {table}").fetchone()
