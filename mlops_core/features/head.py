"""The top of a CSV: comment lines, separator, header; and the end, where a line of totals may stand.

    head = read_head(examined, path)       # Head(separator=';', cells=['age', 'y'], comments=1)
    irregular(examined, head)              # True: only `repair.rewrite` reads it as people mean it

A name with a line end in quotes, as spreadsheets write them, is irregular: where other lines end in CR LF the engine takes all that
follows for part of the header.

The separator is the one of ``, ; tab |`` that the header line holds most often outside quotes.  Lines above the header are comments
when they have another number of separators than the lines below, which agree with each other, or are blank below such a line.
"""

from __future__ import annotations

import csv
import io
import re

from mlops_core.errors import InvalidRequest
from mlops_core.features.encoding import Examined
from mlops_core.features.repair import Head, is_total
from mlops_core.features.typing import BLANKS

SEPARATORS = ",;\t|"
COLUMN_LIMIT = 10_000
HEADER_LIMIT = 4_000_000
COMMENT_LIMIT = 20
SAMPLE_LINES = 1000
_TAIL = 64 << 10


def read_head(examined: Examined, name: str) -> Head:
    """The head of the file; `InvalidRequest` E-DATA-003 (no column names) or E-DATA-004 (over 10,000 columns)."""
    lines = _lines(_top(examined))
    first = _header_place(lines)
    record = _whole_record(lines[first:])
    header = "".join(record).rstrip("\r\n")
    separator = _said(lines[:first]) or separator_of(header)
    if not header.strip(BLANKS + SEPARATORS):
        raise InvalidRequest(f"the first line of {name} holds no column names.", remedy="Put a header line on top.", code="E-DATA-003")
    if len(header.encode()) >= HEADER_LIMIT:
        raise InvalidRequest(f"the header of {name} is longer than {HEADER_LIMIT:,} bytes.", code="E-DATA-004")
    cells = [cell.strip(BLANKS) for cell in next(csv.reader(_lines(header), delimiter=separator, skipinitialspace=True))]
    if len(cells) > COLUMN_LIMIT:
        raise InvalidRequest(f"the header has {len(cells):,} columns; at most {COLUMN_LIMIT:,} are read.", code="E-DATA-004")
    return Head(separator, cells, comments=first, lines=len(record))


def irregular(examined: Examined, head: Head) -> bool:
    """Whether the bytes need rewriting: not UTF-8, NUL characters, very long lines, a name over two lines, a quote after blanks, totals."""
    if examined.nul or examined.long_lines or head.lines > 1 or examined.encoding not in {"utf-8", "utf-8-sig"}:
        return True
    lines = _lines(_top(examined, 1 << 20))[head.comments :][:SAMPLE_LINES]
    spaced = re.compile(rf'(?:^|{re.escape(head.separator)})[ \t]+"')
    return any(spaced.search(_outside_quotes(line, keep=True)) for line in lines) or _ends_in_total(examined, head)


def separator_of(line: str) -> str:
    """The separator that a line holds most often outside quotes; the comma when it holds none."""
    bare = _outside_quotes(line)
    return max(SEPARATORS, key=bare.count)


def _top(examined: Examined, size: int = HEADER_LIMIT) -> str:
    with examined.plain.open("rb") as file:
        raw = file.read(size)
    return raw.decode(examined.encoding, "ignore").removeprefix("\ufeff").replace("\0", "")


def _lines(text: str) -> list[str]:
    """The lines as the engine cuts them, at CR and LF alone: other characters that end a line for Python may stand in a name."""
    return list(io.StringIO(text, newline=""))


def _header_place(lines: list[str]) -> int:
    for place in range(min(COMMENT_LIMIT, len(lines) - 1)):
        line = lines[place]
        below = [text for text in lines[place + 1 :] if text.strip(BLANKS)][:2]
        blank = not line.strip(BLANKS) and place > 0
        if not blank and not _said([line]) and not (line.strip(BLANKS) and _comment(line, below)):
            return place
    return min(COMMENT_LIMIT, max(len(lines) - 1, 0))


def _comment(line: str, below: list[str]) -> bool:
    if not below:
        return False
    if any(_outside_quotes(line).count(sign) == count for sign, count in _shared(below).items()):
        # The same separators as below, whatever else stands there: with decimal commas a row holds as many commas as semicolons.
        return False
    separator = separator_of(below[0])
    mine, *theirs = (_outside_quotes(text).count(separator) for text in (line, *below))
    alike = len(set(theirs)) == 1 and theirs[0] > 0
    return alike and mine != theirs[0] and (mine == 0 or line.lstrip(BLANKS)[:1] in {"#", "%"} or line.lstrip(BLANKS)[:2] in {"//", "--"})


def _shared(lines: list[str]) -> dict[str, int]:
    """The separators that all lines hold equally often, and how often that is."""
    counts = {sign: {_outside_quotes(line).count(sign) for line in lines} for sign in SEPARATORS}
    return {sign: next(iter(found)) for sign, found in counts.items() if len(found) == 1 and 0 not in found}


def _said(lines: list[str]) -> str:
    """The separator that a spreadsheet's ``sep=;`` line names."""
    found = [re.fullmatch(r'"?sep=(.)"?', line.strip("\r\n"), re.IGNORECASE) for line in lines]
    return next((match.group(1) for match in found if match and match.group(1) in SEPARATORS), "")


def _whole_record(lines: list[str]) -> list[str]:
    """The lines of the first record: a quoted name may hold line ends."""
    for count in range(1, min(len(lines), 100) + 1):
        if "".join(lines[:count]).count('"') % 2 == 0:
            return lines[:count]
    return lines[:1]


def _ends_in_total(examined: Examined, head: Head) -> bool:
    with examined.plain.open("rb") as file:
        file.seek(max(0, examined.size - _TAIL))
        tail = file.read().decode("utf-8", "ignore").rstrip("\r\n").rsplit("\n", 1)
    try:
        cells = next(csv.reader([tail[-1].rstrip("\r")], delimiter=head.separator), [])
    except csv.Error:
        return False
    return len(tail) > 1 and len(cells) == len(head.cells) and is_total(cells)


def _outside_quotes(line: str, *, keep: bool = False) -> str:
    return ('"' if keep else "").join(line.split('"')[::2])
