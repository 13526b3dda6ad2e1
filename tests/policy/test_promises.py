"""Every promise about bad input names the tests that keep it, and every numbered test belongs to a promise."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promises import LATER, PROMISED, PROMISES

TESTS = Path(__file__).resolve().parents[1]
NUMBERS = re.compile(r"abuse[ _]rows?[ _]((?:\d+(?:,? and |, |_and_|[ _])?)+)", re.IGNORECASE)


@functools.cache
def functions_of(path: Path) -> dict[str, str]:
    """Test functions of a file with what they say of themselves: name and docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name: f"{node.name} {ast.get_docstring(node) or ''}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def numbered() -> Iterator[tuple[str, int]]:
    """Every test that carries a number, with the number."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, said in functions_of(path).items():
            for match in NUMBERS.finditer(said):
                yield from ((f"{path.relative_to(TESTS).as_posix()}::{name}", int(number)) for number in re.findall(r"\d+", match[1]))


def test_every_row_that_is_due_is_promised_once() -> None:
    assert set(PROMISES) == PROMISED
    assert not PROMISED & LATER
    assert {1, 102} <= PROMISED | LATER == set(range(1, 103))


@pytest.mark.parametrize("number", sorted(PROMISED))
def test_a_promise_names_tests_that_exist(number: int) -> None:
    promise = PROMISES[number]
    assert promise.tests, f"row {number} has no test"
    assert len(set(promise.tests)) == len(promise.tests)
    for name in promise.tests:
        path, _, test = name.partition("::")
        assert (TESTS / path).is_file(), f"row {number}: there is no tests/{path}"
        assert test in functions_of(TESTS / path), f"row {number}: tests/{path} has no {test}"


@pytest.mark.parametrize("number", sorted(PROMISED))
def test_one_test_of_a_promise_carries_its_number(number: int) -> None:
    carrying = {name for name, row in numbered() if row == number}
    assert carrying & set(PROMISES[number].tests), f"no named test says 'abuse row {number}'"


def test_every_number_that_a_test_carries_is_known() -> None:
    unknown = {name: row for name, row in numbered() if row not in PROMISED | LATER}
    assert not unknown


def test_a_promise_is_one_short_sentence() -> None:
    assert [row for row, promise in PROMISES.items() if not promise.sentence.endswith(".") or len(promise.sentence) > 120] == []
