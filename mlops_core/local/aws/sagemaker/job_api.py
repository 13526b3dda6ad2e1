"""The calls on jobs: create, describe, list, stop, for training and processing.

JobApi(platform, tags).operations()["CreateTrainingJob"](request, headers)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from mlops_core.local.aws.sagemaker import processing, training
from mlops_core.local.aws.sagemaker.errors import ProgramFailed, in_use, not_found, validation
from mlops_core.local.aws.sagemaker.jobs import LOST, TERMINAL, JobRun, Jobs
from mlops_core.local.aws.sagemaker.paging import Listing, page
from mlops_core.local.aws.sagemaker.platform import Platform, now
from mlops_core.local.aws.sagemaker.store import Record, public
from mlops_core.local.aws.sagemaker.tags import Tags
from mlops_core.local.aws.sagemaker.transfer import split_uri

Operation = Callable[[Record, Mapping[str, str]], Record]

TRAINING_LIST = Listing(
    key="TrainingJobName",
    answer="TrainingJobSummaries",
    members=(
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
    ),
    status="TrainingJobStatus",
)
PROCESSING_LIST = Listing(
    key="ProcessingJobName",
    answer="ProcessingJobSummaries",
    members=(
        *("ProcessingJobName", "ProcessingJobArn", "CreationTime", "ProcessingEndTime", "LastModifiedTime"),
        *("ProcessingJobStatus", "FailureReason", "ExitMessage"),
    ),
    status="ProcessingJobStatus",
)


class JobApi:
    """Training and processing jobs behind the JSON API."""

    def __init__(self, platform: Platform, tags: Tags) -> None:
        self._platform = platform
        self._store = platform.store
        self._tags = tags
        self.jobs = Jobs(platform)

    def operations(self) -> dict[str, Operation]:
        """Every call by its name."""
        return {
            "CreateTrainingJob": self._create_training,
            "DescribeTrainingJob": lambda request, _: self._describe(training.TrainingRun, request["TrainingJobName"]),
            "ListTrainingJobs": lambda request, _: page(self._store.all("training-jobs"), request, TRAINING_LIST),
            "StopTrainingJob": lambda request, _: self._stop(training.TrainingRun, request["TrainingJobName"]),
            "CreateProcessingJob": self._create_processing,
            "DescribeProcessingJob": lambda request, _: self._describe(processing.ProcessingRun, request["ProcessingJobName"]),
            "ListProcessingJobs": lambda request, _: page(self._store.all("processing-jobs"), request, PROCESSING_LIST),
            "StopProcessingJob": lambda request, _: self._stop(processing.ProcessingRun, request["ProcessingJobName"]),
        }

    def close_lost(self) -> None:
        """End what an earlier process left unfinished."""
        for kind in (training.TrainingRun, processing.ProcessingRun):
            names = [record for record in self._store.all(kind.collection) if record[kind.status_key] not in TERMINAL]
            for record in names:
                name = record[kind.resource.title().replace("-", "") + "Name"]
                self._store.claim(f"{kind.resource}/{name}")
                run = kind(self._platform, name)
                run.move("Failed", "Failed", LOST, FailureReason=LOST, **run.ending())

    def _create_training(self, request: Record, headers: Mapping[str, str]) -> Record:
        check_training(request)
        self._platform.image(request["AlgorithmSpecification"]["TrainingImage"])
        record = training.new_record(self._platform, request)
        self._accept(record, training.TrainingRun, request=request, headers=headers)
        return {"TrainingJobArn": record["TrainingJobArn"]}

    def _create_processing(self, request: Record, headers: Mapping[str, str]) -> Record:
        processing.check_members(request)
        processing.check_paths(request)
        uris = [one["S3Input"]["S3Uri"] for one in request.get("ProcessingInputs", [])]
        uris += [one["S3Output"]["S3Uri"] for one in request.get("ProcessingOutputConfig", {}).get("Outputs", [])]
        check_uris(uris)
        check_unique([one["InputName"] for one in request.get("ProcessingInputs", [])], "ProcessingInputs.InputName")
        check_unique([one["OutputName"] for one in request.get("ProcessingOutputConfig", {}).get("Outputs", [])], "Outputs.OutputName")
        image = self._platform.image(request["AppSpecification"]["ImageUri"])
        if "ContainerEntrypoint" not in request["AppSpecification"] and not image.entrypoint:
            raise validation("AppSpecification has no ContainerEntrypoint and the image has none either; name the program.")
        record = processing.new_record(self._platform, request)
        self._accept(record, processing.ProcessingRun, request=request, headers=headers)
        return {"ProcessingJobArn": record["ProcessingJobArn"]}

    def _accept(
        self, record: Record, kind: type[training.TrainingRun | processing.ProcessingRun], *, request: Record, headers: Mapping[str, str]
    ) -> None:
        name_key = kind.resource.title().replace("-", "") + "Name"
        arn = self._platform.arn(kind.resource, request[name_key])
        tags = request.get("Tags", [])
        self._tags.check(tags)
        self._platform.check_pass_role(headers, request["RoleArn"])
        with self._store.lock:
            if self._store.claimed(f"{kind.resource}/{request[name_key]}"):
                text = "Job name must be unique within an AWS account and region, and a job with this name already exists"
                raise in_use(f"{text} ({arn})")
            # The record first: a platform killed between the two closes the job as failed at its next start.
            self._store.put(kind.collection, request[name_key], record)
            self._store.claim(f"{kind.resource}/{request[name_key]}")
        self._tags.put(arn, tags)
        run: JobRun = kind(self._platform, request[name_key])
        run.announce(record)
        self.jobs.submit(run)

    def _describe(self, kind: type[JobRun], name: str) -> Record:
        record = self._store.get(kind.collection, name)
        if record is None:
            # AWS answers an unknown training job so, whatever its reference says; boto3's waiters rely on it.
            missing = validation("Requested resource not found.")
            raise missing if kind is training.TrainingRun else not_found(f"Could not find requested job with name: {name}")
        ahead = self.jobs.ahead(f"{kind.resource}/{name}")
        if ahead is not None and "SecondaryStatusTransitions" in record:
            record["SecondaryStatusTransitions"][-1]["StatusMessage"] = f"Waiting for a free core; {ahead} jobs are ahead"
        return public(record)

    def _stop(self, kind: type[JobRun], name: str) -> Record:
        with self._store.lock:
            record = self._store.get(kind.collection, name)
            if record is None:
                raise not_found()
            status = record[kind.status_key]
            if status in TERMINAL:
                raise validation(f"The request was rejected because the {kind.resource.replace('-', ' ')} is in status {status}.")
            if status == "Stopping":
                return {}
            record[kind.status_key] = "Stopping"
            record["LastModifiedTime"] = now()
            if kind is training.TrainingRun:
                training.stage_transition(record, "Stopping", training.MESSAGES["Stopping"])
            self._store.put(kind.collection, name, record)
        self.jobs.stop(f"{kind.resource}/{name}")
        return {}


def check_training(request: Record) -> None:
    """ValidationException for what AWS refuses beyond the service model."""
    for member in ("AlgorithmSpecification", "StoppingCondition", "ResourceConfig"):
        if member not in request:
            raise validation(f"{member} is required: a training job here runs one image on one instance for a limited time.")
    algorithm, condition = request["AlgorithmSpecification"], request["StoppingCondition"]
    if "TrainingImage" not in algorithm:
        raise validation("AlgorithmSpecification.TrainingImage is required; algorithm resources are not supported by the local platform.")
    if "InstanceType" not in request["ResourceConfig"] or "InstanceCount" not in request["ResourceConfig"]:
        raise validation("ResourceConfig needs InstanceType and InstanceCount.")
    channels = request.get("InputDataConfig", [])
    check_unique([channel["ChannelName"] for channel in channels], "InputDataConfig.ChannelName")
    for channel in channels:
        if "S3DataSource" not in channel["DataSource"]:
            raise validation(f"Channel '{channel['ChannelName']}' has no S3DataSource; data comes from S3 only.")
        if channel["ChannelName"] in (".", ".."):
            raise validation(f"ChannelName '{channel['ChannelName']}' is no folder name.")
    check_uris([channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in channels])
    check_uris(
        [request["OutputDataConfig"]["S3OutputPath"], *([request["CheckpointConfig"]["S3Uri"]] if "CheckpointConfig" in request else [])]
    )
    check_local_path(request.get("CheckpointConfig", {}).get("LocalPath", training.CHECKPOINTS))
    check_spot(request, condition)
    check_expressions(algorithm.get("MetricDefinitions", []))


def check_spot(request: Record, condition: Record) -> None:
    """ValidationException for an inconsistent waiting time of spot training."""
    wait = condition.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise validation("MaxWaitTimeInSeconds is for managed spot training; set EnableManagedSpotTraining or remove it.")
    elif wait is None or wait < condition["MaxRuntimeInSeconds"]:
        raise validation("Managed spot training needs MaxWaitTimeInSeconds of at least MaxRuntimeInSeconds.")


def check_expressions(definitions: list[Record]) -> None:
    """ValidationException for metric expressions that cannot be read, have no group, or share a name."""
    check_unique([one["Name"] for one in definitions], "MetricDefinitions.Name")
    for one in definitions:
        try:
            groups = re.compile(one["Regex"]).groups
        except re.error as error:
            raise validation(f"MetricDefinitions '{one['Name']}' has an invalid Regex: {error}.") from error
        if groups != 1:
            raise validation(f"MetricDefinitions '{one['Name']}' has a Regex with {groups} groups; exactly one must capture the value.")


def check_local_path(path: str) -> None:
    """ValidationException unless a container path lies below ``/opt/ml``."""
    if not path.startswith("/opt/ml/") or ".." in path.split("/"):
        raise validation(f"LocalPath '{path}' is not below /opt/ml/.")


def check_uris(uris: list[str]) -> None:
    """ValidationException unless every URI names a bucket."""
    for uri in uris:
        try:
            split_uri(uri)
        except ProgramFailed as error:
            raise validation(str(error).removeprefix("ClientError: ")) from error


def check_unique(names: list[str], what: str) -> None:
    """ValidationException when a name occurs twice."""
    for name in names:
        if names.count(name) > 1:
            raise validation(f"{what} '{name}' occurs more than once; names must be unique.")
