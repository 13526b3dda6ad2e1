"""What the columns of a table hold."""

# ruff: noqa: S608  the queries are the tests' own
from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.contracts.dataset import ColumnProfile, ColumnQuality
from mlops_core.features import ordered
from mlops_core.features.load import Column
from mlops_core.features.profile import DECILES, QUANTILES, listed_sql, profiles, quality


def _column(name: str, kind: Any, rows: int) -> Column:
    return Column(name, kind, rows, 0, 0)


def _both(values: list[float | None], kind: str = "DOUBLE") -> tuple[ColumnProfile, ColumnQuality, Any]:
    with duckdb.connect() as connection:
        connection.register("listed", pa.table({"x": pa.array(values, pa.float64())}))
        connection.execute(f"create table t as select cast(x as {kind}) as x from listed")
        column = _column("x", "float64" if kind == "DOUBLE" else "int64", len(values))
        shares = ", ".join(map(repr, (*QUANTILES, *DECILES)))
        asked = f"select count(distinct x), min(x), max(x), count(x), quantile_cont(x, [{shares}]) from t"
        peer = connection.execute(asked).fetchone()
        return profiles(connection, "t", [column], limit=10)[0], quality(connection, "t", [column])[0], peer


@settings(max_examples=20, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-50, 50).map(float), st.floats(-1e6, 1e6)), min_size=1, max_size=120))
def test_a_profile_is_what_the_engine_would_count(values: list[float | None]) -> None:
    found, everything, (distinct, low, high, filled, quantiles) = _both(values)
    assert (found.distinct, found.missing, found.minimum, found.maximum) == (distinct, len(values) - filled, low, high)
    assert everything.distinct == distinct
    if filled:
        assert found.quantiles == pytest.approx(quantiles[: len(QUANTILES)], rel=1e-12, abs=1e-9)
        assert sum(found.shares) == pytest.approx(1)
        assert len(found.shares) == len(found.edges) + 1
        assert sum(everything.counts) in {0, filled}


@pytest.mark.parametrize("block", [200, 100_000])
@pytest.mark.parametrize("whole_numbers", [False, True])
def test_long_columns_give_the_same_profile(monkeypatch: pytest.MonkeyPatch, block: int, whole_numbers: bool) -> None:
    values = [None if place % 7 == 0 else (place * 37 % 101) / (1 if whole_numbers else 4) for place in range(5000)]
    values[100:1500] = [12.0] * 1400
    whole = _both(values, "BIGINT" if whole_numbers else "DOUBLE")
    monkeypatch.setattr(ordered, "TOGETHER", 100)
    monkeypatch.setattr(ordered, "BLOCK", block)
    monkeypatch.setattr(ordered, "BATCH", 64)
    assert _both(values, "BIGINT" if whole_numbers else "DOUBLE") == whole


@pytest.mark.parametrize("values", [[3.5] * 900, [None] * 900, [*[0.0] * 899, 1.0], [-1.7e308, 1.7e308] * 450, [2.0**63 - 2048, 5.0] * 450])
def test_a_long_column_of_few_values_is_cut_too(monkeypatch: pytest.MonkeyPatch, values: list[float | None]) -> None:
    whole = _both(values)
    monkeypatch.setattr(ordered, "BLOCK", 200)
    assert _both(values)[:2] == whole[:2]


def test_far_values_and_codes_for_missing_are_told_from_long_tails() -> None:
    usual = [float(place % 40) for place in range(400)]
    _, clean, _ = _both(list(usual))
    assert (clean.far, clean.codes) == (0, ())
    _, found, _ = _both([*usual, *[999.0] * 5, 39_000.0])
    assert (found.far, found.codes) == (6, ((999.0, 5),))


def test_frequent_categories_are_listed_by_count_then_name() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select unnest(['b', 'a', 'b', 'a', 'c', null]) as x")
        column = _column("x", "string", 6)
        found = profiles(connection, "t", [column], limit=2)[0]
        assert (found.missing, found.distinct, found.categories) == (1, 3, (("a", 0.4), ("b", 0.4)))
        assert quality(connection, "t", [column])[0].categories == (("a", 2), ("b", 2), ("c", 1))


def test_few_texts_are_written_by_a_list_and_come_back_as_they_are() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select unnest(['O''Hara', 'a\"b', '北', 'OHARA', null]) as x")
        item = quality(connection, "t", [_column("x", "string", 5)])[0]
        listed = listed_sql(item, {"OHARA": "O'Hara"})
        assert "enum" in listed
        found = connection.execute(f"select {listed} from (select replace(x, 'OHARA', 'O''Hara') as x from t)").fetchall()
        assert found == [("O'Hara",), ('a"b',), ("北",), ("O'Hara",), (None,)]


def test_many_texts_and_no_texts_are_written_as_they_lie() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select 'word ' || i as x, cast(null as varchar) as none from range(21) r(i)")
        found = quality(connection, "t", [_column("x", "string", 21), _column("none", "string", 21)])
        assert [listed_sql(item, {}) for item in found] == ['"x"', '"none"']
