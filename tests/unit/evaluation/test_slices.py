"""Which slices are called worst, and which are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_core.contracts.verdict import Interval
from mlops_core.evaluation.slices import LEAST_ROWS, coded_numbers, coded_words, false_discovery, worst_slices

Array = np.ndarray[Any, Any]


def columns(rows: int, seed: int = 0) -> tuple[dict[str, Array], list[Any]]:
    generator = np.random.default_rng(seed)
    raw = {"age": generator.normal(40, 10, rows), "sex": generator.integers(0, 2, rows), "city": generator.integers(0, 30, rows)}
    raw["age"][: rows // 20] = np.nan
    words = [f"city {index}" for index in range(30)]
    return raw, [coded_numbers("age", raw["age"]), coded_numbers("sex", raw["sex"].astype(float)), coded_words("city", raw["city"], words)]


def test_a_planted_pair_is_found_with_its_rows_and_the_metric_of_exactly_these_rows() -> None:
    raw, coded = columns(6000)
    inside = (raw["sex"] == 1) & (raw["city"] == 4)
    losses = np.random.default_rng(1).exponential(0.1, 6000) + np.where(inside, 0.3, 0.0)
    found = worst_slices(
        coded,
        losses,
        loss="brier",
        metric="accuracy",
        figures=lambda rows: {"accuracy": Interval(value=float(rows.sum()), low=0.0, high=float((rows & inside).sum()))},
    )
    first = found.found[0]
    assert {(part.column, part.category) for part in first.conditions} == {("sex", "1"), ("city", "city 4")}
    assert first.rows == inside.sum()
    assert first.loss.value == pytest.approx(losses[inside].mean())
    assert first.rest == pytest.approx(losses[~inside].mean())
    assert first.metric is not None
    assert first.metric.value == first.metric.high == inside.sum()


def test_pure_noise_yields_no_slice_in_nearly_all_tables() -> None:
    alarms = 0
    for seed in range(20):
        _, coded = columns(2000, seed)
        alarms += bool(worst_slices(coded, np.random.default_rng(seed + 100).exponential(1, 2000), loss="absolute_error").found)
    assert alarms <= 3


def test_slices_under_fifty_rows_are_not_tested() -> None:
    raw, coded = columns(3000)
    rare = np.arange(3000) < LEAST_ROWS - 1
    coded.append(coded_words("rare", rare.astype(int), ["usual", "rare"]))
    found = worst_slices(coded, np.where(rare, 5.0, np.random.default_rng(2).random(3000)), loss="brier")
    assert all(part.category != "rare" for each in found.found for part in each.conditions)
    assert all(each.rows >= LEAST_ROWS for each in found.found)
    assert len(raw) == 3


def test_missing_values_are_a_slice_of_their_own() -> None:
    raw, coded = columns(3000)
    losses = np.where(np.isnan(raw["age"]), 2.0, 1.0) + np.random.default_rng(3).random(3000)
    first = worst_slices(coded, losses, loss="brier").found[0]
    assert first.conditions[0].missing
    assert first.rows == np.isnan(raw["age"]).sum()


def test_fifths_of_a_number_cover_every_row_once_with_open_ends() -> None:
    values = np.concatenate([np.zeros(500), np.arange(1, 501)])
    coded = coded_numbers("x", values)
    bounds = [(part.low, part.high) for part in coded.conditions[:-1]]
    assert (bounds[0][0], bounds[-1][1]) == (None, None)
    for code, (low, high) in enumerate(bounds):
        inside = (values > (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))
        assert np.array_equal(coded.codes == code, inside)


def test_a_condition_is_not_repeated_over_and_over() -> None:
    raw, coded = columns(8000)
    losses = np.random.default_rng(4).random(8000) + np.where(raw["sex"] == 1, 1.0, 0.0)
    found = worst_slices(coded, losses, loss="brier").found
    assert sum(any(part.column == "sex" for part in each.conditions) for each in found) <= 3
    assert found[0].conditions[0].column == "sex"


def test_adjusted_values_are_those_of_benjamini_and_hochberg() -> None:
    assert false_discovery([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.04, 0.04, 0.5])
    assert false_discovery([]) == []
