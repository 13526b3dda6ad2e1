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
from mlops_core.errors import InvalidRequest, JobFailed
from mlops_core.jobs.contract import JobFolder, log, read_message, write_message
from mlops_core.jobs.pins import hold

PREFIX = "mlops_"


def run(folder: JobFolder) -> None:
    """Train; `InvalidRequest` (E-TRAIN-…) for hyperparameters that do not exist or do not fit the prepared data.

    `JobFailed` (E-TRAIN-006) when the model answers a validation row with something that is no number: no figure of it could be trusted.
    """
    given = folder.hyperparameters()
    prepared = folder.channel("prepared")
    hold(prepared)
    spec = read_message(prepared / "spec.json", FeatureSpec)
    algorithm = given.get("mlops_algorithm", "xgboost")
    parameters = resolve(given)
    _check_task(given, spec, algorithm)
    task = _task(folder, given, spec, parameters)
    log(f"{algorithm} on {task.train.rows:,} rows and {len(task.train.names)} features, {task.threads} threads")
    method = importlib.import_module(f"mlops_core.algorithms.{algorithm}")
    method.load()
    importlib.import_module("mlops_core.features.graph")
    started, processor = time.monotonic(), time.process_time()
    fitted = method.fit(task)
    trained = time.monotonic()
    _check_scores(fitted)
    onnx_digest = _export(folder, spec, fitted)
    metrics = _predictions(folder, task, fitted)
    report = TrainingReport(
        algorithm=algorithm, task=spec.task, seed=task.seed, hyperparameters=parameters, rows=task.train.rows,
        features=len(task.train.names), threads=task.threads, weights_digest=fitted.weights_digest, onnx_digest=onnx_digest,
        seconds=round(trained - started, 3),
        export_seconds=round(time.monotonic() - trained, 3), validation_metrics=metrics, learning_curve=fitted.learning_curve,
        libraries={name: version(name) for name in ("numpy", "onnx", "pyarrow", *fitted.libraries)},
        code_commit=given.get("mlops_code_commit", ""), rounds=fitted.rounds, best_round=fitted.best_round,
        resumed_round=fitted.resumed_round, converged=fitted.converged, class_weights=_class_weights(task, spec),
    )  # fmt: skip
    write_message(folder.model / "training.json", report)
    write_message(folder.model / "spec.json", spec)
    # Told last, so that the platform, which keeps the last value of each name, shows the figures of the model that was written.
    tell({f"validation:{name}": value for name, value in metrics.items()})
    _tell_end(fitted, processor=time.process_time() - processor)


def _task(folder: JobFolder, given: dict[str, str], spec: FeatureSpec, parameters: dict[str, Scalar]) -> FitTask:
    features = folder.channel("prepared") / "features"
    return FitTask(
        task=spec.task, classes=len(spec.labels), train=FeatureTable(features / "train.parquet"),
        validation=FeatureTable(features / "validation.parquet"), hyperparameters=parameters,
        seed=int(given.get("mlops_seed", "42")), threads=folder.threads(), progress=tell, metric=given.get("mlops_metric", ""),
        checkpoints=folder.checkpoints, checkpoint_seconds=float(given.get("mlops_checkpoint_seconds", "30")),
    )  # fmt: skip


def _tell_end(fitted: Fitted, *, processor: float) -> None:
    if fitted.converged is False:
        log(f"the solver stopped after {fitted.rounds} steps before it reached its tolerance; the model is the best it found.")
    if fitted.best_round is not None:
        log(f"the model keeps {fitted.best_round} of {fitted.rounds} rounds.")
    log(f"processor seconds: {processor:.3f}")


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
    """One line per metric, in the form that the metric definitions read; names carry their split, ``validation:rmse``."""
    for name, value in metrics.items():
        log(f"#metric {name}={value:.6g};")


def _check_task(given: dict[str, str], spec: FeatureSpec, algorithm: str) -> None:
    asked = given.get("mlops_task", spec.task)
    if asked not in get_args(Task) or asked != spec.task:
        raise InvalidRequest(f"the task {asked!r} does not fit the prepared data, which is for {spec.task}.", code="E-TRAIN-004")
    if spec.task not in entry(algorithm).tasks:
        raise InvalidRequest(f"{algorithm} does not learn {spec.task}.", code="E-TRAIN-004")


def _check_scores(fitted: Fitted) -> None:
    import numpy as np

    rows = len(fitted.scores)
    good = int(np.isfinite(fitted.scores).all(axis=1).sum())
    if good < rows:
        raise JobFailed(
            f"the trained model gives no number for {rows - good:,} of {rows:,} validation rows.",
            remedy="Look at the data for values near the limits of numbers, scale them or drop the column, and label again.",
            code="E-TRAIN-006",
        )


def _class_weights(task: FitTask, spec: FeatureSpec) -> dict[str, float]:
    from mlops_core.algorithms.weights import class_weights

    weights = class_weights(task)
    return {spec.labels[index]: round(weight, 9) for index, weight in weights.items()} if weights else {}


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
