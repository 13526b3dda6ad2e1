"""The geometry of the drawings: round ticks, bins and squares of at least ten rows, pictures for any number of rows."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.reporting import plots
from mlops_core.reporting.densities import error_charts, histogram
from mlops_core.reporting.drawings import Plane, compact, merged, ticks
from mlops_core.reporting.pages import words
from tests.unit.reporting import looked


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 8))
def test_ticks_are_few_round_and_inside(low: float, span: float, most: int) -> None:
    high = low + span
    found = ticks(low, high, most=most)
    assert len(found) <= most + 1
    slack = 1e-6 * max(abs(low), abs(high), span)
    assert all(low - slack <= value <= high + slack for value, _ in found)


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(0.25, 0.25, "0.25"), (1200.0, 200.0, "1,200"), (45_000.0, 5000.0, "45k"), (1.5e6, 5e5, "1.5M"), (0.0, 1e5, "0"), (2e-5, 0, "2e-05")],
)
def test_labels_are_short(value: float, step: float, text: str) -> None:
    assert compact(value, step) == text


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_joined_bins_hold_ten_rows_each_and_lose_none(counts: list[int]) -> None:
    edges = [float(edge) for edge in range(len(counts) + 1)]
    found = merged(edges, counts, least=10)
    if sum(counts) < 10:
        assert found == []
        return
    assert sum(rows for _, _, rows in found) == sum(counts)
    assert min(rows for _, _, rows in found) >= 10
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))


def test_the_area_of_a_histogram_is_one() -> None:
    bins = histogram(np.random.default_rng(3).normal(0, 1, 500), low=-3, high=3, bins=41)
    assert sum(height * (high - low) / (6 / 41) for low, high, height in bins) == pytest.approx(1)


@pytest.mark.parametrize("rows", [12, 70, 4000])
def test_a_density_draws_squares_of_ten_rows_and_says_how_many_are_not_drawn(rows: int) -> None:
    chance = np.random.default_rng(1)
    y = chance.normal(0, 1, rows)
    density, _ = error_charts(y, y + chance.normal(0, 0.3, rows), target="price", t=words("en"))
    drawn = sum(int(rect.title.replace(",", "")) for rect in density.rects)
    assert min(int(rect.title.replace(",", "")) for rect in density.rects) >= 10
    assert f"{rows - drawn:,} rows stand apart" in density.note
    assert drawn >= 0.6 * rows


def test_a_value_beyond_the_plane_stays_at_its_edge() -> None:
    plane = Plane(0, 1, 0, 1)
    assert plane.x(7) == plane.right
    assert plane.y(-7) == plane.bottom


@pytest.mark.parametrize("rows", [3, 400])
def test_the_picture_of_a_regression_is_drawn_for_any_number_of_rows(tmp_path: Path, rows: int) -> None:
    y, predicted = (values[:rows] for values in looked.arrays("regression"))
    plots.residuals_png(tmp_path / "residuals.png", looked.results("regression"), (y, predicted), target="price")
    assert (tmp_path / "residuals.png").stat().st_size > 10_000


def test_ticks_of_one_axis_are_in_one_unit() -> None:
    assert [label for _, label in ticks(0, 10_500, most=5)] == ["0", "2.5k", "5k", "7.5k", "10k"]
    assert [label for _, label in ticks(0, 9_000, most=5)][1] == "2,000"
