"""Models and endpoint configurations that cannot be are refused; endpoints that were changing when the platform died settle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.local.aws.sagemaker.bench import SERVE_IMAGE, Bench, Refused
from tests.unit.local.aws.sagemaker.memory_host import ROLE
from tests.unit.local.aws.sagemaker.serving_program import SERVER

CONTAINER = {"Image": SERVE_IMAGE}
VARIANT = {"VariantName": "blue", "ModelName": "census", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}


def folder_source(kind: str, compression: str) -> dict[str, Any]:
    return {"S3DataSource": {"S3Uri": "s3://data/models/plain/", "S3DataType": kind, "CompressionType": compression}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PrimaryContainer": CONTAINER, "Containers": [CONTAINER]}, "exactly one of PrimaryContainer and Containers"),
        ({"Containers": [CONTAINER, CONTAINER]}, "more than one container is not supported"),
        ({"PrimaryContainer": {"Environment": {"A": "1"}}}, "needs Image or ModelPackageName"),
        ({"PrimaryContainer": CONTAINER, "ExecutionRoleArn": None}, "ExecutionRoleArn is required"),
        ({"PrimaryContainer": {**CONTAINER, "Mode": "MultiModel"}}, "Mode = MultiModel is not supported"),
        ({"PrimaryContainer": {**CONTAINER, "ModelDataSource": folder_source("S3Prefix", "Gzip")}}, "either S3Prefix without compression"),
        ({"PrimaryContainer": {"Image": "python:3.13"}}, "is not an ECR image URI"),
        ({"PrimaryContainer": {"Image": SERVE_IMAGE.replace("eu-central-1", "eu-west-1")}}, "another account or region"),
        ({"PrimaryContainer": {"ModelPackageName": "nothing"}}, "does not exist"),
        ({"PrimaryContainer": {**CONTAINER, "MultiModelConfig": {"ModelCacheSetting": "Enabled"}}}, "MultiModelConfig is not supported"),
    ],
)
def test_a_wrong_model_is_refused(bench: Bench, change: Mapping[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        bench.call("CreateModel", **{"ModelName": "census", "ExecutionRoleArn": ROLE, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ModelName": "nobody"}, "Could not find model"),
        ({"InitialInstanceCount": 5}, "5 instances are more than the 4 processes"),
        ({"InstanceType": None}, "needs InstanceType"),
        ({"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}, "ServerlessConfig is not supported"),
        ({"InitialVariantWeight": -1}, "greater than or equal to 0"),
    ],
)
def test_a_wrong_variant_is_refused(bench: Bench, change: Mapping[str, Any], message: str) -> None:
    bench.call("CreateModel", ModelName="census", ExecutionRoleArn=ROLE, PrimaryContainer=CONTAINER)
    with pytest.raises(Refused, match=message):
        bench.call("CreateEndpointConfig", EndpointConfigName="census", ProductionVariants=[{**VARIANT, **change}])


def test_names_of_models_configurations_and_endpoints_are_taken_once(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    for attempt in (
        lambda: bench.model_of("census-config-blue", "x"),
        lambda: bench.call(
            "CreateEndpointConfig", EndpointConfigName="census-config", ProductionVariants=[{**VARIANT, "ModelName": "census-config-blue"}]
        ),
        lambda: bench.call("CreateEndpoint", EndpointName="census", EndpointConfigName="census-config"),
    ):
        with pytest.raises(Refused, match="already existing"):
            attempt()


def test_a_model_may_be_a_folder_of_objects(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.host.put("data", "models/plain/mark", b"unpacked")
    container = {**CONTAINER, "ModelDataSource": folder_source("S3Prefix", "None")}
    bench.call("CreateModel", ModelName="census", ExecutionRoleArn=ROLE, Containers=[container])
    bench.call("CreateEndpointConfig", EndpointConfigName="census", ProductionVariants=[VARIANT])
    bench.call("CreateEndpoint", EndpointName="census", EndpointConfigName="census")
    assert bench.served("census")["EndpointStatus"] == "InService"
    assert b"unpacked" in bench.invoke("census", b"1")[2]


def test_an_update_may_keep_weights_and_counts(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    change = [{"VariantName": "blue", "DesiredWeight": 3, "DesiredInstanceCount": 2}]
    bench.call("UpdateEndpointWeightsAndCapacities", EndpointName="census", DesiredWeightsAndCapacities=change)
    bench.served("census")
    bench.config_of("next-config", ("blue", "second", 1))
    bench.call("UpdateEndpoint", EndpointName="census", EndpointConfigName="next-config", RetainAllVariantProperties=True)
    (variant,) = bench.served("census")["ProductionVariants"]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (3.0, 2)
    for wrong, message in (
        ({"VariantName": "red"}, "'red' is not one of blue"),
        ({"VariantName": "blue", "DesiredInstanceCount": 0}, "at least 1"),
    ):
        with pytest.raises(Refused, match=message):
            bench.call("UpdateEndpointWeightsAndCapacities", EndpointName="census", DesiredWeightsAndCapacities=[wrong])


def test_every_weight_zero_leaves_named_variants_only(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 0))
    bench.served("census")
    assert bench.invoke("census", b"1")[0] == 503
    assert bench.invoke("census", b"1", X_Amzn_SageMaker_Target_Variant="blue")[0] == 200
    assert bench.invoke("census", b"1", X_Amzn_SageMaker_Target_Variant="red")[0] == 400


@pytest.mark.parametrize(
    ("state", "expected", "reason"),
    [
        (
            {"EndpointStatus": "Updating", "_next": "lost-config"},
            "InService",
            "the local platform was stopped during the update to lost-config",
        ),
        ({"EndpointStatus": "Creating", "_plan": None}, "InService", None),
        ({"EndpointStatus": "Deleting"}, None, None),
    ],
)
def test_an_endpoint_that_was_changing_settles(bench: Bench, state: Mapping[str, Any], expected: str | None, reason: str | None) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    path = bench.host.state / "sagemaker/records/endpoints/census.json"
    bench.service.close()
    record = {**json.loads(path.read_text(encoding="utf-8")), **state}
    path.write_text(json.dumps({key: value for key, value in record.items() if value is not None}), encoding="utf-8")
    bench.reopen()
    if expected is None:
        assert bench.call("ListEndpoints")["Endpoints"] == []
        return
    described = bench.served("census")
    assert (described["EndpointStatus"], described.get("FailureReason")) == (expected, reason)
    assert bench.invoke("census", b"1")[0] == 200


def test_a_record_that_is_no_json_is_put_aside(bench: Bench) -> None:
    bench.call("CreateModel", ModelName="census", ExecutionRoleArn=ROLE, PrimaryContainer=CONTAINER)
    path = bench.host.state / "sagemaker/records/models/census.json"
    path.write_text("", encoding="utf-8")
    bench.reopen()
    assert bench.call("ListModels")["Models"] == []
    assert path.with_suffix(".broken").exists()
