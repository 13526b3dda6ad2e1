"""No table of finite numbers and holes breaks a check, and no check raises an alarm on pure noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlops_core.contracts.dataset import DataJobConfig, Finding
from mlops_core.features.checks.combinations import combinations
from mlops_core.features.checks.near_copies import near_copies
from mlops_core.features.checks.overlap import overlap
from mlops_core.features.checks.sample import Array, Rows
from mlops_core.features.checks.stability import shifts
from mlops_core.features.checks.time_order import future, order_of

CELLS = st.one_of(st.floats(allow_nan=True, allow_infinity=False), st.sampled_from([0.0, 1.0, -0.0, 1e308, -1e308, 5e-324, math.nan]))


def _everything(table: Array, *, regression: bool, texts: frozenset[str]) -> list[Finding]:
    config = DataJobConfig(task="regression" if regression else "multiclass", target="y", time_column="c0")
    columns = {f"c{index}": table[:, index] for index in range(table.shape[1] - 1)}
    target = np.nan_to_num(table[:, -1]) if regression else np.nan_to_num(table[:, -1]).clip(0, 3).round()
    numbers = np.arange(len(table))
    whole = Rows(columns, target, numbers, len(table), texts=texts, moments=frozenset({"c0"}), regression=regression)
    order_of(whole, config)
    parts = {"test": whole}
    return [*near_copies(whole), *combinations(whole), *future(whole, config), *shifts(whole, parts, config), *overlap(whole, parts)]


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 70), st.integers(2, 5)), elements=CELLS), st.booleans(), st.booleans())
def test_any_table_is_checked_and_every_figure_is_finite(table: Array, regression: bool, text: bool) -> None:
    found = _everything(table, regression=regression, texts=frozenset({"c1"}) if text and table.shape[1] > 2 else frozenset())
    assert all(math.isfinite(value) for item in found for value in item.values.values() if isinstance(value, float))
    assert not [item for item in found if item.code.startswith("W-SHIFT")]


@pytest.mark.parametrize("regression", [True, False])
@pytest.mark.parametrize("size", [30, 300, 3000])
def test_noise_raises_no_alarm(regression: bool, size: int) -> None:
    for seed in range(5):
        table = np.random.default_rng(seed).normal(size=(size, 8))
        table[:, -1] = table[:, -1] if regression else np.abs(table[:, -1]).clip(0, 3).round()
        codes = [item.code for item in _everything(table, regression=regression, texts=frozenset({"c1"}))]
        assert [code for code in codes if code not in {"W-LEAK-005", "W-LEAK-006"}] == []
