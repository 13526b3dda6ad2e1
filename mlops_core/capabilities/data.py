"""Data preparation: pin the source, name its version, start and follow the data job.

start_data_job(ports, run_id, "mlops-income-1a2b3c4d-g0-data", config, raw_uri=..., ...)
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError

from mlops_core.contracts.base import RunId, S3Uri
from mlops_core.contracts.dataset import DataJobConfig, DataProfile
from mlops_core.contracts.job import JobFacts, StartedJob
from mlops_core.errors import Defect, InvalidRequest, NotFound, Refused, Stale
from mlops_core.facts import ProcessingJob
from mlops_core.ports import Ports
from mlops_core.runs import jobs, names
from mlops_core.runs.progress import COMMON, WAITING
from mlops_core.runs.shared import read_policy
from mlops_core.tool import JobName, RunTime, acts, reads

DatasetId = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$")]
Identity = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
VersionName = Annotated[str, Field(pattern=r"^v\d{1,6}\.\d{1,6}\.\d{1,6}$")]
_PROFILE_LIMIT = 8 << 20
_TRIES = 6


def _mine(ports: Ports, uri: str, folder: str = "datasets/") -> str:
    return names.safe_uri(uri.rstrip("/"), below=f"s3://{ports.settings.require('bucket')}/{folder}")


def inspect_object(ports: Ports, uri: S3Uri) -> dict[str, Any]:
    """Facts that pin an object of ``datasets/``: {bytes, etag, version_id, modified}."""
    try:
        found = ports.objects.head(_mine(ports, uri))
    except NotFound as error:
        remedy = "Upload it with `mlops data add FILE` and put the printed URI into the issue."
        raise NotFound(f"there is no data file {uri}.", remedy=remedy, code="E-DATA-MISSING") from error
    return {"bytes": found.bytes, "etag": found.etag, "version_id": found.version_id, "modified": found.modified.isoformat()}


def allocate_version(ports: Ports, run_id: RunId, dataset_id: DatasetId, raw_identity: Identity) -> dict[str, Any]:
    """The immutable version of these raw bytes, the next free one when they are new: {version}."""
    key = f"DATASET#{dataset_id}"
    for attempt in range(_TRIES):
        there = ports.ledger.get(key, f"RAW#{raw_identity}")
        if there is not None:
            return {"version": there["version"]}
        version = f"v1.0.{ports.ledger.increase(key, 'COUNTER', 'last') - 1}"
        # The version row is written first: a number that was counted and then lost is skipped, never given twice.
        ports.ledger.claim(key, f"VERSION#{version}", {"raw_identity": raw_identity, "run_id": run_id})
        if ports.ledger.claim(key, f"RAW#{raw_identity}", {"version": version}) is None:
            return {"version": version}
        ports.clock.sleep(0.02 * 2**attempt)
    raise Stale(f"the versions of {dataset_id} kept moving.", remedy="Call again.")


def confirm_version(
    ports: Ports, run_id: RunId, dataset_id: DatasetId, version: VersionName, raw_identity: Identity, content: Identity
) -> None:
    """Hold a version to the bytes that were prepared; `Refused` (E-DATA-CHANGED) when they are others than those it was made for.

    ``raw_identity`` is what `inspect_object` says now (size, ETag, version id), ``content`` the SHA-256 of what the job read: the first
    preparation of a version pins it.
    """
    key = f"DATASET#{dataset_id}"
    pinned = ports.ledger.get(key, f"VERSION#{version}")
    there = ports.ledger.claim(key, f"CONTENT#{version}", {"sha256": content, "run_id": run_id})
    if pinned is None or pinned["raw_identity"] != raw_identity or (there is not None and there["sha256"] != content):
        raise Refused(
            f"the data of {dataset_id} {version} were changed while they were prepared: nothing is trained on them.",
            remedy="Leave a data file as it is; add a new one with `mlops data add FILE` and label the issue again.",
            code="E-DATA-CHANGED",
        )


def mark_prepared(ports: Ports, prefix: S3Uri) -> dict[str, Any]:
    """Say that a prepared folder is complete, after its job has ended: {marked}; until then nobody else uses what lies there."""
    key, name = _prepared(ports, prefix)
    ports.ledger.put(key, name, {"at": ports.clock.now().isoformat()})
    return {"marked": True}


def find_prepared(ports: Ports, prefix: S3Uri) -> dict[str, Any]:
    """Whether a prepared version is complete below a prefix, and its profile: {found, profile}.

    A job uploads its files one by one, so what an interrupted one left is not taken for a preparation.
    """
    key, name = _prepared(ports, prefix)
    try:
        if ports.ledger.get(key, name) is not None:
            return {"found": True, "profile": read_profile(ports, prefix).model_dump(mode="json")}
    except NotFound:
        # Marked once, and removed since.
        pass
    return {"found": False, "profile": None}


def _prepared(ports: Ports, prefix: str) -> tuple[str, str]:
    """The ledger's row for a folder ``datasets/<id>/versions/<version>/<recipe>``."""
    dataset, _, rest = _mine(ports, prefix).split("/datasets/", 1)[1].partition("/")
    return f"DATASET#{dataset}", f"PREPARED#{rest}"


def start_data_job(  # noqa: PLR0913, PLR0917 (one field per input of the job)
    ports: Ports,
    run_id: RunId,
    job: JobName,
    config: DataJobConfig,
    raw_uri: S3Uri,
    test_uri: S3Uri | None,
    output_uri: S3Uri,
    instance_type: str,
    max_runtime_seconds: RunTime,
) -> StartedJob:
    """Start the data job, or adopt it when an earlier call of this step did."""
    sources = [("raw", raw_uri)] + ([("test", test_uri)] if test_uri else [])
    for _, uri in sources:
        _alone(ports, _mine(ports, uri))
    folder = jobs.write_config(ports, run_id, job, config)
    inputs = [("config", folder, f"{jobs.IN}/config")] + [(name, uri, f"{jobs.IN}/{name}") for name, uri in sources]
    return jobs.start_processing(
        ports,
        run_id,
        ProcessingJob(
            name=job,
            program="data",
            inputs=tuple(inputs),
            outputs=(("prepared", _mine(ports, output_uri), f"{jobs.OUT}/prepared"),),
            instance_type=instance_type,
            volume_gb=jobs.volume_gb(ports, *(uri for _, uri in sources)),
            max_runtime_seconds=max_runtime_seconds,
            tags={},
        ),
    )


def _alone(ports: Ports, uri: str) -> None:
    """An input of one object is a prefix to SageMaker: another object whose name goes on would come along."""
    found = [item.uri for item in ports.objects.list(uri, limit=2)]
    if uri not in found:
        raise NotFound(f"there is no data file {uri}.", remedy="Upload it with `mlops data add FILE`.", code="E-DATA-MISSING")
    if len(found) > 1:
        other = next(item for item in found if item != uri)
        raise InvalidRequest(f"{other} begins with the name of {uri}.", remedy="Give the file a folder of its own.", code="E-DATA-PREFIX")


def describe_data_job(ports: Ports, job: JobName) -> JobFacts:
    """How a data job stands, or which of the five ends it had."""
    return ports.jobs.describe("processing", job)


def read_profile(ports: Ports, prepared_uri: S3Uri) -> DataProfile:
    """The profile that a data job wrote, cut to what fits an answer (columns' histograms are left out)."""
    body = ports.objects.read(f"{_mine(ports, prepared_uri)}/profile.json", limit=_PROFILE_LIMIT)
    try:
        profile = DataProfile.model_validate_json(body)
    except ValidationError as error:
        raise Defect(f"the profile below {prepared_uri} has another shape.", code="E-DATA-PROFILE") from error
    return profile.model_copy(update={"columns": (), "findings": profile.findings[:200]})


TOOLS = (
    *COMMON,
    *WAITING,
    reads(inspect_object),
    acts(allocate_version),
    acts(confirm_version),
    reads(find_prepared),
    acts(mark_prepared),
    acts(start_data_job),
    reads(describe_data_job),
    reads(read_profile),
    reads(read_policy),
)
