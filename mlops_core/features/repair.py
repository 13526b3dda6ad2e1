"""A CSV that cannot be read as it is, rewritten line by line into one that can, with a count of every repair.

    repairs = rewrite(examined, head, scratch / "repaired.csv")      # UTF-8, commas, one header, every row as wide as the header

Repaired: encodings other than UTF-8, NUL characters (taken out), blanks before a quote, separators at the ends of lines, rows of another
width (left out, at most 5 %), the header again among the rows, a line of totals at the end.  Refused with line and byte offset
(E-DATA-006): a quote that is never closed or is followed by text, a line or cell over 16 MB, more than 5 % of rows of another width.
The standard library's reader does the parsing, so memory holds one row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mlops_core.errors import InvalidRequest
from mlops_core.features.encoding import Examined
from mlops_core.features.typing import BLANKS

LINE_LIMIT = 16_000_000
RAGGED_SHARE = 0.05
NAMED_LINES = 5
TOTALS = frozenset({"total", "totals", "grand total", "sum", "summe", "gesamt", "合計", "総計"})


@dataclass
class Head:
    """The top of a CSV: its separator, the cells of the header, how many lines of comment stand above it, and its own lines."""

    separator: str
    cells: list[str]
    comments: int = 0
    lines: int = 1


@dataclass
class Repairs:
    """How often each repair was needed; ``ragged_lines`` names the first lines of another width."""

    encoding: str = "utf-8"
    nul: int = 0
    comments: int = 0
    headers: int = 0
    totals: int = 0
    ragged: int = 0
    ragged_lines: list[int] = field(default_factory=list)
    rows: int = 0


def rewrite(examined: Examined, head: Head, path: Path, out: Path) -> Repairs:
    """Write the readable copy and return the repairs; ``path`` names the file in errors."""
    repairs = Repairs(encoding=examined.encoding, comments=head.comments)
    lines = _Lines(examined, path, repairs)
    before = csv.field_size_limit(LINE_LIMIT)
    try:
        with out.open("w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(head.cells)
            writer.writerows(_kept(lines, head, repairs))
    finally:
        csv.field_size_limit(before)
        lines.close()
    if repairs.ragged > RAGGED_SHARE * (repairs.rows + repairs.ragged):
        first = repairs.ragged_lines[0]
        raise InvalidRequest(
            f"{path.name} cannot be read at line {first}: {repairs.ragged:,} rows have more or fewer values than the header's "
            f"{len(head.cells)}; at most {RAGGED_SHARE:.0%} of the rows may be left out for that.",
            remedy="Correct the file and upload it again.", code="E-DATA-006",
        )  # fmt: skip
    return repairs


class _Lines:
    """The physical lines as text without NUL; knows the number and the byte offset of the line it gave last."""

    def __init__(self, examined: Examined, path: Path, repairs: Repairs) -> None:
        self._wide = examined.encoding.startswith("utf-16")
        self._encoding = examined.encoding
        self._text = examined.plain.open(encoding=examined.encoding, newline="") if self._wide else None
        self._bytes = None if self._wide else examined.plain.open("rb")
        self._path = path
        self._repairs = repairs
        self.number = 0
        self.offset = 0
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._next():
            if "\0" in line:
                self._repairs.nul += line.count("\0")
                line = line.replace("\0", "")
            if self.number == 1:
                line = line.removeprefix("\ufeff")
            yield line

    def close(self) -> None:
        """Close the file."""
        for file in (self._text, self._bytes):
            if file is not None:
                file.close()

    def _next(self) -> str:
        self.offset += self._length
        self.number += 1
        if self._bytes is not None:
            raw = self._bytes.readline(LINE_LIMIT + 1)
            self._length = len(raw)
            line = "" if self._length > LINE_LIMIT else raw.decode("utf-8" if self._encoding == "utf-8-sig" else self._encoding)
        else:
            line = self._wide_line()
            self._length = len(line.encode("utf-16-le", "surrogatepass"))
        if self._length > LINE_LIMIT:
            raise _refused(self._path, self.number, self.offset, f"the line is longer than {LINE_LIMIT:,} bytes")
        return line

    def _wide_line(self) -> str:
        try:
            return self._text.readline(LINE_LIMIT // 2 + 1) if self._text is not None else ""
        except UnicodeDecodeError as error:
            raise _refused(self._path, self.number, self.offset, "the bytes are not UTF-16 text") from error


def _kept(lines: _Lines, head: Head, repairs: Repairs) -> Iterator[list[str]]:
    """The rows to keep, one held back: the last may be a line of totals."""
    held: list[str] | None = None
    for row in _records(lines, head, repairs):
        if held is not None:
            repairs.rows += 1
            yield held
        held = row
    if held is not None and is_total(held):
        repairs.totals += 1
    elif held is not None:
        repairs.rows += 1
        yield held


def _records(lines: _Lines, head: Head, repairs: Repairs) -> Iterator[list[str]]:
    numbered = iter(lines)
    for _ in range(head.comments):
        next(numbered)
    reader = csv.reader(numbered, delimiter=head.separator, strict=True, skipinitialspace=True)
    width, seen = len(head.cells), False
    while True:
        line, offset = lines.number + 1, lines.offset + lines._length
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise _refused(lines._path, line, offset, _reason(error)) from error
        if row is None:
            return
        if not row:
            continue
        if len(row) > width and not any(cell.strip(BLANKS) for cell in row[width:]):
            row = row[:width]
        if row == head.cells or (len(row) == width and _stripped(row) == _stripped(head.cells)):
            repairs.headers += seen
            seen = True
        elif len(row) != width:
            repairs.ragged += 1
            if len(repairs.ragged_lines) < NAMED_LINES:
                repairs.ragged_lines.append(line)
        else:
            yield row


def is_total(cells: list[str]) -> bool:
    """Whether a row is a word for a total and otherwise empty."""
    filled = [cell.strip(BLANKS) for cell in cells if cell.strip(BLANKS)]
    return len(cells) > 2 and len(filled) == 1 and filled[0].casefold().rstrip(":") in TOTALS


def _stripped(cells: list[str]) -> list[str]:
    return [cell.strip(BLANKS) for cell in cells]


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text or "field larger than" in text:
        return "a quote is opened and never closed"
    if "expected after" in text:
        return "text follows a closing quote"
    return text[:200]


def _refused(path: Path, line: int, offset: int, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"{path.name} cannot be read at line {line} (byte {offset:,}): {reason}.",
        remedy="Correct the file and upload it again.",
        code="E-DATA-006",
    )
