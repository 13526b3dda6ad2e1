"""SageMaker processing and training jobs.

Requests follow the CreateProcessingJob and CreateTrainingJob references; a terminal state means one of five things here, told apart as the
Describe references say (``SecondaryStatus`` MaxRuntimeExceeded, FailureReason prefixes ``AlgorithmError`` and ``InternalServerError``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from mlops_core.adapters.aws_errors import is_code, translated
from mlops_core.contracts.job import JobFacts, JobKind, JobStatus
from mlops_core.errors import Conflict, NotFound
from mlops_core.facts import ProcessingJob, TrainingJob
from mlops_core.settings import Settings

_INTERNAL = ("InternalServerError", "Internal Server Error")
_NUMBER = r"([-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"

_LINE_START = r"(?:^|\n)"
"""A metric begins its line, whether the service searches line by line or not: text inside another line is no metric."""


class SageMakerJobs:
    """Jobs of one account and region, run as one role from one image."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def start_processing(self, job: ProcessingJob) -> None:
        """Start a job; `Conflict` (code ``E-JOB-NAME``) when the name was ever used."""
        request = {
            "ProcessingJobName": job.name,
            "RoleArn": self._settings.require("job_role_arn"),
            "AppSpecification": {
                "ImageUri": self._settings.require("work_image"),
                "ContainerEntrypoint": ["mlops-job"],
                "ContainerArguments": [job.program],
            },
            "ProcessingInputs": [_input(name, uri, path) for name, uri, path in job.inputs],
            "ProcessingOutputConfig": {"Outputs": [_output(name, uri, path) for name, uri, path in job.outputs]} | self._key(),
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": job.instance_type, "VolumeSizeInGB": job.volume_gb}
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_seconds},
            "Environment": dict(job.environment),
            "Tags": _tags(job.tags),
        }
        self._start("create_processing_job", job.name, request)

    def start_training(self, job: TrainingJob) -> None:
        """Start a job; `Conflict` (code ``E-JOB-NAME``) when the name was ever used."""
        request = {
            "TrainingJobName": job.name,
            "RoleArn": self._settings.require("job_role_arn"),
            "AlgorithmSpecification": {
                "TrainingImage": self._settings.require("work_image"),
                "TrainingInputMode": "File",
                "MetricDefinitions": metric_definitions(job.metrics),
            },
            "HyperParameters": dict(job.hyperparameters),
            "InputDataConfig": [_channel(name, uri) for name, uri in job.channels.items()],
            "OutputDataConfig": {"S3OutputPath": job.output_uri} | self._key(),
            "ResourceConfig": {"InstanceType": job.instance_type, "InstanceCount": 1, "VolumeSizeInGB": job.volume_gb},
            "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_seconds},
            "Environment": dict(job.environment),
            "Tags": _tags(job.tags),
        }
        if job.checkpoint_uri:
            request["CheckpointConfig"] = {"S3Uri": job.checkpoint_uri, "LocalPath": "/opt/ml/checkpoints"}
        self._start("create_training_job", job.name, request)

    def describe(self, kind: JobKind, name: str) -> JobFacts:
        """Facts of a job; `NotFound` when there never was one."""
        found = self._describe(kind, name)
        return _training_facts(found) if kind == "training" else _processing_facts(found)

    def tags(self, kind: JobKind, name: str) -> dict[str, str]:
        """Tags of a job."""
        arn = self._describe(kind, name)["TrainingJobArn" if kind == "training" else "ProcessingJobArn"]
        with translated(f"reading the tags of {name}"):
            return {item["Key"]: item["Value"] for item in self._client.list_tags(ResourceArn=arn)["Tags"]}

    def stop(self, kind: JobKind, name: str) -> bool:
        """Ask a job to stop; False when it had ended already."""
        with translated(f"stopping {name}"):
            try:
                if kind == "training":
                    self._client.stop_training_job(TrainingJobName=name)
                else:
                    self._client.stop_processing_job(ProcessingJobName=name)
            except ClientError as error:
                if is_code(error, "ValidationException", "ResourceNotFound"):
                    return False
                raise
        return True

    def _start(self, operation: str, name: str, request: dict[str, Any]) -> None:
        with translated(f"starting {name}"):
            try:
                getattr(self._client, operation)(**request)
            except ClientError as error:
                if is_code(error, "ResourceInUse"):
                    raise Conflict(f"the job name {name} was used before.", code="E-JOB-NAME") from error
                raise

    def _describe(self, kind: JobKind, name: str) -> dict[str, Any]:
        with translated(f"looking at {name}"):
            try:
                if kind == "training":
                    return dict(self._client.describe_training_job(TrainingJobName=name))
                return dict(self._client.describe_processing_job(ProcessingJobName=name))
            except ClientError as error:
                # DescribeTrainingJob answers an unknown name with ValidationException, DescribeProcessingJob with ResourceNotFound.
                if is_code(error, "ResourceNotFound") or "not found" in str(error):
                    raise NotFound(f"there is no {kind} job {name}.", code="E-JOB-MISSING") from error
                raise

    def _key(self) -> dict[str, str]:
        return {"KmsKeyId": self._settings.data_key_arn} if self._settings.data_key_arn else {}


def metric_definitions(names: Iterable[str]) -> list[dict[str, str]]:
    """What SageMaker reads from a job's log: lines that begin with ``#metric NAME=NUMBER;``."""
    return [{"Name": name, "Regex": f"{_LINE_START}#metric {name}={_NUMBER};"} for name in names]


def _input(name: str, uri: str, path: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", "S3DataDistributionType": "FullyReplicated"}
    return {"InputName": name, "S3Input": source}


def _output(name: str, uri: str, path: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}}


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "InputMode": "File"}


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _processing_facts(found: Mapping[str, Any]) -> JobFacts:
    begin, end = found.get("ProcessingStartTime"), found.get("ProcessingEndTime")
    outputs = found.get("ProcessingOutputConfig", {}).get("Outputs", [])
    seconds = _between(begin, end)
    return JobFacts(
        job=found["ProcessingJobName"],
        kind="processing",
        status=_status(found["ProcessingJobStatus"], begin, found.get("FailureReason", ""), ""),
        age_seconds=_between(found["CreationTime"], end),
        seconds=seconds,
        # Processing jobs carry no billable seconds: they are billed for the time the instance runs.
        billable_seconds=seconds,
        instance_type=found["ProcessingResources"]["ClusterConfig"]["InstanceType"],
        exit_message=found.get("ExitMessage", ""),
        failure=found.get("FailureReason", ""),
        output_uri=outputs[0]["S3Output"]["S3Uri"] if outputs else "",
    )


def _training_facts(found: Mapping[str, Any]) -> JobFacts:
    begin, end = found.get("TrainingStartTime"), found.get("TrainingEndTime")
    secondary = found.get("SecondaryStatus", "")
    return JobFacts(
        job=found["TrainingJobName"],
        kind="training",
        status=_status(found["TrainingJobStatus"], begin, found.get("FailureReason", ""), secondary),
        secondary=secondary,
        age_seconds=_between(found["CreationTime"], end),
        seconds=found.get("TrainingTimeInSeconds") or _between(begin, end),
        billable_seconds=found.get("BillableTimeInSeconds", 0),
        instance_type=found["ResourceConfig"]["InstanceType"],
        failure=found.get("FailureReason", ""),
        metrics={item["MetricName"]: item["Value"] for item in found.get("FinalMetricDataList", [])},
        output_uri=found.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
    )


def _status(status: str, begin: datetime | None, failure: str, secondary: str) -> JobStatus:
    if status == "Completed":
        return "completed"
    if status in {"Failed", "Stopped"}:
        if secondary == "MaxRuntimeExceeded" or "MaxRuntimeInSeconds" in failure or "MaxRuntimeExceeded" in failure:
            return "max_runtime"
        if status == "Stopped":
            return "stopped"
        return "internal_error" if failure.startswith(_INTERNAL) else "failed"
    return "running" if begin is not None or status == "Stopping" else "queued"


def _between(begin: datetime | None, end: datetime | None) -> int:
    return 0 if begin is None else max(0, round(((end or datetime.now(UTC)) - begin).total_seconds()))
