"""The same FeatureSpec gives the same float32 vector in SQL and in ONNX."""

# ruff: noqa: S608  the queries are the tests' own
from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.contracts.dataset import CategoricalColumn, CrossedColumn, DerivedColumn, FeatureSpec, NumericColumn
from mlops_core.features import calendar
from mlops_core.features.feeds import feeds_of, feeds_of_rows, session
from mlops_core.features.graph import feature_model
from mlops_core.features.sql import PAIR, feature_columns, feature_names, places

_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_FENCE = st.none() | st.sampled_from([-1e5, -2.0, 0.0, 3.5, 1e9])
_WORD = st.text(alphabet="abcé本' \"\\,", min_size=1, max_size=4)
_ENCODING = st.sampled_from(["one_hot", "label", "target"])
_NUMBERS = [0.0, -0.0, 1.0, -2.0, 3.5, 0.1, 3.4028234663852886e38, -1e300, 1e300, 1e-320]
_MOMENTS = [0.0, -1.0, 951_782_399.0, 951_782_400.5, calendar.FIRST, calendar.FIRST - 1, calendar.LAST, calendar.LAST + 1]


def _treated(draw: st.DrawFn) -> dict[str, Any]:
    low, high = draw(_FENCE), draw(_FENCE)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return {
        "fill": draw(st.none() | st.floats(-1e9, 1e9)), "mean": draw(st.sampled_from([0.0, 0.1, -1e5])),
        "scale": draw(st.just(1.0) | st.floats(min_value=1e-6, max_value=1e6)), "low": low, "high": high,
    }  # fmt: skip


def _text(draw: st.DrawFn, words: st.SearchStrategy[str], width: int) -> dict[str, Any]:
    categories = tuple(draw(st.lists(words, min_size=1, max_size=7, unique=True)))
    encoding, rare = draw(_ENCODING), draw(st.booleans())
    numbers = st.tuples(*[st.floats(-1e6, 1e6)] * width)
    rows = len(categories) + rare
    values = {"values": tuple(draw(st.lists(numbers, min_size=rows, max_size=rows))), "prior": draw(numbers)}
    found = {"fill": draw(st.sampled_from(categories) | words), "categories": categories, "encoding": encoding, "rare": rare}
    return found | (values if encoding == "target" else {})


def _derived(draw: st.DrawFn, names: list[str]) -> DerivedColumn:
    name, kind = st.sampled_from(names), draw(st.sampled_from(["ratio", "product", *calendar.PARTS]))
    right = draw(name) if kind in {"ratio", "product"} else ""
    return DerivedColumn(kind=kind, left=draw(name), right=right, **_treated(draw))


@st.composite
def specs(draw: st.DrawFn) -> FeatureSpec:
    numeric = tuple(
        NumericColumn(name=f"n{index}", type=draw(st.sampled_from(["float64", "int64"])), **_treated(draw))
        for index in range(draw(st.integers(0, 4)))
    )
    names = [column.name for column in numeric]
    derived = tuple(_derived(draw, names) for _ in range(draw(st.integers(0, 3)))) if names else ()
    width, count = draw(st.integers(1, 3)), draw(st.integers(0 if numeric else 1, 3))
    texts = [CategoricalColumn(name=f"score {index}" if index else "score", **_text(draw, _WORD, width)) for index in range(count)]
    crossed = []
    for index in range(draw(st.integers(0, 2)) if texts else 0):
        left, right = draw(st.sampled_from(texts)), draw(st.sampled_from(texts))
        pairs = st.builds(lambda *pair: PAIR.join(pair), st.sampled_from(left.categories), st.sampled_from(right.categories) | _WORD)
        crossed.append(CrossedColumn(name=f"x{index}", left=left.name, right=right.name, **_text(draw, pairs, width)))
    spec = FeatureSpec(
        version=2, task="regression" if width == 1 else "multiclass", labels=tuple("abc"[:width]) if width > 1 else (),
        target="y", missing_values="median", scaling="none",
        numeric=numeric, categorical=tuple(texts), derived=derived, crossed=tuple(crossed),
    )  # fmt: skip
    kept = draw(st.lists(st.sampled_from(places(spec)), unique=True))
    return spec.model_copy(update={"selected": tuple(sorted(kept))})


def _table(data: st.DataObject, spec: FeatureSpec, rows: int) -> pa.Table:
    columns: dict[str, Any] = {"number": pa.array(range(rows))}
    for number in spec.numeric:
        if number.type == "int64":
            wholes = st.none() | st.integers(-(2**62), 2**62) | st.integers(-5, 5) | st.integers(-(10**9), 10**10)
            columns[number.name] = pa.array(data.draw(st.lists(wholes, min_size=rows, max_size=rows)), pa.int64())
        else:
            near = [number.mean, number.fill or 0.0, number.low or 0.0, number.high or 0.0, *_NUMBERS, *_MOMENTS]
            values = st.none() | _FINITE | st.sampled_from(near)
            columns[number.name] = pa.array(data.draw(st.lists(values, min_size=rows, max_size=rows)), pa.float64())
    for text in spec.categorical:
        words = st.none() | _WORD | st.sampled_from(text.categories)
        columns[text.name] = pa.array(data.draw(st.lists(words, min_size=rows, max_size=rows)), pa.string())
    return pa.table(columns)


def _by_sql(table: pa.Table, spec: FeatureSpec) -> np.ndarray[Any, Any]:
    connection = duckdb.connect()
    connection.register("rows", table)
    listed = ", ".join(f"{expression} as {name}" for expression, name in feature_columns(spec))
    found = connection.sql(f"select {listed} from rows order by number").to_arrow_table()
    return np.column_stack([column.to_numpy() for column in found.columns]).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.data(), specs(), st.sampled_from([1, 7]))
def test_sql_and_onnx_give_the_same_bits_for_any_specification(data: st.DataObject, spec: FeatureSpec, rows: int) -> None:
    table = _table(data, spec, rows)
    (found,) = session(feature_model(spec)).run(["features"], feeds_of(table, spec))
    assert found.dtype == np.float32
    assert found.shape == (rows, len(feature_names(spec)))
    expected = _by_sql(table, spec)
    np.testing.assert_array_equal(found, expected)
    places_of_rows = np.arange(1_000) % rows
    (many,) = session(feature_model(spec)).run(["features"], feeds_of(table.take(places_of_rows), spec))
    np.testing.assert_array_equal(many, expected[places_of_rows])


@pytest.mark.parametrize("rows", [1, 1000])
def test_batches_of_one_and_of_a_thousand_agree_with_sql(rows: int) -> None:
    spec = FeatureSpec(
        task="binary", target="y", missing_values="median", scaling="standard", labels=("no", "yes"),
        numeric=(NumericColumn(name="a", type="float64", fill=2.5, mean=1.0, scale=3.0), NumericColumn(name="b", type="int64", fill=7.0)),
        categorical=(CategoricalColumn(name="c", fill="x", categories=("x", "y", "z")),),
    )  # fmt: skip
    source = np.random.default_rng(rows)
    table = pa.table({
        "number": pa.array(range(rows)),
        "a": pa.array([None if value < -1 else float(value) for value in source.normal(size=rows)], pa.float64()),
        "b": pa.array([None if value == 3 else int(value) for value in source.integers(0, 9, rows)], pa.int64()),
        "c": pa.array([[None, "x", "y", "z", "unseen"][value] for value in source.integers(0, 5, rows)], pa.string()),
    })  # fmt: skip
    (found,) = session(feature_model(spec)).run(["features"], feeds_of(table, spec))
    np.testing.assert_array_equal(found, _by_sql(table, spec))


def _spec_of_three() -> FeatureSpec:
    return FeatureSpec(
        task="binary", target="y", missing_values="median", scaling="none", labels=("no", "yes"),
        numeric=(NumericColumn(name="a", type="float64", fill=2.5), NumericColumn(name="b", type="int64", fill=7.0)),
        categorical=(CategoricalColumn(name="c", fill="x", categories=("x", "y")),),
    )  # fmt: skip


def test_missing_is_filled_and_unseen_text_gives_zeros() -> None:
    spec = _spec_of_three()
    rows: list[dict[str, float | int | str | None]] = [{}, {"a": math.nan, "b": None, "c": "unseen"}, {"a": 1, "b": 2, "c": "y"}]
    (found,) = session(feature_model(spec)).run(["features"], feeds_of_rows(rows, spec))
    assert found.tolist() == [[2.5, 7.0, 1.0, 0.0], [2.5, 7.0, 0.0, 0.0], [1.0, 2.0, 0.0, 1.0]]


def test_a_column_order_that_mixes_kinds_is_kept_in_the_vector() -> None:
    spec = _spec_of_three()
    mixed = spec.model_copy(update={"numeric": (spec.numeric[0], spec.numeric[1], NumericColumn(name="d", type="float64", fill=0.0))})
    (found,) = session(feature_model(mixed)).run(["features"], feeds_of_rows([{"a": 1.0, "b": 2, "c": "x", "d": 3.0}], mixed))
    assert found.tolist() == [[1.0, 2.0, 3.0, 1.0, 0.0]]


def test_many_wide_text_columns_agree_too() -> None:
    texts = tuple(
        CategoricalColumn(name=f"t{index}", fill="w0", categories=tuple(f"w{code}" for code in range(200))) for index in range(80)
    )
    spec = FeatureSpec(task="regression", target="y", numeric=(), categorical=texts, missing_values="median", scaling="none")
    cells = {column.name: pa.array([f"w{index}", None, "unseen", f"w{199 - index}"]) for index, column in enumerate(texts)}
    table = pa.table({"number": pa.array(range(4)), **cells})
    (found,) = session(feature_model(spec)).run(["features"], feeds_of(table, spec))
    assert found.shape == (4, 16_000)
    assert found.sum(axis=1).tolist() == [80, 80, 0, 80]
    assert all(found[0, 200 * index + index] == 1 and found[3, 200 * index + 199 - index] == 1 for index in range(80))
