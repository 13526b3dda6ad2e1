"""Every figure equals scikit-learn's to 1e-12, on ordinary, tied, saturated and lopsided scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from mlops_core.evaluation.classification import confusion, roc_auc, roc_curve, threshold_metrics
from mlops_core.evaluation.intervals import Resampling
from mlops_core.evaluation.look import Training, look
from mlops_core.evaluation.regression import regression_metrics, terms

Array = np.ndarray[Any, Any]


def scores_of(kind: str, rows: int = 3000) -> tuple[Array, Array]:
    generator = np.random.default_rng(7)
    y = (generator.random(rows) < 0.24).astype(np.int64)
    score = 1 / (1 + np.exp(-(generator.normal(size=rows) + 1.5 * y - 1)))
    if kind == "tied":
        score = np.round(score, 1)
    if kind == "saturated":
        score = np.where(score > 0.6, 1.0, np.where(score < 0.3, 0.0, score))
    if kind == "float32":
        score = score.astype(np.float32).astype(np.float64)
    if kind == "constant":
        score = np.full(rows, 0.3)
    return y, score


@pytest.mark.parametrize("kind", ["smooth", "tied", "saturated", "float32", "constant"])
def test_the_area_and_the_curve_equal_the_oracle(kind: str) -> None:
    y, score = scores_of(kind)
    assert roc_auc(y == 1, score) == pytest.approx(oracle.roc_auc_score(y, score), abs=1e-12)
    curve = roc_curve(y == 1, score, points=10**6)
    assert curve is not None
    x, hits, _ = oracle.roc_curve(y, score, drop_intermediate=False)
    np.testing.assert_allclose(curve[0], x, atol=1e-12)
    np.testing.assert_allclose(curve[1], hits, atol=1e-12)


def test_a_drawn_curve_has_at_most_200_points_and_the_same_area_to_a_thousandth() -> None:
    y, score = scores_of("smooth", 20_000)
    curve = roc_curve(y == 1, score)
    assert curve is not None
    assert len(curve[0]) <= 200
    assert (curve[0][0], curve[1][0], curve[0][-1], curve[1][-1]) == (0, 0, 1, 1)
    assert oracle.auc(*curve) == pytest.approx(oracle.roc_auc_score(y, score), abs=1e-3)


@pytest.mark.parametrize("kind", ["smooth", "tied", "saturated", "constant"])
def test_threshold_figures_of_a_binary_task_are_those_of_the_positive_class(kind: str) -> None:
    y, score = scores_of(kind)
    predicted = (score >= 0.5).astype(np.int64)
    found = threshold_metrics("binary", confusion(y, predicted, classes=2))
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(y, predicted), abs=1e-12)
    assert found["precision"] == pytest.approx(oracle.precision_score(y, predicted, zero_division=0), abs=1e-12)
    assert found["recall"] == pytest.approx(oracle.recall_score(y, predicted, zero_division=0), abs=1e-12)
    assert found["f1"] == pytest.approx(oracle.f1_score(y, predicted, zero_division=0), abs=1e-12)


@pytest.mark.parametrize("missing", [None, 2])
def test_multiclass_figures_are_unweighted_means_over_the_classes_that_occur(missing: int | None) -> None:
    generator = np.random.default_rng(3)
    y = generator.integers(0, 4, 2000)
    if missing is not None:
        y[y == missing] = 0
    probability = generator.dirichlet(np.ones(4), 2000)
    probability[np.arange(2000), y] += 0.4
    if missing is not None:
        probability[:, missing] = 0
    probability /= probability.sum(axis=1, keepdims=True)
    predicted = np.argmax(probability, axis=1)
    found = threshold_metrics("multiclass", confusion(y, predicted, classes=4))
    for name, function in (("precision", oracle.precision_score), ("recall", oracle.recall_score), ("f1", oracle.f1_score)):
        assert found[name] == pytest.approx(function(y, predicted, average="macro", zero_division=0), abs=1e-12)  # type: ignore[index]
    seen = look("multiclass", y.astype(float), probability, training=Training(labels=("a", "b", "c", "d")), resampling=Resampling(1, 100))
    present = [index for index in range(4) if index != missing]
    expected = np.mean([oracle.roc_auc_score(y == index, probability[:, index]) for index in present])
    assert seen.metrics["roc_auc"].interval.value == pytest.approx(expected, abs=1e-12)
    if missing is None:
        assert expected == pytest.approx(oracle.roc_auc_score(y, probability, multi_class="ovr", average="macro"), abs=1e-12)


@pytest.mark.parametrize("zeros", [0, 17])
def test_regression_figures_equal_the_oracle_and_mape_leaves_zeros_out(zeros: int) -> None:
    generator = np.random.default_rng(5)
    y = generator.normal(200_000, 90_000, 5000)
    y[:zeros] = 0
    predicted = y + generator.normal(0, 40_000, 5000)
    seen = look("regression", y, predicted.reshape(-1, 1), training=Training(), resampling=Resampling(1, 100))
    assert seen.metrics["rmse"].interval.value == pytest.approx(oracle.root_mean_squared_error(y, predicted), rel=1e-12)
    assert seen.metrics["mae"].interval.value == pytest.approx(oracle.mean_absolute_error(y, predicted), rel=1e-12)
    assert seen.metrics["r2"].interval.value == pytest.approx(oracle.r2_score(y, predicted), abs=1e-12)
    kept = y != 0
    assert seen.metrics["mape"].interval.value == pytest.approx(oracle.mean_absolute_percentage_error(y[kept], predicted[kept]), rel=1e-12)
    assert seen.left_out == ({"mape": zeros} if zeros else {})


def test_r2_of_a_constant_target_and_mape_of_a_zero_target_are_absent_not_invented() -> None:
    figures = regression_metrics(terms(np.zeros(50), np.ones(50)).sum(axis=0), 50)
    assert np.isnan(figures["r2"])
    assert np.isnan(figures["mape"])
    seen = look("regression", np.zeros(50), np.ones(50), training=Training(), resampling=Resampling(1, 100))
    assert set(seen.metrics) == {"rmse", "mae"}
