"""Bodies become typed rows, or every problem by row and field."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.features.typing import MISSING_INT64
from mlops_core.serving.rows import MOST_COUNTED, MOST_ERRORS, BadRowsError, Row, Schema, _Errors
from tests.unit.serving.bench import COLUMNS, ROW

SCHEMA = Schema(COLUMNS)


def read(content: Any) -> list[Row]:
    return SCHEMA.from_json(content if isinstance(content, bytes) else json.dumps(content).encode())


def errors(content: Any) -> list[dict[str, Any]]:
    with pytest.raises(BadRowsError) as caught:
        read(content)
    return caught.value.errors


@pytest.mark.parametrize(
    "content",
    [{"instances": [ROW]}, ROW, [ROW], {"columns": ["sex", "age", "gain"], "data": [["Male", 39, 2174.0]]}],
)
def test_four_forms_of_json_give_the_same_row(content: Any) -> None:
    assert read(content) == [[39, 2174.0, "Male"]]


def test_csv_has_no_header_and_follows_the_schema() -> None:
    assert SCHEMA.from_csv(b'39,2174, Male \r\n40,"1e2",\n') == [[39, 2174.0, "Male"], [40, 100.0, ""]]


def test_null_and_the_words_for_missing_are_missing_values() -> None:
    for row in read([{"age": None, "gain": None, "sex": None}, {"age": "?", "gain": "NA", "sex": " ? "}, {"age": "unknown", "sex": ""}]):
        assert row[0] == MISSING_INT64
        assert isinstance(row[1], float)
        assert math.isnan(row[1])
        assert row[2] == ""


def test_text_is_typed_by_the_rule_of_the_data_job() -> None:
    assert read({"age": " 39 ", "gain": "1.5e3", "sex": 7}) == [[39, 1500.0, "7"]]
    assert read({"age": "39.0", "gain": 3, "sex": "x"}) == [[39, 3.0, "x"]]


@pytest.mark.parametrize("value", ["1_000", "0x1F", "inf", "1e999", "１２", "abc", True, [1], {"a": 1}])
def test_what_is_no_number_names_row_and_field(value: Any) -> None:
    (error,) = errors([ROW, ROW | {"gain": value}])
    assert (error["row"], error["field"]) == (1, "gain")
    assert "number" in error["problem"]


@pytest.mark.parametrize("value", [39.5, "39.5", 2**64, "9" * 19, 1e30])
def test_a_whole_number_column_refuses_other_numbers(value: Any) -> None:
    (error,) = errors(ROW | {"age": value})
    assert error["field"] == "age"
    assert "whole number" in error["problem"]


def test_unknown_fields_are_refused_by_name_with_the_nearest_one() -> None:
    (error,) = errors(ROW | {"agee": 3})
    assert error["field"] == "agee"
    assert "did you mean 'age'?" in error["problem"]


def test_a_required_field_may_be_null_but_not_absent() -> None:
    (error,) = errors({"age": 39})
    assert error["field"] == "sex"
    assert "required" in error["problem"]


def test_all_problems_of_all_rows_come_at_once_and_are_bounded() -> None:
    assert {(error["row"], error["field"]) for error in errors([{"age": "x", "sex": []}, {"age": 1.5, "sex": "M"}])} == {
        (0, "age"),
        (0, "sex"),
        (1, "age"),
    }
    with pytest.raises(BadRowsError) as caught:
        read([{"age": "x" * 5000, "sex": "M"}] * 500)
    assert (len(caught.value.errors), caught.value.total) == (MOST_ERRORS, 500)
    assert len(caught.value.errors[0]["value"]) == 100


def test_cells_that_were_read_before_are_remembered_but_not_without_end_and_never_when_wrong() -> None:
    schema = Schema(COLUMNS)
    for _ in range(2):
        assert schema.from_csv(b"39,1e2, Male\n39,100,?\n") == [[39, 100.0, "Male"], [39, 100.0, ""]]
        with pytest.raises(BadRowsError, match="whole number"):
            schema.from_csv(b"39.5,1,x\n")
    schema.from_csv(
        "".join(f"{number},{number}.5,{'x' * (number % 90)}\n" for number in range(20_000) if number < 200 or number > 1000).encode()
    )
    assert {len(known) <= 16_384 and max(map(len, known)) <= 64 for known in schema._cells_read} == {True}


@pytest.mark.parametrize(
    "body",
    [b"[" + b",".join([b"{}"] * 200_000) + b"]", json.dumps({f"k{number}": 1 for number in range(50_000)}).encode(), b"x\n" * 300_000],
    ids=["empty rows", "unknown fields", "lines that are no JSON"],
)
def test_a_body_of_nothing_but_problems_is_not_read_to_its_end(body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BadRowsError) as caught:
        (SCHEMA.from_lines if body.startswith(b"x") else SCHEMA.from_json)(body)
    assert (len(caught.value.errors), caught.value.total) == (MOST_ERRORS, MOST_COUNTED)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"gain": NaN}', "NaN"),
        (b'{"gain": -Infinity}', "Infinity"),
        (b'{"gain": ' + b"1" * 5000 + b"}", "no JSON"),
        (b'{"age": 1, "age": 2, "sex": "M"}', "twice"),
        (b'{"instances": [{"age": 1, "sex": "a", "age" : 2}]}', "twice"),
        (b'{"instances": []}', "no rows"),
        (b"[]", "no rows"),
        (b"3", "instances"),
        (b'"text"', "instances"),
        (b'{"columns": ["age", "age"], "data": [[1, 2]]}', "different names"),
        (b'{"columns": ["age", "sex"], "data": [[1]]}', "1 values where 2"),
    ],
)
def test_a_body_that_is_no_rows_says_why(body: bytes, problem: str) -> None:
    assert problem in errors(body)[0]["problem"]


def test_a_colon_in_a_value_is_no_second_key() -> None:
    assert read(b'{"age": 1, "gain": 2.0, "sex": "a:b::c"}') == [[1, 2.0, "a:b::c"]]


@pytest.mark.parametrize("key", [b'"age"', b'"age" ', b'"age"\n\t'])
def test_a_field_twice_is_found_beside_values_with_colons(key: bytes) -> None:
    body = b'{"age": 1, ' + key + b': 2, "sex": "12:30:00"}'
    assert "twice" in errors(body)[0]["problem"]
    assert read(b'{"age" : 1, "gain": 2.5, "sex": "12:30:00"}') == [[1, 2.5, "12:30:00"]]


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    for body in (rb'{"age": 1, "sex": "\ud800"}', rb'{"age": "\udfff", "sex": "M"}', rb'{"\ud83d": 1}'):
        assert "surrogate" in errors(body)[0]["problem"]
    assert read(rb'{"age": 1, "gain": 1.0, "sex": "\ud83d\ude00"}') == [[1, 1.0, "😀"]]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b"\xef\xbb\xbf" + json.dumps(ROW).encode()) == [[39, 2174.0, "Male"]]
    assert SCHEMA.from_csv(b"\xef\xbb\xbf39,2174,Male\n") == [[39, 2174.0, "Male"]]


def test_json_lines_are_one_object_a_line() -> None:
    line = json.dumps(ROW).encode()
    assert SCHEMA.from_lines(line + b"\r\n\n  \n" + line) == [[39, 2174.0, "Male"]] * 2


@pytest.mark.parametrize(
    ("body", "row", "problem"),
    [
        (b'{"age": 1, "sex": "M"}\n{"age": 1,\n', 1, "the line is no JSON"),
        (b'{"age": 1, "sex": "M"}\n[1]\n', 1, "must be an object"),
        (b'{"age": 1, "sex": "M"}\n{"age": "x", "sex": "M"}', 1, "number"),
        (b'{"age": 1, "age": 1, "sex": "M"}', 0, "twice"),
        (b"\n \n", None, "no rows"),
    ],
)
def test_a_line_that_is_no_row_is_named(body: bytes, row: int | None, problem: str) -> None:
    with pytest.raises(BadRowsError) as caught:
        SCHEMA.from_lines(body)
    assert caught.value.errors[0]["row"] == row
    assert problem in caught.value.errors[0]["problem"]


def test_words_that_were_never_seen_are_remembered_but_not_without_end() -> None:
    schema = Schema(COLUMNS)
    for number in range(5000):
        assert schema.from_json(json.dumps(ROW | {"sex": f"word {number}"}).encode()) == [[39, 2174.0, f"word {number}"]]
    assert schema.from_json(json.dumps(ROW | {"sex": "x" * 1000}).encode()) == [[39, 2174.0, "x" * 1000]]
    assert len(schema._words) <= 4096
    assert max(map(len, schema._words)) <= 64


@pytest.mark.parametrize("written", ["1e999", "1" + "0" * 309])
def test_a_number_beyond_float64_is_refused(written: str) -> None:
    assert "finite" in errors(f'{{"age": 1, "gain": {written}, "sex": "M"}}'.encode())[0]["problem"]


def test_whole_numbers_of_any_length_are_numbers_in_json_as_in_csv() -> None:
    digits = "1" + "0" * 30
    assert read(f'{{"age": 1, "gain": {digits}, "sex": "M"}}'.encode()) == SCHEMA.from_csv(f"1,{digits},M\n".encode()) == [[1, 1e30, "M"]]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no rows"),
        (b"age,gain,sex\n39,1,Male\n", "without a header"),
        (b"name,sex,gain,age,income\nAnn,Male,1,39,yes\n", "in the order age, gain, sex"),
        (b"39,1\n", "2 values where 3"),
        (b"\xff,1,2\n", "no UTF-8 CSV"),
        (b'"39,1,Male\n', "no UTF-8 CSV"),
    ],
)
def test_a_csv_that_is_no_rows_says_why(body: bytes, problem: str) -> None:
    with pytest.raises(BadRowsError) as caught:
        SCHEMA.from_csv(body)
    assert problem in caught.value.errors[0]["problem"]


KEYS = st.sampled_from(["age", "gain", "sex", "instances", "columns", "data", "x"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(LEAVES, lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=4), max_leaves=12)


@given(JSON)
def test_any_json_gives_typed_rows_or_named_problems(content: Any) -> None:
    try:
        rows = read(json.dumps(content).encode())
    except BadRowsError as error:
        json.dumps(error.errors, allow_nan=False)
        return
    for row in rows:
        assert [type(value) for value in row] == [int, float, str]


@given(st.binary(max_size=60))
def test_any_bytes_give_rows_or_named_problems(body: bytes) -> None:
    named: list[str] = []
    for reader in (SCHEMA.from_json, SCHEMA.from_csv):
        try:
            reader(body)
        except BadRowsError as error:
            named.append(error.errors[0]["problem"])
    assert all(named)


@given(
    st.integers(-(10**17), 10**17),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["Male", "Female", " Male", "other"]),
)
def test_the_short_path_and_the_long_path_agree(age: int, gain: float, sex: str) -> None:
    row = {"age": age, "gain": gain, "sex": sex}
    short = read(row)
    long = read({"age": str(age), "gain": repr(gain), "sex": sex + " "})
    assert short == long


CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["Male", " Male", "?", "NA", "12", "1e5", "9" * 18, "2024-01-31"])
)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4))
def test_a_row_on_the_short_path_is_the_row_of_the_long_path(rows: list[tuple[Any, Any, Any]]) -> None:
    for cells in rows:
        instance = dict(zip(("age", "gain", "sex"), cells, strict=True))
        short = SCHEMA._plain_row(instance)
        if short is not None:
            errors = _Errors()
            assert [repr(value) for value in short] == [repr(value) for value in SCHEMA._row(instance, 0, errors)]
            errors.raise_if_any()
