"""Just enough of GraphQL's grammar to read a query's selections.

    operation = parse("query($n: Int!) { repository(owner: \\"a\\", name: \\"b\\") { issue(number: $n) { body } } }", {"n": 1})
    operation.fields[0].arguments == {"owner": "a", "name": "b"}

Source: the GraphQL specification of October 2021, section 2.  Directives, fragments with names and several operations are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'\s+|,|#[^\n]*|(?P<t>\.\.\.|[!$&()\[\]{}:=@|]|[_A-Za-z]\w*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|"(?:[^"\\\n]|\\.)*")')
_DEEPEST = 20


class BadQueryError(Exception):
    """The text is no query this parser knows; ``str(error)`` says where."""


@dataclass(frozen=True)
class Field:
    """One selected field; ``fields`` already holds the selections of inline fragments."""

    name: str
    alias: str
    arguments: Mapping[str, Any]
    fields: list[Field] = field(default_factory=list)


@dataclass(frozen=True)
class Operation:
    """``query`` or ``mutation`` with its top fields."""

    kind: str
    fields: list[Field]


def parse(text: str, variables: Mapping[str, Any]) -> Operation:
    """One operation with its variables filled in; raises `BadQueryError`."""
    return _Parser(_tokens(text), variables).operation()


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadQueryError(f"unexpected character {text[position]!r} at {position}")
        if match["t"]:
            found.append(match["t"])
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str], variables: Mapping[str, Any]) -> None:
        self._tokens = tokens
        self._variables = variables
        self._position = 0

    def _peek(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise BadQueryError(f"expected {wanted or 'more'}, found {token or 'the end'}")
        self._position += 1
        return token

    def operation(self) -> Operation:
        kind = "query"
        if self._peek() != "{":
            kind = self._take()
            if kind not in {"query", "mutation"}:
                raise BadQueryError(f"operation {kind!r} is not offered")
            if self._peek() not in {"(", "{"}:
                self._take()
            if self._peek() == "(":
                self._skip_definitions()
        fields = self._selections(0)
        if self._peek():
            raise BadQueryError("one operation a request, without named fragments")
        return Operation(kind, fields)

    def _skip_definitions(self) -> None:
        self._take("(")
        while self._peek() != ")":
            self._take()
        self._take(")")

    def _selections(self, depth: int) -> list[Field]:
        if depth > _DEEPEST:
            raise BadQueryError(f"selections are nested deeper than {_DEEPEST}")
        self._take("{")
        found: list[Field] = []
        while self._peek() != "}":
            if self._peek() == "...":
                self._take()
                self._take("on")
                self._take()
                found += self._selections(depth + 1)
            else:
                found.append(self._field(depth))
        self._take("}")
        return found

    def _field(self, depth: int) -> Field:
        alias = name = self._take()
        if self._peek() == ":":
            self._take()
            name = self._take()
        arguments = {}
        if self._peek() == "(":
            self._take()
            while self._peek() != ")":
                key = self._take()
                self._take(":")
                arguments[key] = self._value(depth)
            self._take()
        return Field(name, alias, arguments, self._selections(depth + 1) if self._peek() == "{" else [])

    def _value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise BadQueryError(f"values are nested deeper than {_DEEPEST}")
        word = self._take()
        if word == "$":
            return self._variables.get(self._take())
        if word == "[":
            return self._many("]", depth)
        if word == "{":
            return dict(self._many("}", depth))
        if word[0] == '"' or word in {"true", "false", "null"} or word[0] in "-0123456789":
            return json.loads(word)
        return word

    def _many(self, end: str, depth: int) -> list[Any]:
        found: list[Any] = []
        while self._peek() != end:
            if end == "}":
                key = self._take()
                self._take(":")
                found.append((key, self._value(depth + 1)))
            else:
                found.append(self._value(depth + 1))
        self._take()
        return found
