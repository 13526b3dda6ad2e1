"""How each column is read: proposed by the first rows, confirmed on all of them by `load`.

    proposed = propose(connection, source, names)     # {'age': Reading('int64'), 'price': Reading('float64', Notation('comma')), …}

A column is numeric when at least 99 % of its values are numbers, a moment when at least 99 % are ISO dates; everything else is text.  The
first `SAMPLE_CELLS` cells (at most 20,480 rows) decide which of these is tried.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_core.contracts.dataset import ColumnType
from mlops_core.features import typing
from mlops_core.features.notation import PLAIN, Notation, Style
from mlops_core.features.source import Source
from mlops_core.features.typing import identifier

NUMERIC_SHARE = 0.99
SAMPLE_ROWS = 20_480
SAMPLE_CELLS = 2_000_000
_LEAST_ROWS = 1_000
_CHUNK = 200
_SAMPLE = "mlops_sample"


@dataclass(frozen=True)
class Reading:
    """The type of a column and the notation of its numbers."""

    type: ColumnType
    notation: Notation = PLAIN


def propose(connection: Any, source: Source, names: Sequence[str]) -> dict[str, Reading]:
    """A reading for every named column, from the first rows alone."""
    limit = min(SAMPLE_ROWS, max(_LEAST_ROWS, SAMPLE_CELLS // len(source.names)))
    connection.execute(f"create or replace temp table {_SAMPLE} as select * from {source.table} limit {limit}")
    try:
        found: dict[str, Reading] = {}
        for start in range(0, len(names), _CHUNK):
            found.update(_chunk(connection, source, names[start : start + _CHUNK]))
        return found
    finally:
        connection.execute(f"drop table {_SAMPLE}")


def _chunk(connection: Any, source: Source, names: Sequence[str]) -> Iterator[tuple[str, Reading]]:
    rows, counts = _counted(connection, [part for name in names for part in _plain_counts(identifier(name))])
    for place, name in enumerate(names):
        filled, numbers, wholes, words = counts[place * 4 : place * 4 + 4]
        if numbers and numbers >= NUMERIC_SHARE * (filled - words):
            yield name, Reading("int64" if wholes == rows else "float64")
        elif not filled:
            yield name, Reading("float64")
        else:
            yield name, _otherwise(connection, source, name, filled - words)


def _plain_counts(column: str) -> tuple[str, str, str, str]:
    """Filled, numbers, whole numbers, words for a missing number."""
    parsed = typing.parsed_sql(column)
    number = typing.number_sql(column, parsed)
    return (
        f"count({typing.text_sql(column)})",
        f"count({number})",
        f"count(case when {typing.whole_sql(column, parsed)} then 1 end)",
        f"count(case when {number} is null and {typing.missing_number_sql(column)} then 1 end)",
    )


def _otherwise(connection: Any, source: Source, name: str, filled: int) -> Reading:
    """A column whose values are mostly no plain numbers: another notation, dates, or text."""
    column = identifier(name)
    # Looking for digits spares text columns the slower looks.
    _, (digits,) = _counted(connection, [f"count(case when regexp_matches({column}, '[0-9]') then 1 end)"])
    if digits < NUMERIC_SHARE * filled:
        return Reading("string")
    marks = f"count(case when {PLAIN.marked_sql(column)} then 1 end)"
    rows, (moments, marked) = _counted(connection, [f"count({typing.moment_sql(column)})", marks])
    if moments >= NUMERIC_SHARE * filled:
        return Reading("datetime")
    styles: list[Style] = ["comma", "thousands"] if source.head.separator == ";" else ["thousands", "comma"]
    tried = [Notation(style, currency=bool(marked)) for style in styles]
    if marked:
        tried.insert(0, Notation(currency=True))
    _, counts = _counted(connection, [part for notation in tried for part in _plain_counts(notation.plain_sql(column))])
    best = max(range(len(tried)), key=lambda place: (counts[place * 4 + 1], -place))
    numbers, wholes = counts[best * 4 + 1], counts[best * 4 + 2]
    if numbers and numbers >= NUMERIC_SHARE * filled:
        return Reading("int64" if wholes == rows else "float64", tried[best])
    return Reading("string")


def _counted(connection: Any, parts: Sequence[str]) -> tuple[int, list[int]]:
    rows, *counts = connection.execute(f"select count(*), {', '.join(parts)} from {_SAMPLE}").fetchone()
    return rows, counts
