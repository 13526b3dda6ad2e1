"""From text to float64, int64 or string: one rule for the data job (SQL) and for serving (Python).

    clean(" ? ")            # None: missing
    number("1e3")           # 1000.0
    text_sql('"city"')      # `clean` as a DuckDB expression over a text column; `number_sql` likewise

- Blanks around a value (space, tab, line ends, no-break space) are cut.
- `MISSING` words are missing in every column; `MISSING_NUMBERS` only in numeric ones ("unknown" may be a category).
- A number is an ASCII decimal with an optional sign, point and exponent, and finite.  ``1_000``, ``0x1F``, ``inf``, ``1e999`` are not.
- A whole number has at most 18 characters, no point and no exponent.  Text that is no number in a numeric column is missing, and counted.
"""

from __future__ import annotations

import math
import re

BLANKS = " \t\r\n\x0b\x0c\u00a0"
MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "Null", "NaN", "nan", "-", "--", ".")
MISSING_NUMBERS = ("none", "None", "NONE", "unknown", "Unknown", "missing", "Missing")
MISSING_INT64 = -(2**63)
"""How a missing value travels in an int64 input, which has no NaN of its own."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


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


def input_name(column: str) -> str:
    """The graph input of a column: its own name, unless that is an output's name or begins like our inner tensors."""
    return "mlops/in/" + column if column in {"score", "label"} or column.startswith("mlops/") else column


def identifier(name: str) -> str:
    """A column name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text value quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def text_sql(column: str) -> str:
    """`clean` as SQL over a text expression; the edge test spares the slow trim for the cells that need it."""
    edge = f"{column}[1] <= ' ' or {column}[-1] <= ' ' or contains({column}, chr(160))"
    trimmed = f"(case when {edge} then {_trimmed(column)} else {column} end)"
    return f"(case when {trimmed} in ({_words(MISSING)}) then null else {trimmed} end)"


def parsed_sql(column: str) -> str:
    """The engine's own reading of a text as double, for `number_sql`: it passes over the common blanks by itself."""
    return f"try_cast({column} as double)"


def number_sql(column: str, parsed: str) -> str:
    """`number` as SQL over a text expression and its `parsed_sql` (computed once, a layer below): a double or null."""
    again = parsed_sql(_trimmed(column))
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


def _trimmed(column: str) -> str:
    return f"trim({column}, {' || '.join(f'chr({ord(character)})' for character in BLANKS)})"


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(literal(word) for word in words)
