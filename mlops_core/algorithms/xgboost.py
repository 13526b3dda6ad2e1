"""Gradient boosted trees by XGBoost (Chen and Guestrin 2016), histogram method.

    fitted = fit(FitTask(...))

Training rows stream from Parquet into the histogram matrix (one byte per value), so memory does not hold the float matrix.  The loss of
training and validation rows is measured after every round, or at 200 of them where nothing depends on it.  With
``early_stopping_rounds`` training ends when the validation loss has not fallen for so many rounds, and the model keeps the rounds up to
the best one.  Every 20 rounds the random numbers begin anew from seed and round, so a training that goes on from a checkpoint ends with
the bytes of one that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from mlops_core.algorithms.checkpoint import Keeper
from mlops_core.algorithms.fitting import Array, FeatureTable, FitTask, Fitted, measure, named
from mlops_core.algorithms.learning_curve import POINTS, Curve
from mlops_core.algorithms.weights import class_weights, row_weights

LINES = 20
BLOCK = 20
"""Rounds between two places where a training may be taken up again."""
OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}
LOSSES = {"binary": "logloss", "multiclass": "mlogloss", "regression": "rmse"}
OWN = {"n_estimators", "early_stopping_rounds", "class_weight"}
"""Hyperparameters that are not the library's own."""


def load() -> None:
    """Import the library, so that the seconds of a fit hold the fit alone."""
    _library()


def fit(task: FitTask) -> Fitted:
    """Train and score the validation rows; progress is told at most 21 times."""
    xgb = _library()
    xgb.set_config(verbosity=1)
    weights = class_weights(task)
    max_bin = int(task.hyperparameters["max_bin"])
    train = xgb.QuantileDMatrix(_stream(xgb, task.train, weights), max_bin=max_bin, nthread=task.threads)
    matrix, target = task.validation.dense()
    validation = xgb.DMatrix(matrix, label=target, weight=row_weights(weights, target), nthread=task.threads)
    boosting = Boosting(xgb, task, train=train, validation=validation, target=target)
    boosting.run()
    booster = boosting.model()
    native = canonical_json(booster)
    return Fitted(
        scores=_scores(booster, validation),
        weights_digest=hashlib.sha256(native).hexdigest(),
        nodes=lambda: _nodes(native),
        native={"xgboost.json": native},
        learning_curve=boosting.curve.thinned(boosting.best if boosting.patience else None),
        libraries=("xgboost-cpu",),
        rounds=boosting.done,
        best_round=boosting.best + 1 if boosting.patience else None,
        resumed_round=boosting.resumed,
    )


@dataclass
class Boosting:
    """The rounds of one training: the booster, the loss after every round, the best round so far (from 0)."""

    xgb: Any
    task: FitTask
    train: Any
    validation: Any
    target: Array
    curve: Curve = field(default_factory=Curve)
    best: int = 0
    done: int = 0
    resumed: int = 0
    booster: Any = None

    @property
    def patience(self) -> int:
        """Rounds without a better validation loss after which training ends; 0: never."""
        return int(self.task.hyperparameters["early_stopping_rounds"])

    @property
    def loss(self) -> str:
        """The loss that is followed: the task's own, the absolute error when the request asks for it."""
        return "mae" if self.task.task == "regression" and self.task.metric == "mae" else LOSSES[self.task.task]

    def run(self) -> None:
        """All rounds, from the checkpoint on when there is one."""
        keeper = Keeper(self.task, name="xgboost.json", extra={"xgboost": version("xgboost-cpu")})
        self._begin(keeper.restore())
        rounds = int(self.task.hyperparameters["n_estimators"])
        step, every = max(1, -(-rounds // LINES)), max(1, -(-rounds // POINTS))
        while self.done < rounds and not self._worse():
            if self.done % BLOCK == 0 and self.done != self.resumed:
                self._renew()
                if keeper.due():
                    keeper.save(self._state())
            self.booster.update(self.train, iteration=self.done)
            self.done += 1
            if self.patience or self.done % every == 0 or self.done == rounds:
                self._measure()
            if self.done % step == 0 or self.done == rounds:
                self._tell()

    def model(self) -> Any:
        """The booster to export: up to the best round when training may stop early."""
        return self.booster[: self.best + 1] if self.patience else self.booster

    def _begin(self, state: dict[str, Any] | None) -> None:
        own = {name: value for name, value in self.task.hyperparameters.items() if name not in OWN}
        own |= {"objective": OBJECTIVES[self.task.task], "eval_metric": self.loss, "tree_method": "hist"}
        own |= {"nthread": self.task.threads}
        if self.task.task == "multiclass":
            own["num_class"] = self.task.classes
        content = None
        if state is not None:
            self.done = self.resumed = int(state["round"])
            self.best, self.curve = int(state["best"]), Curve(state["curve"])
            content = bytearray(json.dumps(state["model"]).encode())
        self.booster = self.xgb.Booster(own | {"seed": self._seed()}, [self.train, self.validation], model_file=content)

    def _seed(self) -> int:
        return (self.task.seed + self.done) % (1 << 31)

    def _renew(self) -> None:
        """Draw from a new seed, as a booster that was just loaded does.

        The tree builder keeps a generator of its own, which the library neither saves nor lets go of while the method stays: another method
        for a moment makes it begin anew.
        """
        self.booster.set_param({"tree_method": "approx"})
        self.booster.save_config()
        self.booster.set_param({"tree_method": "hist", "seed": self._seed()})

    def _state(self) -> dict[str, Any]:
        model = json.loads(self.booster.save_raw("json"))
        return {"round": self.done, "best": self.best, "curve": self.curve.values, "model": model}

    def _worse(self) -> bool:
        return bool(self.patience) and self.done - self.best > self.patience

    def _measure(self) -> None:
        """The losses after the round that was just made, as the library counts them (class weights included).

        They cost a fifth of the round itself.
        """
        text = self.booster.eval_set([(self.train, "train"), (self.validation, "validation")], iteration=self.done - 1)
        losses = [float(part.rpartition(":")[2]) for part in text.split("\t")[1:]]
        self.curve.add({"round": float(self.done), f"train:{self.loss}": losses[0], f"validation:{self.loss}": losses[1]})
        history = self.curve.values[f"validation:{self.loss}"]
        if self.patience and losses[1] < history[self.best]:
            self.best = self.done - 1

    def _tell(self) -> None:
        figures = named("validation", measure(self.task.task, self.target, _scores(self.booster, self.validation)))
        self.task.progress({f"train:{self.loss}": self.curve.values[f"train:{self.loss}"][-1]} | figures)


def canonical_json(booster: Any) -> bytes:
    """The model as JSON with sorted keys and no spaces: XGBoost loads it, and its SHA-256 is the weights digest."""
    return json.dumps(json.loads(booster.save_raw("json")), sort_keys=True, separators=(",", ":")).encode()


def _nodes(native: bytes) -> list[Any]:
    from mlops_core.algorithms.xgboost_onnx import model_nodes

    return model_nodes(json.loads(native))


def _library() -> Any:
    """XGBoost without its optional scikit-learn wrapper, whose import takes longer than many trainings."""
    # How often a thread looks at a barrier before it sleeps.  400 rounds on 219 rows, 2 cores, seconds: 0.05 (1.0 when it sleeps at once);
    # beside two others 0.7 (41 with the default of 300,000).
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    absent = "sklearn" not in sys.modules
    if absent:
        sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        import xgboost
    finally:
        if absent:
            del sys.modules["sklearn"]
    return xgboost


def _stream(xgb: Any, table: FeatureTable, weights: dict[int, float] | None) -> Any:
    class Stream(xgb.DataIter):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.batches = table.batches()

        def next(self, input_data: Callable[..., None]) -> bool:
            batch = next(self.batches, None)
            if batch is None:
                return False
            input_data(data=batch[0], label=batch[1], weight=row_weights(weights, batch[1]))
            return True

        def reset(self) -> None:
            self.batches = table.batches()

    return Stream()


def _scores(model: Any, matrix: Any) -> Array:
    scores = np.asarray(model.predict(matrix), dtype=np.float64)
    return scores.reshape(len(scores), -1)
