"""Areas, average precision, curves and their variances from packed keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from mlops_core.evaluation import ranking
from mlops_core.evaluation.ranking import Ranking, influence_of, keys_of, precision_points, rank, roc_points, scores_of
from mlops_core.evaluation.resampling import Resampling
from tests.unit.evaluation.test_figures_against_scikit_learn import scores_of as made

Array = np.ndarray[Any, Any]
KINDS = ["smooth", "tied", "saturated", "float32", "constant"]


def ranked(y: Array, score: Array, steps: int = 0) -> Ranking:
    return rank(keys_of(score, y == 1), steps=steps)


@pytest.mark.parametrize("block", [1, 7, 1 << 16])
@pytest.mark.parametrize("kind", KINDS)
def test_areas_equal_the_oracle_wherever_blocks_are_cut(kind: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "BLOCK", block)
    y, score = made(kind, 600)
    found = ranked(y, score)
    assert found.area is not None
    assert found.precision is not None
    assert found.area.value == pytest.approx(oracle.roc_auc_score(y, score), abs=1e-12)
    assert found.precision.value == pytest.approx(oracle.average_precision_score(y, score), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 5e-324, 1e-9, 0.25, 0.5, np.nextafter(1, 0), 1.0])), min_size=2, max_size=60)
)
def test_neighbours_of_saturated_scores_are_told_apart(rows: list[tuple[bool, float]]) -> None:
    y, score = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = ranked(y, score)
    if y.all() or not y.any():
        assert found.area is None
        return
    assert found.area is not None
    assert found.precision is not None
    assert found.area.value == pytest.approx(oracle.roc_auc_score(y, score), abs=1e-12)
    assert found.precision.value == pytest.approx(oracle.average_precision_score(y, score), abs=1e-12)


def test_keys_keep_every_bit_of_the_score_and_forget_the_sign_of_zero() -> None:
    score = np.array([-0.0, 0.0, 1.0, np.nextafter(1, 0), 5e-324, 0.1])
    keys = keys_of(score, np.array([True, False] * 3))
    np.testing.assert_array_equal(scores_of(keys), score)
    assert keys[0] == keys[1] + 1
    assert not np.signbit(score[1:]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_curves_at_full_resolution_equal_the_oracle(kind: str) -> None:
    y, score = made(kind)
    found = ranked(y, score, 10**7)
    curve, recall = roc_points(found), precision_points(found)
    assert curve is not None
    assert recall is not None
    x, hits, _ = oracle.roc_curve(y, score, drop_intermediate=False)
    np.testing.assert_allclose(curve[0], x, atol=1e-12)
    np.testing.assert_allclose(curve[1], hits, atol=1e-12)
    precision, share, _ = oracle.precision_recall_curve(y, score)
    np.testing.assert_allclose(recall[0][1:], share[-2::-1], atol=1e-12)
    np.testing.assert_allclose(recall[1][1:], precision[-2::-1], atol=1e-12)


def test_a_drawn_curve_has_at_most_200_points_and_the_same_area_to_a_thousandth() -> None:
    y, score = made("smooth", 20_000)
    found = ranked(y, score, 66)
    curve, recall = roc_points(found), precision_points(found)
    assert curve is not None
    assert recall is not None
    assert len(curve[0]) <= 200
    assert (curve[0][0], curve[1][0], curve[0][-1], curve[1][-1]) == (0, 0, 1, 1)
    assert oracle.auc(*curve) == pytest.approx(oracle.roc_auc_score(y, score), abs=1e-3)
    assert oracle.auc(*recall) == pytest.approx(oracle.average_precision_score(y, score), abs=2e-3)


@pytest.mark.parametrize("kind", ["smooth", "tied", "saturated"])
def test_standard_errors_agree_with_the_bootstrap_and_with_the_influences(kind: str) -> None:
    y, score = made(kind)
    found = ranked(y, score)
    drawn = Resampling(5, 2000).of_ranks([y == 1], [score])
    rows = influence_of(y == 1, score)
    for index, name in enumerate(("roc_auc", "average_precision")):
        own = (found.area, found.precision)[index]
        assert own is not None
        interval = drawn[name].interval  # type: ignore[index]
        assert interval.value == pytest.approx(own.value, abs=1e-12)
        assert (interval.high - interval.low) / 2 == pytest.approx(1.96 * own.deviation, rel=0.08)
        assert rows.values[index] == pytest.approx(own.value, abs=1e-12)
        assert rows.rows[index].mean() == pytest.approx(0, abs=1e-12)
        assert np.sqrt((rows.rows[index] ** 2).mean() / len(y)) == pytest.approx(own.deviation, rel=2e-3)


def test_perfect_scores_have_no_deviation_and_one_class_no_area() -> None:
    y = np.array([0, 0, 1, 1])
    found = ranked(y, y.astype(float))
    assert found.area is not None
    assert (found.area.value, found.area.deviation) == (1, 0)
    assert ranked(np.ones(5), np.full(5, 0.3)).area is None
