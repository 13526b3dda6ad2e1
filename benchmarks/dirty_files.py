"""A clean CSV as real files come: other encodings, separators and notations, damaged rows, odd values, labels, columns, no table at all.

    for variant in variants(Path("titanic.csv"), target="Survived"):
        variant.raw, variant.verdict, variant.codes

``verdict`` is how near the prepared data must come to those of the clean file: ``same files`` (every prepared byte), ``same spec`` (the
fitted specification: other order of rows), ``same table`` (types, rows and missing cells; some texts were changed on purpose),
``accepted`` (the data differ) or ``refused``.  ``codes`` must be told: warnings that the clean file lacks, or the refusal's error.
The damage is drawn from a fixed seed, so a set gives the same variants on every machine.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

Verdict = Literal["same files", "same spec", "same table", "accepted", "refused"]
Rows = list[list[str]]
MISSING = ("?", "NA", "N/A", "null", "NULL", "None", "nan", "-", "--", ".", "", " ", "#N/A")
NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?")
FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%y", "%d-%b-%Y", "%Y%m%d", "%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Variant:
    """One file, and what the data job must say to it; ``types`` are column types it must find."""

    name: str
    raw: bytes
    verdict: Verdict
    codes: tuple[str, ...] = ()
    file: str = "data.csv"
    types: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Clean:
    """A clean table as text, with the places of its target, its numbers and its texts."""

    header: list[str]
    rows: Rows
    target: int
    numbers: list[int]
    texts: list[int]
    chance: random.Random

    @property
    def labels(self) -> list[str]:
        """The values of the target, ascending."""
        return sorted({row[self.target] for row in self.rows})

    @property
    def classes(self) -> bool:
        """Whether the target names classes."""
        return len(self.labels) <= 30

    def some(self, share: float) -> list[int]:
        """Places of rows drawn by chance."""
        return sorted(self.chance.sample(range(len(self.rows)), max(1, round(share * len(self.rows)))))

    def changed(self, column: int, change: Callable[[str], str], share: float = 1.0) -> Rows:
        """The rows with filled cells of a column changed, in a share of the rows."""
        chosen = set(self.some(share))
        return [
            [change(cell) if place == column and cell not in MISSING else cell for place, cell in enumerate(row)]
            if number in chosen
            else row
            for number, row in enumerate(self.rows)
        ]

    def text(self, rows: Rows | None = None, header: Sequence[str] = (), *, separator: str = ",", every: bool = False) -> str:
        """As CSV."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL)
        writer.writerow(header or self.header)
        writer.writerows(self.rows if rows is None else rows)
        return out.getvalue()

    def wider(self, name: str, value: Callable[[int], str]) -> str:
        """As CSV with one more column at the end."""
        return self.text([[*row, value(number)] for number, row in enumerate(self.rows)], [*self.header, name])


def variants(path: Path, target: str) -> Iterator[Variant]:
    """Every variant that the table allows: spellings of a category need a text column, spellings of a label classes."""
    clean = read(path, target)
    for family in (_written, _repaired, _numbers, _texts, _rows, _labels, _columns, _refused):
        yield from family(clean)


def read(path: Path, target: str) -> Clean:
    """A clean CSV; a column is a number when all its filled cells are."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    inputs = [place for place, name in enumerate(header) if name != target]
    numbers = [place for place in inputs if all(NUMBER.fullmatch(row[place]) for row in rows if row[place] not in MISSING)]
    texts = [place for place in inputs if place not in numbers]
    return Clean(header, rows, header.index(target), numbers, texts, random.Random(0))


def _written(clean: Clean) -> Iterator[Variant]:
    """The same table in another writing."""
    text = clean.text()
    commas = [[cell.replace(".", ",") if place in clean.numbers else cell for place, cell in enumerate(row)] for row in clean.rows]
    fractions = any("." in row[place] for row in clean.rows for place in clean.numbers)
    notation = ("W-DATA-026",) if fractions else ()
    yield Variant("bom_crlf", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), "same files")
    yield Variant("semicolon_decimal_comma", clean.text(commas, separator=";").encode(), "same files", notation)
    yield Variant("tab", clean.text(separator="\t").encode(), "same files", file="data.tsv")
    yield Variant("pipe", clean.text(separator="|").encode(), "same files")
    yield Variant("every_cell_quoted", clean.text(every=True).encode(), "same files")
    yield Variant("gzip", gzip.compress(text.encode(), mtime=0), "same files", file="data.csv.gz")
    yield Variant("utf16", text.encode("utf-16"), "same files", ("W-DATA-020",))
    blanks = [", ".join(_quoted(cell) for cell in row) for row in (clean.header, *clean.rows)]
    yield Variant("blanks_before_values", _lines_end("\n".join(blanks), ""), "same files")
    yield Variant("separator_at_line_ends", _lines_end(text, ","), "same files")
    yield Variant("rows_in_another_order", clean.text(clean.chance.sample(clean.rows, len(clean.rows))).encode(), "same spec")


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell


def _lines_end(text: str, end: str) -> bytes:
    return "".join(f"{line}{end}\n" for line in text.splitlines()).encode()


def _repaired(clean: Clean) -> Iterator[Variant]:
    """Lines that are no rows and characters that are no text: left out and said."""
    half = len(clean.rows) // 2
    top, rest = clean.text(clean.rows[:half]), clean.text(clean.rows[half:])
    below = rest.split("\n", 1)[1]
    yield Variant("comment_above_header", f"# exported 2024-01-31 by crm\n{top}{below}".encode(), "same files", ("W-DATA-022",))
    yield Variant("header_in_the_middle", (top + rest).encode(), "same files", ("W-DATA-024",))
    total = "Total" + "," * (len(clean.header) - 1)
    yield Variant("total_at_the_end", f"{top}{below}{total}\n".encode(), "same files", ("W-DATA-025",))
    yield Variant("nul_characters", (top + below.replace(",", "\0,", 3)).encode(), "same files", ("W-DATA-021",))
    yield Variant("empty_lines", f"{top}\n\n{below}\n\n".encode(), "same files")
    short = set(clean.some(0.01))
    ragged = [row[:-2] if number in short else row for number, row in enumerate(clean.rows)]
    yield Variant("rows_too_short", clean.text(ragged).encode(), "accepted", ("W-DATA-023",))


def _numbers(clean: Clean) -> Iterator[Variant]:
    """Numbers in other notations, and numbers that are none."""
    first = clean.numbers[0]
    sizes = {place: max(abs(float(row[place] or 0)) for row in clean.rows if row[place] not in MISSING) for place in clean.numbers}
    great = max(sizes, key=lambda place: sizes[place])
    grouped = clean.changed(great, lambda cell: f"{Decimal(cell):,f}")
    thousands = ("W-DATA-026",) if sizes[great] >= 1000 else ()
    yield Variant("thousands", clean.text(grouped).encode(), "same files", thousands)
    marks = [[f"$ {cell}" if place == great and cell not in MISSING else cell for place, cell in enumerate(row)] for row in grouped]
    yield Variant("currency", clean.text(marks).encode(), "same files", ("W-DATA-027", *thousands))
    last = [*clean.rows[:-1], [*clean.rows[-1][:first], "see note", *clean.rows[-1][first + 1 :]]]
    yield Variant("text_in_the_last_row", clean.text(last).encode(), "accepted", ("W-DATA-007",))
    odd = clean.changed(first, lambda _: clean.chance.choice(("inf", "-inf", "1e400")), 0.009)
    yield Variant("infinite", clean.text(odd).encode(), "accepted", ("W-DATA-007",))
    codes = clean.changed(first, lambda _: "-9999", 0.03)
    yield Variant("codes_for_missing", clean.text(codes).encode(), "accepted", ("W-DATA-031",))
    units = clean.changed(first, lambda cell: str(Decimal(cell) * 1000), 0.02)
    yield Variant("another_unit", clean.text(units).encode(), "accepted", ("W-DATA-030",))


def _texts(clean: Clean) -> Iterator[Variant]:
    """Odd texts, words for missing, dates."""
    kinds = {column: {row[column] for row in clean.rows} for column in clean.texts}
    few = min(clean.texts, key=lambda column: abs(len(kinds[column]) - 3))
    accents = clean.changed(clean.texts[0], lambda _: "Zoë Müller-Peña", 0.02)
    yield Variant("cp1252", clean.text(accents).encode("cp1252"), "same table", ("W-DATA-020",))
    broken = clean.changed(clean.texts[0], lambda _: 'line one\nline "two", end', 0.02)
    yield Variant("line_ends_in_cells", clean.text(broken).encode(), "same table")
    ways: tuple[Callable[[str], str], ...] = (str.upper, str.lower, lambda cell: f" {cell} ", lambda cell: f"{cell}\u00a0")
    spelt = clean.changed(few, lambda cell: _any(clean, ways, cell), 0.3)
    yield Variant("categories_in_several_spellings", clean.text(spelt).encode(), "same table", ("W-DATA-029",))
    words = [
        [cell if place == clean.target or clean.chance.random() > 0.03 else clean.chance.choice(MISSING) for place, cell in enumerate(row)]
        for row in clean.rows
    ]
    types = {clean.header[place]: "float64" for place in clean.numbers}
    yield Variant("words_for_missing", clean.text(words).encode(), "accepted", types=types)
    days = [date(2020, 1, 1) + timedelta(days=number % 900) for number in range(len(clean.rows))]
    yield Variant("a_date", clean.wider("when", lambda number: f"{days[number]}").encode(), "accepted", types={"when": "datetime"})
    several = clean.wider("when", lambda number: days[number].strftime(clean.chance.choice(FORMATS)))
    yield Variant("dates_in_six_formats", several.encode(), "accepted", ("W-DATA-028",), types={"when": "string"})


def _any(clean: Clean, ways: Sequence[Callable[[str], str]], cell: str) -> str:
    return clean.chance.choice(ways)(cell)


def _rows(clean: Clean) -> Iterator[Variant]:
    """Rows that stand twice, and rows that contradict each other."""
    again = [clean.rows[place] for place in clean.some(0.1)]
    yield Variant("duplicated_rows", clean.text([*clean.rows, *again]).encode(), "accepted", ("W-DATA-001",))
    if clean.classes:
        other = [_with(row, clean.target, _other(clean, row[clean.target])) for row in (clean.rows[place] for place in clean.some(0.02))]
        yield Variant("conflicting_labels", clean.text([*clean.rows, *other]).encode(), "accepted", ("W-DATA-033",))


def _with(row: list[str], place: int, cell: str) -> list[str]:
    return [*row[:place], cell, *row[place + 1 :]]


def _other(clean: Clean, label: str) -> str:
    return clean.chance.choice([other for other in clean.labels if other != label])


def _labels(clean: Clean) -> Iterator[Variant]:
    """Targets that are spelt in several ways, missing, or too few to learn from."""
    gaps = clean.changed(clean.target, lambda _: "", 0.05)
    yield Variant("some_targets_missing", clean.text(gaps).encode(), "accepted", ("W-DATA-002",))
    yield Variant("all_targets_missing", clean.text(clean.changed(clean.target, lambda _: "")).encode(), "refused", ("E-DATA-010",))
    only = [row for row in clean.rows if row[clean.target] == clean.labels[0]] if clean.classes else []
    if not only:
        same = clean.changed(clean.target, lambda _: clean.labels[0])
        yield Variant("a_single_value", clean.text(same).encode(), "refused", ("E-DATA-012",))
        return
    yield Variant("a_single_class", clean.text(only).encode(), "refused", ("E-DATA-012",))
    ways: tuple[Callable[[str], str], ...] = (str.upper, str.lower, lambda cell: f" {cell}", lambda cell: f"{cell} ")
    spelt = clean.changed(clean.target, lambda cell: _any(clean, ways, cell), 0.3)
    yield Variant("labels_in_several_spellings", clean.text(spelt).encode(), "same files", ("W-DATA-029",))
    alone = [*clean.rows, _with(clean.rows[0], clean.target, "rare_class")]
    yield Variant("a_class_of_one_row", clean.text(alone).encode(), "accepted", ("W-DATA-033",))


def _columns(clean: Clean) -> Iterator[Variant]:
    """Columns that teach nothing, or too much, or bear odd names."""
    copy = clean.wider("target_copy", lambda number: clean.rows[number][clean.target])
    yield Variant("copy_of_the_target", copy.encode(), "accepted", ("W-DATA-006",))
    junk = [[str(number), *row, "x", "", f"{clean.chance.getrandbits(64):016x}"] for number, row in enumerate(clean.rows)]
    codes = ("W-DATA-003", "W-DATA-004", "W-DATA-005", "W-DATA-011")
    yield Variant("junk_columns", clean.text(junk, ["", *clean.header, "const", "empty", "uuid"]).encode(), "accepted", codes)
    twice = clean.wider(clean.header[clean.numbers[0]], lambda number: clean.rows[number][clean.numbers[0]])
    yield Variant("two_columns_of_one_name", twice.encode(), "accepted", ("W-DATA-011",))
    odd = [name if place == clean.target else f" {name} [x]<1> é." for place, name in enumerate(clean.header)]
    yield Variant("odd_names", clean.text(header=odd).encode(), "same table")


def _refused(clean: Clean) -> Iterator[Variant]:
    """What nothing can be learnt from."""
    half = len(clean.rows) // 2
    above, below = clean.text(clean.rows[:half]), clean.text(clean.rows[half:]).split("\n", 1)[1]
    target = clean.header[clean.target]
    alone = f"{target}\n" + "".join(f"{row[clean.target]}\n" for row in clean.rows)
    packed = gzip.compress(clean.text().encode(), mtime=0)
    files = (
        ("no_header", clean.text().split("\n", 1)[1].encode(), "E-DATA-007"),
        ("quote_never_closed", f'{above}"{below}'.encode(), "E-DATA-006"),
        ("empty_file", b"", "E-DATA-001"),
        ("header_alone", clean.text([]).encode(), "E-DATA-010"),
        ("one_row", clean.text(clean.rows[:1]).encode(), "E-DATA-010"),
        ("five_rows", clean.text(clean.rows[:5]).encode(), "E-DATA-010"),
        ("target_alone", alone.encode(), "E-DATA-009"),
        ("workbook_named_csv", b"PK\x03\x04" + clean.chance.randbytes(4000), "E-DATA-002"),
        ("gzip_cut_short", packed[: len(packed) // 2], "E-DATA-006"),
    )
    for name, raw, code in files:
        yield Variant(name, raw, "refused", (code,), file="data.csv.gz" if name.startswith("gzip") else "data.csv")
