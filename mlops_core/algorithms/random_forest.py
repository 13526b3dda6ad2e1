"""Random forest by scikit-learn (Breiman 2001).

    fitted = fit(FitTask(...))

The weights digest is SHA-256 over the arrays of all trees.  Nothing is pickled: the graph is the model.
"""

from __future__ import annotations

import hashlib
import importlib
from typing import Any

import numpy as np

from mlops_core.algorithms.fitting import Array, FitTask, Fitted, measure
from mlops_core.errors import InvalidRequest

_THIRD = "third"


def load() -> None:
    """Import the library, so that the seconds of a fit hold the fit alone."""
    importlib.import_module("sklearn.ensemble")


def fit(task: FitTask) -> Fitted:
    """Train and score the validation rows; progress is told once."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    matrix, target = task.train.dense()
    if np.isnan(matrix).any():
        raise InvalidRequest(
            "the random forest needs a fill for every missing value.", remedy="Choose median, mean or mode.", code="E-TRAIN-002"
        )
    kind = RandomForestRegressor if task.task == "regression" else RandomForestClassifier
    forest = kind(**_arguments(task), random_state=task.seed, n_jobs=task.threads)
    forest.fit(matrix, target if task.task == "regression" else target.astype(np.int64))
    del matrix
    checked, truth = task.validation.dense()
    scores = _scores(forest, checked, task)
    found = measure(task.task, truth, scores)
    task.progress(found)
    return Fitted(
        scores=scores,
        weights_digest=_digest(forest),
        nodes=lambda: _nodes(forest, task),
        learning_curve={name: (value,) for name, value in found.items()},
        libraries=("scikit-learn", "scipy", "joblib"),
    )


def _arguments(task: FitTask) -> dict[str, Any]:
    chosen: dict[str, Any] = dict(task.hyperparameters)
    tried = chosen.pop("max_features")
    features = len(task.train.names)
    columns: str | int | None = {"all": None, _THIRD: max(1, round(features / 3))}.get(str(tried), str(tried))
    return chosen | {"max_features": columns}


def _scores(forest: Any, matrix: Array, task: FitTask) -> Array:
    if task.task == "regression":
        return np.asarray(forest.predict(matrix), dtype=np.float64).reshape(-1, 1)
    shares = np.asarray(forest.predict_proba(matrix), dtype=np.float64)
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
    return [tree_ensemble(_pack(forest, binary=task.task == "binary"), targets=targets, source=FEATURES, output=SCORE)]


def _pack(forest: Any, *, binary: bool) -> Any:
    """All trees as arrays; a leaf weighs its value divided by the number of trees, zero weights are left out except one per leaf."""
    from mlops_core.algorithms.ensemble import Trees

    trees = [estimator.tree_ for estimator in forest.estimators_]
    sizes = np.array([tree.node_count for tree in trees])
    number = np.repeat(np.arange(len(trees)), sizes)
    node = np.concatenate([np.arange(size) for size in sizes])
    left = np.concatenate([tree.children_left for tree in trees])
    values = np.concatenate([tree.value[:, 0, :] for tree in trees]) / len(trees)
    values = values[:, 1:2] if binary else values
    leaf = np.flatnonzero(left < 0)
    keep = values[leaf] != 0
    keep[:, 0] = True
    which, target = np.nonzero(keep)
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
