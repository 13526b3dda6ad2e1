"""Model evaluation: start one look at one split, follow it, read what it found and what it is compared with."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from pydantic import Field

from mlops_core.contracts.base import RunId, S3Uri
from mlops_core.contracts.evaluation import EvaluationJobConfig, EvaluationResults
from mlops_core.contracts.findings import Curve
from mlops_core.contracts.job import JobFacts, StartedJob
from mlops_core.errors import NotFound
from mlops_core.facts import ProcessingJob
from mlops_core.ports import Ports
from mlops_core.runs import jobs, names, packages
from mlops_core.runs.page import results
from mlops_core.runs.progress import COMMON, WAITING
from mlops_core.runs.shared import read_champion, read_policy
from mlops_core.tool import JobName, RunTime, acts, reads

log = logging.getLogger(__name__)
DatasetId = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$")]
Version = Annotated[str, Field(pattern=r"^v\d{1,6}\.\d{1,6}\.\d{1,6}$")]
_MOST_POINTS = 60


def start_evaluation_job(  # noqa: PLR0913, PLR0917 (one field per input of the job)
    ports: Ports,
    run_id: RunId,
    job: JobName,
    config: EvaluationJobConfig,
    model_uri: S3Uri,
    prepared_uri: S3Uri,
    output_uri: S3Uri,
    instance_type: str,
    max_runtime_seconds: RunTime,
    champion_uri: S3Uri | None = None,
) -> StartedJob:
    """Start the evaluation job, or adopt it when an earlier call of this step did; a champion's package is measured on the same rows."""
    root = f"s3://{ports.settings.require('bucket')}/"
    model = names.safe_uri(model_uri.removesuffix("model.tar.gz").rstrip("/"), below=f"{root}models/")
    prepared = names.safe_uri(prepared_uri.rstrip("/"), below=f"{root}datasets/")
    output = names.safe_uri(output_uri.rstrip("/"), below=f"{root}evaluations/")
    rival = _rival(ports, champion_uri, f"{root}models/") if champion_uri else []
    folder = jobs.write_config(ports, run_id, job, config)
    return jobs.start_processing(
        ports,
        run_id,
        ProcessingJob(
            name=job,
            program="evaluation",
            inputs=(
                ("config", folder, f"{jobs.IN}/config"),
                ("model", f"{model}/", f"{jobs.IN}/model"),
                ("prepared", f"{prepared}/", f"{jobs.IN}/prepared"),
                *rival,
            ),
            outputs=(("evaluation", output, f"{jobs.OUT}/evaluation"),),
            instance_type=instance_type,
            volume_gb=jobs.volume_gb(ports, f"{prepared}/", f"{model}/"),
            max_runtime_seconds=max_runtime_seconds,
            tags={},
        ),
    )


def _rival(ports: Ports, uri: str, root: str) -> list[tuple[str, str, str]]:
    """The input of the champion's archive, if its package is whole and signed by our key; its recorded figures serve otherwise."""
    archive = names.safe_uri(uri, below=root)
    problem = packages.verify(ports, archive)
    if problem:
        log.warning("the champion %s is not measured again: %s", archive, problem)
        return []
    return [("champion", archive, f"{jobs.IN}/champion")]


def describe_evaluation_job(ports: Ports, job: JobName) -> JobFacts:
    """How an evaluation job stands, or which of the five ends it had."""
    return ports.jobs.describe("processing", job)


def read_results(ports: Ports, evaluation_uri: S3Uri) -> EvaluationResults:
    """The figures of one look; curves are thinned and learning curves left out to fit an answer (all of it stays in S3)."""
    uri = names.safe_uri(evaluation_uri.rstrip("/"), below=f"s3://{ports.settings.require('bucket')}/evaluations/")
    found = results(ports, uri)
    if found is None:
        raise NotFound(f"there are no results below {evaluation_uri}.", remedy="The evaluation job has not finished.", code="E-RESULTS")
    many = len(found.labels) > _MOST_POINTS
    tables: dict[str, object] = {"confusion": (), "per_class": {}} if many else {}
    curves = {name: tuple(_thinned(curve) for curve in getattr(found, name)[:10]) for name in ("roc", "precision_recall")}
    drawn: dict[str, object] = {"calibration": found.calibration[:10], "learning_curve": {}, "residuals": None}
    return found.model_copy(update={**curves, **drawn, **tables})


def _thinned(curve: Curve) -> Curve:
    return curve.model_copy(update={"x": curve.x[:: _step(curve.x)], "y": curve.y[:: _step(curve.y)]})


def _step(points: tuple[float, ...]) -> int:
    return max(1, -(-len(points) // _MOST_POINTS))


def count_look(ports: Ports, dataset: DatasetId, version: Version) -> dict[str, Any]:
    """Count one look at the test split of a dataset version: {looks}."""
    return {"looks": ports.ledger.increase(f"DATASET#{dataset}", f"LOOKS#{version}", "count")}


TOOLS = (
    *COMMON,
    *WAITING,
    acts(start_evaluation_job),
    reads(describe_evaluation_job),
    reads(read_results),
    reads(read_champion),
    reads(read_policy),
    acts(count_look),
)
