"""Columns that give the answer away, found on arrays of a few hundred rows."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_core.features.checks.combinations import combinations, explained_by
from mlops_core.features.checks.near_copies import near_copies
from mlops_core.features.checks.sample import Array, Rows

N = 600
GENERATOR_SEED = 5


def rows(target: Array, *, regression: bool = False, texts: tuple[str, ...] = (), **columns: Array) -> Rows:
    """Training rows in the order of a file."""
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    return Rows(
        arrays, np.asarray(target, dtype=np.float64), np.arange(1, len(target) + 1), len(target), frozenset(texts), regression=regression
    )


@pytest.fixture
def dice() -> np.random.Generator:
    return np.random.default_rng(GENERATOR_SEED)


def test_the_target_in_other_words_is_named_and_honest_columns_are_not(dice: np.random.Generator) -> None:
    """abuse row 85"""
    target = dice.integers(0, 3, N)
    signal = target + dice.normal(0, 0.6, N)
    found = near_copies(rows(target, texts=("words",), signal=signal, words=np.array([71.0, 5.0, 40.0])[target], noise=dice.normal(size=N)))
    assert [(item.code, item.columns) for item in found] == [("W-LEAK-001", ("words",))]
    assert found[0].values == {"metric": "accuracy", "score": 1.0, "rows": N}


def test_a_score_above_a_threshold_is_a_copy_though_each_of_its_numbers_is_new(dice: np.random.Generator) -> None:
    score = dice.normal(size=4000)
    assert [item.columns for item in near_copies(rows(score > 0.3, score=score, other=dice.normal(size=4000)))] == [("score",)]


def test_a_column_that_is_filled_only_for_one_class_gives_it_away(dice: np.random.Generator) -> None:
    target = dice.integers(0, 2, N)
    closed = np.where(target == 1, dice.normal(size=N), np.nan)
    assert [item.columns for item in near_copies(rows(target, closed=closed))] == [("closed",)]


def test_a_rare_class_is_not_given_away_by_a_constant(dice: np.random.Generator) -> None:
    target = (np.arange(N) % 40 == 0).astype(float)
    assert near_copies(rows(target, same=np.ones(N), noise=dice.normal(size=N))) == []


def test_an_identifier_learns_by_heart_and_is_no_copy() -> None:
    target = np.arange(N) % 2
    assert near_copies(rows(target, texts=("key",), key=np.random.default_rng(1).permutation(N))) == []


def test_too_few_errors_to_tell_say_nothing() -> None:
    target = np.zeros(N)
    target[:6] = 1
    assert near_copies(rows(target, copy=target)) == []


@pytest.mark.parametrize("change", [lambda y: 3 * y - 7, lambda y: -y, np.exp, lambda y: np.round(y, 2)])
def test_a_number_that_is_the_target_on_another_scale_is_named(change: object, dice: np.random.Generator) -> None:
    assert callable(change)
    target = dice.normal(size=N)
    found = near_copies(rows(target, regression=True, scaled=change(target), near=target + dice.normal(0, 0.1, N)))
    assert [item.columns for item in found] == [("scaled",)]
    assert found[0].values["metric"] == "r2"


def test_a_text_whose_values_are_the_answers_is_named(dice: np.random.Generator) -> None:
    target = dice.choice([10.0, 20.0, 70.0], N)
    found = near_copies(rows(target, regression=True, texts=("band", "city"), band=target * 3 + 1, city=dice.integers(0, 5, N)))
    assert [item.columns for item in found] == [("band",)]


def test_two_columns_whose_sum_is_the_target_are_named(dice: np.random.Generator) -> None:
    """abuse row 85: casual + registered = cnt"""
    casual, registered = dice.integers(0, 300, N).astype(float), dice.integers(0, 800, N).astype(float)
    found = combinations(rows(casual + registered, regression=True, hour=dice.integers(0, 24, N), casual=casual, registered=registered))
    assert [(item.code, sorted(item.columns), item.values["form"]) for item in found] == [("W-LEAK-002", ["casual", "registered"], "sum")]


def test_price_times_quantity_is_named_as_a_product(dice: np.random.Generator) -> None:
    price, quantity = dice.uniform(1, 90, N), dice.integers(1, 40, N).astype(float)
    found = combinations(rows(price * quantity, regression=True, price=price, quantity=quantity, noise=dice.normal(size=N)))
    assert [(sorted(item.columns), item.values["form"]) for item in found] == [(["price", "quantity"], "product")]


def test_a_strong_but_honest_line_is_no_leak(dice: np.random.Generator) -> None:
    left, right = dice.normal(size=N), dice.normal(size=N)
    assert combinations(rows(left + right + dice.normal(0, 0.05, N), regression=True, left=left, right=right)) == []


def test_columns_with_holes_and_texts_take_no_part(dice: np.random.Generator) -> None:
    left, right = dice.normal(size=N), dice.normal(size=N)
    holed = np.where(np.arange(N) == 3, np.nan, right)
    assert combinations(rows(left + right, regression=True, texts=("left",), left=left, right=right, holed=holed)) == []


def test_selection_is_least_squares_whatever_the_scale(dice: np.random.Generator) -> None:
    columns = [dice.normal(size=N) * scale for scale in (1e-12, 1.0, 1e12)]
    chosen, score = explained_by(columns, columns[0] * 1e12 + columns[2] * 1e-12)
    assert sorted(chosen) == [0, 2]
    assert score == pytest.approx(1.0, abs=1e-12)
    assert explained_by(columns, np.ones(N)) == ([], 0.0)
