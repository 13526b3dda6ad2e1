"""Train, register, deploy and predict with the AWS CLI alone: its own models, its own signatures, its own waiters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REGISTRY, ROLE, BUCKET = os.environ["REGISTRY"], os.environ["ROLE"], os.environ["BUCKET"]


def aws(service: str, operation: str, *arguments: str, **request: Any) -> dict[str, Any]:
    """One command; keyword arguments are the request as JSON."""
    told = ["--cli-input-json", json.dumps(request)] if request else []
    program = Path(os.environ["PATH"].partition(":")[0]) / "aws"
    done = subprocess.run([str(program), service, operation, *told, *arguments, "--output", "json"], check=True, stdout=subprocess.PIPE)
    answer: dict[str, Any] = json.loads(done.stdout or b"{}")
    return answer


def main() -> None:
    """The whole line."""
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/"}}}
    metric = {"Name": "train:slope", "Regex": "#metric train:slope=([0-9.]+);"}
    aws(
        "sagemaker",
        "create-training-job",
        TrainingJobName="cli",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": f"{REGISTRY}/interop-work:1", "TrainingInputMode": "File", "MetricDefinitions": [metric]},
        HyperParameters={"scale": "10"},
        InputDataConfig=[channel],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    aws("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", "cli")
    job = aws("sagemaker", "describe-training-job", "--training-job-name", "cli")
    expect(job["TrainingJobStatus"], "Completed")
    expect(round(job["FinalMetricDataList"][0]["Value"], 6), 2.0)
    aws("sagemaker", "create-model-package-group", "--model-package-group-name", "cli")
    image = {"Image": f"{REGISTRY}/interop-serve:1", "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    specification = {"Containers": [image], "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["application/json"]}
    package = aws("sagemaker", "create-model-package", ModelPackageGroupName="cli", InferenceSpecification=specification)["ModelPackageArn"]
    aws("sagemaker", "update-model-package", "--model-package-arn", package, "--model-approval-status", "Approved")
    aws("sagemaker", "create-model", ModelName="cli", ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": package})
    variant = {"VariantName": "live", "ModelName": "cli", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    aws("sagemaker", "create-endpoint-config", EndpointConfigName="cli", ProductionVariants=[variant])
    aws("sagemaker", "create-endpoint", "--endpoint-name", "cli", "--endpoint-config-name", "cli")
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "cli")
    out, row = Path("prediction.json"), Path("row.csv")
    row.write_text("5", encoding="utf-8")
    call = ["--endpoint-name", "cli", "--content-type", "text/csv", "--body", f"fileb://{row}", str(out)]
    expect(aws("sagemaker-runtime", "invoke-endpoint", *call)["InvokedProductionVariant"], "live")
    expect(json.loads(out.read_text(encoding="utf-8")), {"prediction": 100.0})
    aws("sagemaker", "delete-endpoint", "--endpoint-name", "cli")
    aws("sagemaker", "wait", "endpoint-deleted", "--endpoint-name", "cli")


def expect(found: object, wanted: object) -> None:
    """Stop with both values when they differ."""
    if found != wanted:
        sys.exit(f"expected {wanted!r}, found {found!r}")


if __name__ == "__main__":
    main()
