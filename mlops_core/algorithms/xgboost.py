"""Gradient boosted trees by XGBoost (Chen and Guestrin 2016), histogram method.

    fitted = fit(FitTask(...))

Training rows stream from Parquet into the histogram matrix (one byte per value), so memory does not hold the float matrix.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from mlops_core.algorithms.fitting import Array, FeatureTable, FitTask, Fitted, measure

LINES = 20
OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}


def load() -> None:
    """Import the library, so that the seconds of a fit hold the fit alone."""
    _library()


def fit(task: FitTask) -> Fitted:
    """Train and score the validation rows; progress is told at most 21 times."""
    xgb = _library()
    xgb.set_config(verbosity=1)
    parameters = {key: value for key, value in task.hyperparameters.items() if key != "n_estimators"}
    max_bin = int(parameters["max_bin"])
    train = xgb.QuantileDMatrix(_stream(xgb, task.train), max_bin=max_bin, nthread=task.threads)
    matrix, target = task.validation.dense()
    validation = xgb.DMatrix(matrix, nthread=task.threads)
    parameters |= {"objective": OBJECTIVES[task.task], "seed": task.seed, "nthread": task.threads, "tree_method": "hist"}
    if task.task == "multiclass":
        parameters["num_class"] = task.classes
    curve: dict[str, list[float]] = {}
    watch = _watcher(xgb, task, lambda model: _scores(model, validation), target=target, curve=curve)
    rounds = int(task.hyperparameters["n_estimators"])
    booster = xgb.train(parameters, train, num_boost_round=rounds, callbacks=[watch], verbose_eval=False)
    native = canonical_json(booster)
    return Fitted(
        scores=_scores(booster, validation),
        weights_digest=hashlib.sha256(native).hexdigest(),
        nodes=lambda: _nodes(native),
        native={"xgboost.json": native},
        learning_curve={name: tuple(values) for name, values in curve.items()},
        libraries=("xgboost-cpu",),
    )


def canonical_json(booster: Any) -> bytes:
    """The model as JSON with sorted keys and no spaces: XGBoost loads it, and its SHA-256 is the weights digest."""
    return json.dumps(json.loads(booster.save_raw("json")), sort_keys=True, separators=(",", ":")).encode()


def _nodes(native: bytes) -> list[Any]:
    from mlops_core.algorithms.xgboost_onnx import model_nodes

    return model_nodes(json.loads(native))


def _library() -> Any:
    """XGBoost without its optional scikit-learn wrapper, whose import takes longer than many trainings."""
    # Threads that spin at each barrier make a shared machine seven times slower (measured); sleeping costs nothing on a quiet one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    absent = "sklearn" not in sys.modules
    if absent:
        sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        import xgboost
    finally:
        if absent:
            del sys.modules["sklearn"]
    return xgboost


def _stream(xgb: Any, table: FeatureTable) -> Any:
    class Stream(xgb.DataIter):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.batches = table.batches()

        def next(self, input_data: Callable[..., None]) -> bool:
            batch = next(self.batches, None)
            if batch is None:
                return False
            input_data(data=batch[0], label=batch[1])
            return True

        def reset(self) -> None:
            self.batches = table.batches()

    return Stream()


def _scores(model: Any, matrix: Any) -> Array:
    scores = np.asarray(model.predict(matrix), dtype=np.float64)
    return scores.reshape(len(scores), -1)


def _watcher(xgb: Any, task: FitTask, score: Callable[[Any], Array], *, target: Array, curve: dict[str, list[float]]) -> Any:
    rounds = int(task.hyperparameters["n_estimators"])
    step = max(1, -(-rounds // LINES))

    class Watcher(xgb.callback.TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002  the library's own signature
            if (epoch + 1) % step == 0 or epoch + 1 == rounds:
                found = measure(task.task, target, score(model))
                for name, value in ({"round": float(epoch + 1)} | found).items():
                    curve.setdefault(name, []).append(value)
                task.progress(found)
            return False

    return Watcher()
