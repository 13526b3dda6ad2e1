"""From a request body to typed rows, by the typing rule of the data job, with every problem named by row and field.

    schema = Schema(model.columns)
    schema.from_json(b'{"instances": [{"age": 39, "sex": "Male"}]}')     # [[39, 'Male']]
    schema.from_lines(b'{"age": 39, "sex": "Male"}\\n')                   # JSON lines: one object a line
    schema.from_csv(b'39,Male\\n')                                        # CSV has no header and follows the schema's order

Accepted JSON: ``{"instances": [{…}]}``, ``{"columns": […], "data": [[…]]}``, one object, or a list of objects.  ``null``, an empty CSV
cell and the words for missing are missing values.  Anything else raises `BadRowsError`, and no row of the request is scored.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from pydantic_core import from_json

from mlops_core.contracts.model import ColumnSchema
from mlops_core.features.typing import BLANKS, MISSING_NUMBERS, clean, moment, number
from mlops_core.serving.model import Value, missing

Row = list[Value]
MOST_ERRORS, MOST_COUNTED = 50, 1000
_ABSENT = object()
_LOWEST, _HIGHEST = -(2**63) + 1, 2**63 - 1
_WHOLE_DIGITS = 10**18
_LOOSE_KEY = re.compile(rb'"[ \t\r\n]+:')
_MOST_WORDS, _LONGEST_WORD, _MOST_SHAPES, _MOST_CELLS = 4096, 64, 256, 16_384


class BadRowsError(ValueError):
    """A body that cannot be scored; ``errors`` holds at most 50 entries, ``total`` counts them up to 1,000, where reading stops."""

    def __init__(self, errors: list[dict[str, Any]], total: int | None = None) -> None:
        super().__init__(errors[0]["problem"])
        self.errors = errors
        self.total = len(errors) if total is None else total


def body_problem(problem: str) -> BadRowsError:
    """A problem of the body as a whole."""
    return BadRowsError([{"row": None, "field": None, "value": None, "problem": problem}])


class MismatchError(ValueError):
    """A value that its column cannot hold; the text says what the column takes."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise body_problem(f"the field {next(name for name in names if names.count(name) > 1)!r} is there twice in one object.")
    return found


def _no_constant(word: str) -> Any:
    raise body_problem(f"{word} is no JSON number; write null for a missing value.")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_no_constant)


def _strictly_decoded(body: bytes) -> Any:
    try:
        content = _DECODER.decode(body.decode("utf-8-sig"))
        if b"\\u" in body:
            # Half of a surrogate pair is JSON and no text: nothing could encode it, not even the answer that names it.
            json.dumps(content, ensure_ascii=False).encode()
    except BadRowsError:
        raise
    except UnicodeEncodeError as error:
        raise body_problem("a text holds half of a surrogate pair; write the whole character.") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:160]
        raise body_problem(f"the body is no JSON: {reason}.") from error
    return content


def _keys(content: Any) -> int:
    """How many keys the objects hold that a request may have; what is no row is refused later, whatever is counted for it."""
    try:
        if type(content) is dict:
            return len(content) + (sum(map(len, content["instances"])) if type(content.get("instances")) is list else 0)
        return sum(map(len, content))
    except TypeError:
        return -1


def _decoded(body: bytes) -> Any:
    """The fast decoder keeps the last of two equal keys; then the body has more keys than the objects, and the strict one has the word."""
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError:
        return _strictly_decoded(body)
    keys = _keys(content)
    if body.count(b":") == keys or (body.count(b'":') == keys and not _LOOSE_KEY.search(body)):
        return content
    return _strictly_decoded(body)


def _float(value: Any) -> Value:
    kind = type(value)
    if kind in {float, int}:
        if abs(value) <= sys.float_info.max:
            return float(value)
        raise MismatchError("must be a finite number")
    if value is None:
        return missing("float64")
    if kind is str:
        return _float_text(value)
    raise MismatchError("must be a number or null")


def _float_text(value: str) -> Value:
    cleaned = clean(value)
    if cleaned is None or cleaned in MISSING_NUMBERS:
        return missing("float64")
    found = number(cleaned)
    if found is None:
        raise MismatchError("must be a decimal number such as 12.5, or empty")
    return found


def _whole(value: Any) -> Value:
    kind = type(value)
    if kind is int:
        if _LOWEST <= value <= _HIGHEST:
            return int(value)
        raise MismatchError("must be a whole number of at most 18 digits")
    if value is None:
        return missing("int64")
    if kind is str:
        found = _float_text(value)
        if isinstance(found, float) and math.isnan(found):
            return missing("int64")
        digits = value.strip(BLANKS).lstrip("+-")
        if not digits.isdigit():
            return _whole(found)
        if len(digits) > 18:
            raise MismatchError("must be a whole number of at most 18 digits")
        return int(value.strip(BLANKS))
    if kind is float and value.is_integer() and abs(value) < _WHOLE_DIGITS:
        return int(value)
    raise MismatchError("must be a whole number or null")


def _text(value: Any) -> Value:
    kind = type(value)
    if kind is str:
        return clean(value) or ""
    if value is None:
        return ""
    if kind is int:
        return str(value)
    raise MismatchError("must be text or null")


def _moment(value: Any) -> Value:
    """A date as people write it, or seconds since 1970 as a number."""
    if type(value) is not str:
        return _float(value)
    cleaned = clean(value)
    if cleaned is None or cleaned in MISSING_NUMBERS:
        return missing("datetime")
    found = moment(cleaned)
    if found is None:
        raise MismatchError("must be a date such as 2024-01-31 or 2024-01-31T10:00:00Z, or empty")
    return found


_READERS: dict[str, Callable[[Any], Value]] = {"float64": _float, "int64": _whole, "string": _text, "datetime": _moment}


_KINDS: dict[str, Any] = {"float64": float, "int64": int, "string": str, "datetime": float}


def _picker(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Values of some keys or places as a tuple, also of one and of none."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda source: tuple(source[key] for key in keys)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Rows whose values have the same types: the numbers to bound, the texts to know, and what a reader must look at."""

    numbers: Callable[[Any], tuple[Any, ...]]
    texts: Callable[[Any], tuple[Any, ...]]
    readers: tuple[tuple[int, Callable[[Any], Value]], ...]


class Schema:
    """The columns of a model as a reader of rows."""

    def __init__(self, columns: Sequence[ColumnSchema]) -> None:
        self.columns = tuple(columns)
        self.names = tuple(column.name for column in columns)
        self._pick = _picker(self.names)
        self._kinds = tuple(_KINDS[column.type] for column in columns)
        self._shapes: dict[tuple[type, ...], _Shape] = {}
        self._words = {word for column in columns for word in column.categories if clean(word) == word}
        # One memory of cells for each type: tables repeat themselves, and looking a cell up is faster than reading it again.
        memories: dict[str, dict[str, Value]] = {column.type: {} for column in columns}
        self._cells_read = tuple(memories[column.type] for column in columns)
        self._readers = tuple((column.name, _READERS[column.type], column.required, missing(column.type)) for column in columns)

    def from_json(self, body: bytes) -> list[Row]:
        """Typed rows of a JSON body."""
        content = _decoded(body)
        if type(content) is dict:
            if len(content) == 1 and type(content.get("instances")) is list:
                return self._objects(content["instances"])
            if content.keys() == {"columns", "data"} and type(content["columns"]) is list and type(content["data"]) is list:
                return self._table(content["columns"], content["data"])
            return self._objects([content])
        if type(content) is list:
            return self._objects(content)
        raise body_problem('send {"instances": [{…}]}, one object or a list of objects.')

    def _objects(self, instances: list[Any]) -> list[Row]:
        if not instances:
            raise body_problem("there are no rows; send at least one.")
        rows: list[Row] = []
        errors = _Errors()
        for place, instance in enumerate(instances):
            if type(instance) is not dict:
                errors.add(place, None, instance, "a row must be an object with the schema's fields")
                continue
            rows.append(self._plain_row(instance) or self._row(instance, place, errors))
        errors.raise_if_any()
        return rows

    def _plain_row(self, instance: dict[str, Any]) -> Row | None:
        """The row when every field is there in a form that needs no second look, which is nearly always; None leaves it to `_row`."""
        if len(instance) != len(self.names):
            return None
        try:
            values = self._pick(instance)
        except KeyError:
            return None
        kinds = tuple(map(type, values))
        shape = self._shapes.get(kinds) or self._shape(kinds)
        numbers = shape.numbers(values)
        if numbers and not (min(numbers) > -_WHOLE_DIGITS and max(numbers) < _WHOLE_DIGITS):
            return None
        texts = shape.texts(values)
        if not self._words.issuperset(texts) and not self._learnt(texts):
            return None
        row = list(values)
        try:
            for place, reader in shape.readers:
                row[place] = reader(values[place])
        except MismatchError:
            return None
        return row

    def _shape(self, kinds: tuple[type, ...]) -> _Shape:
        """What is left to do with values of these types; remembered, because rows of one client look alike."""
        same = [kind is wanted for kind, wanted in zip(kinds, self._kinds, strict=True)]
        shape = _Shape(
            numbers=_picker([place for place, kind in enumerate(kinds) if same[place] and kind is not str]),
            texts=_picker([place for place, kind in enumerate(kinds) if same[place] and kind is str]),
            readers=tuple((place, self._readers[place][1]) for place, fits in enumerate(same) if not fits),
        )
        if len(self._shapes) < _MOST_SHAPES:
            self._shapes[kinds] = shape
        return shape

    def _learnt(self, texts: tuple[str, ...]) -> bool:
        """Whether every text is in its clean form already; short ones are remembered, a bounded number of them."""
        if not all(len(text) <= _LONGEST_WORD and clean(text) == text for text in texts):
            return False
        if len(self._words) < _MOST_WORDS:
            self._words.update(texts)
        return True

    def _row(self, instance: dict[str, Any], place: int, errors: _Errors) -> Row:
        row: Row = []
        found = 0
        for name, reader, required, absent in self._readers:
            value = instance.get(name, _ABSENT)
            if value is _ABSENT:
                row.append(absent)
                if required:
                    errors.add(place, name, None, "is required; send null when the value is missing")
                continue
            found += 1
            try:
                row.append(reader(value))
            except MismatchError as error:
                errors.add(place, name, value, str(error))
        if found != len(instance):
            for name in instance.keys() - set(self.names):
                errors.add(place, name, None, f"is not in the schema{_nearest(name, self.names) if errors.kept else ''}")
        return row

    def _table(self, columns: list[Any], data: list[Any]) -> list[Row]:
        names = [name for name in columns if isinstance(name, str)]
        if len(set(names)) != len(columns):
            raise body_problem('"columns" must be a list of different names.')
        rows = [dict(zip(names, cells, strict=True)) if type(cells) is list and len(cells) == len(names) else cells for cells in data]
        for place, cells in enumerate(rows):
            if type(cells) is list:
                problem = f"has {len(cells)} values where {len(names)} are expected"
                raise BadRowsError([{"row": place, "field": None, "value": None, "problem": problem}])
        return self._objects(rows)

    def from_lines(self, body: bytes) -> list[Row]:
        """Typed rows of a JSON lines body: one object a line, empty lines between them are passed over and not counted."""
        errors = _Errors()
        instances: list[Any] = []
        for line in body.split(b"\n"):
            if not line.isspace() and line:
                try:
                    instances.append(_decoded(line))
                except BadRowsError as error:
                    errors.add(len(instances), None, None, str(error).replace("the body", "the line", 1))
                    instances.append(None)
        errors.raise_if_any()
        return self._objects(instances)

    def from_csv(self, body: bytes) -> list[Row]:
        """Typed rows of a CSV body: UTF-8, no header, the schema's order."""
        errors = _Errors()
        rows: list[Row] = []
        try:
            lines = [cells for cells in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True) if cells]
        except (UnicodeDecodeError, csv.Error) as error:
            raise body_problem(f"the body is no UTF-8 CSV: {str(error)[:160]}.") from error
        if not lines:
            raise body_problem("there are no rows; send at least one.")
        if 2 * len({cell.strip() for cell in lines[0]}.intersection(self.names)) > len(self.names):
            order = ", ".join(self.names)[:1000]
            raise body_problem(f"the first line holds column names; send rows without a header, in the order {order}.")
        for place, cells in enumerate(lines):
            if len(cells) != len(self._readers):
                errors.add(place, None, None, f"has {len(cells)} values where {len(self._readers)} are expected")
                continue
            rows.append(self._cells(cells, place, errors))
        errors.raise_if_any()
        return rows

    def _cells(self, cells: list[str], place: int, errors: _Errors) -> Row:
        row: Row = []
        for (name, reader, _, _), known, cell in zip(self._readers, self._cells_read, cells, strict=True):
            value = known.get(cell)
            if value is None:
                try:
                    value = reader(cell)
                except MismatchError as error:
                    errors.add(place, name, cell, str(error))
                    continue
                if len(known) < _MOST_CELLS and len(cell) <= _LONGEST_WORD:
                    known[cell] = value
            row.append(value)
        return row


def _nearest(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name[:100], names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


class _Errors:
    def __init__(self) -> None:
        self._kept: list[dict[str, Any]] = []
        self._total = 0

    @property
    def kept(self) -> bool:
        """Whether the next problem will be shown."""
        return len(self._kept) < MOST_ERRORS

    def add(self, row: int, field: str | None, value: Any, problem: str) -> None:
        self._total += 1
        if self.kept:
            shown = value if value is None or (isinstance(value, bool | int | float) and abs(value) < _WHOLE_DIGITS) else str(value)[:100]
            name = field if field is None else field[:100]
            self._kept.append({"row": row, "field": name, "value": shown, "problem": problem})
        if self._total == MOST_COUNTED:
            # A body of millions of wrong rows must not keep the others waiting while each is told off.
            self.raise_if_any()

    def raise_if_any(self) -> None:
        if self._kept:
            raise BadRowsError(self._kept, self._total)
