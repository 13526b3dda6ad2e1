"""Model training: start one training job, follow it, stop it, wake who waits for it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field

from mlops_core.algorithms.catalogue import entry
from mlops_core.contracts.base import RunId, S3Uri
from mlops_core.contracts.job import JobFacts, JobKind, StartedJob
from mlops_core.contracts.request import MetricName, Scalar, Task
from mlops_core.errors import InvalidRequest, Stale
from mlops_core.facts import TrainingJob
from mlops_core.intake.hyperparameters import plain
from mlops_core.ports import Ports
from mlops_core.runs import jobs, names
from mlops_core.runs.progress import COMMON, WAITING
from mlops_core.tool import JobName, RunTime, acts, reads

METRICS: dict[Task, tuple[str, ...]] = {
    "binary": ("accuracy", "precision", "recall", "f1", "roc_auc", "logloss"),
    "multiclass": ("accuracy", "precision", "recall", "f1", "roc_auc", "mlogloss"),
    "regression": ("rmse", "mae", "r2", "mape"),
}
"""What a training program may print; SageMaker keeps the last value of each."""
_LONGEST_VALUE = 2500


def start_training_job(  # noqa: PLR0913, PLR0917 (one field per property of the job)
    ports: Ports,
    run_id: RunId,
    job: JobName,
    algorithm: str,
    task: Task,
    metric: MetricName,
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)],
    hyperparameters: dict[str, Scalar],
    prepared_uri: S3Uri,
    output_uri: S3Uri,
    instance_type: str,
    max_runtime_seconds: RunTime,
) -> StartedJob:
    """Start a training job on prepared data, or adopt it when an earlier call of this step did."""
    bucket = ports.settings.require("bucket")
    prepared = names.safe_uri(prepared_uri.rstrip("/"), below=f"s3://{bucket}/datasets/")
    output = names.safe_uri(output_uri.rstrip("/"), below=f"s3://{bucket}/models/")
    told = {"mlops_algorithm": algorithm, "mlops_task": task, "mlops_seed": str(seed), "mlops_metric": metric}
    return jobs.start_training(
        ports,
        run_id,
        TrainingJob(
            name=job,
            channels={"prepared": f"{prepared}/"},
            hyperparameters={**told, **_texts(algorithm, task, hyperparameters)},
            output_uri=output,
            metrics=tuple(f"{split}:{name}" for split in ("train", "validation") for name in METRICS[task]),
            instance_type=instance_type,
            volume_gb=jobs.volume_gb(ports, f"{prepared}/"),
            max_runtime_seconds=max_runtime_seconds,
            tags={},
            # A second attempt of the round has the same output folder, so it finds what the first one left.
            checkpoint_uri=f"{output}/checkpoints",
        ),
    )


def _texts(algorithm: str, task: Task, hyperparameters: dict[str, Scalar]) -> dict[str, str]:
    """Hyperparameters as SageMaker carries them (text), each checked against the method's own table."""
    method = entry(algorithm)
    if task not in method.tasks:
        raise InvalidRequest(f"{algorithm} does not do {task}; it does {', '.join(method.tasks)}.", code="E-TRAINING-TASK")
    texts = {}
    for name, value in hyperparameters.items():
        if name not in method.hyperparameters:
            listed = ", ".join(method.hyperparameters)
            raise InvalidRequest(f"{name[:40]!r} is not a hyperparameter of {algorithm}; known: {listed}.", code="E-PARSE-021")
        text = plain(value)
        known = method.hyperparameters[name]
        if not known.serves(task, known.check(text)):
            raise InvalidRequest(f"{name} = {text} does nothing for {task}.", remedy="Take it out.", code="E-TRAIN-005")
        texts[name] = text[:_LONGEST_VALUE]
    return texts


def describe_training_job(ports: Ports, job: JobName) -> JobFacts:
    """Facts of a training job, its last metrics among them; ``output_uri`` is the folder of its two archives."""
    facts = ports.jobs.describe("training", job)
    return facts.model_copy(update={"output_uri": facts.output_uri.removesuffix("model.tar.gz")})


def stop_job(ports: Ports, job: JobName, kind: JobKind) -> dict[str, Any]:
    """Ask a job to stop: {stopped} is False when it had ended already."""
    return {"stopped": ports.jobs.stop(kind, job)}


def wake_job(ports: Ports, job: JobName) -> dict[str, Any]:
    """End the wait of the state that parked a token for this job: {woken}."""
    row = ports.ledger.get(f"TOKEN#JOB#{job}", "TOKEN")
    if row is None:
        return {"woken": False}
    try:
        ports.ledger.delete(f"TOKEN#JOB#{job}", "TOKEN", expected={"token": row["token"]})
    except Stale:
        return {"woken": False}
    return {"woken": ports.machines.answer(str(row["token"]), json.dumps({"job": job}))}


TOOLS = (
    *COMMON,
    *WAITING,
    acts(start_training_job),
    reads(describe_training_job),
    acts(stop_job),
    acts(wake_job),
)
