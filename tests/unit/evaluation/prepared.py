"""A prepared split with a model archive, small enough for unit tests: what the data and the training job leave behind."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import helper, numpy_helper

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import CategoricalColumn, ColumnProfile, DataProfile, FeatureSpec, NumericColumn
from mlops_core.contracts.evaluation import EvaluationJobConfig
from mlops_core.contracts.training import TrainingReport
from mlops_core.features.graph import FEATURES, SCORE, assemble
from mlops_core.jobs.archive import write_archive
from mlops_core.jobs.contract import JobFolder, write_message

LABELS: dict[str, tuple[str, ...]] = {"binary": ("no", "はい $5"), "multiclass": ("a", "b<i>", "c"), "regression": ()}
_METRICS = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}


def spec_of(task: Any, *, fill: float = 40.0) -> FeatureSpec:
    return FeatureSpec(
        task=task,
        target="target | <b>",
        numeric=(NumericColumn(name="age", type="int64", fill=fill),),
        categorical=(CategoricalColumn(name="sex", fill="m", categories=("f", "m")),),
        labels=LABELS[task],
        missing_values="median",
        scaling="none",
    )


def graph_of(spec: FeatureSpec, *, broken: bool = False) -> bytes:
    width = 3 if spec.task == "multiclass" else 1
    weights = np.linspace(0.05, -0.05, 3 * width, dtype=np.float32).reshape(3, width)
    bias = np.linspace(-2, 2, width).astype(np.float32) if width > 1 else np.array([np.nan if broken else -2.0], dtype=np.float32)
    nodes = [
        helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(weights)),
        helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(bias)),
        helper.make_node("Gemm", [FEATURES, "w", "b"], ["linear"]),
        helper.make_node({"binary": "Sigmoid", "multiclass": "Softmax", "regression": "Identity"}[spec.task], ["linear"], [SCORE]),
    ]
    return assemble(spec, nodes)


def table_of(spec: FeatureSpec, rows: int) -> pa.Table:
    generator = np.random.default_rng(11)
    age = generator.integers(17, 90, rows)
    sex = generator.choice(["f", "m", "other"], rows)
    if spec.task == "regression":
        target: Any = age * 0.05 - 2 + generator.normal(0, 0.3, rows)
        target[:3] = 0
    elif spec.task == "binary":
        target = np.where(generator.random(rows) < 1 / (1 + np.exp(-(age - 50) / 12)), LABELS["binary"][1], "no")
    else:
        target = generator.choice(LABELS["multiclass"], rows)
    columns = {"age": pa.array([None if value == 50 else int(value) for value in age], pa.int64()), "sex": pa.array(sex)}
    return pa.table({**columns, spec.target: pa.array(target), "__row": pa.array(range(1000, 1000 + rows), pa.int64())})


def profile_of(spec: FeatureSpec) -> DataProfile:
    column = ColumnProfile(
        name="age", type="int64", rows=100, missing=2, distinct=60, mean=48.0, edges=(30.0, 60.0), shares=(0.2, 0.5, 0.3)
    )
    shares = dict(zip(spec.labels, np.linspace(0.9, 0.1, len(spec.labels)), strict=True))
    return DataProfile(
        raw_digest="ab" * 32, rows_read=1000, duplicate_rows=3, dropped_rows=0, rows={"train": 640, "validation": 160, "test": 200},
        columns=(column,), class_shares={name: float(share) for name, share in shares.items()}, seconds=1, feature_count=3,
        spec_digest=digest(spec),
    )  # fmt: skip


def prepare(base: Path, task: Any = "binary", *, rows: int = 400, broken: bool = False, **changes: Any) -> JobFolder:
    """A job folder that the evaluation job can run in."""
    spec = spec_of(task)
    graph = graph_of(spec, broken=broken)
    report = TrainingReport(
        algorithm="xgboost", task=task, seed=42, hyperparameters={"max_depth": 6}, rows=640, features=3, threads=2,
        weights_digest="cd" * 32,
        onnx_digest=hashlib.sha256(graph).hexdigest(), seconds=1.5, export_seconds=0.1, validation_metrics={}, libraries={},
    )  # fmt: skip
    inputs = base / "processing" / "input"
    for name in ("config", "model", "prepared/test", "prepared/validation"):
        (inputs / name).mkdir(parents=True, exist_ok=True)
    members = {"model.onnx": graph, "spec.json": spec.model_dump_json().encode(), "training.json": report.model_dump_json().encode()}
    (inputs / "model" / "model.tar.gz").write_bytes(write_archive(members))
    write_message(inputs / "prepared" / "spec.json", spec)
    write_message(inputs / "prepared" / "profile.json", profile_of(spec))
    for split in ("test", "validation"):
        pq.write_table(table_of(spec, rows), inputs / "prepared" / split / "data.parquet")
    config = {"run_id": "r1", "model_name": "income", "task": task, "metric": _METRICS[task], "split": "test", "resamples": 200}
    write_message(inputs / "config" / "config.json", EvaluationJobConfig(**(config | changes)))
    return JobFolder(base)
