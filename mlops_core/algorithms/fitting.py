"""What every learning method is given and gives back: the one interface of the modules beside the catalogue.

    method = importlib.import_module("mlops_core.algorithms.xgboost")
    method.load()            # the slow import, told apart from the fit
    fitted = method.fit(task)

``fitted.scores`` are the validation scores (float64 [N,1] or [N,K]), ``fitted.nodes()`` the ONNX nodes from `graph.FEATURES` to
`graph.SCORE`.  Names of figures that go to ``progress`` and of curves begin with ``train:`` or ``validation:``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlops_core.contracts.request import Scalar, Task

Array = np.ndarray[Any, Any]
BLOCK = 512


class FeatureTable:
    """A features Parquet file: columns f0…fn (float32, flags boolean), target y, row number."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self.path = path
        with pq.ParquetFile(path) as file:
            self.rows: int = file.metadata.num_rows
            self.names: list[str] = [name for name in file.schema_arrow.names if name not in {"__row", "y"}]

    def batches(self, rows: int = 65_536) -> Iterator[tuple[Array, Array]]:
        """Feature matrix (float32, C order) and target (float64) in pieces."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=rows, columns=[*self.names, "y"]):
                *columns, target = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
                yield _rows(columns, batch.num_rows), target

    def dense(self) -> tuple[Array, Array]:
        """The whole matrix and target."""
        matrix, target, start = np.empty((self.rows, len(self.names)), dtype=np.float32), np.empty(self.rows), 0
        for piece, values in self.batches():
            matrix[start : start + len(values)], target[start : start + len(values)] = piece, values
            start += len(values)
        return matrix, target

    def targets(self) -> Array:
        """The target alone, float64."""
        import pyarrow.parquet as pq

        return np.asarray(pq.read_table(self.path, columns=["y"]).column(0).to_numpy(), dtype=np.float64)

    def row_numbers(self) -> Array:
        """The row numbers in the raw file, int64."""
        import pyarrow.parquet as pq

        return np.asarray(pq.read_table(self.path, columns=["__row"]).column(0).to_numpy())


def _rows(columns: list[Array], rows: int) -> Array:
    """Columns as rows, a few hundred rows at a time: the part of the matrix that is written then stays in the processor's cache."""
    matrix = np.empty((rows, len(columns)), dtype=np.float32)
    for start in range(0, rows, BLOCK):
        part = matrix[start : start + BLOCK]
        for index, column in enumerate(columns):
            part[:, index] = column[start : start + BLOCK]
    return matrix


@dataclass(frozen=True)
class FitTask:
    """One training: data, settings and where progress goes (`progress` takes figures by name).

    ``metric`` is what the request asked for.  Below ``checkpoints`` iterative methods leave a state at most every ``checkpoint_seconds``;
    without the folder they leave none.
    """

    task: Task
    classes: int
    train: FeatureTable
    validation: FeatureTable
    hyperparameters: dict[str, Scalar]
    seed: int
    threads: int
    progress: Callable[[dict[str, float]], None]
    metric: str = ""
    checkpoints: Path | None = None
    checkpoint_seconds: float = 30.0


@dataclass
class Fitted:
    """A trained model as the training job needs it; ``native`` maps file names to bytes of safe formats.

    ``rounds`` counts boosting rounds that were run, trees of a forest or steps of a solver; ``best_round`` is the last round in the
    exported model when boosting may stop early; ``resumed_round`` the rounds that a checkpoint held; ``converged`` is None where it has
    no meaning.
    """

    scores: Array
    weights_digest: str
    nodes: Callable[[], list[Any]]
    native: dict[str, bytes] = field(default_factory=dict)
    learning_curve: dict[str, tuple[float, ...]] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    rounds: int = 0
    best_round: int | None = None
    resumed_round: int = 0
    converged: bool | None = None


def measure(task: Task, target: Array, scores: Array) -> dict[str, float]:
    """Progress metrics of rows: accuracy, logloss and roc_auc (binary), accuracy and mlogloss (multiclass), rmse, mae and r2 (regression).

    ROC AUC by mid-ranks (Mann and Whitney 1947), left out when one class alone is present; the loss is in nats a row, probabilities cut at
    1e-15 from 0 and 1.
    """
    if task == "regression":
        error = scores[:, 0] - target
        spread = float(((target - target.mean()) ** 2).mean())
        found = {"rmse": float(np.sqrt((error**2).mean())), "mae": float(np.abs(error).mean())}
        return found | ({"r2": 1 - float((error**2).mean()) / spread} if spread > 0 else {})
    if task == "multiclass":
        own = scores[np.arange(len(target)), target.astype(np.intp)]
        return {"accuracy": float((scores.argmax(axis=1) == target).mean()), "mlogloss": _loss(own)}
    score = scores[:, 0]
    found = {"accuracy": float(((score >= 0.5) == (target == 1)).mean()), "logloss": _loss(np.where(target == 1, score, 1 - score))}
    positives = int((target == 1).sum())
    if 0 < positives < len(target):
        found["roc_auc"] = _auc(target == 1, score, positives)
    return found


def named(split: str, figures: dict[str, float]) -> dict[str, float]:
    """Figures under the names that logs and curves use: ``validation:rmse``."""
    return {f"{split}:{name}": value for name, value in figures.items()}


def _loss(own: Array) -> float:
    """The mean logarithmic loss of the probabilities that the rows' own classes got."""
    return float(-np.log(np.clip(own, 1e-15, 1.0)).mean())


def _auc(positive: Array, score: Array, positives: int) -> float:
    order = np.argsort(score, kind="stable")
    ordered, flags = score[order], positive[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)])
    ranks = np.repeat(starts + (sizes + 1) / 2, sizes)
    negatives = len(score) - positives
    return float((ranks[flags].sum() - positives * (positives + 1) / 2) / (positives * negatives))
