"""Checks requests and answers against botocore's own description of SageMaker.

    model = load_model()
    model.check_request("CreateTrainingJob", {"TrainingJobName": "a b"})   # ValidationException: Value 'a b' at 'trainingJobName' …

Names, patterns, lengths, ranges, enumerations, required and unknown members are checked; the message reads as AWS writes it.
Only the JSON file is read: botocore itself is not imported.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from mlops_core.local.aws.sagemaker.errors import internal, validation

# Java's Unicode classes, as close as the standard library's expressions come.
_CLASSES = {
    "L": r"\w",
    "N": r"\d",
    "Z": r"\s",
    "M": "",
    "S": "$+<=>^`|~",
    "P": "!-/:-@",
    "Alnum": "a-zA-Z0-9",
    "ASCII": "\x00-\x7f",
    "Print": "\x20-\x7e",
}
# Two more spellings that only Java takes: characters beyond the base plane as pairs, and a repeated end of text.
_SPELLINGS = {r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF", "${1,128}": "$", "${1,256}": "$"}
Problem = tuple[str, str]


@lru_cache(maxsize=2048)
def expression(pattern: str) -> re.Pattern[str]:
    """A service model's pattern as a Python expression; it must match the whole value."""
    plain = re.sub(r"\\p\{(\w+)\}", lambda found: _CLASSES[found.group(1).removeprefix("Is")], pattern)
    for java, python in _SPELLINGS.items():
        plain = plain.replace(java, python)
    return re.compile(plain, re.DOTALL if pattern == ".*" else 0)


class Model:
    """One service's operations and shapes."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.operations: Mapping[str, Any] = description["operations"]
        self.shapes: Mapping[str, Any] = description["shapes"]

    def input_shape(self, operation: str) -> str:
        """The name of the request's shape."""
        return str(self.operations[operation]["input"]["shape"])

    def output_shape(self, operation: str) -> str | None:
        """The name of the answer's shape; None when the operation answers nothing."""
        output = self.operations[operation].get("output")
        return str(output["shape"]) if output else None

    def check_request(self, operation: str, request: Mapping[str, Any]) -> None:
        """Raise ValidationException with every problem of the request."""
        problems = list(self._problems(self.input_shape(operation), request, ""))
        if problems:
            plural = "error" if len(problems) == 1 else "errors"
            detail = "; ".join(text for _, text in problems[:20])
            raise validation(f"{len(problems)} validation {plural} detected: {detail}")

    def check_response(self, operation: str, answer: Mapping[str, Any]) -> None:
        """Raise InternalFailure when this platform would answer what AWS cannot."""
        shape = self.output_shape(operation)
        problems = list(self._problems(shape, answer, "")) if shape else [("", "no answer is modelled")] if answer else []
        if problems:
            raise internal(f"the answer of {operation} breaks the service model: " + "; ".join(text for _, text in problems))

    def _problems(self, shape_name: str, value: Any, path: str) -> Iterator[Problem]:
        shape = self.shapes[shape_name]
        kind = shape["type"]
        if not _has_type(kind, value):
            yield path, f"Value at '{path}' has the wrong type: Member must be a {kind}"
        elif kind == "structure":
            yield from self._structure(shape, value, path)
        elif kind == "list":
            yield from _lengths(shape, value, path)
            for index, item in enumerate(value):
                yield from self._problems(shape["member"]["shape"], item, f"{path}.{index + 1}.member")
        elif kind == "map":
            yield from _lengths(shape, value, path)
            for key, item in value.items():
                yield from self._problems(shape["key"]["shape"], key, f"{path}.{key}.key")
                yield from self._problems(shape["value"]["shape"], item, f"{path}.{key}.value")
        else:
            yield from _scalar(shape, value, path)

    def _structure(self, shape: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[Problem]:
        members = shape.get("members", {})
        for name in shape.get("required", ()):
            if value.get(name) is None:
                yield path, f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, item in value.items():
            if name not in members:
                yield path, f"Unknown member '{_join(path, name)}': choose one of {', '.join(sorted(members))}"
            elif item is not None:
                yield from self._problems(members[name]["shape"], item, _join(path, name))
        if shape.get("union") and sum(item is not None for item in value.values()) != 1:
            yield path, f"Value at '{path}' failed to satisfy constraint: exactly one member of {', '.join(sorted(members))} must be set"


def _join(path: str, name: str) -> str:
    word = name[0].lower() + name[1:]
    return f"{path}.{word}" if path else word


def _has_type(kind: str, value: Any) -> bool:
    if kind in ("structure", "map"):
        return isinstance(value, Mapping)
    if kind == "list":
        return isinstance(value, list)
    if kind in ("string", "blob"):
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "long"):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _lengths(shape: Mapping[str, Any], value: Any, path: str, *, shown: str = "") -> Iterator[Problem]:
    least, most = shape.get("min"), shape.get("max")
    if least is not None and len(value) < least:
        yield path, f"Value {shown}at '{path}' failed to satisfy constraint: Member must have length greater than or equal to {least}"
    if most is not None and len(value) > most:
        yield path, f"Value {shown}at '{path}' failed to satisfy constraint: Member must have length less than or equal to {most}"


def _scalar(shape: Mapping[str, Any], value: Any, path: str) -> Iterator[Problem]:
    if shape["type"] == "string":
        yield from _string(shape, value, path)
    elif shape["type"] in ("integer", "long", "float", "double"):
        yield from _number(shape, value, path)


def _string(shape: Mapping[str, Any], value: str, path: str) -> Iterator[Problem]:
    shown = f"'{value[:80]}' "
    yield from _lengths(shape, value, path, shown=shown)
    allowed = shape.get("enum")
    if allowed and value not in allowed:
        yield path, f"Value {shown}at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{', '.join(allowed)}]"
    pattern = shape.get("pattern")
    if pattern and not expression(pattern).fullmatch(value):
        yield path, f"Value {shown}at '{path}' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"


def _number(shape: Mapping[str, Any], value: float, path: str) -> Iterator[Problem]:
    if not math.isfinite(value):
        yield path, f"Value at '{path}' failed to satisfy constraint: Member must be a finite number"
    if shape.get("min") is not None and value < shape["min"]:
        yield (
            path,
            f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have value greater than or equal to {shape['min']}",
        )
    if shape.get("max") is not None and value > shape["max"]:
        yield path, f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have value less than or equal to {shape['max']}"


@lru_cache(maxsize=4)
def load_model(service: str = "sagemaker") -> Model:
    """The newest description of a service that the installed botocore carries."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or spec.origin is None:
        raise internal("botocore is not installed in the environment of the local AWS")
    folder = max((Path(spec.origin).parent / "data" / service).iterdir())
    with gzip.open(folder / "service-2.json.gz", "rt", encoding="utf-8") as stream:
        return Model(json.load(stream))
