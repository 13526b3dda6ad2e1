"""What reading a raw file found and repaired: findings for people and the file's part of the quality report.

    file_quality(table.source)            # FileQuality
    reading_findings(table, config)       # [Finding W-DATA-020 …]

W-DATA codes: 020 another encoding · 021 NUL characters taken out · 022 lines above the header left out · 023 rows of another width left
out · 024 header lines among the rows left out · 025 a line of totals left out · 026 numbers in another notation · 027 currency marks ·
028 dates in several formats, kept as text · 029 spellings brought together · 030 values far from the rest · 031 numbers that probably
stand for missing · 032 rows left out of a split by time · 033 equal inputs with different labels.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_core.contracts.dataset import ColumnQuality, FileQuality, Finding
from mlops_core.features.load import Table
from mlops_core.features.source import Source
from mlops_core.features.typing import identifier

DATE_SHARE = 0.8
_DATE_ROWS = 1_000
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_CLOCK = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]m)?(?: ?Z|[+-]\d{2}:?\d{2})?)?"
_DATE_FORMS = [
    re.compile(form + _CLOCK, re.IGNORECASE | re.ASCII)
    for form in (
        r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", r"\d{1,2}/\d{1,2}/\d{2,4}", r"\d{1,2}[.]\d{1,2}[.]\d{2,4}", r"\d{1,2}-\d{1,2}-\d{2,4}",
        rf"\d{{1,2}}[- ](?:{_MONTHS})[a-z]*[- ,]*\d{{2,4}}", rf"(?:{_MONTHS})[a-z]* \d{{1,2}},? \d{{4}}", r"(?:19|20)\d{6}",
    )
]  # fmt: skip


def file_quality(source: Source) -> FileQuality:
    """How the file is written, and its repairs."""
    if not source.text:
        return FileQuality(kind="parquet", bytes=source.examined.size, encoding="", separator="")
    known = {"bytes": source.examined.size, "encoding": source.examined.encoding, "separator": source.head.separator}
    repairs = source.repairs
    if repairs is None:
        return FileQuality(**known, comments=source.head.comments)
    return FileQuality(
        **known, rewritten=True, nul=repairs.nul, comments=repairs.comments, headers=repairs.headers, totals=repairs.totals,
        ragged=repairs.ragged, ragged_lines=tuple(repairs.ragged_lines),
    )  # fmt: skip


def reading_findings(table: Table, kept: Sequence[str]) -> Iterator[Finding]:
    """What to say about the file and the notation of its numbers."""
    found = file_quality(table.source)
    if found.encoding not in {"utf-8", "utf-8-sig", ""}:
        yield Finding(code="W-DATA-020", values={"encoding": found.encoding})
    counted = {"W-DATA-021": found.nul, "W-DATA-022": found.comments, "W-DATA-024": found.headers, "W-DATA-025": found.totals}
    yield from (Finding(code=code, values={"count": count}) for code, count in counted.items() if count)
    if found.ragged:
        lines = ", ".join(map(str, found.ragged_lines))
        yield Finding(code="W-DATA-023", values={"rows": found.ragged, "lines": lines})
    columns = [column for column in table.columns if column.name in kept]
    for style in ("comma", "thousands"):
        names = tuple(column.name for column in columns if column.notation.style == style and column.type in {"int64", "float64"})
        # A style that no value uses was only tried on account of the currency marks.
        if names:
            yield Finding(code="W-DATA-026", columns=names, values={"notation": style})
    for column in columns:
        if column.marked:
            yield Finding(code="W-DATA-027", columns=(column.name,), values={"values": column.marked})


def date_findings(connection: Any, table: str, names: Sequence[str]) -> Iterator[Finding]:
    """Text columns whose first rows look like dates in one format or several that are not ISO 8601: never guessed, always said."""
    if not names:
        return
    listed = ", ".join(identifier(name) for name in names)
    rows = connection.execute(f"select {listed} from {table} limit {_DATE_ROWS}").fetchall()
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        filled = [value for value in values if value is not None]
        forms = [next((place for place, form in enumerate(_DATE_FORMS) if form.fullmatch(value)), None) for value in filled]
        dates = [form for form in forms if form is not None]
        if filled and len(dates) >= DATE_SHARE * len(filled):
            yield Finding(
                code="W-DATA-028", columns=(name,), values={"formats": len(set(dates)), "share": round(len(dates) / len(filled), 3)}
            )


def value_findings(columns: Sequence[ColumnQuality], folds: Mapping[str, Mapping[str, str]], target: str) -> Iterator[Finding]:
    """Spellings that were brought together, far values and numbers that probably stand for missing."""
    for column in columns:
        if column.spellings:
            values = {"values": column.spellings, "spellings": len(folds.get(column.name, ()))}
            yield Finding(code="W-DATA-029", columns=(column.name,), values=values)
        if column.name == target:
            continue
        if column.far:
            yield Finding(code="W-DATA-030", columns=(column.name,), values={"values": column.far})
        if column.codes:
            listed = ", ".join(f"{code:g} ({count})" for code, count in column.codes)
            yield Finding(code="W-DATA-031", columns=(column.name,), values={"codes": listed})
