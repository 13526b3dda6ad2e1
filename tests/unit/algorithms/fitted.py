"""Small tasks for the learning methods, and scores of a fitted model's graph."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import TensorProto, helper

from mlops_core.algorithms.catalogue import entry
from mlops_core.algorithms.fitting import Array, FeatureTable, FitTask, Fitted
from mlops_core.contracts.request import Task
from mlops_core.features.feeds import session
from mlops_core.features.graph import FEATURES, IR_VERSION, OPSETS, SCORE


def rows_of(task: Task, rows: int, *, seed: int, holes: bool = False) -> tuple[Array, Array]:
    """Five features and a target that depends on them; classes 0…3 for a multiclass task."""
    source = np.random.default_rng(seed)
    matrix = np.round(source.normal(size=(rows, 5)), 2).astype(np.float32)
    signal = matrix[:, 0] - matrix[:, 1] ** 2 + 0.3 * matrix[:, 2]
    if holes:
        matrix[source.random(matrix.shape) < 0.1] = np.nan
    if task == "regression":
        return matrix, signal.astype(np.float64) * 1000 + 200_000
    edges = [-1.0, 0.0, 1.0] if task == "multiclass" else [0.0]
    return matrix, np.digitize(signal, edges).astype(np.float64)


def table(path: Path, matrix: Array, target: Array) -> FeatureTable:
    """The rows as the data job writes them."""
    columns = {"__row": np.arange(len(target))} | {f"f{index}": matrix[:, index] for index in range(matrix.shape[1])} | {"y": target}
    pq.write_table(pa.table(columns), path)
    return FeatureTable(path)


def task_of(folder: Path, method: str, task: Task, *, train: tuple[Array, Array], validation: tuple[Array, Array], **given: Any) -> FitTask:
    """A task with the method's defaults; what is no field of `FitTask` is a hyperparameter."""
    folder.mkdir(exist_ok=True)
    own = {
        name: given.pop(name) for name in ("threads", "seed", "metric", "checkpoints", "checkpoint_seconds", "progress") if name in given
    }
    parameters = {name: item.default for name, item in entry(method).hyperparameters.items()} | given
    classes = 4 if task == "multiclass" else 2
    fields: dict[str, Any] = {"seed": 3, "threads": 1, "progress": lambda _: None} | own
    return FitTask(
        task=task, classes=classes, train=table(folder / "t.parquet", *train), validation=table(folder / "v.parquet", *validation),
        hyperparameters=parameters, **fields,
    )  # fmt: skip


def fit(method: str, task: FitTask) -> Fitted:
    """Train."""
    fitted: Fitted = importlib.import_module(f"mlops_core.algorithms.{method}").fit(task)
    return fitted


def graph_scores(fitted: Fitted, matrix: Array) -> Array:
    """The scores of the exported graph."""
    inputs = [helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, [None, matrix.shape[1]])]
    outputs = [helper.make_tensor_value_info(SCORE, TensorProto.FLOAT, [None, None])]
    opsets = [helper.make_opsetid(domain, number) for domain, number in OPSETS.items()]
    model = helper.make_model(helper.make_graph(fitted.nodes(), "m", inputs, outputs), opset_imports=opsets, ir_version=IR_VERSION)
    (scores,) = session(model.SerializeToString()).run([SCORE], {FEATURES: matrix})
    return np.asarray(scores, dtype=np.float64)
