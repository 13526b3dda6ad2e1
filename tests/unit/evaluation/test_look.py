"""Intervals, baselines, groups and refusals of one look."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from mlops_core.contracts.request import TASK_METRICS
from mlops_core.errors import JobFailed
from mlops_core.evaluation import resampling
from mlops_core.evaluation.look import Look, Training, look
from mlops_core.evaluation.resampling import Resampling
from tests.unit.evaluation.test_figures_against_scikit_learn import scores_of

Array = np.ndarray[Any, Any]
BINARY = Training(labels=("no", "yes"), shares=(0.7, 0.3))


def binary(y: Array, score: Array, resamples: int = 400) -> Look:
    return look("binary", y.astype(float), score, training=BINARY, resampling=Resampling(42, resamples))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_request_can_name_every_figure_that_is_measured_but_the_calibration_error(task: Any) -> None:
    generator = np.random.default_rng(7)
    y, score = generator.integers(0, 3 if task == "multiclass" else 2, 300), generator.random(300)
    raw = np.column_stack([score, 0.5 * (1 - score), 0.5 * (1 - score)]) if task == "multiclass" else score
    labels = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    seen = look(task, y.astype(float), raw, training=Training(labels=labels), resampling=Resampling(1, 50))
    assert set(TASK_METRICS[task]) == set(seen.metrics) - {"ece"}
    assert set(TASK_METRICS[task]) <= set(seen.baseline)


def test_the_same_seed_gives_the_same_intervals() -> None:
    y, score = scores_of("smooth")
    assert binary(y, score).metrics == binary(y, score).metrics


def test_bootstrap_intervals_agree_with_a_plain_bootstrap_over_rows() -> None:
    y, score = scores_of("tied")
    generator = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {"accuracy": [], "f1": [], "roc_auc": [], "average_precision": [], "log_loss": [], "brier": []}
    hit, loss, squared = (score >= 0.5) == y, -np.log(np.clip(np.where(y == 1, score, 1 - score), 1e-15, 1)), (score - y) ** 2
    for _ in range(400):
        rows = generator.integers(0, len(y), len(y))
        cells = np.bincount(2 * y[rows] + (score[rows] >= 0.5), minlength=4)
        drawn["accuracy"].append(hit[rows].mean())
        drawn["f1"].append(2 * cells[3] / (2 * cells[3] + cells[1] + cells[2]))
        drawn["roc_auc"].append(oracle.roc_auc_score(y[rows], score[rows]))
        drawn["average_precision"].append(oracle.average_precision_score(y[rows], score[rows]))
        drawn["log_loss"].append(loss[rows].mean())
        drawn["brier"].append(squared[rows].mean())
    found = binary(y, score, 2000).metrics
    for name, values in drawn.items():
        low, high = np.quantile(values, [0.025, 0.975])
        own = found[name].interval  # type: ignore[index]
        width = high - low
        assert own.low == pytest.approx(low, abs=0.15 * width)
        assert own.high == pytest.approx(high, abs=0.15 * width)


def test_large_splits_use_delong_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    y, score = scores_of("tied")
    resampled = binary(y, score, 2000).metrics["roc_auc"]
    monkeypatch.setattr(resampling, "AFFORDABLE", 10)
    normal = binary(y, score).metrics["roc_auc"]
    assert (resampled.method, normal.method) == ("bootstrap", "delong")
    assert normal.interval.value == resampled.interval.value
    assert normal.interval.low == pytest.approx(resampled.interval.low, abs=2e-3)
    assert normal.interval.high == pytest.approx(resampled.interval.high, abs=2e-3)


def test_large_regressions_use_the_delta_method_and_agree_with_the_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    y = generator.normal(10, 3, 4000)
    predicted = y + generator.normal(0.2, 1, 4000)
    resampled = look("regression", y, predicted, training=Training(), resampling=Resampling(1, 2000)).metrics
    monkeypatch.setattr(resampling, "AFFORDABLE", 10)
    normal = look("regression", y, predicted, training=Training(), resampling=Resampling(1, 2000)).metrics
    for name, estimate in normal.items():
        width = resampled[name].interval.high - resampled[name].interval.low
        assert estimate.method == ("order" if name == "median_ae" else "delta")
        assert estimate.interval.low == pytest.approx(resampled[name].interval.low, abs=0.15 * width)
        assert estimate.interval.high == pytest.approx(resampled[name].interval.high, abs=0.15 * width)


def test_the_baseline_answers_the_majority_class_of_training() -> None:
    y, score = scores_of("smooth")
    found = look("binary", y.astype(float), score, training=Training(("no", "yes"), (0.4, 0.6)), resampling=Resampling(1, 100)).baseline
    assert found["accuracy"] == pytest.approx(y.mean())
    assert found["recall"] == 1
    assert found["roc_auc"] == 0.5
    assert binary(y, score).baseline["accuracy"] == pytest.approx(1 - y.mean())


def test_the_baseline_of_a_regression_is_the_training_mean() -> None:
    y = np.arange(100, dtype=float)
    found = look("regression", y, y, training=Training(mean=40.0), resampling=Resampling(1, 100)).baseline
    assert found["mae"] == pytest.approx(np.abs(y - 40).mean())
    assert found["r2"] < 0


def test_a_split_with_one_class_has_no_area_and_no_curve() -> None:
    seen = binary(np.zeros(100), np.full(100, 0.2))
    assert "roc_auc" not in seen.metrics
    assert seen.curves.roc == ()
    assert seen.metrics["accuracy"].interval.value == 1


def test_a_flawless_split_keeps_an_interval_by_the_exact_binomial() -> None:
    y = np.array([0.0, 1.0] * 30)
    found = binary(y, np.where(y == 1, 0.9, 0.1)).metrics["accuracy"]
    assert found.method == "exact"
    assert [found.interval.low, found.interval.high] == pytest.approx([0.025 ** (1 / 60), 1.0])
    wrong = binary(y, np.where(y == 1, 0.1, 0.9)).metrics["accuracy"].interval
    assert [wrong.low, wrong.high] == pytest.approx([0.0, 1 - 0.025 ** (1 / 60)])


def test_classes_with_fewer_than_ten_rows_are_counted_but_not_shown() -> None:
    y = np.array([0.0] * 50 + [1.0] * 40 + [2.0] * 9)
    probability = np.eye(3)[y.astype(int)]
    seen = look("multiclass", y, probability, training=Training(labels=("a", "b", "rare")), resampling=Resampling(1, 100))
    assert set(seen.per_class) == {"a", "b"}
    assert seen.hidden_groups == 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_refuses_the_model(bad: float) -> None:
    y, score = scores_of("smooth", 100)
    score[3] = bad
    with pytest.raises(JobFailed, match="no finite score for 1 of 100 rows"):
        binary(y, score)


def test_scores_of_another_shape_or_range_refuse_the_model() -> None:
    y, score = scores_of("smooth", 100)
    with pytest.raises(JobFailed, match="2 scores per row where 1"):
        binary(y, np.column_stack([score, score]))
    with pytest.raises(JobFailed, match="where probabilities are expected"):
        binary(y, score * 3)


def test_an_empty_split_and_a_missing_target_are_refused() -> None:
    with pytest.raises(JobFailed, match="no rows"):
        binary(np.array([]), np.array([]))
    with pytest.raises(JobFailed, match="target is missing on 1 of 100"):
        binary(np.array([np.nan] + [1.0] * 99), np.full(100, 0.5))


def test_sixteen_thousand_rows_take_seconds_even_on_a_busy_machine() -> None:
    y, score = scores_of("smooth", 16_281)
    started = time.process_time()
    binary(y, score, 1000)
    assert time.process_time() - started < 8
