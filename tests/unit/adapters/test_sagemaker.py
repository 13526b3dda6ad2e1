"""Jobs, endpoints and registry against moto: requests that botocore's model accepts, and the five ends of a job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlops_core.adapters.endpoints_sagemaker import SageMakerEndpoints
from mlops_core.adapters.jobs_sagemaker import SageMakerJobs, _status
from mlops_core.adapters.registry_sagemaker import SageMakerRegistry
from mlops_core.adapters.signer_kms import KmsSigner
from mlops_core.contracts.job import JobStatus
from mlops_core.errors import Conflict, NotFound
from mlops_core.facts import Capture, ProcessingJob, TrainingJob, Variant
from mlops_core.settings import Settings

ROLE = "arn:aws:iam::123456789012:role/mlops-job"
SETTINGS = Settings(
    work_image="123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-work:1",
    serve_image="123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops-serve:1",
    job_role_arn=ROLE,
    endpoint_role_arn=ROLE,
    data_key_arn="arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000",
)
PROCESSING = ProcessingJob(
    name="mlops-income-1a2b3c4d-g0-data",
    program="data",
    inputs=(("raw", "s3://lake/datasets/a/raw/x.csv", "/opt/ml/processing/input/raw"),),
    outputs=(("prepared", "s3://lake/datasets/a/versions/v1.0.0/0", "/opt/ml/processing/output/prepared"),),
    instance_type="ml.m5.large",
    volume_gb=20,
    max_runtime_seconds=3600,
    tags={"mlops:digest": "d"},
    environment={"MLOPS_RUN_ID": "r"},
)
TRAINING = TrainingJob(
    name="mlops-income-1a2b3c4d-g0-train-r0",
    channels={"prepared": "s3://lake/datasets/a/versions/v1.0.0/0/"},
    hyperparameters={"max_depth": "6"},
    output_uri="s3://lake/models/income/r0",
    metrics=("validation:roc_auc",),
    instance_type="ml.m5.large",
    volume_gb=20,
    max_runtime_seconds=3600,
    tags={"mlops:digest": "d"},
)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """SageMaker of moto."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("sagemaker")


def test_a_processing_job_is_asked_for_as_its_contract_says(client: Any) -> None:
    jobs = SageMakerJobs(client, SETTINGS)
    jobs.start_processing(PROCESSING)
    asked = client.describe_processing_job(ProcessingJobName=PROCESSING.name)
    assert asked["AppSpecification"]["ContainerEntrypoint"] == ["mlops-job"]
    assert asked["AppSpecification"]["ContainerArguments"] == ["data"]
    assert asked["ProcessingInputs"][0]["S3Input"]["LocalPath"] == "/opt/ml/processing/input/raw"
    assert jobs.tags("processing", PROCESSING.name) == {"mlops:digest": "d"}


def test_a_job_with_checkpoints_keeps_them_where_it_was_told(client: Any) -> None:
    jobs = SageMakerJobs(client, SETTINGS)
    jobs.start_training(replace(TRAINING, checkpoint_uri="s3://lake/models/income/r0/checkpoints"))
    asked = client.describe_training_job(TrainingJobName=TRAINING.name)
    assert asked["CheckpointConfig"] == {"S3Uri": "s3://lake/models/income/r0/checkpoints", "LocalPath": "/opt/ml/checkpoints"}


def test_a_training_job_is_asked_for_as_its_contract_says(client: Any) -> None:
    jobs = SageMakerJobs(client, SETTINGS)
    jobs.start_training(TRAINING)
    asked = client.describe_training_job(TrainingJobName=TRAINING.name)
    assert asked["HyperParameters"] == {"max_depth": "6"}
    assert asked["InputDataConfig"][0]["ChannelName"] == "prepared"
    assert asked["AlgorithmSpecification"]["TrainingImage"] == SETTINGS.work_image
    assert jobs.tags("training", TRAINING.name) == {"mlops:digest": "d"}
    facts = jobs.describe("training", TRAINING.name)
    assert (facts.status, facts.kind) == ("completed", "training")


def test_an_unknown_job_is_not_found(client: Any) -> None:
    jobs = SageMakerJobs(client, SETTINGS)
    with pytest.raises(NotFound):
        jobs.describe("processing", "mlops-nothing")
    with pytest.raises(NotFound):
        jobs.describe("training", "mlops-nothing")


@pytest.mark.parametrize(
    ("status", "failure", "secondary", "wanted"),
    [
        ("Completed", "", "Completed", "completed"),
        ("Failed", "AlgorithmError: exit code 1", "Failed", "failed"),
        ("Failed", "InternalServerError: We encountered an internal error. Please try again.", "Failed", "internal_error"),
        ("Failed", "AlgorithmError: the words InternalServerError in a user's text", "Failed", "failed"),
        ("Failed", "ClientError: Job exceeded MaxRuntimeInSeconds of 60", "", "max_runtime"),
        ("Stopped", "", "Stopped", "stopped"),
        ("Stopped", "", "MaxRuntimeExceeded", "max_runtime"),
        ("Stopping", "", "Stopping", "running"),
        ("InProgress", "", "Starting", "queued"),
    ],
)
def test_abuse_row_71_each_end_of_a_job_is_told_apart(status: str, failure: str, secondary: str, wanted: JobStatus) -> None:
    assert _status(status, None, failure, secondary) == wanted


def test_models_configs_and_endpoints_are_made_once_and_described(client: Any) -> None:
    endpoints = SageMakerEndpoints(client, boto3.client("sagemaker-runtime"), SETTINGS)
    name = "mlops-income-1-0-0-aaaaaaaa"
    assert endpoints.describe("mlops-income") is None
    endpoints.create_model(
        name, model_uri="s3://lake/models/income/1.0.0/model.tar.gz", environment={"A": "b"}, tags={"mlops:model": "income"}
    )
    endpoints.create_config(name, [Variant("AllTraffic", name, "ml.m5.large")], capture=Capture("s3://lake/m", 100), tags={})
    endpoints.create("mlops-income", name, tags={"mlops:endpoint": "mlops-income"})
    found = endpoints.describe("mlops-income")
    assert found is not None
    assert (found.config_name, found.status) == (name, "InService")
    endpoints.delete_config("mlops-nothing")


def test_versions_are_registered_approved_and_removed(client: Any) -> None:
    registry = SageMakerRegistry(client, SETTINGS)
    assert registry.packages("mlops-income") == []
    registry.ensure_group("mlops-income", "Versions of income")
    registry.ensure_group("mlops-income", "Versions of income")
    arn = registry.register("mlops-income", model_uri="s3://lake/m.tar.gz", properties={"run_id": "r"}, description="1.0.0")
    registry.approve(arn, approved=True, reason="accepted")
    found = registry.describe(arn)
    # moto keeps no CustomerMetadataProperties; the flow tests look at them.
    assert (found.approval, found.model_uri) == ("Approved", "s3://lake/m.tar.gz")
    assert [package.arn for package in registry.packages("mlops-income")] == [arn]


def test_what_a_key_signed_is_verified_and_nothing_else(client: Any) -> None:
    kms: Any = boto3.client("kms")
    key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["Arn"]
    signer = KmsSigner(kms, Settings(signing_key_id=key))
    _, signature = signer.sign(b"1" * 32)
    assert signer.verify(b"1" * 32, signature)
    assert not signer.verify(b"1" * 32, "not base64!")


def test_a_name_that_exists_is_a_conflict() -> None:
    class Taken:
        def create_training_job(self, **_: object) -> None:
            from botocore.exceptions import ClientError

            raise ClientError({"Error": {"Code": "ResourceInUse", "Message": "Job name must be unique"}}, "CreateTrainingJob")

    with pytest.raises(Conflict) as caught:
        SageMakerJobs(Taken(), SETTINGS).start_training(TRAINING)
    assert caught.value.code == "E-JOB-NAME"
