"""One reader per kind of field: the text of a section becomes the contract's value, or a `Problem`.

    read(by_name("seed"), "42", bucket="b")        # -> 42
    read(by_name("seed"), "0x2A", bucket="b")      # -> Problem("E-PARSE-013", …)

Nothing is repaired: a value is taken as written or refused.
"""

from __future__ import annotations

import difflib
import math
import re

from mlops_core.contracts.request import Derived
from mlops_core.intake.characters import offence
from mlops_core.intake.form import FormField
from mlops_core.intake.problems import Problem

EMPTY = frozenset({"", "_No response_"})
MAX_VALUE_CHARACTERS = 1100
MAX_COLUMN_CHARACTERS = 256
MAX_COLUMNS = 1000
MAX_NAME_CHARACTERS = 40
MAX_DERIVED = 50
SIGNS = {"/": "ratio", "*": "product", "&": "cross"}
"""How a derived feature is written between its two columns."""

_WHOLE = re.compile(r"(?:0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?(?:e-?[0-9]{1,2})?\Z")
_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*\Z")
_VERSION = re.compile(r"v[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}\Z")
_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([A-Za-z0-9._=+/-]{1,1024})\Z")
_SEGMENT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._=+-]*[A-Za-z0-9_=+-])?\Z")
# A folder of this name cannot be checked out on Windows, and history lives in folders named after models.
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(1, 10))})

Value = object


def read(field: FormField, text: str, *, bucket: str) -> Value | Problem:
    """The value of one non-empty field other than the hyperparameters."""
    if field.kind in {"columns", "derived"}:
        return _columns(field, text) if field.kind == "columns" else _derived(field, text)
    problem = _single_line(field, text)
    if problem is not None:
        return problem
    if field.kind == "choice":
        return _choice(field, text)
    if field.kind == "uri":
        return _uri(field, text, bucket)
    if field.kind == "column":
        return _column(field, text)
    return {"name": _name, "version": _version, "number": _number, "whole": _whole}[field.kind](field, text)


def _single_line(field: FormField, text: str) -> Problem | None:
    if "\n" in text:
        return Problem("E-PARSE-010", field.name, value=text)
    if len(text) > MAX_VALUE_CHARACTERS:
        return Problem("E-PARSE-011", field.name, value=text, allowed=f"≤ {MAX_VALUE_CHARACTERS}")
    bad = offence(text, ascii_only=field.kind != "column")
    return Problem("E-PARSE-008", field.name, value=text, character=bad) if bad else None


def _choice(field: FormField, text: str) -> Value | Problem:
    options = field.options or {}
    if text in options:
        return options[text]
    word = text[:40].lower()
    # An abbreviation (acc) means what begins with it.
    begun = [name for name in options if len(word) > 1 and name.startswith(word)]
    near = begun or difflib.get_close_matches(word, options, n=1, cutoff=0.5)
    code = "E-PARSE-006" if field.name == "algorithm" else "E-PARSE-007"
    return Problem(code, field.name, value=text, allowed=field.allowed, hint="".join(near[:1]))


def _name(field: FormField, text: str) -> Value | Problem:
    if len(text) > MAX_NAME_CHARACTERS or not _NAME.match(text):
        return Problem("E-PARSE-014", field.name, value=text, allowed=f"a-z 0-9 -, 1 – {MAX_NAME_CHARACTERS}")
    if text in _RESERVED:
        return Problem("E-PARSE-015", field.name, value=text)
    return text


def _uri(field: FormField, text: str, bucket: str) -> Value | Problem:
    allowed = f"s3://{bucket}/datasets/…"
    match = _URI.match(text)
    segments = match[2].split("/") if match else []
    if match is None or ".." in text or not all(_SEGMENT.match(segment) for segment in segments):
        return Problem("E-PARSE-016", field.name, value=text, allowed=allowed)
    if match[1] != bucket or segments[0] != "datasets" or len(segments) < 3:
        return Problem("E-PARSE-017", field.name, value=text, allowed=f"s3://{bucket}/datasets/NAME/FILE")
    return text


def _version(field: FormField, text: str) -> Value | Problem:
    return text if _VERSION.match(text) else Problem("E-PARSE-018", field.name, value=text, allowed="vMAJOR.MINOR.PATCH")


def _column(field: FormField, text: str) -> Value | Problem:
    bad = offence(text)
    if bad:
        return Problem("E-PARSE-008", field.name, value=text, character=bad)
    if len(text) > MAX_COLUMN_CHARACTERS:
        return Problem("E-PARSE-011", field.name, value=text, allowed=f"≤ {MAX_COLUMN_CHARACTERS}")
    return text


def _columns(field: FormField, text: str) -> Value | Problem:
    names = [line for line in text.split("\n") if line]
    if len(names) > MAX_COLUMNS:
        return Problem("E-PARSE-024", field.name, value=str(len(names)), allowed=f"≤ {MAX_COLUMNS}")
    seen: set[str] = set()
    for name in names:
        value = _column(field, name)
        if isinstance(value, Problem):
            return value
        if name in seen:
            return Problem("E-PARSE-019", field.name, value=name)
        seen.add(name)
    return tuple(names)


def _derived(field: FormField, text: str) -> Value | Problem:
    """Lines of ``left SIGN right``; a line in which the signs could be read in two ways is refused."""
    lines = [line for line in text.split("\n") if line]
    if len(lines) > MAX_DERIVED:
        return Problem("E-PARSE-024", field.name, value=str(len(lines)), allowed=f"≤ {MAX_DERIVED}")
    found: list[Derived] = []
    for line in lines:
        cuts = [(sign, line.split(f" {sign} ")) for sign in SIGNS if f" {sign} " in line]
        sides = cuts[0][1] if len(cuts) == 1 else []
        names = [_column(field, side) for side in sides if side]
        if len(names) != 2 or len(sides) != 2:
            return Problem("E-PARSE-032", field.name, value=line, allowed="a / b, a * b, a & b")
        wrong = next((name for name in names if isinstance(name, Problem)), None)
        if wrong is not None:
            return wrong
        one = Derived.model_validate({"kind": SIGNS[cuts[0][0]], "left": names[0], "right": names[1]})
        if one in found:
            return Problem("E-PARSE-019", field.name, value=line)
        found.append(one)
    return tuple(found)


def _number(field: FormField, text: str) -> Value | Problem:
    problem = Problem("E-PARSE-013", field.name, value=text, allowed=field.allowed)
    if len(text) > 48 or not _DECIMAL.match(text):
        return problem
    number = float(text)
    vanished = number == 0 and any(digit in "123456789" for digit in text.partition("e")[0])
    if vanished or not math.isfinite(number) or not field.low <= number <= field.high:
        return problem
    return number


def _whole(field: FormField, text: str) -> Value | Problem:
    if not _WHOLE.match(text) or not field.low <= int(text) <= field.high:
        return Problem("E-PARSE-013", field.name, value=text, allowed=field.allowed)
    return int(text)
