"""Random forest by scikit-learn (Breiman 2001).

    fitted = fit(FitTask(...))

The weights digest is SHA-256 over the arrays of all trees.  Nothing is pickled: the graph is the model.  The learning curve follows a
forest of a tenth of the trees over growing parts of the rows; its last point is the first tenth of the trees of the whole forest.
"""

from __future__ import annotations

import copy
import hashlib
import importlib
from typing import Any

import numpy as np

from mlops_core.algorithms.catalogue import columns_tried
from mlops_core.algorithms.fitting import Array, FitTask, Fitted
from mlops_core.algorithms.learning_curve import Scorer, by_rows
from mlops_core.algorithms.weights import class_weights
from mlops_core.contracts.request import Task
from mlops_core.errors import InvalidRequest


def load() -> None:
    """Import the library, so that the seconds of a fit hold the fit alone."""
    importlib.import_module("sklearn.ensemble")


def fit(task: FitTask) -> Fitted:
    """Train and score the validation rows; progress is told at most five times."""
    matrix, target = task.train.dense()
    if np.isnan(matrix).any():
        raise InvalidRequest(
            "the random forest needs a fill for every missing value.", remedy="Choose median, mean or mode.", code="E-TRAIN-002"
        )
    arguments = _arguments(task) | {"class_weight": class_weights(task)}
    forest = _grown(task, arguments, matrix, target)
    del matrix
    checked, truth = task.validation.dense()
    few = arguments | {"n_estimators": max(1, len(forest.estimators_) // 10)}

    def part(matrix: Array, target: Array) -> Scorer:
        grown = _grown(task, few, matrix, target)
        return lambda rows: _scores(grown, rows, task)

    curve = by_rows(task, part, lambda rows: _scores(_first(forest, few["n_estimators"]), rows, task), validation=(checked, truth))
    return Fitted(
        scores=_scores(forest, checked, task),
        weights_digest=_digest(forest),
        nodes=lambda: _nodes(forest, task),
        learning_curve=curve,
        libraries=("scikit-learn", "scipy", "joblib"),
        rounds=len(forest.estimators_),
    )


def _grown(task: FitTask, arguments: dict[str, Any], matrix: Array, target: Array) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    if task.task == "regression":
        own = {name: value for name, value in arguments.items() if name != "class_weight"}
        return RandomForestRegressor(**own, random_state=task.seed, n_jobs=task.threads).fit(matrix, target)
    classes = target.astype(np.int64)
    weights = arguments["class_weight"]
    # A part of the rows may lack a class, and the library refuses a weight for a class that it does not see.
    seen = {index: weights[index] for index in np.unique(classes).tolist()} if weights else None
    own = arguments | {"class_weight": seen}
    return RandomForestClassifier(**own, random_state=task.seed, n_jobs=task.threads).fit(matrix, classes)


def _first(forest: Any, trees: int) -> Any:
    """The forest of the first trees."""
    part = copy.copy(forest)
    part.estimators_ = forest.estimators_[:trees]
    return part


def _arguments(task: FitTask) -> dict[str, Any]:
    chosen: dict[str, Any] = {name: value for name, value in task.hyperparameters.items() if name != "class_weight"}
    tried = columns_tried(str(chosen.pop("max_features")), task=task.task, features=len(task.train.names))
    return chosen | {"max_features": tried}


def _scores(forest: Any, matrix: Array, task: FitTask) -> Array:
    if task.task == "regression":
        return np.asarray(forest.predict(matrix), dtype=np.float64).reshape(-1, 1)
    shares = np.zeros((len(matrix), task.classes))
    shares[:, forest.classes_] = forest.predict_proba(matrix)
    return shares[:, 1:2] if task.task == "binary" else shares


def _digest(forest: Any) -> str:
    whole = hashlib.sha256()
    for tree in (estimator.tree_ for estimator in forest.estimators_):
        for part, kind in (
            (tree.children_left, "<i8"),
            (tree.children_right, "<i8"),
            (tree.feature, "<i8"),
            (tree.threshold, "<f8"),
            (tree.value, "<f8"),
        ):
            whole.update(np.ascontiguousarray(part, dtype=kind).tobytes())
    return whole.hexdigest()


def _nodes(forest: Any, task: FitTask) -> list[Any]:
    from mlops_core.algorithms.ensemble import tree_ensemble
    from mlops_core.features.graph import FEATURES, SCORE

    targets = task.classes if task.task == "multiclass" else 1
    return [tree_ensemble(_pack(forest, task.task), targets=targets, source=FEATURES, output=SCORE)]


def _pack(forest: Any, task: Task) -> Any:
    """All trees as arrays; a leaf weighs its value divided by the number of trees, zero weights are left out except one per leaf."""
    from mlops_core.algorithms.ensemble import Trees

    trees = [estimator.tree_ for estimator in forest.estimators_]
    sizes = np.array([tree.node_count for tree in trees])
    number = np.repeat(np.arange(len(trees)), sizes)
    node = np.concatenate([np.arange(size) for size in sizes])
    left = np.concatenate([tree.children_left for tree in trees])
    values = np.concatenate([tree.value[:, 0, :] for tree in trees]) / len(trees)
    values = values[:, 1:2] if task == "binary" else values
    leaf = np.flatnonzero(left < 0)
    keep = values[leaf] != 0
    keep[:, 0] = True
    which, target = np.nonzero(keep)
    if task == "multiclass":
        # The trees know the classes with training rows alone; the others keep their places among the targets.
        target = forest.classes_[target]
    return Trees(
        tree=number, node=node, feature=np.concatenate([tree.feature for tree in trees]),
        threshold=_float32_below(np.concatenate([tree.threshold for tree in trees])), left=left,
        right=np.concatenate([tree.children_right for tree in trees]), missing_left=np.zeros(len(node), dtype=np.int64),
        leaf_tree=number[leaf][which], leaf_node=node[leaf][which], leaf_target=target, leaf_weight=values[leaf][keep], branch="BRANCH_LEQ",
    )  # fmt: skip


def _float32_below(thresholds: Array) -> Array:
    """The greatest float32 not above each threshold: for float32 x it splits exactly as the double does."""
    rounded = thresholds.astype(np.float32)
    above = rounded.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(rounded, np.float32(-np.inf)), rounded)
