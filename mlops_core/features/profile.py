"""What the training rows look like: one profile per column, which is also the reference for drift.

    profile(connection, "train", name="age", kind="int64", limit=100)

Quantiles (1, 5, 25, 50, 75, 95, 99 %) and decile edges are exact (linear interpolation).  Bin k holds edges[k-1] < x <= edges[k]; the
first and last bin are open, equal edges are merged, shares are of the rows that hold a value.  Mean and deviation (population) come from
one thread in file order, so that two runs give the same bits.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mlops_core.contracts.dataset import ColumnProfile, ColumnType
from mlops_core.features.sql import double
from mlops_core.features.typing import identifier

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
DECILES = tuple(index / 10 for index in range(1, 10))
_CHUNK = 100


def profile(connection: Any, table: str, *, name: str, kind: ColumnType, limit: int) -> ColumnProfile:
    """The profile of one column of a table, mean and deviation apart; ``limit`` bounds the categories listed."""
    column = identifier(name)
    if kind == "string":
        rows, filled, distinct = connection.execute(f"select count(*), count({column}), count(distinct {column}) from {table}").fetchone()
        counted = connection.execute(
            f"select {column}, count(*) as n from {table} where {column} is not null group by 1 order by n desc, 1 limit {limit}"
        ).fetchall()
        categories = tuple((value, number / filled) for value, number in counted)
        return ColumnProfile(name=name, type=kind, rows=rows, missing=rows - filled, distinct=distinct, categories=categories)
    wanted = ", ".join(repr(share) for share in (*QUANTILES, *DECILES))
    rows, filled, distinct, low, high, quantiles = connection.execute(
        f"select count(*), count({column}), count(distinct {column}), min({column}), max({column}), "
        f"quantile_cont(cast({column} as double), [{wanted}]) from {table}"
    ).fetchone()
    if not filled:
        return ColumnProfile(name=name, type=kind, rows=rows, missing=rows, distinct=0)
    edges = tuple(sorted(set(quantiles[len(QUANTILES) :])))
    return ColumnProfile(
        name=name, type=kind, rows=rows, missing=rows - filled, distinct=distinct, minimum=float(low), maximum=float(high),
        quantiles=tuple(quantiles[: len(QUANTILES)]), edges=edges, shares=_shares(connection, table, column, edges=edges),
    )  # fmt: skip


def mode(connection: Any, table: str, name: str) -> float:
    """The most frequent value of a numeric column; of equally frequent ones the least."""
    column = identifier(name)
    found = connection.execute(
        f"select {column} from {table} where {column} is not null group by 1 order by count(*) desc, 1 limit 1"
    ).fetchone()
    return float(found[0])


def moments(connection: Any, table: str, expressions: Sequence[str]) -> list[tuple[float, float]]:
    """Mean and population deviation of each expression, in two passes of one thread each: the same bits in every run."""
    threads = connection.execute("select current_setting('threads')").fetchone()[0]
    connection.execute("set threads = 1")
    try:
        found: list[tuple[float, float]] = []
        for start in range(0, len(expressions), _CHUNK):
            chunk = expressions[start : start + _CHUNK]
            means = connection.execute(f"select {', '.join(f'avg(cast({item} as double))' for item in chunk)} from {table}").fetchone()
            squares = ", ".join(
                f"avg(power(cast({item} as double) - {double(mean or 0.0)}, 2))" for item, mean in zip(chunk, means, strict=True)
            )
            variances = connection.execute(f"select {squares} from {table}").fetchone()
            found.extend((mean or 0.0, (variance or 0.0) ** 0.5) for mean, variance in zip(means, variances, strict=True))
        return found
    finally:
        connection.execute(f"set threads = {threads}")


def _shares(connection: Any, table: str, column: str, *, edges: tuple[float, ...]) -> tuple[float, ...]:
    below = ", ".join(f"count(*) filter (where {column} <= {double(edge)})" for edge in edges)
    *counts, filled = connection.execute(f"select {below}, count({column}) from {table}").fetchone()
    steps = [0, *counts, filled]
    return tuple((after - before) / filled for before, after in pairwise(steps))
