"""From text to float64, int64 or string: one rule for the data job (SQL) and for serving (Python).

    clean(" ? ")            # None: missing
    number("1e3")           # 1000.0
    text_sql('"city"')      # `clean` as a DuckDB expression over a text column; `number_sql` likewise

- Blanks around a value (space, tab, line ends, no-break space) are cut.
- `MISSING` words are missing in every column; `MISSING_NUMBERS` only in numeric ones ("unknown" may be a category).
- A number is an ASCII decimal with an optional sign, point and exponent, and finite.  ``1_000``, ``0x1F``, ``inf``, ``1e999`` are not.
- A whole number has at most 18 characters, no point and no exponent.  Text that is no number in a numeric column is missing, and counted.
- A moment is an ISO 8601 date or date and time (``2024-01-31``, ``2024/01/31``, ``2024-01-31T10:00:00.5+02:00``; no zone means UTC), and
  travels as seconds since 1970.  A day that does not exist, such as 1900-02-29, is no moment.
"""

from __future__ import annotations

import math
import re
from datetime import datetime

BLANKS = " \t\r\n\x0b\x0c\u00a0"
MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "Null", "NaN", "nan", "-", "--", ".")
MISSING_NUMBERS = ("none", "None", "NONE", "unknown", "Unknown", "missing", "Missing")
MISSING_INT64 = -(2**63)
"""How a missing value travels in an int64 input, which has no NaN of its own."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


_MOMENT = (
    r"(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})(?:-[0-9]{2}-[0-9]{2}|/[0-9]{2}/[0-9]{2})"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?"
)
_MOMENT_PARTS = re.compile(r"(.{10})(?:.(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(?:Z|([+-])(\d\d):?(\d\d)?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  both sides are UTC without saying so


def clean(text: str) -> str | None:
    """The value without the blanks around it; None when it stands for missing."""
    stripped = text.strip(BLANKS)
    return None if stripped in MISSING else stripped


def number(text: str) -> float | None:
    """The finite number that the text states; None when it is missing or no number."""
    stripped = text.strip(BLANKS)
    if not _NUMBER.fullmatch(stripped):
        return None
    value = float(stripped)
    return value if math.isfinite(value) else None


def moment(text: str) -> float | None:
    """Seconds since 1970 of the ISO 8601 date, or date and time, that the text states; None when it is missing or none."""
    stripped = text.strip(BLANKS)
    parts = _MOMENT_PARTS.fullmatch(stripped) if re.fullmatch(_MOMENT, stripped, re.ASCII) else None
    if parts is None:
        return None
    day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = parts.groups()
    try:
        date = datetime.strptime(day.replace("/", "-"), "%Y-%m-%d")  # noqa: DTZ007
    except ValueError:
        return None
    seconds = (date - _EPOCH).days * 86_400 + int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    away = (int(zone_hours or 0) * 60 + int(zone_minutes or 0)) * 60
    # In the engine's order, so that both round alike: microseconds to seconds first, the zone afterwards.
    return float(seconds * 1_000_000 + int((fraction or "0").ljust(6, "0"))) / 1e6 - (-away if sign == "-" else away)


def input_name(column: str) -> str:
    """The graph input of a column: its own name, unless that is an output's name or begins like our inner tensors."""
    return "mlops/in/" + column if column in {"score", "label"} or column.startswith("mlops/") else column


def identifier(name: str) -> str:
    """A column name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text value quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def count_sql(condition: str) -> str:
    """How many rows meet a condition: eight times as fast as ``count(*) filter``, which makes a selection of rows for each."""
    return f"coalesce(count_if({condition}), 0)"


def text_sql(column: str, *, padded: bool = True) -> str:
    """`clean` as SQL over a text expression; ``padded`` false says that no value has blanks around it, which spares the slow look."""
    trimmed = _unpadded_sql(column) if padded else column
    return f"(case when {trimmed} in ({_words(MISSING)}) then null else {trimmed} end)"


def _unpadded_sql(column: str) -> str:
    """A text without blanks around it; the edge test spares the slow trim for the cells that need it."""
    edge = f"{column} < '!' or {column}[-1] <= ' ' or contains({column}, chr(160))"
    return f"(case when {edge} then {trimmed_sql(column)} else {column} end)"


def moment_sql(column: str) -> str:
    """`moment` as SQL over a text expression: a double or null."""
    trimmed = _unpadded_sql(column)
    seconds = f"epoch(try_cast({trimmed} as timestamp))"
    # The engine's cast passes over the zone.
    zone = [f"regexp_extract({trimmed}, ':[0-9.]+([+-])([0-9]{{2}}):?([0-9]{{2}})?$', {place})" for place in (1, 2, 3)]
    away = f"(coalesce(try_cast({zone[1]} as integer), 0) * 3600 + coalesce(try_cast({zone[2]} as integer), 0) * 60)"
    shifted = f"{seconds} - (case when {zone[0]} = '-' then -{away} else {away} end)"
    return (
        f"(case when not regexp_full_match({trimmed}, {literal(_MOMENT)}) then null "
        f"when strlen({trimmed}) <= 16 or right({trimmed}, 1) = 'Z' then {seconds} else {shifted} end)"
    )


def parsed_sql(column: str) -> str:
    """The engine's own reading of a text as double, for `number_sql`: it passes over the common blanks by itself."""
    return f"try_cast({column} as double)"


def number_sql(column: str, parsed: str) -> str:
    """`number` as SQL over a text expression and its `parsed_sql` (computed once, a layer below): a double or null."""
    again = parsed_sql(trimmed_sql(column))
    return (
        f"(case when contains({column}, '_') then null when isfinite({parsed}) then {parsed} "
        f"when contains({column}, chr(160)) and isfinite({again}) then {again} end)"
    )


def whole_sql(column: str, parsed: str) -> str:
    """True where the text is a whole number that int64 and float64 both hold: at most 18 characters, no point, no exponent."""
    marks = " and ".join(f"not contains({column}, '{mark}')" for mark in "._eE")
    return f"(isfinite({parsed}) and strlen({column}) <= 18 and {marks})"


def missing_number_sql(column: str) -> str:
    """True where the text is a word for missing that counts only in numeric columns."""
    return f"(trim({column}) in ({_words(MISSING_NUMBERS)}))"


def trimmed_sql(column: str) -> str:
    """A text expression without the blanks around it."""
    return f"trim({column}, {' || '.join(f'chr({ord(character)})' for character in BLANKS)})"


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(literal(word) for word in words)
