"""What a table's columns hold: the profile of the training rows, which is also the reference for drift, and the quality of all rows.

    profiles(connection, "train", columns, limit=100)      # [ColumnProfile, …]
    quality(connection, "data", columns)                   # [ColumnQuality, …]

Numbers come from each column's sorted values and are exact: quantiles (1, 5, 25, 50, 75, 95, 99 %) and decile edges by linear
interpolation.  Bin k of a profile holds edges[k-1] < x <= edges[k]; the first and last bin are open, equal edges are merged, shares are of
the rows that hold a value.  Mean and deviation (population) are summed in an order that neither threads nor processors change, so that two
runs give the same bits.
Memory: that of `features.ordered`, whatever the rows.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from mlops_core.contracts.dataset import ColumnProfile, ColumnQuality
from mlops_core.features.load import Column
from mlops_core.features.ordered import Ordered, ascending
from mlops_core.features.sql import double
from mlops_core.features.typing import identifier, literal

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
DECILES = tuple(index / 10 for index in range(1, 10))
BINS = 20
TOP_CATEGORIES = 20
FAR = 20.0
"""How many interquartile ranges beyond the quartiles a value is far: no distribution that is merely long-tailed fills that often."""
CODES = (-9999.0, -999.0, -99.0, 999.0, 9999.0, 99999.0)
"""Numbers that people write for a missing value."""
_CHUNK = 100
_LANES = 64


def profiles(connection: Any, table: str, columns: Sequence[Column], *, limit: int) -> list[ColumnProfile]:
    """The profiles of columns of a table; ``limit`` bounds the categories listed."""
    rows = connection.execute(f"select count(*) from {table}").fetchone()[0]
    numeric = {column.name: column for column in columns if column.type != "string"}
    with ascending(connection, table, list(numeric), rows=rows) as each:
        found = {name: _numeric(numeric[name], values, rows) for name, values in each}
    return [found.get(column.name) or _text(connection, table, column, rows, limit=limit) for column in columns]


def quality(connection: Any, table: str, columns: Sequence[Column]) -> list[ColumnQuality]:
    """What all rows hold, column by column: counts, quantiles, an even histogram, frequent categories; never a row."""
    rows = connection.execute(f"select count(*) from {table}").fetchone()[0]
    numeric = {column.name for column in columns if column.type != "string"}
    with ascending(connection, table, [column.name for column in columns if column.name in numeric], rows=rows) as each:
        numbers = {name: _facts(values) if len(values) else {"distinct": 0} for name, values in each}
    found = []
    for column in columns:
        facts = numbers.get(column.name) or _categories(connection, table, column)
        found.append(
            ColumnQuality(
                name=column.name, type=column.type, rows=column.rows, missing=column.missing, misfits=column.misfits,
                notation=column.notation.style, currency=column.marked, **facts,
            )
        )  # fmt: skip
    return found


def listed_sql(item: ColumnQuality, fold: Mapping[str, str]) -> str:
    """A column by a list of its texts, where `quality` names all of them: the engine writes such a column in half the time.

    ``fold`` are the spellings that have been replaced since.
    """
    column = identifier(item.name)
    if not item.categories or len(item.categories) < item.distinct:
        return column
    texts = sorted({fold.get(text, text) for text, _ in item.categories})
    return f"cast({column} as enum({', '.join(map(literal, texts))})) as {column}"


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


def _numeric(column: Column, values: Ordered, rows: int) -> ColumnProfile:
    filled = len(values)
    if not filled:
        return ColumnProfile(name=column.name, type=column.type, rows=rows, missing=rows, distinct=0)
    distinct = _distinct(values)
    values.to_doubles()
    edges = tuple(sorted(set(_quantiles(values, DECILES))))
    mean, deviation = _moments(values)
    ends = [0, *(int(values.searchsorted(edge, side="right")) for edge in edges), filled]
    return ColumnProfile(
        name=column.name, type=column.type, rows=rows, missing=rows - filled, distinct=distinct,
        minimum=float(values[0]), maximum=float(values[-1]), quantiles=_quantiles(values, QUANTILES), edges=edges,
        mean=mean, deviation=deviation, shares=tuple((after - before) / filled for before, after in pairwise(ends)),
    )  # fmt: skip


def _text(connection: Any, table: str, column: Column, rows: int, *, limit: int) -> ColumnProfile:
    filled, distinct, counted = _frequent(connection, table, column.name, limit)
    categories = tuple((value, number / filled) for value, number in counted)
    return ColumnProfile(name=column.name, type=column.type, rows=rows, missing=rows - filled, distinct=distinct, categories=categories)


def _frequent(connection: Any, table: str, name: str, limit: int) -> tuple[int, int, list[tuple[str, int]]]:
    """Filled rows, distinct values, and the most frequent ones with their counts, names in order among equals."""
    column = identifier(name)
    found = connection.execute(
        f"""with counted as (select {column} as value, count(*) as n from {table} where {column} is not null group by 1),
        total as (select count(*) as kinds, coalesce(sum(n), 0) as filled from counted)
        select filled, kinds, value, n from total left join counted on true order by n desc, value limit {limit}"""
    ).fetchall()
    return int(found[0][0]), found[0][1], [(value, count) for _, _, value, count in found if value is not None]


def _facts(values: Ordered) -> dict[str, Any]:
    """Distinct values, ends, quantiles, `BINS` even bins from the 1 to the 99 % quantile (outer ones open), far values, likely codes."""
    import numpy as np

    distinct = _distinct(values)
    values.to_doubles()
    quantiles = _quantiles(values, QUANTILES)
    spread = quantiles[0] < quantiles[-1] and math.isfinite(quantiles[-1] - quantiles[0])
    edges = tuple(float(edge) for edge in np.linspace(quantiles[0], quantiles[-1], BINS + 1)) if spread else ()
    ends = [0, *(int(values.searchsorted(edge, side="right")) for edge in edges[1:-1]), len(values)]
    reach = FAR * (quantiles[4] - quantiles[2])
    low, high = quantiles[2] - reach, quantiles[4] + reach
    far = int(values.searchsorted(low) + len(values) - values.searchsorted(high, side="right")) if reach > 0 else 0
    return {
        "distinct": distinct, "minimum": float(values[0]), "maximum": float(values[-1]), "quantiles": quantiles, "edges": edges,
        "counts": tuple(after - before for before, after in pairwise(ends)) if edges else (), "far": far,
        "codes": tuple(_codes(values, distinct, low=low, high=high)),
    }  # fmt: skip


def _codes(values: Ordered, distinct: int, *, low: float, high: float) -> Iterator[tuple[float, int]]:
    """Numbers like 999 that come at least three times, and are far from the rest or five times as frequent as a usual value."""
    for code in CODES:
        count = int(values.searchsorted(code, side="right") - values.searchsorted(code))
        frequent = count * distinct >= 5 * len(values) and code in {values[0], values[-1]}
        if count >= 3 and (frequent or not low <= code <= high):
            yield code, count


def _categories(connection: Any, table: str, column: Column) -> dict[str, Any]:
    _, distinct, counted = _frequent(connection, table, column.name, TOP_CATEGORIES)
    return {"distinct": distinct, "categories": tuple(counted)}


def _moments(values: Ordered) -> tuple[float | None, float | None]:
    """Mean and population deviation; None where they lie beyond what a double holds."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        mean = _total(values, 0.0, power=1) / len(values)
        deviation = (_total(values, mean, power=2) / len(values)) ** 0.5
    return tuple(value if math.isfinite(value) else None for value in (mean, deviation))  # type: ignore[return-value]


def _total(values: Ordered, center: float, *, power: int) -> float:
    """The sum of powers of the distances to a center, in `_LANES` sums side by side whose order no processor's vectors change."""
    import numpy as np

    lanes = np.zeros(_LANES)
    for batch in values.batches():
        part = (batch.astype(np.float64) - center) ** power
        whole = len(part) // _LANES * _LANES
        lanes += part[:whole].reshape(-1, _LANES).sum(axis=0)
        lanes[: len(part) - whole] += part[whole:]
    return float(lanes.cumsum()[-1])


def _distinct(values: Ordered) -> int:
    found, last = 0, None
    for batch in values.batches():
        found += int((batch[1:] != batch[:-1]).sum()) + int(last is None or batch[0] != last)
        last = batch[-1].copy()
    return found


def _quantiles(values: Ordered, shares: Sequence[float]) -> tuple[float, ...]:
    """Linear interpolation between the neighbours of (n - 1) * share, as DuckDB's quantile_cont."""
    found = []
    for share in shares:
        place = (len(values) - 1) * share
        low = int(place)
        first, second = float(values[low]), float(values[min(low + 1, len(values) - 1)])
        between = first + (second - first) * (place - low)
        # The difference of the widest doubles is more than a double holds.
        found.append(between if math.isfinite(between) else first * (1 - place + low) + second * (place - low))
    return tuple(found)
