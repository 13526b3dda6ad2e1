"""The training job: prepared features to a model graph, its report and the validation predictions.

    mlops-job train        # reads and writes what contracts/training.py says

Hyperparameters that the request did not name take the catalogue's defaults; unknown ones are refused here as in the form.
"""

from __future__ import annotations

import hashlib
import importlib
import time
from importlib.metadata import version
from typing import get_args

from mlops_core.algorithms.catalogue import entry
from mlops_core.algorithms.fitting import FeatureTable, FitTask, Fitted
from mlops_core.contracts.dataset import FeatureSpec
from mlops_core.contracts.request import Scalar, Task
from mlops_core.contracts.training import TrainingReport
from mlops_core.errors import InvalidRequest
from mlops_core.jobs.contract import JobFolder, log, read_message, write_message

PREFIX = "mlops_"


def run(folder: JobFolder) -> None:
    """Train; `InvalidRequest` (E-TRAIN-…) for hyperparameters that do not exist or do not fit the prepared data."""
    given = folder.hyperparameters()
    prepared = folder.channel("prepared")
    spec = read_message(prepared / "spec.json", FeatureSpec)
    algorithm, parameters = given.get("mlops_algorithm", "xgboost"), resolve(given)
    _check_task(given, spec, algorithm)
    task = FitTask(
        task=spec.task, classes=len(spec.labels), train=FeatureTable(prepared / "features" / "train.parquet"),
        validation=FeatureTable(prepared / "features" / "validation.parquet"), hyperparameters=parameters,
        seed=int(given.get("mlops_seed", "42")), threads=folder.threads(), progress=tell,
    )  # fmt: skip
    log(f"{algorithm} on {task.train.rows:,} rows and {len(task.train.names)} features, {task.threads} threads")
    method = importlib.import_module(f"mlops_core.algorithms.{algorithm}")
    method.load()
    started, processor = time.monotonic(), time.process_time()
    fitted = method.fit(task)
    trained = time.monotonic()
    onnx_digest = _export(folder, spec, fitted)
    metrics = _predictions(folder, task, fitted)
    report = TrainingReport(
        algorithm=algorithm, task=spec.task, seed=task.seed, hyperparameters=parameters, rows=task.train.rows,
        features=len(task.train.names), threads=task.threads, weights_digest=fitted.weights_digest, onnx_digest=onnx_digest,
        seconds=round(trained - started, 3),
        export_seconds=round(time.monotonic() - trained, 3), validation_metrics=metrics, learning_curve=fitted.learning_curve,
        libraries={name: version(name) for name in ("numpy", "onnx", "pyarrow", *fitted.libraries)},
        code_commit=given.get("mlops_code_commit", ""),
    )  # fmt: skip
    write_message(folder.model / "training.json", report)
    write_message(folder.model / "spec.json", spec)
    log(f"processor seconds: {time.process_time() - processor:.3f}")


def resolve(given: dict[str, str]) -> dict[str, Scalar]:
    """The method's hyperparameters, typed and checked, defaults filled in."""
    method = entry(given.get("mlops_algorithm", "xgboost"))
    unknown = [name for name in given if not name.startswith(PREFIX) and name not in method.hyperparameters]
    if unknown:
        raise InvalidRequest(
            f"{method.title} has no hyperparameter {unknown[0][:80]!r}; it has {', '.join(method.hyperparameters)}.", code="E-TRAIN-001"
        )
    return {name: item.check(given[name]) if name in given else item.default for name, item in method.hyperparameters.items()}


def tell(metrics: dict[str, float]) -> None:
    """One line per metric, in the form that the metric definitions read."""
    for name, value in metrics.items():
        log(f"#metric validation:{name}={value:.6g};")


def _check_task(given: dict[str, str], spec: FeatureSpec, algorithm: str) -> None:
    asked = given.get("mlops_task", spec.task)
    if asked not in get_args(Task) or asked != spec.task:
        raise InvalidRequest(f"the task {asked!r} does not fit the prepared data, which is for {spec.task}.", code="E-TRAIN-004")
    if spec.task not in entry(algorithm).tasks:
        raise InvalidRequest(f"{algorithm} does not learn {spec.task}.", code="E-TRAIN-004")


def _export(folder: JobFolder, spec: FeatureSpec, fitted: Fitted) -> str:
    from mlops_core.features.graph import assemble

    model = assemble(spec, fitted.nodes())
    (folder.model / "model.onnx").write_bytes(model)
    if fitted.native:
        native = folder.model / "native"
        native.mkdir(exist_ok=True)
        for name, content in fitted.native.items():
            (native / name).write_bytes(content)
    return hashlib.sha256(model).hexdigest()


def _predictions(folder: JobFolder, task: FitTask, fitted: Fitted) -> dict[str, float]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mlops_core.algorithms.fitting import measure

    target = np.concatenate([values for _, values in task.validation.batches()])
    columns = {"__row": task.validation.row_numbers(), "y": target}
    columns |= {f"score_{index}": np.ascontiguousarray(fitted.scores[:, index]) for index in range(fitted.scores.shape[1])}
    pq.write_table(pa.table(columns), folder.training_output / "predictions.parquet", compression="zstd")
    return measure(task.task, target, fitted.scores)
