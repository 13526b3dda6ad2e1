"""The stability index against its definition, and what it calls a shift."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlops_core.contracts.dataset import DataJobConfig
from mlops_core.features.checks.sample import Rows
from mlops_core.features.checks.stability import cells, chi_square, moved_columns, psi, shifts

counts = st.lists(st.integers(0, 500), min_size=2, max_size=12).filter(any)


def test_the_index_of_two_halves_is_what_the_formula_says() -> None:
    assert psi((0.5, 0.5), (0.7, 0.3)) == pytest.approx(0.2 * math.log(1.4) - 0.2 * math.log(0.6))


@settings(deadline=None)
@given(counts, st.data())
def test_the_index_is_symmetric_positive_and_zero_for_equal_shares(first: list[int], data: st.DataObject) -> None:
    second = data.draw(st.lists(st.integers(0, 500), min_size=len(first), max_size=len(first)).filter(any))
    left, right = [value / sum(first) for value in first], [value / sum(second) for value in second]
    assert psi(left, right) == pytest.approx(psi(right, left))
    assert psi(left, right) >= 0
    assert psi(left, left) == 0


def test_an_empty_cell_divides_by_nothing() -> None:
    assert psi((1.0, 0.0), (0.0, 1.0)) == pytest.approx(2 * 0.9999 * math.log(1e4), rel=1e-3)


@pytest.mark.parametrize(("degrees", "quantile"), [(1, 10.828), (9, 27.877), (20, 45.315), (100, 149.449)])
def test_chance_is_the_thousandth_of_chi_square(degrees: int, quantile: float) -> None:
    assert chi_square(degrees, 1e-3) == pytest.approx(quantile, rel=0.04)


@given(arrays.arrays(np.float64, st.integers(1, 60), elements=st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))), st.booleans())
def test_every_row_is_in_one_cell_and_the_last_counts_what_is_missing(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], text: bool
) -> None:
    before, after = cells(values, values[::-1], text=text)
    assert before.tolist() == after.tolist()
    assert before.sum() == len(values)
    assert before[-1] == np.isnan(values).sum()


def test_a_constant_that_starts_to_move_is_a_shift_in_either_direction() -> None:
    """As in elec2, whose columns are constant until row 17,423."""
    still = np.full(1000, 0.4)
    for moved in (still - 0.1, still + 0.1, np.full(1000, np.nan)):
        assert moved_columns({"price": still}, {"price": moved}, texts=frozenset())["price"] > 10
    assert moved_columns({"price": still}, {"price": still}, texts=frozenset()) == {}


def test_two_random_halves_of_one_population_raise_no_alarm() -> None:
    generator = np.random.default_rng(9)
    for size in (40, 400, 4000):
        left = {str(index): generator.normal(size=size) for index in range(40)} | {"t": generator.integers(0, 30, size).astype(float)}
        right = {str(index): generator.normal(size=size // 2) for index in range(40)} | {
            "t": generator.integers(0, 30, size // 2).astype(float)
        }
        assert moved_columns(left, right, texts=frozenset({"t"})) == {}


def test_shifted_columns_and_the_target_are_named_for_each_split() -> None:
    generator = np.random.default_rng(3)
    config = DataJobConfig(task="regression", target="cnt")

    def sample(move: float) -> Rows:
        columns = {"hour": generator.integers(0, 24, 2000).astype(float), "temp": generator.normal(move, 1, 2000)}
        return Rows(columns, generator.normal(2 * move, 1, 2000), np.arange(2000), 2000, regression=True)

    found = shifts(sample(0.0), {"validation": sample(0.0), "test": sample(1.0)}, config)
    assert [(item.code, item.columns, item.values["split"]) for item in found] == [
        ("W-SHIFT-001", ("temp",), "test"),
        ("W-SHIFT-002", ("cnt",), "test"),
    ]
