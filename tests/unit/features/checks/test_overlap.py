"""Rows that stand on both sides of a split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.features.checks.overlap import overlap
from mlops_core.features.checks.sample import Array, Rows, grouped


def _rows(table: Array, *, total: int | None = None, serials: tuple[str, ...] = ()) -> Rows:
    """The columns a, b … of a table; the last one is the target."""
    columns = {chr(ord("a") + index): table[:, index].astype(np.float64) for index in range(table.shape[1] - 1)}
    return Rows(columns, table[:, -1].astype(np.float64), np.arange(len(table)), total or len(table), serials=frozenset(serials))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, -0.0, 1.5, float("nan")]), st.integers(0, 1)), min_size=20, max_size=60))
def test_the_share_is_that_of_rows_seen_in_training(rows: list[tuple[int, float, int]]) -> None:
    table = np.array(rows, dtype=np.float64)
    half = len(table) // 2
    train, later = table[:half], table[half:]
    seen = {str(row + 0.0) for row in train}
    again = sum(str(row + 0.0) in seen for row in later)
    found = overlap(_rows(train), {"test": _rows(later)})
    expected = [round(again / len(later), 4)] if again >= 10 and again >= 0.01 * len(later) else []
    assert [item.values["share"] for item in found] == expected


def test_a_number_that_counts_the_rows_hides_nothing() -> None:
    table = np.column_stack([np.arange(100), np.arange(100) % 50, np.zeros(100)])
    assert overlap(_rows(table[:50]), {"test": _rows(table[50:])}) == []
    found = overlap(_rows(table[:50], serials=("a",)), {"test": _rows(table[50:], serials=("a",))})
    assert found[0].values == {"split": "test", "share": 1.0, "rows": 50, "of": 50}


def test_a_sample_of_the_training_rows_stands_for_all_of_them() -> None:
    table = np.column_stack([np.arange(4000), np.zeros(4000)])
    found = overlap(_rows(table[:1000], total=4000), {"validation": _rows(table[::4])})
    assert found[0].values["share"] == pytest.approx(1.0, abs=0.01)
    assert found[0].values["rows"] == 250


@given(st.lists(st.floats(allow_nan=False, width=16), max_size=40))
def test_groups_are_those_of_numpy(values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    distinct, places, counts = grouped(array)
    known, inverse, numbers = np.unique(array, return_inverse=True, return_counts=True)
    assert distinct.tolist() == known.tolist()
    assert places.tolist() == inverse.tolist()
    assert counts.tolist() == numbers.tolist()
