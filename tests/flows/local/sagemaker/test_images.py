"""An image holds what its lock names and nothing else: less one package, its program fails by that package's name.

The environments are built as the platform builds them, from a copy of the project whose locks lack one requirement.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_core.contracts.base import canonical
from mlops_core.contracts.dataset import DataJobConfig
from mlops_core.local.aws.config import Image
from mlops_core.local.environments import Environments
from tests.flows.local.aws.conftest import ACCOUNT, Lab
from tests.unit.local.aws.sagemaker.bench import archive

pytestmark = pytest.mark.flow
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
BUCKET = "lacking"


def without(lock: Path, package: str) -> str:
    """A lock less one requirement with its hashes; nothing else changes."""
    text, count = re.subn(rf"^{package}==.*\n(?:[ ]+.*\n)*", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count == 1
    return text


@pytest.fixture(scope="module")
def images(made_environments: Environments, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    """``work`` without DuckDB, ``serve`` without ONNX Runtime, both with this project's own wheel."""
    real, folder = made_environments, tmp_path_factory.mktemp("lacking")
    copy = folder / "project"
    (copy / "locks").mkdir(parents=True)
    (copy / "mlops_core").symlink_to(real.project / "mlops_core")
    shutil.copy(real.project / "pyproject.toml", copy)
    for name, package in (("work", "duckdb"), ("serve", "onnxruntime")):
        (copy / "locks" / f"{name}.txt").write_text(without(real.project / "locks" / f"{name}.txt", package), encoding="utf-8")
    # The same sources have the same wheel: it is taken from where the whole environments took it.
    real.ensure("serve")
    shutil.copytree(real.folder / "wheels", folder / "envs" / "wheels")
    lacking = Environments(project=copy, folder=folder / "envs", uv=real.uv)
    return {
        "mlops-work": Image(lacking.ensure("work") / "bin", ("mlops-job",)),
        "mlops-serve": Image(lacking.ensure("serve") / "bin", ("mlops-serve",)),
    }


@pytest.fixture(scope="module")
def lab(start_lab: Callable[..., Lab], images: dict[str, Image]) -> Iterator[Lab]:
    opened = start_lab(images=images)
    opened.client("s3").create_bucket(Bucket=BUCKET)
    everything = {"Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], "Resource": "*"}
    opened.role("lacking", "sagemaker.amazonaws.com", everything)
    yield opened
    opened.aws.stop()


def put(lab: Lab, key: str, body: bytes) -> str:
    lab.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def test_an_endpoint_whose_image_lacks_a_package_fails_and_names_it(lab: Lab) -> None:
    sagemaker = lab.client("sagemaker")
    model = put(lab, "models/model.tar.gz", archive({"model.onnx": b"0"}))
    container = {"Image": f"{REGISTRY}/mlops-serve:1", "ModelDataUrl": model}
    sagemaker.create_model(ModelName="less", ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/lacking", PrimaryContainer=container)
    variant = {"VariantName": "live", "ModelName": "less", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="less", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="less", EndpointConfigName="less")

    def settled() -> Any:
        found = sagemaker.describe_endpoint(EndpointName="less")
        return found if found["EndpointStatus"] != "Creating" else None

    described = lab.until(settled, 60)
    assert described["EndpointStatus"] == "Failed"
    # As on AWS the reason points to the log, and the log names the module.
    assert "did not pass the ping health check. Please check CloudWatch logs" in described["FailureReason"]
    assert lab.until(lambda: "No module named 'onnxruntime'" in logged(lab, "/aws/sagemaker/Endpoints/less"))


def logged(lab: Lab, group: str) -> str:
    """Everything in a log group, nothing while there is none."""
    logs = lab.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return ""
    return "\n".join(item["message"] for item in logs.filter_log_events(logGroupName=group)["events"])


def test_a_data_job_whose_image_lacks_a_package_fails_and_names_it(lab: Lab) -> None:
    sagemaker = lab.client("sagemaker")
    put(lab, "config/config.json", canonical(DataJobConfig(task="binary", target="income")))
    put(lab, "raw/train.csv", b"age,income\n1,yes\n2,no\n")
    sagemaker.create_processing_job(
        ProcessingJobName="less",
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/lacking",
        AppSpecification={
            "ImageUri": f"{REGISTRY}/mlops-work:1",
            "ContainerEntrypoint": ["mlops-job"],
            "ContainerArguments": ["data"],
        },
        ProcessingInputs=[source(name) for name in ("config", "raw")],
        ProcessingOutputConfig={
            "Outputs": [{"OutputName": "prepared", "S3Output": {**place("prepared", "output"), "S3UploadMode": "EndOfJob"}}]
        },
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )

    def ended() -> Any:
        found = sagemaker.describe_processing_job(ProcessingJobName="less")
        return found if found["ProcessingJobStatus"] not in {"InProgress", "Stopping"} else None

    described = lab.until(ended, 60)
    assert described["ProcessingJobStatus"] == "Failed"
    assert "No module named 'duckdb'" in json.dumps(described, default=str)


def source(name: str) -> dict[str, Any]:
    """One input folder of a processing job."""
    return {"InputName": name, "S3Input": {**place(name, "input"), "S3DataType": "S3Prefix", "S3InputMode": "File"}}


def place(name: str, way: str) -> dict[str, str]:
    """A prefix and the folder that stands for it."""
    return {"S3Uri": f"s3://{BUCKET}/{name}/", "LocalPath": f"/opt/ml/processing/{way}/{name}"}
