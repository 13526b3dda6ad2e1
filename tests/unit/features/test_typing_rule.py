"""One typing rule, in Python for serving and in SQL for the data job."""

# ruff: noqa: S608  the queries are the tests' own
from __future__ import annotations

from datetime import datetime

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


@settings(max_examples=150, deadline=None)
@given(
    st.datetimes(), st.sampled_from(["-", "/"]), st.sampled_from(["", "date", "minutes", "seconds"]),
    st.sampled_from(["", "Z", "+02:00", "-0330", "+14", " ", "+2"]), st.integers(0, 31),
)  # fmt: skip
def test_sql_and_python_read_the_same_moment(when: datetime, mark: str, kind: str, zone: str, day: int) -> None:
    forms = {"": "%H:%M:%S.%f", "date": "", "minutes": "%H:%M", "seconds": "%H:%M:%S"}
    clock = when.strftime(forms[kind])
    text = f"{when.year:04}{mark}{when.month:02}{mark}{day:02}" + (f"T{clock}{zone}" if clock else "")
    assert _in_sql(typing.moment_sql("c"), text) == typing.moment(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", 0.0), (" 1970-01-02 ", 86_400.0), ("1970-01-01T00:00:01.5Z", 1.5), ("1970-01-01 01:00:00+01:00", 0.0),
        ("1969/12/31 19:00-05", 0.0), ("1900-02-29", None), ("2024-13-01", None), ("31.01.2024", None), ("2024-01-31 24:00", None),
        ("2024-01/31", None), ("0000-01-01", None), ("2024-01-31+02:00", None),
    ],
)  # fmt: skip
def test_a_moment_is_an_iso_date(text: str, seconds: float | None) -> None:
    """abuse row 82: dates like 1900-02-29."""
    assert typing.moment(text) == seconds
    assert _in_sql(typing.moment_sql("c"), text) == seconds


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
