"""Starting jobs once: the name is ours for ever, so a repeated start adopts the job that the first one made.

started = start_processing(ports, ProcessingJob(...))      # StartedJob(job=..., adopted=False)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace

from mlops_core.contracts.base import Message, canonical, digest
from mlops_core.contracts.job import JobKind, StartedJob
from mlops_core.errors import Conflict
from mlops_core.facts import ProcessingJob, TrainingJob
from mlops_core.ports import Ports
from mlops_core.runs import names

IN = "/opt/ml/processing/input"
OUT = "/opt/ml/processing/output"
TAG_RUN, TAG_DIGEST = "mlops:run-id", "mlops:digest"
_GIGABYTE = 1_000_000_000
_LEAST_GB, _MOST_GB = 20, 1000


def start_processing(ports: Ports, run_id: str, job: ProcessingJob) -> StartedJob:
    """Start a processing job or adopt ours; Conflict when the name belongs to something else."""
    tagged = replace(job, tags=_tags(run_id, job), environment=_environment(ports, run_id))
    return _start(ports, "processing", tagged.name, tagged.tags[TAG_DIGEST], lambda: ports.jobs.start_processing(tagged))


def start_training(ports: Ports, run_id: str, job: TrainingJob) -> StartedJob:
    """Start a training job or adopt ours; Conflict when the name belongs to something else."""
    tagged = replace(job, tags=_tags(run_id, job), environment=_environment(ports, run_id))
    return _start(ports, "training", tagged.name, tagged.tags[TAG_DIGEST], lambda: ports.jobs.start_training(tagged))


def _tags(run_id: str, job: ProcessingJob | TrainingJob) -> dict[str, str]:
    return {TAG_RUN: run_id, TAG_DIGEST: digest(asdict(job))}


def _environment(ports: Ports, run_id: str) -> dict[str, str]:
    return {"MLOPS_RUN_ID": run_id, "MLOPS_CODE_COMMIT": ports.settings.code_commit, "MLOPS_LOG_LEVEL": ports.settings.log_level}


def _start(ports: Ports, kind: JobKind, name: str, wanted: str, start: Callable[[], None]) -> StartedJob:
    try:
        start()
    except Conflict as error:
        if error.code != "E-JOB-NAME":
            raise
        if ports.jobs.tags(kind, name).get(TAG_DIGEST) != wanted:
            remedy = "Start a new generation of the run; job names are never used twice."
            raise Conflict(f"the job name {name} belongs to a job with other settings.", remedy=remedy, code="E-JOB-OTHER") from error
        return StartedJob(job=name, adopted=True)
    return StartedJob(job=name, adopted=False)


def write_config(ports: Ports, run_id: str, job: str, config: Message) -> str:
    """Store a job's ``config.json`` in a folder of its own and return the folder's URI."""
    folder = names.run_uri(ports.settings.require("bucket"), run_id, f"config/{job}/")
    ports.objects.write(f"{folder}config.json", canonical(config), content_type="application/json")
    return folder


def volume_gb(ports: Ports, *prefixes: str) -> int:
    """Disk for a job: four times the bytes it reads, from 20 to 1,000 gigabytes."""
    total = sum(item.bytes for prefix in prefixes for item in ports.objects.list(prefix, limit=1000))
    return min(_MOST_GB, max(_LEAST_GB, 10 + math.ceil(4 * total / _GIGABYTE)))
