"""Packaging: the next version, the packaging job, signature, registration, retention."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from mlops_core.contracts.base import ModelName, RunId, S3Uri, canonical, digest
from mlops_core.contracts.dataset import DataProfile
from mlops_core.contracts.job import JobFacts, StartedJob
from mlops_core.contracts.model import ModelRecord, PackagingJobConfig, Signature
from mlops_core.errors import Refused
from mlops_core.facts import ProcessingJob
from mlops_core.ports import Ports
from mlops_core.runs import jobs, models, names, packages, versions
from mlops_core.runs.progress import COMMON, WAITING
from mlops_core.runs.state import read_run
from mlops_core.tool import JobName, RunTime, acts, reads

_PROFILE_LIMIT = 16 << 20
_PROPERTY_LIMIT = 256


def next_version(ports: Ports, model_name: ModelName, run_id: RunId) -> dict[str, Any]:
    """The semantic version of a run's model, by what changed since the newest one: {version, parent, change}."""
    there = versions.of_run(ports, model_name, run_id)
    if there is None:
        state = read_run(ports, run_id)
        if not state.prepared_uri:
            raise Refused(f"the run {run_id} has no prepared data, so its version cannot be told.", code="E-PACKAGE-VERSION")
        body = ports.objects.read(f"{state.prepared_uri.rstrip('/')}/profile.json", limit=_PROFILE_LIMIT)
        there = versions.allocate(ports, model_name, state, DataProfile.model_validate_json(body))
    return {"version": there.version, "parent": there.parent, "change": there.change}


def start_packaging_job(  # noqa: PLR0913, PLR0917 (one field per input of the job)
    ports: Ports,
    run_id: RunId,
    job: JobName,
    config: PackagingJobConfig,
    training_uri: S3Uri,
    prepared_uri: S3Uri,
    evaluation_uri: S3Uri,
    output_uri: S3Uri,
    instance_type: str,
    max_runtime_seconds: RunTime,
) -> StartedJob:
    """Start the packaging job, or adopt it when an earlier call of this step did."""
    root = f"s3://{ports.settings.require('bucket')}/"
    training = names.safe_uri(training_uri.removesuffix("model.tar.gz").rstrip("/"), below=f"{root}models/")
    prepared = names.safe_uri(prepared_uri.rstrip("/"), below=f"{root}datasets/")
    evaluation = names.safe_uri(evaluation_uri.rstrip("/"), below=f"{root}evaluations/")
    output = names.safe_uri(output_uri.rstrip("/"), below=f"{root}models/")
    folder = jobs.write_config(ports, run_id, job, config)
    return jobs.start_processing(
        ports,
        run_id,
        ProcessingJob(
            name=job,
            program="packaging",
            inputs=(
                ("config", folder, f"{jobs.IN}/config"),
                ("training", f"{training}/", f"{jobs.IN}/training"),
                ("prepared", f"{prepared}/", f"{jobs.IN}/prepared"),
                ("evaluation", f"{evaluation}/", f"{jobs.IN}/evaluation"),
            ),
            outputs=(("package", output, f"{jobs.OUT}/package"),),
            instance_type=instance_type,
            volume_gb=jobs.volume_gb(ports, f"{prepared}/", f"{training}/"),
            max_runtime_seconds=max_runtime_seconds,
            tags={},
        ),
    )


def describe_packaging_job(ports: Ports, job: JobName) -> JobFacts:
    """How a packaging job stands, or which of the five ends it had."""
    return ports.jobs.describe("processing", job)


def sign_package(ports: Ports, model_uri_prefix: S3Uri) -> Signature:
    """Sign manifest and archive of a package with the installation's key, and keep the signature beside them."""
    folder = names.safe_uri(model_uri_prefix.rstrip("/"), below=f"s3://{ports.settings.require('bucket')}/models/")
    return packages.sign(ports, f"{folder}/")


def register_model(ports: Ports, run_id: RunId, record: ModelRecord, signature: Signature) -> dict[str, Any]:
    """Register and approve a signed package in the model registry, once: {package_arn}."""
    state = read_run(ports, run_id)
    problem = packages.verify(ports, record.model_uri)
    if problem or signature.archive_digest != record.archive_digest:
        raise Refused(f"the package {record.model_uri} is not registered: {problem or 'its digest differs'}.", code="E-PACKAGE-SIGNATURE")
    group = names.group(record.model_name)
    arn = _registered(ports, group, run_id)
    if arn is None:
        ports.registry.ensure_group(group, f"Versions of the model {record.model_name}")
        lineage = versions.of_run(ports, record.model_name, run_id)
        properties = {
            "semantic_version": record.version,
            "parent_version": lineage.parent if lineage else "",
            "change": lineage.change if lineage else "",
            "run_id": run_id,
            "commit": state.code_commit,
            "issue": f"{state.repository}/issues/{state.issue}",
            "dataset": state.request.dataset[:_PROPERTY_LIMIT],
            "dataset_version": state.dataset_version,
            "dataset_digest": record.dataset_digest,
            "archive_digest": record.archive_digest,
            "manifest_digest": signature.manifest_digest,
            "signature_key": signature.key_id[:_PROPERTY_LIMIT],
            **{f"metric_{name}": f"{value:.6g}" for name, value in record.metrics.items()},
        }
        kept = {name: value for name, value in properties.items() if value}
        arn = ports.registry.register(group, model_uri=record.model_uri, properties=kept, description=f"{record.version} of run {run_id}")
    ports.registry.approve(arn, approved=True, reason=f"run {run_id} was accepted by its policy")
    whole = record.model_copy(update={"package_arn": arn})
    folder = record.model_uri.removesuffix(packages.ARCHIVE)
    ports.objects.write(f"{folder}model_metadata.json", canonical(whole), content_type="application/json")
    row = {"doc": canonical(whole).decode(), "package_arn": arn, "digest": digest(whole)}
    ports.ledger.put(models.model_key(record.model_name), models.version_key(record.version), row)
    return {"package_arn": arn}


def _registered(ports: Ports, group: str, run_id: str) -> str | None:
    """A package of this run that an earlier try registered; only the newest can be it."""
    for package in ports.registry.packages(group)[:3]:
        if ports.registry.describe(package.arn).properties.get("run_id") == run_id:
            return package.arn
    return None


def prune_versions(ports: Ports, model_name: ModelName, keep: Annotated[int, Field(ge=5, le=100)]) -> dict[str, Any]:
    """Take registered versions beyond the newest ``keep`` out of the registry, never the champion's or the pointer's: {removed}."""
    best = models.champion(ports, model_name)
    pointer = ports.ledger.get(models.model_key(model_name), models.POINTER) or {}
    needed = {best.package_arn if best else "", str(pointer.get("package_arn", ""))}
    removed = [package.arn for package in ports.registry.packages(names.group(model_name))[keep:] if package.arn not in needed]
    for arn in removed:
        ports.registry.delete(arn)
    return {"removed": removed}


TOOLS = (
    *COMMON,
    *WAITING,
    acts(next_version),
    acts(start_packaging_job),
    reads(describe_packaging_job),
    acts(sign_package),
    acts(register_model),
    acts(prune_versions),
)
