"""Which order the rows have, whether they drift along it, and which dates lie in the future."""

from __future__ import annotations

import numpy as np

from mlops_core.contracts.dataset import DataJobConfig
from mlops_core.features.checks.sample import Array, Rows, hashed
from mlops_core.features.checks.time_order import future, order_of

N = 1000
CONFIG = DataJobConfig(task="binary", target="y")


def _rows(target: Array | None = None, *, moments: tuple[str, ...] = (), serials: tuple[str, ...] = (), **columns: Array) -> Rows:
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    y = hashed(np.arange(N)) > 0.5 if target is None else target
    return Rows(arrays, np.asarray(y, dtype=np.float64), np.arange(N), N, moments=frozenset(moments), serials=frozenset(serials))


def _noise(seed: int) -> Array:
    return np.random.default_rng(seed).normal(size=N)


def test_a_rising_column_is_the_order_and_drift_along_it_is_named() -> None:
    order = order_of(_rows(day=np.arange(N) // 10, price=_noise(1) + np.linspace(0, 3, N), calm=_noise(2)), CONFIG)
    assert order is not None
    assert (order.column, order.drifting) == ("day", ("price",))


def test_rows_without_drift_have_no_order_that_matters() -> None:
    assert order_of(_rows(day=np.arange(N) // 10, calm=_noise(2)), CONFIG) is None
    assert order_of(_rows(calm=_noise(3)), CONFIG) is None


def test_a_file_in_the_order_of_time_is_seen_without_a_time_column() -> None:
    order = order_of(_rows(key=np.arange(N), serials=("key",), price=_noise(1) + np.linspace(0, 3, N)), CONFIG)
    assert order is not None
    assert (order.column, order.drifting) == ("", ("price",))
    assert order.places.tolist() == list(range(N))


def test_a_file_that_is_sorted_by_its_target_is_not_in_the_order_of_time() -> None:
    """Penguins and iris lie class by class."""
    target = np.repeat([0.0, 1.0, 2.0, 3.0], N // 4)
    assert order_of(_rows(target, size=_noise(1) + 2 * target), CONFIG) is None
    regression = Rows({"x": np.arange(N) + _noise(1)}, np.arange(N, dtype=np.float64), np.arange(N), N, regression=True)
    assert order_of(regression, CONFIG) is None


def test_the_request_s_time_column_sorts_a_shuffled_file() -> None:
    when = np.random.default_rng(4).permutation(N).astype(float)
    order = order_of(_rows(when=when, price=_noise(1) + when / 300), CONFIG.model_copy(update={"time_column": "when"}))
    assert order is not None
    assert order.column == "when"
    assert np.all(np.diff(when[order.places]) > 0)


def test_a_date_after_the_time_of_the_row_is_named() -> None:
    """abuse row 85: future timestamp"""
    asked = np.arange(N) * 86_400.0
    closed = np.where(np.arange(N) % 3 == 0, asked + 5, np.nan)
    born = asked - 1e9
    columns = _rows(asked=asked, closed=closed, born=born, moments=("asked", "closed", "born"))
    found = future(columns, CONFIG.model_copy(update={"time_column": "asked"}))
    assert [(item.code, item.columns, item.values) for item in found] == [
        ("W-LEAK-005", ("closed",), {"rows": 334, "of": 334, "time": "asked"})
    ]
    assert future(columns, CONFIG) == []
