"""Boosting round by round: early stopping, curves, class weights, and training that goes on after it was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_core.algorithms.fitting import Fitted, measure
from mlops_core.algorithms.weights import class_weights, row_weights
from mlops_core.contracts.request import Task
from mlops_core.errors import InvalidRequest
from tests.unit.algorithms.fitted import fit, graph_scores, rows_of, task_of

TASKS: list[Task] = ["binary", "multiclass", "regression"]


def _boost(folder: Path, task: Task, **given: Any) -> Fitted:
    train, validation = rows_of(task, 600, seed=1, holes=True), rows_of(task, 400, seed=2, holes=True)
    return fit("xgboost", task_of(folder, "xgboost", task, train=train, validation=validation, **({"n_estimators": 30} | given)))


@pytest.mark.parametrize("task", TASKS)
def test_early_stopping_exports_the_best_round_and_says_which(tmp_path: Path, task: Task) -> None:
    fitted = _boost(tmp_path, task, n_estimators=400, learning_rate=0.5, early_stopping_rounds=5)
    loss = {"binary": "logloss", "multiclass": "mlogloss", "regression": "rmse"}[task]
    losses = fitted.learning_curve[f"validation:{loss}"]
    assert fitted.best_round == int(np.argmin(losses)) + 1
    assert fitted.rounds == fitted.best_round + 5
    assert len(losses) == fitted.rounds < 400
    trees = json.loads(fitted.native["xgboost.json"])["learner"]["gradient_booster"]["model"]["trees"]
    assert len(trees) == fitted.best_round * (4 if task == "multiclass" else 1)
    matrix, target = rows_of(task, 400, seed=2, holes=True)
    assert measure(task, target, fitted.scores)[loss] == pytest.approx(min(losses), rel=1e-5)
    np.testing.assert_allclose(graph_scores(fitted, matrix), fitted.scores, rtol=2e-6, atol=2e-6)


def test_without_early_stopping_every_round_is_kept(tmp_path: Path) -> None:
    fitted = _boost(tmp_path, "binary", learning_rate=1.0)
    assert (fitted.rounds, fitted.best_round) == (30, None)
    assert fitted.learning_curve["round"] == tuple(range(1, 31))


def test_a_long_curve_is_thinned_and_keeps_its_last_and_its_best_round(tmp_path: Path) -> None:
    fitted = _boost(tmp_path, "regression", n_estimators=450, max_depth=1, early_stopping_rounds=449, learning_rate=0.7)
    rounds = fitted.learning_curve["round"]
    assert 200 <= len(rounds) <= 201
    assert (rounds[0], rounds[-1]) == (1, fitted.rounds)
    assert fitted.best_round in rounds


def test_the_absolute_error_is_followed_when_it_is_asked_for(tmp_path: Path) -> None:
    assert "validation:mae" in _boost(tmp_path, "regression", metric="mae").learning_curve


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("stopped", [20, 40])
def test_a_training_that_goes_on_from_a_checkpoint_has_the_bytes_of_an_unbroken_one(tmp_path: Path, task: Task, stopped: int) -> None:
    settings: dict[str, Any] = {"n_estimators": 65, "threads": 2, "early_stopping_rounds": 60, "max_depth": 3}
    whole = _boost(tmp_path / "whole", task, **settings)

    class Killed(BaseException):
        pass

    def told(_: dict[str, float]) -> None:
        state = tmp_path / "kept" / "xgboost.json"
        if state.exists() and json.loads(state.read_text())["state"]["round"] >= stopped:
            raise Killed

    broken = settings | {"checkpoints": tmp_path / "kept", "checkpoint_seconds": 0.0}
    with pytest.raises(Killed):
        _boost(tmp_path / "parts", task, progress=told, **broken)
    resumed = _boost(tmp_path / "parts", task, **broken)
    assert resumed.resumed_round == stopped
    assert resumed.native == whole.native
    assert resumed.learning_curve == whole.learning_curve
    np.testing.assert_array_equal(resumed.scores, whole.scores)


@pytest.mark.parametrize("changed", [{"seed": 4}, {"max_depth": 3}, {"threads": 2}])
def test_the_checkpoint_of_another_training_is_left_alone(tmp_path: Path, changed: dict[str, Any]) -> None:
    kept: dict[str, Any] = {"checkpoints": tmp_path / "kept", "checkpoint_seconds": 0.0}
    _boost(tmp_path / "a", "binary", **kept)
    assert _boost(tmp_path / "a", "binary", **kept).resumed_round == 20
    assert _boost(tmp_path / "a", "binary", **kept, **changed).resumed_round == 0


def test_a_checkpoint_that_cannot_be_read_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "xgboost.json").write_text('{"identity": "')
    assert _boost(tmp_path, "binary", checkpoints=tmp_path / "kept").resumed_round == 0


@pytest.mark.parametrize("method", ["xgboost", "random_forest", "logistic_regression"])
def test_balanced_classes_find_more_of_the_rare_one(tmp_path: Path, method: str) -> None:
    source = np.random.default_rng(9)
    matrix = source.normal(size=(2000, 5)).astype(np.float32)
    target = (matrix[:, 0] + source.normal(size=2000) > 2.4).astype(float)
    fewer = {"n_estimators": 10} if method != "logistic_regression" else {}
    found = [
        fit(method, task_of(
            tmp_path, method, "binary", train=(matrix, target), validation=(matrix, target), class_weight=balance,
            **fewer, **({"min_samples_leaf": 20} if method == "random_forest" else {}),
        )).scores[target == 1, 0] >= 0.5
        for balance in ("none", "balanced")
    ]  # fmt: skip
    assert found[1].mean() > found[0].mean() + 0.1


def test_balanced_weights_give_every_class_the_same_total(tmp_path: Path) -> None:
    rows = (np.zeros((10, 2), dtype=np.float32), np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 3], dtype=float))
    weights = class_weights(task_of(tmp_path, "xgboost", "multiclass", train=rows, validation=rows, class_weight="balanced"))
    assert weights is not None
    assert list(weights) == [0, 1, 3]
    assert list(weights.values()) == pytest.approx([10 / 21, 10 / 6, 10 / 3])
    np.testing.assert_allclose(np.asarray(row_weights(weights, np.array([2.0, 3.0]))), [1.0, 10 / 3])
    assert row_weights(None, rows[1]) is None


def test_a_regression_has_no_classes_to_weigh(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _boost(tmp_path, "regression", class_weight="balanced")
    assert caught.value.code == "E-TRAIN-005"
