"""Boosted trees and forests answer alike in their library and in ONNX: missing values, thresholds, batches of one and a thousand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_core.algorithms.catalogue import entry
from mlops_core.algorithms.fitting import FeatureTable, Fitted, measure
from mlops_core.contracts.request import Task
from mlops_core.errors import Defect, InvalidRequest
from tests.unit.algorithms.fitted import fit, graph_scores, rows_of, task_of

Array = np.ndarray[Any, Any]


def _fit(folder: Path, method: str, task: Task, *, holes: bool = False, **changed: int | float | str) -> tuple[Fitted, Array, Array]:
    train, validation = rows_of(task, 600, seed=1, holes=holes), rows_of(task, 1000, seed=2, holes=holes)
    lines: list[dict[str, float]] = []
    given = {"n_estimators": 15} | changed
    learned = fit(method, task_of(folder, method, task, train=train, validation=validation, progress=lines.append, **given))
    assert 1 <= len(lines) <= 20
    return learned, *validation


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(("method", "holes"), [("xgboost", True), ("xgboost", False), ("random_forest", False)])
def test_the_graph_scores_as_the_library_does(tmp_path: Path, method: str, holes: bool, task: Task) -> None:
    fitted, matrix, _ = _fit(tmp_path, method, task, holes=holes)
    scores = graph_scores(fitted, matrix)
    assert scores.shape == fitted.scores.shape
    assert np.max(np.abs(scores - fitted.scores) / np.maximum(1, np.abs(fitted.scores))) <= 2e-6
    np.testing.assert_array_equal(scores[:1], graph_scores(fitted, matrix[:1]))


@pytest.mark.parametrize("method", ["xgboost", "random_forest"])
@pytest.mark.parametrize("absent", [0, 1, 2])
def test_a_class_without_training_rows_keeps_its_place_in_the_graph(tmp_path: Path, method: str, absent: int) -> None:
    matrix, target = rows_of("multiclass", 200, seed=1)
    seen = target != absent
    given = task_of(tmp_path, method, "multiclass", train=(matrix[seen], target[seen]), validation=(matrix, target), n_estimators=5)
    fitted = fit(method, given)
    np.testing.assert_allclose(graph_scores(fitted, matrix), fitted.scores, atol=2e-6)
    assert fitted.scores[:, absent].max() < 1 / 3


def test_boosted_regression_is_equal_to_the_last_bit(tmp_path: Path) -> None:
    fitted, matrix, _ = _fit(tmp_path, "xgboost", "regression", holes=True)
    np.testing.assert_array_equal(graph_scores(fitted, matrix), fitted.scores)


@pytest.mark.parametrize("method", ["xgboost", "random_forest"])
def test_two_fits_give_one_weights_digest_and_another_seed_another(tmp_path: Path, method: str) -> None:
    first, second = (_fit(tmp_path, method, "binary")[0].weights_digest for _ in range(2))
    assert first == second
    assert _fit(tmp_path, method, "binary", n_estimators=16)[0].weights_digest != first


def test_values_at_thresholds_go_the_same_way(tmp_path: Path) -> None:
    fitted, _, _ = _fit(tmp_path, "random_forest", "binary")
    thresholds = next(item for item in fitted.nodes()[0].attribute if item.name == "nodes_values").floats
    at = np.array(sorted(set(thresholds)), dtype=np.float32)
    matrix = np.repeat(np.concatenate([at, np.nextafter(at, np.float32(9)), np.nextafter(at, np.float32(-9))]).reshape(-1, 1), 5, axis=1)
    other, _, _ = _fit(tmp_path, "random_forest", "binary")
    forest = _forest_of(tmp_path)
    np.testing.assert_allclose(graph_scores(other, matrix)[:, 0], forest.predict_proba(matrix)[:, 1], atol=2e-6)


def _forest_of(folder: Path) -> Any:
    """The same forest as `_fit` makes, kept as scikit-learn's object: the oracle."""
    from sklearn.ensemble import RandomForestClassifier

    matrix, target = FeatureTable(folder / "t.parquet").dense()
    defaults = {name: item.default for name, item in entry("random_forest").hyperparameters.items()} | {"n_estimators": 15}
    del defaults["class_weight"]
    defaults["max_features"] = "sqrt"
    return RandomForestClassifier(**defaults, random_state=3).fit(matrix, target.astype(np.int64))


def test_a_forest_refuses_missing_values(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="needs a fill"):
        _fit(tmp_path, "random_forest", "binary", holes=True)


def test_a_booster_of_another_kind_is_refused() -> None:
    from mlops_core.algorithms.xgboost_onnx import model_nodes

    with pytest.raises(Defect, match="dart"):
        model_nodes({"learner": {"objective": {"name": "binary:logistic"}, "gradient_booster": {"name": "dart"}}})


def test_roc_auc_by_ranks_equals_the_reference_with_ties() -> None:
    from sklearn.metrics import roc_auc_score

    source = np.random.default_rng(0)
    target, score = source.integers(0, 2, 500).astype(float), np.round(source.random(500), 1)
    assert measure("binary", target, score.reshape(-1, 1))["roc_auc"] == pytest.approx(roc_auc_score(target, score), abs=1e-12)
    assert "roc_auc" not in measure("binary", np.ones(5), score[:5].reshape(-1, 1))
