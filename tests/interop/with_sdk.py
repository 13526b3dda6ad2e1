"""Train, register, deploy and predict with the SageMaker Python SDK 3; runs in the clients' own environment."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import contextlib
import json
import os
import sys

from sagemaker.core.resources import Endpoint, EndpointConfig, Model, ModelPackage, ModelPackageGroup, TrainingJob
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant, StoppingCondition

# In 3.27 ModelPackage.create takes the model card's shape of this name, not the registry's.
from sagemaker.core.shapes.model_card_shapes import ContainersItem, InferenceSpecification
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.train import ModelTrainer

REGISTRY, ROLE, BUCKET = os.environ["REGISTRY"], os.environ["ROLE"], os.environ["BUCKET"]
PACKAGE = f"arn:aws:sagemaker:{os.environ['AWS_REGION']}:{REGISTRY.partition('.')[0]}:model-package/sdk/1"


def main() -> None:
    """The whole line."""
    trainer = ModelTrainer(
        training_image=f"{REGISTRY}/interop-work:1",
        role=ROLE,
        base_job_name="sdk",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=60),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/models"),
        hyperparameters={"scale": 5},
    )
    trainer.train(input_data_config=[InputData(channel_name="train", data_source=f"s3://{BUCKET}/train/")], logs=False)
    name = trainer._latest_training_job.training_job_name
    job = TrainingJob.get(training_job_name=name)
    expect(job.training_job_status, "Completed")
    ModelPackageGroup.create(model_package_group_name="sdk")
    container = ContainersItem(image=f"{REGISTRY}/interop-serve:1", model_data_url=job.model_artifacts.s3_model_artifacts)
    specification = InferenceSpecification(
        containers=[container], supported_content_types=["text/csv"], supported_response_mime_types=["application/json"]
    )
    with contextlib.suppress(KeyError):  # 3.27 registers, then looks in the answer for a name that CreateModelPackage never gives
        ModelPackage.create(model_package_group_name="sdk", inference_specification=specification, model_approval_status="Approved")
    package = ModelPackage.get(model_package_name=PACKAGE)
    expect(package.model_package_version, 1)
    primary = ContainerDefinition(model_package_name=package.model_package_arn)
    model = Model.create(model_name="sdk", primary_container=primary, execution_role_arn=ROLE)
    variant = ProductionVariant(variant_name="live", model_name=model.model_name, initial_instance_count=1, instance_type="ml.m5.large")
    EndpointConfig.create(endpoint_config_name="sdk", production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name="sdk", endpoint_config_name="sdk")
    endpoint.wait_for_status("InService")
    answer = endpoint.invoke(body="5", content_type="text/csv")
    expect(json.loads(answer.body.read()), {"prediction": 50.0})
    endpoint.delete()


def expect(found: object, wanted: object) -> None:
    """Stop with both values when they differ."""
    if found != wanted:
        sys.exit(f"expected {wanted!r}, found {found!r}")


if __name__ == "__main__":
    main()
