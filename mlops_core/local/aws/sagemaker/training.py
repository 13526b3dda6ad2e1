"""Training jobs under SageMaker's container contract.

Source: "How Amazon SageMaker Provides Training Information" and "Processes Training Output" (AWS documentation).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_core.local.aws.sagemaker.jobs import JobRun, read_text
from mlops_core.local.aws.sagemaker.metrics import LogMetrics
from mlops_core.local.aws.sagemaker.platform import Image, Platform, now
from mlops_core.local.aws.sagemaker.store import Record
from mlops_core.local.aws.sagemaker.sync import FolderSync
from mlops_core.local.aws.sagemaker.transfer import pack

CHECKPOINTS = "/opt/ml/checkpoints"
MESSAGES = {
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class TrainingRun(JobRun):
    """One training job."""

    collection = "training-jobs"
    resource = "training-job"
    status_key = "TrainingJobStatus"
    log_group = "/aws/sagemaker/TrainingJobs"
    event = "SageMaker Training Job State Change"
    session_prefix = "TRAINING"

    def __init__(self, platform: Platform, name: str) -> None:
        super().__init__(platform, name)
        record = self.record()
        definitions = record["AlgorithmSpecification"].get("MetricDefinitions", [])
        self._metrics = LogMetrics(definitions, self._publish)
        self._written = 0.0
        self._sync: FolderSync | None = None

    def staged(self, record: Record, stage: str, message: str) -> None:
        stage_transition(record, stage, message)

    def image_uri(self, record: Record) -> str:
        return str(record["AlgorithmSpecification"]["TrainingImage"])

    def words(self, record: Record, image: Image) -> list[str]:
        algorithm = record["AlgorithmSpecification"]
        if "ContainerEntrypoint" in algorithm:
            return [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", [])]
        return [*image.entrypoint, *algorithm.get("ContainerArguments", ["train"])]

    def max_runtime_s(self, record: Record) -> int:
        return int(record["StoppingCondition"]["MaxRuntimeInSeconds"])

    def prepare(self) -> None:
        self.move("InProgress", "Downloading", MESSAGES["Downloading"], TrainingStartTime=now())
        record = self.record()
        for folder in ("input/config", "input/data", "model", "output/data", "code"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        for channel in record.get("InputDataConfig", []):
            folder = self.base / "input" / "data" / channel["ChannelName"]
            folder.mkdir(parents=True, exist_ok=True)
            self.transfer.download(channel["DataSource"]["S3DataSource"]["S3Uri"], folder)
        self._write_configuration(record)
        self._restore_checkpoints(record)

    def running(self) -> None:
        self.move("InProgress", "Training", MESSAGES["Training"])

    def tick(self) -> None:
        if self._sync is not None:
            self._sync.tick()
        values = self._metrics.latest()
        if len(values) and time.monotonic() - self._written > 1:
            self._written = time.monotonic()
            self._save_metrics(values)

    def observe(self, lines: Sequence[tuple[int, str]]) -> None:
        self._metrics.read(lines)

    def failure_text(self) -> str:
        return read_text(self.base / "output" / "failure", 1024)[:960]

    def collect_failed(self) -> None:
        self._upload("output.tar.gz", self.base / "output" / "data")
        self._flush_checkpoints()

    def finish(self, *, ran: bool) -> None:
        if ran:
            self._finish_sync_and_upload()
        if self.stop_asked.is_set():
            self.move("Stopped", "Stopped", MESSAGES["Stopped"], **self.ending())
        elif self.timed_out:
            self.move("Stopped", "MaxRuntimeExceeded", MESSAGES["MaxRuntimeExceeded"], **self.ending())
        else:
            self.move("Completed", "Completed", MESSAGES["Completed"], **self.ending())

    def ending(self) -> dict[str, Any]:
        record = self.record()
        fields: dict[str, Any] = {"FinalMetricDataList": self._metrics.latest()}
        if "TrainingStartTime" in record:
            seconds = math.ceil(max(now() - record["TrainingStartTime"], 1))
            fields |= {"TrainingEndTime": now(), "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        return fields if fields["FinalMetricDataList"] else {key: value for key, value in fields.items() if key != "FinalMetricDataList"}

    def _finish_sync_and_upload(self) -> None:
        self.move("InProgress", "Uploading", MESSAGES["Uploading"])
        self._upload("model.tar.gz", self.base / "model")
        self._upload("output.tar.gz", self.base / "output" / "data")
        self._flush_checkpoints()

    def _upload(self, name: str, folder: Path) -> None:
        output = self.record()["OutputDataConfig"]
        archive = self.folder / name
        if pack(folder, archive):
            self.transfer.upload_file(archive, artifact_uri(output["S3OutputPath"], self.name, name), output.get("KmsKeyId") or None)

    def _flush_checkpoints(self) -> None:
        if self._sync is not None:
            self._sync.flush()

    def _restore_checkpoints(self, record: Record) -> None:
        config = record.get("CheckpointConfig")
        if not config:
            return
        folder = self.base / Path(config.get("LocalPath", CHECKPOINTS)).relative_to("/opt/ml")
        folder.mkdir(parents=True, exist_ok=True)
        self._sync = FolderSync(self.transfer, folder, config["S3Uri"], interval_s=self.platform.settings.sync_interval_s)
        self._sync.restore()

    def _write_configuration(self, record: Record) -> None:
        channels = {
            channel["ChannelName"]: {
                "TrainingInputMode": channel.get("InputMode", record["AlgorithmSpecification"]["TrainingInputMode"]),
                "S3DistributionType": channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated"),
                "RecordWrapperType": channel.get("RecordWrapperType", "None"),
                **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
            }
            for channel in record.get("InputDataConfig", [])
        }
        instance = record["ResourceConfig"]["InstanceType"]
        hosts = {
            "current_host": "algo-1",
            "current_instance_type": instance,
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
        }
        group = {"instance_group_name": "homogeneousCluster", "instance_type": instance, "hosts": ["algo-1"]}
        files = {
            "hyperparameters.json": record.get("HyperParameters", {}),
            "inputdataconfig.json": channels,
            "resourceconfig.json": {**hosts, "instance_groups": [group], "network_interface_name": "lo"},
        }
        for name, content in files.items():
            (self.base / "input" / "config" / name).write_text(json.dumps(content), encoding="utf-8")

    def _publish(self, name: str, value: float) -> None:
        self.platform.host.put_metric("/aws/sagemaker/TrainingJobs", name, {"TrainingJobName": self.name}, value, "None")

    def _save_metrics(self, values: list[Record]) -> None:
        with self.platform.store.lock:
            record = self.record()
            if record.get("FinalMetricDataList") != values:
                self.platform.store.put(self.collection, self.name, {**record, "FinalMetricDataList": values})


def artifact_uri(output_path: str, job: str, name: str) -> str:
    """Where a training job's archive goes."""
    return f"{output_path.rstrip('/')}/{job}/output/{name}"


def stage_transition(record: Record, stage: str, message: str) -> None:
    """Write a secondary status: close the open transition, open the next."""
    transitions = record.setdefault("SecondaryStatusTransitions", [])
    moment = now()
    if transitions and transitions[-1]["Status"] == stage:
        transitions[-1]["StatusMessage"] = message
        return
    if transitions:
        transitions[-1]["EndTime"] = moment
    entry = {"Status": stage, "StartTime": moment, "StatusMessage": message}
    if stage in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded"):
        entry["EndTime"] = moment
    transitions.append(entry)
    record["SecondaryStatus"] = stage


def new_record(platform: Platform, request: Record) -> Record:
    """The record of an accepted request."""
    name = request["TrainingJobName"]
    moment = now()
    record: Record = {key: value for key, value in request.items() if key != "Tags"}
    record |= {
        "TrainingJobArn": platform.arn("training-job", name),
        "ModelArtifacts": {"S3ModelArtifacts": artifact_uri(request["OutputDataConfig"]["S3OutputPath"], name, "model.tar.gz")},
        "TrainingJobStatus": "InProgress",
        "CreationTime": moment,
        "LastModifiedTime": moment,
    }
    stage_transition(record, "Starting", "Preparing the instances for training")
    return record
