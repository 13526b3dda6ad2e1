"""Rates, gaps and the four-fifths rule between groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.evaluation.groups import audit_cells, audit_classes, audit_hits, audit_values

Array = np.ndarray[Any, Any]
COMPAS = np.array([[[990, 805], [532, 1369]], [[1139, 349], [461, 505]]])
"""[group, recidivated, scored above low]: ProPublica's counts for Black and White defendants (compas-analysis, 7,214 rows)."""


def test_the_published_audit_of_a_given_score_comes_out_to_the_digit() -> None:
    found = audit_cells("race", ("African-American", "Caucasian"), COMPAS)
    black, white = (row.figures for row in found.groups)
    assert [row.rows for row in found.groups] == [3696, 2454]
    assert [round(row["false_positive_rate"].value, 4) for row in (black, white)] == [0.4485, 0.2345]
    assert [round(1 - row["true_positive_rate"].value, 4) for row in (black, white)] == [0.2799, 0.4772]
    assert found.gaps["false_positive_rate"].highest == "African-American"
    assert found.gaps["false_positive_rate"].difference.value == pytest.approx(0.4485 - 0.2345, abs=1e-4)


def test_the_published_selection_rates_of_adult_break_the_four_fifths_rule() -> None:
    cells = np.array([[[14423, 0], [1769, 0]], [[22732, 0], [9918, 0]]])
    swapped = cells.transpose(0, 2, 1)
    gap = audit_cells("sex", ("Female", "Male"), swapped).gaps["selection_rate"]
    assert (gap.lowest, gap.highest) == ("Female", "Male")
    assert gap.difference.value == pytest.approx(0.1945, abs=5e-4)
    assert gap.ratio is not None
    assert gap.ratio.value == pytest.approx(0.360, abs=5e-4)
    assert audit_cells("sex", ("Female", "Male"), swapped).four_fifths is False


def rows_of(cells: Array) -> tuple[Array, Array, Array]:
    groups, truth, decided = (np.repeat(index.ravel(), cells.ravel()) for index in np.indices(cells.shape))
    return groups, truth, decided


def test_counting_rows_gives_the_same_as_counts() -> None:
    groups, truth, decided = rows_of(COMPAS)
    assert audit_classes("race", ("a", "b"), groups, y=truth, predicted=decided) == audit_cells("race", ("a", "b"), COMPAS)


def test_groups_under_ten_rows_are_counted_and_not_shown() -> None:
    cells = np.array([[[20, 5], [3, 9]], [[2, 3], [1, 3]], [[0, 0], [0, 0]], [[30, 1], [4, 4]]])
    found = audit_cells("race", ("a", "few", "none", "d"), cells)
    assert [row.name for row in found.groups] == ["a", "d"]
    assert (found.hidden_groups, found.hidden_rows) == (1, 9)
    assert "few" not in found.model_dump_json()


def test_figures_without_a_denominator_are_absent_and_one_group_has_no_gap() -> None:
    found = audit_cells("sex", ("a",), np.array([[[20, 0], [0, 0]]]))
    assert set(found.groups[0].figures) == {"selection_rate", "base_rate", "false_positive_rate", "accuracy"}
    assert found.gaps == {}
    assert found.four_fifths is None


def test_nobody_selected_breaks_no_rule_and_nobody_of_one_group_does() -> None:
    nobody = audit_cells("sex", ("a", "b"), np.array([[[20, 0], [5, 0]], [[30, 0], [5, 0]]]))
    assert nobody.four_fifths is None
    one = audit_cells("sex", ("a", "b"), np.array([[[20, 0], [5, 0]], [[30, 10], [5, 5]]]))
    assert one.four_fifths is False
    ratio = one.gaps["selection_rate"].ratio
    assert ratio is not None
    assert ratio.value == 0 < ratio.high < 1


@pytest.mark.parametrize(("least", "most"), [((6, 10), (9, 12)), ((3, 10), (6, 16)), ((24, 100), (30, 100))])
def test_exactly_four_fifths_keep_the_rule(least: tuple[int, int], most: tuple[int, int]) -> None:
    found = audit_cells("sex", ("a", "b"), np.array([[[rows - chosen, chosen], [0, 0]] for chosen, rows in (least, most)]))
    assert found.four_fifths is True
    assert found.gaps["selection_rate"].ratio is not None
    assert found.gaps["selection_rate"].ratio.value == 0.8


def test_a_difference_at_its_bound_is_not_above_it() -> None:
    found = audit_cells("sex", ("a", "b"), np.array([[[60, 40], [0, 0]], [[70, 30], [0, 0]]]))
    assert found.gaps["selection_rate"].difference.value == 0.1


def test_intervals_of_gaps_hold_the_truth_about_19_times_in_20() -> None:
    generator = np.random.default_rng(5)
    held = np.zeros(3)
    for _ in range(600):
        cells = np.array([generator.multinomial(300, [0.4, 0.2, 0.2, 0.2]), generator.multinomial(200, [0.5, 0.1, 0.3, 0.1])])
        found = audit_cells("g", ("a", "b"), cells.reshape(2, 2, 2)).gaps["selection_rate"]
        assert found.ratio is not None
        high, low = ("a", "b") if found.highest == "a" else ("b", "a")
        truth = {"a": 0.4, "b": 0.2}
        held += [
            found.difference.low <= truth[high] - truth[low] <= found.difference.high,
            found.ratio.low <= truth[low] / truth[high] <= found.ratio.high,
            1,
        ]
    assert 0.92 <= held[0] / held[2] <= 0.985
    assert 0.92 <= held[1] / held[2] <= 0.985


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), min_size=4, max_size=4), min_size=1, max_size=5))
def test_every_interval_holds_its_value_and_every_gap_is_the_widest(counts: list[list[int]]) -> None:
    cells = np.array(counts).reshape(-1, 2, 2)
    names = [f"g{index}" for index in range(len(cells))]
    found = audit_cells("g", names, cells)
    for name, gap in found.gaps.items():
        values = [row.figures[name].value for row in found.groups if name in row.figures]
        assert gap.difference.value == pytest.approx(max(values) - min(values))
        assert gap.difference.low <= gap.difference.value <= gap.difference.high
        assert gap.ratio is None or gap.ratio.low <= gap.ratio.value <= gap.ratio.high
    assert sum(row.rows for row in found.groups) + found.hidden_rows == cells.sum()


def test_several_classes_are_compared_by_accuracy_and_values_by_error_and_bias() -> None:
    groups = np.repeat([0, 1], [60, 40])
    correct = np.concatenate([np.arange(60) < 45, np.arange(40) < 20])
    hits = audit_hits("g", ("a", "b"), groups, correct=correct)
    assert hits.gaps["accuracy"].difference.value == pytest.approx(0.25)
    y = np.zeros(100)
    predicted = np.where(groups == 0, 1.0, -3.0) + np.tile([0.5, -0.5], 50)
    values = audit_values("g", ("a", "b"), groups, y=y, predicted=predicted)
    assert values.gaps["bias"].difference.value == pytest.approx(4)
    assert values.gaps["bias"].ratio is None
    assert values.gaps["mae"].ratio is not None
    assert values.gaps["mae"].ratio.value == pytest.approx(1 / 3)
