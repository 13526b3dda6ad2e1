"""Every figure equals scikit-learn's to 1e-12, on ordinary, tied, saturated and lopsided scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from mlops_core.contracts.findings import MeasureName
from mlops_core.evaluation.classification import confusion, threshold_metrics
from mlops_core.evaluation.look import Training, look
from mlops_core.evaluation.regression import regression_metrics, terms
from mlops_core.evaluation.resampling import Resampling

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


BINARY = Training(labels=("no", "yes"))


@pytest.mark.parametrize("kind", ["smooth", "tied", "saturated", "constant"])
def test_threshold_figures_of_a_binary_task_are_those_of_the_positive_class(kind: str) -> None:
    y, score = scores_of(kind)
    seen = look("binary", y.astype(float), score, training=BINARY, resampling=Resampling(1, 100))
    found = {name: estimate.interval.value for name, estimate in seen.metrics.items()}
    predicted = (score >= 0.5).astype(np.int64)
    expected = {
        "accuracy": oracle.accuracy_score(y, predicted),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, predicted),
        "precision": oracle.precision_score(y, predicted, zero_division=0),
        "recall": oracle.recall_score(y, predicted, zero_division=0),
        "specificity": oracle.recall_score(y, predicted, pos_label=0),
        "f1": oracle.f1_score(y, predicted, zero_division=0),
        "mcc": oracle.matthews_corrcoef(y, predicted),
        "roc_auc": oracle.roc_auc_score(y, score),
        "average_precision": oracle.average_precision_score(y, score),
        "log_loss": oracle.log_loss(y, score),
        "brier": oracle.brier_score_loss(y, score),
    }
    assert found == {"ece": found["ece"], **{name: pytest.approx(value, abs=1e-12) for name, value in expected.items()}}


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
    names: tuple[tuple[MeasureName, Any], ...] = (
        ("precision", oracle.precision_score), ("recall", oracle.recall_score), ("f1", oracle.f1_score)
    )  # fmt: skip
    for name, function in names:
        assert found[name] == pytest.approx(function(y, predicted, average="macro", zero_division=0), abs=1e-12)
    assert found["precision_weighted"] == pytest.approx(oracle.precision_score(y, predicted, average="weighted"), abs=1e-12)
    assert found["f1_weighted"] == pytest.approx(oracle.f1_score(y, predicted, average="weighted"), abs=1e-12)
    assert found["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(y, predicted), abs=1e-12)
    assert found["mcc"] == pytest.approx(oracle.matthews_corrcoef(y, predicted), abs=1e-12)
    seen = look("multiclass", y.astype(float), probability, training=Training(labels=("a", "b", "c", "d")), resampling=Resampling(1, 100))
    present = [index for index in range(4) if index != missing]
    expected = np.mean([oracle.roc_auc_score(y == index, probability[:, index]) for index in present])
    assert seen.metrics["roc_auc"].interval.value == pytest.approx(expected, abs=1e-12)
    labels = list(range(4))
    assert seen.metrics["log_loss"].interval.value == pytest.approx(oracle.log_loss(y, probability, labels=labels), abs=1e-12)
    assert seen.metrics["brier"].interval.value == pytest.approx(oracle.brier_score_loss(y, probability, labels=labels), abs=1e-12)
    one_hot = np.eye(4)[y]
    if missing is None:
        macro = oracle.average_precision_score(one_hot, probability, average="macro")
        assert seen.metrics["average_precision"].interval.value == pytest.approx(macro, abs=1e-12)
        weighted = oracle.average_precision_score(one_hot, probability, average="weighted")
        assert seen.metrics["average_precision_weighted"].interval.value == pytest.approx(weighted, abs=1e-12)
        weighted = oracle.roc_auc_score(y, probability, multi_class="ovr", average="weighted")
        assert seen.metrics["roc_auc_weighted"].interval.value == pytest.approx(weighted, abs=1e-12)
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
    assert seen.metrics["mse"].interval.value == pytest.approx(oracle.mean_squared_error(y, predicted), rel=1e-12)
    assert seen.metrics["median_ae"].interval.value == pytest.approx(oracle.median_absolute_error(y, predicted), rel=1e-12)
    explained = oracle.explained_variance_score(y, predicted)
    assert seen.metrics["explained_variance"].interval.value == pytest.approx(explained, abs=1e-12)
    kept = y != 0
    assert seen.metrics["mape"].interval.value == pytest.approx(oracle.mean_absolute_percentage_error(y[kept], predicted[kept]), rel=1e-12)
    assert seen.left_out == ({"mape": zeros} if zeros else {})


def test_r2_of_a_constant_target_and_mape_of_a_zero_target_are_absent_not_invented() -> None:
    figures = regression_metrics(terms(np.zeros(50), np.ones(50)).sum(axis=0), 50)
    assert np.isnan(figures["r2"])
    assert np.isnan(figures["mape"])
    seen = look("regression", np.zeros(50), np.ones(50), training=Training(), resampling=Resampling(1, 100))
    assert set(seen.metrics) == {"mse", "rmse", "mae", "median_ae"}
