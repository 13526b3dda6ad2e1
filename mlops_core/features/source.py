"""A raw file, recognised and readable by DuckDB: CSV (plain or gzip) or Parquet.

    source = recognise(Path("train.csv.gz"))
    source.names                         # column names, unique, as written but trimmed
    f"select * from {source.table}"      # every column as text (CSV) or as stored (Parquet)

What the bytes say counts, not the file's name.  Nothing is read into memory but the header line.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from mlops_core.errors import InvalidRequest
from mlops_core.features.typing import BLANKS, identifier, literal

SEPARATORS = ",;\t|"
COLUMN_LIMIT = 10_000
HEADER_LIMIT = 4_000_000
LINE_LIMIT = 16_000_000


@dataclass(frozen=True)
class Source:
    """One raw file: its column names and the SQL table function that reads it; ``renamed`` lists names made unique."""

    names: tuple[str, ...]
    table: str
    text: bool
    renamed: tuple[str, ...] = ()


def recognise(path: Path, connection: Any) -> Source:
    """The source of a file; `InvalidRequest` (E-DATA-001 … 005) when it is empty, of another kind, or has no proper header."""
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise InvalidRequest(
            f"the file {path.name} is empty.", remedy="Upload a CSV with a header line, or a Parquet file.", code="E-DATA-001"
        )
    if start == b"PAR1":
        return _parquet(path, connection)
    if start[:2] == b"PK":
        raise InvalidRequest(
            f"the file {path.name} is neither CSV nor Parquet.",
            remedy="Save it as CSV (plain or .gz, UTF-8) or as Parquet.",
            code="E-DATA-002",
        )
    return _csv(path, packed=start[:2] == b"\x1f\x8b")


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


def _parquet(path: Path, connection: Any) -> Source:
    table = f"read_parquet({literal(str(path))})"
    described = connection.execute(f"describe select * from {table}").fetchall()
    nested = [name for name, kind, *_ in described if any(mark in kind for mark in ("STRUCT", "MAP", "[", "BLOB", "UNION"))]
    if nested:
        raise InvalidRequest(
            f"the column {nested[0]!r} is nested or binary.", remedy="Flatten it or leave it out of the file.", code="E-DATA-005"
        )
    columns = ", ".join(_stored(name, kind) for name, kind, *_ in described)
    return Source(tuple(name for name, *_ in described), f"(select {columns} from {table})", text=False)


def _stored(name: str, kind: str) -> str:
    """A Parquet column as text that the typing rule reads back without loss; moments become seconds since 1970."""
    column = identifier(name)
    if kind.startswith(("TIMESTAMP", "DATE")):
        return f"cast(epoch({column}) as varchar) as {column}"
    return f"cast({column} as varchar) as {column}"


def _csv(path: Path, *, packed: bool) -> Source:
    line = _header_line(path, packed=packed)
    separator = max(SEPARATORS, key=lambda mark: _outside_quotes(line).count(mark))
    found = [name.strip(BLANKS) for name in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
    if len(found) > COLUMN_LIMIT:
        raise InvalidRequest(f"the header has {len(found):,} columns; at most {COLUMN_LIMIT:,} are read.", code="E-DATA-004")
    names = _unique(found)
    renamed = tuple(new for new, old in zip(names, found, strict=True) if new != old)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = (
        f"header=true, delim={literal(separator)}, quote='\"', escape='\"', auto_detect=false, columns={{{columns}}}, "
        f"max_line_size={LINE_LIMIT}, buffer_size={2 * LINE_LIMIT}, compression={literal('gzip' if packed else 'none')}"
    )
    return Source(tuple(names), f"read_csv({literal(str(path))}, {options})", text=True, renamed=renamed)


def _header_line(path: Path, *, packed: bool) -> str:
    try:
        with cast("BinaryIO", gzip.open(path, "rb") if packed else path.open("rb")) as file:
            raw = file.readline(HEADER_LIMIT)
        line = raw.decode("utf-8-sig").rstrip("\r\n")
    except (UnicodeDecodeError, OSError, EOFError) as error:
        raise InvalidRequest(f"the header of {path.name} is not UTF-8 text, or the archive is damaged.", code="E-DATA-003") from error
    if not line.strip(BLANKS + SEPARATORS):
        raise InvalidRequest(f"the first line of {path.name} holds no column names.", remedy="Put a header line on top.", code="E-DATA-003")
    return line


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


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
