"""The small GraphQL grammar reads what clients send and refuses the rest."""

from __future__ import annotations

import pytest

from mlops_core.local.github.graphql_parser import BadQueryError, parse


def test_variables_aliases_and_inline_fragments_are_read() -> None:
    found = parse('query Q($n: Int!) { r: repository(owner: "a\\n", n: $n) { issue(number: 3) { ... on Issue { body } } } }', {"n": 7})
    top = found.fields[0]
    assert (found.kind, top.name, top.alias, top.arguments) == ("query", "repository", "r", {"owner": "a\n", "n": 7})
    assert top.fields[0].arguments == {"number": 3}
    assert [item.name for item in top.fields[0].fields] == ["body"]


def test_objects_and_lists_are_values() -> None:
    found = parse("mutation { m(input: {a: [1, 2.5, true, null], b: {c: ENUM}}) { ok } }", {})
    assert found.fields[0].arguments["input"] == {"a": [1, 2.5, True, None], "b": {"c": "ENUM"}}


@pytest.mark.parametrize(
    "text", ["", "{", "subscription { a }", "{ a } { b }", "{ a(b: ) }", "{ a ~ }", "query { ...Named }", "{ a " * 30, "{a(b:" + "[" * 50]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadQueryError):
        parse(text, {})
