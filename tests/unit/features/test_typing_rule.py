"""One typing rule, in Python for serving and in SQL for the data job."""

# ruff: noqa: S608  the queries are the tests' own
from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.features import typing

_ALPHABET = "0123456789+-.eE_xX ,infINFnaNA?/#\t\u00a0٣１"


def _in_sql(expression: str, text: str) -> object:
    row = duckdb.execute(f"select {expression} from (select ? as c)", [text]).fetchone()
    assert row is not None
    return row[0]


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=_ALPHABET, max_size=8))
def test_sql_and_python_read_the_same_number_from_any_text(text: str) -> None:
    cleaned = typing.clean(text)
    expected = None if cleaned is None else typing.number(cleaned)
    assert _in_sql(typing.number_sql("c", typing.parsed_sql("c")), text) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=_ALPHABET + "µé本 \r\n", max_size=6))
def test_sql_and_python_trim_and_recognise_missing_alike(text: str) -> None:
    assert _in_sql(typing.text_sql("c"), text) == typing.clean(text)


@pytest.mark.parametrize("text", ["", " ", "?", " NA ", "N/A", "null", "NaN", "-", "\t.\u00a0"])
def test_words_for_missing_are_missing(text: str) -> None:
    assert typing.clean(text) is None


@pytest.mark.parametrize("text", ["1_000", "0x1F", "inf", "-Infinity", "1e999", "1,5", "٣", "１２", "", "1 2"])
def test_only_finite_ascii_decimals_are_numbers(text: str) -> None:
    assert typing.number(text) is None


def test_a_column_named_like_an_output_gets_another_input_name() -> None:
    assert typing.input_name("score") == "mlops/in/score"
    assert typing.input_name("age") == "age"
    assert len({typing.input_name(name) for name in ("score", "mlops/in/score", "label", "mlops/t0")}) == 4


def test_names_and_texts_are_quoted_for_sql() -> None:
    text, name = typing.literal("o'x; drop"), typing.identifier('a"b')
    found = duckdb.execute(f"select {text} as {name}")
    assert found.description[0][0] == 'a"b'
    assert found.fetchone() == ("o'x; drop",)
