"""Raw file to typed rows: one pass over the text, types confirmed on every row of it.

    table = load(connection, source, path, Layout(names, target="y", …), out=scratch / "data.parquet")
    table.columns                     # type, rows, missing and misfit counts of every column
    f"select * from {table.query}"    # typed columns, __row (1 is the first row below the header), __digest

The first rows propose how a column is read (`readings`); the pass counts what did not fit, and where a column turns out otherwise (under
99 % numbers, decimals among whole numbers, …) it is read again with the better reading.  A column is int64 when every row holds a whole
number of at most 18 digits.  ``__digest`` is one half of the MD5 of the seed and the text of all kept columns but the target,
blanks cut and numbers in plain notation: rows of equal inputs have equal digests on every machine and thread count, and among 100
million different rows the chance that any two share one is below 0.0003.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlops_core.contracts.dataset import ColumnType
from mlops_core.errors import InvalidRequest
from mlops_core.features import typing
from mlops_core.features.notation import PLAIN, Notation
from mlops_core.features.readings import NUMERIC_SHARE, Reading, propose
from mlops_core.features.source import Source, read_error, repaired
from mlops_core.features.typing import identifier, literal

ROW = "__row"
DIGEST = "__digest"
MISFITS = "__misfits"
PARQUET = "format parquet, compression snappy, dictionary_size_limit 1000, row_group_size 122880"
"""How splits are written: Zstandard takes a third longer, and so does looking for a dictionary in every column of numbers."""
_TRIES = 4


@dataclass(frozen=True)
class Column:
    """One column as found: ``rows`` in the file, of them ``missing`` and ``misfits`` (text in a numeric column).

    ``marked`` values carry a currency mark; ``padded`` ones had blanks around them (counted for the target alone, when it is text).
    """

    name: str
    type: ColumnType
    rows: int
    missing: int
    misfits: int
    notation: Notation = PLAIN
    marked: int = 0
    padded: int = 0


@dataclass(frozen=True)
class Layout:
    """Which columns a typed table has, and what its row digest is made over: all but those ``dropped``."""

    names: Sequence[str]
    target: str
    regression: bool
    seed: int
    readings: Mapping[str, Reading] | None = None
    dropped: frozenset[str] = frozenset()

    def moment(self, name: str, reading: Reading) -> bool:
        """Whether a column is kept as a moment, in seconds since 1970."""
        return reading.type == "datetime" and name != self.target

    def whole(self, name: str, reading: Reading) -> bool:
        """Whether a column is kept as whole numbers."""
        return reading.type == "int64" and name != self.target

    def text(self, name: str, reading: Reading) -> bool:
        """Whether a column is kept as text: words, and the target of a classification."""
        return not self.regression if name == self.target else reading.type == "string"


@dataclass(frozen=True)
class Table:
    """A typed table on disk; without columns when the header stands among its rows, so that the file must be rewritten first."""

    columns: list[Column]
    readings: dict[str, Reading]
    rows: int
    source: Source
    query: str


def load(connection: Any, source: Source, path: Path, layout: Layout, *, out: Path) -> Table:
    """Write the typed rows; the target is text for classes and double for regression.  `InvalidRequest` E-DATA-006 when unreadable."""
    import duckdb

    if source.irregular:
        source = repaired(source, path, out.parent)
    broken = (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException)
    regular = source.text and source.repairs is None
    try:
        table = _load(connection, source, layout, out)
        if table.columns or not regular:
            return table
    except broken as error:
        if not regular:
            raise read_error(error, path) from error
    # The file is irregular somewhere below its top: rewrite it, or learn from that where it is beyond repair.
    try:
        return _load(connection, repaired(source, path, out.parent), layout, out)
    except broken as error:
        raise read_error(error, path) from error


def _load(connection: Any, source: Source, layout: Layout, out: Path) -> Table:
    given = layout.readings
    readings = dict(given or propose(connection, source, layout.names))
    for _ in range(_TRIES):
        form = PARQUET.replace("snappy", "uncompressed")
        connection.execute(f"copy ({_typed_query(source, layout, readings)}) to {literal(str(out))} ({form})")
        columns, better, headers = _counted(connection, source, layout, readings, out=out)
        if headers and source.repairs is None:
            return Table([], readings, 0, source, "")
        if given is not None or not better:
            break
        readings |= better
    listed = ", ".join(_stored(column.name, column.type, readings[column.name], layout) for column in columns)
    stored = f"read_parquet({literal(str(out))}, file_row_number=true)"
    query = f"(select file_row_number + 1 as {ROW}, {DIGEST}, {listed} from {stored})"
    return Table(columns, readings, columns[0].rows, source, query)


def _typed_query(source: Source, layout: Layout, readings: Mapping[str, Reading]) -> str:
    """Layers, each computed once: plain text, parsed numbers, typed values, then digest and the text of rows that need a look."""
    numbered = [(place, name, readings[name]) for place, name in enumerate(layout.names)]
    padded, apart = source.padded, {*layout.dropped, layout.target}
    raw = ", ".join(f"{identifier(name)} as r{i}, {reading.notation.plain_sql(identifier(name))} as c{i}" for i, name, reading in numbered)
    parsed = ", ".join(_parsed(name, reading, layout, i) for i, name, reading in numbered)
    typed = ", ".join(f"{_typed(name, reading, layout, i, padded=padded)} as t{i}" for i, name, reading in numbered)
    content = ", ".join(_content(name, reading, layout, i, source) for i, name, reading in numbered if name not in apart)
    # Few rows hold a cell that could need a mark: their text is kept, and looked at afterwards.
    suspects = " or ".join(mark[0] for mark in _marks(source, layout, readings))
    misfits = f"(case when {suspects} then [{', '.join(f'r{i}' for i, _, _ in numbered)}] end)"
    named = ", ".join(f"t{i} as {identifier(name)}" for i, name, _ in numbered)
    # Half of the whole number: the engine makes `md5_number_lower` and its like from text, which takes twice the time.
    digest = f"cast(md5_number(concat('{layout.seed}', {content or 0})) >> 64 as ubigint)"
    return (
        f"select {digest} as {DIGEST}, {misfits} as {MISFITS}, {named} "
        f"from (select *, {typed} from (select *, {parsed} from (select {raw} from {source.table})))"
    )


def _content(name: str, reading: Reading, layout: Layout, place: int, source: Source) -> str:
    """What a column adds to the row's digest; one without a name adds nothing where it is empty, as at the end of lines."""
    value = f"t{place}" if layout.text(name, reading) else f"trim(c{place})" if source.padded else f"c{place}"
    return f"chr(31) || {value}" if name in source.unnamed else f"chr(31), {value}"


def _marks(source: Source, layout: Layout, readings: Mapping[str, Reading]) -> list[tuple[str, str]]:
    """When a row needs a look, and its marks, column by column."""
    columns = [_misfit(name, readings[name], layout, place, padded=source.padded) for place, name in enumerate(layout.names)]
    return [_header_again(layout), *columns]


def _marked_query(source: Source, layout: Layout, readings: Mapping[str, Reading], file: str) -> str:
    """Marks and how many rows carry them, from the rows whose text was kept."""
    numbered = list(enumerate(layout.names))
    cells = ", ".join(f"{MISFITS}[{i + 1}] as r{i}, {identifier(name)} as t{i}" for i, name in numbered)
    plain = ", ".join(f"{readings[name].notation.plain_sql(f'r{i}')} as c{i}" for i, name in numbered)
    marks = ", ".join(mark for _, mark in _marks(source, layout, readings))
    return (
        f"select concat({marks}) as marks, count(*) from (select *, {plain} from (select {cells} from {file} where {MISFITS} is not null)) "
        "group by 1 having marks <> ''"
    )


def _header_again(layout: Layout) -> tuple[str, str]:
    """The mark of a row that repeats the header, as when files are joined: told by its first three columns."""
    same = " and ".join(f"r{place} = {literal(name)}" for place, name in enumerate(layout.names[:3]))
    return f"r0 = {literal(layout.names[0])}", f"case when {same} then 'h,' end"


def _parsed(name: str, reading: Reading, layout: Layout, place: int) -> str:
    """The engine's reading of a number, a layer of its own so that it is made once: w for whole numbers, p for others."""
    if layout.text(name, reading) or layout.moment(name, reading):
        return f"null as p{place}"
    if layout.whole(name, reading):
        return f"try_cast(c{place} as bigint) as w{place}"
    return f"{typing.parsed_sql(f'c{place}')} as p{place}"


def _typed(name: str, reading: Reading, layout: Layout, place: int, *, padded: bool) -> str:
    text = f"c{place}"
    if layout.text(name, reading):
        return typing.text_sql(text, padded=padded)
    if layout.moment(name, reading):
        return typing.moment_sql(text)
    if layout.whole(name, reading):
        # Most whole numbers are written as the engine would write them, which is the quickest proof.
        plain = f"strlen({text}) <= 18 and cast(w{place} as varchar) = {text}"
        return f"(case when {plain} then w{place} when {typing.whole_sql(text, typing.parsed_sql(text))} then w{place} end)"
    return typing.number_sql(text, f"p{place}")


def _misfit(name: str, reading: Reading, layout: Layout, place: int, *, padded: bool) -> tuple[str, str]:
    """What makes a cell of column 3 suspect, and its marks.

    ``3x`` misfit, ``3f`` fraction in whole numbers, ``3m`` money mark, ``3b`` blanks around a label.
    """
    text, value = f"c{place}", f"t{place}"
    if layout.text(name, reading):
        if padded and name == layout.target:
            return f"{text} <> {value}", f"case when {text} <> {value} then '{place}b,' end"
        return "false", "''"
    # An empty cell is null already, so that holes alone make no row suspect.
    suspect = f"{value} is null and {text} is not null"
    filled = f"{suspect} and {typing.text_sql(text, padded=padded)} is not null"
    if layout.moment(name, reading):
        return f"({suspect})", f"case when {filled} then '{place}x,' end"
    parsed = typing.parsed_sql(text)
    number = f"when {typing.number_sql(text, parsed)} is not null then '{place}f,'" if layout.whole(name, reading) else ""
    wrong = f"case {number} when {typing.missing_number_sql(text)} then '' else '{place}x,' end"
    mark = f"case when {filled} then {wrong} end"
    if reading.notation.currency:
        return "true", f"{mark}, case when {reading.notation.marked_sql(f'r{place}')} then '{place}m,' end"
    return f"({suspect})", mark


def _counted(
    connection: Any, source: Source, layout: Layout, readings: Mapping[str, Reading], *, out: Path
) -> tuple[list[Column], dict[str, Reading], int]:
    """Counts of every column, the readings that must be tried instead, and how many rows repeat the header."""
    file = f"read_parquet({literal(str(out))})"
    present = ", ".join(f"count({identifier(name)})" for name in layout.names)
    rows, *filled = connection.execute(f"select count(*), {present} from {file}").fetchone()
    typed = dict(zip(layout.names, filled, strict=True))
    words = [name for name in layout.names if readings[name].type == "string" and layout.text(name, readings[name])]
    numbers = _numbers(connection, file, {name: typed[name] for name in words})
    marks: Counter[str] = Counter()
    for text, count in connection.execute(_marked_query(source, layout, readings, file)).fetchall():
        for mark in text.split(",")[:-1]:
            marks[mark] += count
    columns, better = [], {}
    for place, name in enumerate(layout.names):
        reading = readings[name]
        counts = [marks[f"{place}x"], numbers.get(name, 0), *(marks[f"{place}{kind}"] for kind in "fmb")]
        column, instead = _judged(name, reading, rows=rows, typed=typed[name], counts=counts)
        columns.append(column)
        if instead is not None:
            better[name] = instead
    return columns, better, marks["h"]


def _numbers(connection: Any, file: str, texts: Mapping[str, int]) -> dict[str, int]:
    """Numbers in the text columns that may turn out numeric: first by how values begin (no number begins with a letter), then exactly."""
    found = dict(texts)
    for rule in ("{0} < ':'", f"isfinite({typing.parsed_sql('{0}')})"):
        names = [name for name, count in found.items() if count and count >= NUMERIC_SHARE * texts[name]]
        if not names:
            return {}
        listed = ", ".join(typing.count_sql(rule.format(identifier(name))) for name in names)
        found = dict(zip(names, connection.execute(f"select {listed} from {file}").fetchone(), strict=True))
    return found


def _judged(name: str, reading: Reading, *, rows: int, typed: int, counts: Sequence[int]) -> tuple[Column, Reading | None]:
    """A column's counts, and a better reading when this one does not hold on all rows."""
    misfits, numbers, fractions, marked, padded = counts
    column = Column(name, reading.type, rows, rows - typed - misfits, misfits, reading.notation, marked, padded)
    if reading.type == "string":
        return column, Reading("float64") if typed and numbers >= NUMERIC_SHARE * typed else None
    if fractions:
        return column, Reading("float64", reading.notation)
    if not typed and not misfits:
        return replace(column, type="string"), None
    if typed < NUMERIC_SHARE * (typed + misfits):
        return column, Reading("string")
    if reading.type == "int64" and typed < rows:
        return replace(column, type="float64"), None
    return column, None


def _stored(name: str, kind: ColumnType, reading: Reading, layout: Layout) -> str:
    """A column of the file as its final type: whole numbers with holes become float64, as the typing rule says."""
    column = identifier(name)
    if kind == "string" and reading.type != "string" and not layout.text(name, reading):
        return f"cast({column} as varchar) as {column}"
    if kind == "float64" and reading.type == "int64" and name != layout.target:
        return f"cast({column} as double) as {column}"
    return column


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
