"""A raw file, recognised and readable by DuckDB: CSV (plain or gzip) or Parquet.

    source = recognise(Path("train.csv.gz"), connection, scratch)
    source.names                         # column names, unique, as written but trimmed
    f"select * from {source.table}"      # every column as text (CSV) or as stored (Parquet)

What the bytes say counts, not the file's name.  A regular UTF-8 CSV is read as it lies; an ``irregular`` one must be rewritten first
(`repaired`), as must one that DuckDB then refuses: what cannot be repaired is refused there with line and byte offset.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlops_core.errors import InvalidRequest
from mlops_core.features.encoding import Examined, examine
from mlops_core.features.head import COLUMN_LIMIT, irregular, read_head
from mlops_core.features.repair import LINE_LIMIT, Head, Repairs, rewrite
from mlops_core.features.typing import identifier, literal


@dataclass(frozen=True)
class Source:
    """One raw file: its column names and the SQL table function that reads it; ``renamed`` lists names made unique.

    ``unnamed`` columns have no name in the header.  ``repairs`` is None where the file is read as it lies.
    """

    names: tuple[str, ...]
    table: str
    text: bool
    examined: Examined
    renamed: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    head: Head = field(default_factory=lambda: Head(",", []))
    repairs: Repairs | None = None
    irregular: bool = False

    @property
    def padded(self) -> bool:
        """Whether values may have blanks around them."""
        return not self.text or self.repairs is not None or self.examined.padded


def recognise(path: Path, connection: Any, scratch: Path) -> Source:
    """The source of a file; `InvalidRequest` (E-DATA-001 … 006) when it is empty, of another kind, or no text with a header."""
    examined = examine(path, scratch)
    if examined.parquet:
        return _parquet(path, connection, examined)
    head = read_head(examined, path.name)
    names = _unique(head.cells)
    found = tuple(new for new, old in zip(names, head.cells, strict=True) if new != old)
    unnamed = tuple(new for new, old in zip(names, head.cells, strict=True) if not old)
    table = _table(examined.plain, names, head)
    return Source(tuple(names), table, True, examined, found, unnamed, head, irregular=irregular(examined, head))


def repaired(source: Source, path: Path, scratch: Path) -> Source:
    """The same source over a rewritten copy; `InvalidRequest` (E-DATA-006) when it is beyond repair."""
    copy = scratch / f"repaired-{path.parent.name}.csv"
    repairs = rewrite(source.examined, source.head, path, copy)
    return replace(source, irregular=False, table=_table(copy, source.names, Head(",", source.head.cells)), repairs=repairs)


def read_error(error: Exception, path: Path) -> InvalidRequest:
    """DuckDB's complaint about a file as one of ours, with the line it names (E-DATA-006)."""
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    where = f" at line {line.group(1)}" if line else ""
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if counts:
        reason = f"the row has {counts.group(2)} values, the header has {counts.group(1)}"
    elif "unterminated quote" in text:
        reason = "a quote is opened and never closed"
    elif "unicode" in text.lower() or "utf-8" in text.lower():
        reason = "the bytes are not UTF-8 text"
    elif "Maximum line size" in text:
        reason = f"the line is longer than {LINE_LIMIT:,} bytes"
    else:
        reason = text.splitlines()[0][:200] if text else "unknown reason"
    return InvalidRequest(
        f"{path.name} cannot be read{where}: {reason}.", remedy="Correct the file and upload it again.", code="E-DATA-006"
    )


def _parquet(path: Path, connection: Any, examined: Examined) -> Source:
    import duckdb

    table = f"read_parquet({literal(str(path))})"
    try:
        described = connection.execute(f"describe select * from {table}").fetchall()
    except duckdb.Error as error:
        raise InvalidRequest(
            f"{path.name} begins as a Parquet file and cannot be read as one: it is cut off or damaged.",
            remedy="Write the file again and upload it.",
            code="E-DATA-006",
        ) from error
    nested = [name for name, kind, *_ in described if any(mark in kind for mark in ("STRUCT", "MAP", "[", "BLOB", "UNION"))]
    if nested:
        raise InvalidRequest(
            f"the column {nested[0]!r} is nested or binary.", remedy="Flatten it or leave it out of the file.", code="E-DATA-005"
        )
    if len(described) > COLUMN_LIMIT:
        raise InvalidRequest(f"the file has {len(described):,} columns; at most {COLUMN_LIMIT:,} are read.", code="E-DATA-004")
    columns = ", ".join(_stored(name, kind) for name, kind, *_ in described)
    return Source(tuple(name for name, *_ in described), f"(select {columns} from {table})", False, examined)


def _stored(name: str, kind: str) -> str:
    """A Parquet column as text that the typing rule reads back without loss (moments as ISO 8601); what is not finite is missing."""
    text = f"cast({identifier(name)} as varchar)"
    # As words, a few infinities would make a column of numbers one of text.
    value = f"case when isfinite({identifier(name)}) then {text} end" if kind in {"FLOAT", "DOUBLE"} else text
    return f"{value} as {identifier(name)}"


def _table(plain: Path, names: Sequence[str], head: Head) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = (
        f"header=true, skip={head.comments}, delim={literal(head.separator)}, quote='\"', escape='\"', auto_detect=false, "
        f"columns={{{columns}}}, max_line_size={LINE_LIMIT}, buffer_size={2 * LINE_LIMIT}, compression='none'"
    )
    return f"read_csv({literal(str(plain))}, {options})"


def _unique(names: list[str]) -> list[str]:
    """Names unlike each other even when case is ignored, as SQL does: ``a``, ``a_2``; an empty one becomes ``column_3``."""
    taken: set[str] = set()
    result = []
    for position, name in enumerate(names, start=1):
        base = name or f"column_{position}"
        chosen, count = base, 1
        while chosen.casefold() in taken:
            count += 1
            chosen = f"{base}_{count}"
        taken.add(chosen.casefold())
        result.append(chosen)
    return result
