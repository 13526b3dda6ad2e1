"""Raw file to typed table: types inferred over all rows, nothing sampled.

    columns = infer(connection, source)                       # one pass: types, missing and misfit counts
    load(connection, source, "data", Layout(columns, …))      # second pass: typed columns, __row, __digest

A column is numeric when at least 99 % of its values are numbers; the rest becomes missing and is counted.  It is int64 when every row
holds a whole number of at most 18 digits, else float64.  Everything else is text.  ``__digest`` is the MD5 of the seed and of
the text of all kept columns, blanks cut: equal rows have equal digests on every machine and thread count.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_core.contracts.dataset import ColumnType
from mlops_core.errors import InvalidRequest
from mlops_core.features import typing
from mlops_core.features.source import Source, read_error
from mlops_core.features.typing import identifier

ROW = "__row"
DIGEST = "__digest"
NUMERIC_SHARE = 0.99
_CHUNK = 200


@dataclass(frozen=True)
class Column:
    """One column as found: ``rows`` in the file, of them ``missing`` and ``misfits`` (text in a numeric column)."""

    name: str
    type: ColumnType
    rows: int
    missing: int
    misfits: int


@dataclass(frozen=True)
class Layout:
    """Which columns a typed table has, and what its row digest is made over."""

    columns: Sequence[Column]
    target: str
    regression: bool
    seed: int

    def text(self, column: Column) -> bool:
        """Whether a column is kept as text: words, and the target of a classification."""
        return not self.regression if column.name == self.target else column.type == "string"


def infer(connection: Any, source: Source, path: Path) -> list[Column]:
    """Types and counts of every column over all rows; wide files take several passes of 200 columns."""
    found: list[Column] = []
    for start in range(0, len(source.names), _CHUNK):
        names = source.names[start : start + _CHUNK]
        numbers = range(len(names))
        parsed = ", ".join(f"{identifier(names[i])} as c{i}, {typing.parsed_sql(identifier(names[i]))} as p{i}" for i in numbers)
        counted = ", ".join(part for i in numbers for part in _counts(f"c{i}", f"p{i}", f"n{i}"))
        known = ", ".join(f"c{i}, p{i}, {typing.number_sql(f'c{i}', f'p{i}')} as n{i}" for i in numbers)
        sql = f"select count(*), {counted} from (select {known} from (select {parsed} from {source.table}))"
        rows, *counts = _run(connection, sql, path)[0]
        found.extend(_column(name, rows, counts[index * 4 : index * 4 + 4]) for index, name in enumerate(names))
    return found


def load(connection: Any, source: Source, path: Path, *, table: str, layout: Layout) -> None:
    """Make the typed table; the target is text for classes and double for regression, and rows without one are left out."""
    numbered = list(enumerate(layout.columns))
    parsed = ", ".join(f"{identifier(column.name)} as c{i}, {typing.parsed_sql(identifier(column.name))} as p{i}" for i, column in numbered)
    typed = ", ".join(f"{_typed(column, layout, i)} as t{i}" for i, column in numbered)
    raw = f"select row_number() over () as {ROW}, {parsed} from {source.table}"
    content = ", ".join(f"coalesce({f't{i}' if layout.text(column) else f'trim(c{i})'}, '')" for i, column in numbered)
    digest = f"md5_number(concat_ws(chr(31), '{layout.seed}', {content}))"
    named = ", ".join(f"t{i} as {identifier(column.name)}" for i, column in numbered)
    columns = f"select {ROW}, {digest} as {DIGEST}, {named} from (select *, {typed} from ({raw}))"
    sql = f"create table {table} as select * from ({columns}) where {identifier(layout.target)} is not null"
    _run(connection, sql, path)


def _counts(text: str, parsed: str, number: str) -> tuple[str, str, str, str]:
    """Filled, numbers, whole numbers, words for a missing number."""
    return (
        f"count(case when {number} is not null then 1 when {typing.text_sql(text)} is not null then 1 end)",
        f"count({number})",
        f"count(case when {typing.whole_sql(text, parsed)} then 1 end)",
        f"count(case when {number} is null and {typing.missing_number_sql(text)} then 1 end)",
    )


def _column(name: str, rows: int, counts: Sequence[int]) -> Column:
    filled, numbers, wholes, words = counts
    if numbers and numbers >= NUMERIC_SHARE * (filled - words):
        kind: ColumnType = "int64" if wholes == rows else "float64"
        return Column(name, kind, rows, rows - filled + words, filled - words - numbers)
    return Column(name, "string", rows, rows - filled, 0)


def _typed(column: Column, layout: Layout, index: int) -> str:
    text, parsed = f"c{index}", f"p{index}"
    if layout.text(column):
        return typing.text_sql(text)
    if column.type == "int64" and column.name != layout.target:
        return f"try_cast({text} as bigint)"
    return typing.number_sql(text, parsed)


def _run(connection: Any, sql: str, path: Path) -> list[tuple[Any, ...]]:
    import duckdb

    try:
        rows: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException) as error:
        raise read_error(error, path) from error
    return rows


def require_columns(names: Sequence[str], wanted: Sequence[str], role: str) -> None:
    """`InvalidRequest` (E-DATA-007) names the first wanted column that the file lacks, with close spellings."""
    import difflib

    for name in wanted:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or list(names[:20])
            raise InvalidRequest(
                f"the {role} column {name[:80]!r} is not in the file.",
                remedy=f"Did you mean {', '.join(item[:80] for item in close)}?",
                code="E-DATA-007",
            )
