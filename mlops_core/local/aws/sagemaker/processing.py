"""Processing jobs under SageMaker's container contract.

Source: "Build Your Own Processing Container" (AWS documentation).  Paths of the request lie below ``/opt/ml``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlops_core.local.aws.sagemaker.errors import ProgramFailed, validation
from mlops_core.local.aws.sagemaker.jobs import JobRun, read_text
from mlops_core.local.aws.sagemaker.platform import Image, Platform, now
from mlops_core.local.aws.sagemaker.store import Record, public
from mlops_core.local.aws.sagemaker.sync import FolderSync

DEFAULT_MAX_RUNTIME_S = 86_400
MESSAGE_BYTES = 1024


class ProcessingRun(JobRun):
    """One processing job."""

    collection = "processing-jobs"
    resource = "processing-job"
    status_key = "ProcessingJobStatus"
    log_group = "/aws/sagemaker/ProcessingJobs"
    event = "SageMaker Processing Job State Change"
    session_prefix = "PROCESSING"

    def __init__(self, platform: Platform, name: str) -> None:
        super().__init__(platform, name)
        self._syncs: list[FolderSync] = []

    def staged(self, record: Record, stage: str, message: str) -> None:
        """Processing jobs have no secondary status."""

    def image_uri(self, record: Record) -> str:
        return str(record["AppSpecification"]["ImageUri"])

    def words(self, record: Record, image: Image) -> list[str]:
        application = record["AppSpecification"]
        return [*application.get("ContainerEntrypoint", image.entrypoint), *application.get("ContainerArguments", [])]

    def max_runtime_s(self, record: Record) -> int:
        return int(record.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_S))

    def prepare(self) -> None:
        record = self.record()
        for source in record.get("ProcessingInputs", []):
            folder = self._inside(source["S3Input"]["LocalPath"])
            folder.mkdir(parents=True, exist_ok=True)
            self.transfer.download(source["S3Input"]["S3Uri"], folder)
        for output in self._outputs(record):
            self._prepare_output(record, output["S3Output"])
        self._write_configuration(record)

    def running(self) -> None:
        self.move("InProgress", "", "", ProcessingStartTime=now())

    def tick(self) -> None:
        for sync in self._syncs:
            sync.tick()

    def failure_text(self) -> str:
        return read_text(self.base / "output" / "message", MESSAGE_BYTES)[:900] or "See job logs for more information"

    def collect_failed(self) -> None:
        for sync in self._syncs:
            sync.flush()

    def finish(self, *, ran: bool) -> None:
        if self.timed_out:
            self.collect_failed()
            seconds = self.max_runtime_s(self.record())
            raise ProgramFailed(f"ClientError: Job exceeded MaxRuntimeInSeconds of {seconds}; its process was stopped")
        if ran:
            self._upload_outputs()
        status = "Stopped" if self.stop_asked.is_set() else "Completed"
        self.move(status, status, "", **self.ending())

    def ending(self) -> dict[str, Any]:
        message = read_text(self.base / "output" / "message", MESSAGE_BYTES)
        fields: dict[str, Any] = {"ExitMessage": message} if message else {}
        return {**fields, "ProcessingEndTime": now()} if "ProcessingStartTime" in self.record() else fields

    def _outputs(self, record: Record) -> list[Record]:
        outputs: list[Record] = record.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return outputs

    def _prepare_output(self, record: Record, target: Record) -> None:
        folder = self._inside(target["LocalPath"])
        folder.mkdir(parents=True, exist_ok=True)
        if target["S3UploadMode"] == "Continuous":
            key = record["ProcessingOutputConfig"].get("KmsKeyId") or None
            interval = self.platform.settings.sync_interval_s
            self._syncs.append(FolderSync(self.transfer, folder, target["S3Uri"], interval_s=interval, kms_key=key))

    def _upload_outputs(self) -> None:
        record = self.record()
        key = record.get("ProcessingOutputConfig", {}).get("KmsKeyId") or None
        for output in self._outputs(record):
            target = output["S3Output"]
            if target["S3UploadMode"] == "EndOfJob":
                self.transfer.upload_folder(self._inside(target["LocalPath"]), target["S3Uri"], key)
        for sync in self._syncs:
            sync.flush()

    def _write_configuration(self, record: Record) -> None:
        (self.base / "output").mkdir(parents=True, exist_ok=True)
        folder = self.base / "config"
        folder.mkdir(parents=True, exist_ok=True)
        keys = ("ProcessingJobArn", "ProcessingJobName", "AppSpecification", "Environment", "ProcessingInputs", "ProcessingOutputConfig")
        shown = {key: record[key] for key in (*keys, "ProcessingResources", "RoleArn", "StoppingCondition") if key in public(record)}
        (folder / "processingjobconfig.json").write_text(json.dumps(shown), encoding="utf-8")
        hosts = {"current_host": "algo-1", "hosts": ["algo-1"]}
        (folder / "resourceconfig.json").write_text(json.dumps(hosts), encoding="utf-8")

    def _inside(self, path: str) -> Path:
        return self.base / Path(path).relative_to("/opt/ml")


def check_paths(request: Record) -> None:
    """ValidationException unless every path lies below ``/opt/ml`` and no two overlap."""
    inputs = [one["S3Input"].get("LocalPath") for one in request.get("ProcessingInputs", []) if "S3Input" in one]
    outputs = [
        one["S3Output"].get("LocalPath") for one in request.get("ProcessingOutputConfig", {}).get("Outputs", []) if "S3Output" in one
    ]
    paths = [path for path in inputs + outputs if path]
    for path in paths:
        if not path.startswith("/opt/ml/") or ".." in path.split("/"):
            raise validation(f"LocalPath '{path}' is not below /opt/ml/; processing containers see only that folder here.")
    for path in paths:
        if sum(other == path or other.startswith(path.rstrip("/") + "/") for other in paths) > 1:
            raise validation(f"LocalPath '{path}' is used by more than one input or output; give each a folder of its own.")


def check_members(request: Record) -> None:
    """ValidationException for inputs and outputs without the members that this platform needs."""
    for source in request.get("ProcessingInputs", []):
        if not source.get("S3Input", {}).get("LocalPath"):
            raise validation(
                f"ProcessingInputs '{source['InputName']}' has no S3Input.LocalPath; data is given as files of an S3 prefix only."
            )
    for output in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if not output.get("S3Output", {}).get("LocalPath"):
            raise validation(
                f"ProcessingOutputConfig '{output.get('OutputName')}' has no S3Output.LocalPath; outputs are folders uploaded to S3."
            )


def new_record(platform: Platform, request: Record) -> Record:
    """The record of an accepted request."""
    record: Record = {key: value for key, value in request.items() if key != "Tags"}
    record |= {
        "ProcessingJobArn": platform.arn("processing-job", request["ProcessingJobName"]),
        "ProcessingJobStatus": "InProgress",
        "CreationTime": now(),
        "LastModifiedTime": now(),
    }
    return record
