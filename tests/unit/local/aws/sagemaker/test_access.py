"""What IAM is told about a request, and the CloudFormation types."""

from __future__ import annotations

import json

import pytest

from mlops_core.local.aws.sagemaker.errors import ApiError
from tests.unit.local.aws.sagemaker.bench import Bench, Refused, processing_request, training_request

PREFIX = "arn:aws:sagemaker:eu-central-1:123456789012:"


@pytest.mark.parametrize(
    ("action", "body", "expected"),
    [
        ("CreateTrainingJob", {"TrainingJobName": "a"}, "training-job/a"),
        ("sagemaker:StopProcessingJob", {"ProcessingJobName": "a"}, "processing-job/a"),
        ("UpdateEndpointWeightsAndCapacities", {"EndpointName": "a"}, "endpoint/a"),
        ("DescribeEndpointConfig", {"EndpointConfigName": "a"}, "endpoint-config/a"),
        ("CreateModelPackage", {"ModelPackageGroupName": "g"}, "model-package/g/*"),
        ("DescribeModelPackage", {"ModelPackageName": f"{PREFIX}model-package/g/1"}, "model-package/g/1"),
        ("DeleteModelPackageGroup", {"ModelPackageGroupName": f"{PREFIX}model-package-group/g"}, "model-package-group/g"),
        ("AddTags", {"ResourceArn": f"{PREFIX}model/m"}, "model/m"),
    ],
)
def test_each_operation_names_its_resource(bench: Bench, action: str, body: dict[str, str], expected: str) -> None:
    assert bench.service.resource_arn(action, json.dumps(body).encode(), "/") == PREFIX + expected


def test_an_invocation_names_its_endpoint_and_lists_name_none(bench: Bench) -> None:
    assert bench.service.resource_arn("InvokeEndpoint", b"1,2", "/endpoints/census/invocations") == PREFIX + "endpoint/census"
    assert bench.service.action("POST", "/endpoints/census/invocations", {}) == "sagemaker:InvokeEndpoint"
    assert bench.service.action("POST", "/", {"X-Amz-Target": "SageMaker.ListModels"}) == "sagemaker:ListModels"
    assert bench.service.resource_arn("ListModels", b"{}", "/") is None
    assert bench.service.resource_arn("CreateTrainingJob", b"[[[", "/") is None


def test_condition_keys_are_those_that_iam_documents(bench: Bench) -> None:
    request = {**training_request("a"), "Tags": [{"Key": "team", "Value": "b"}], "EnableNetworkIsolation": False}
    assert bench.service.condition_context("CreateTrainingJob", json.dumps(request).encode()) == {
        "sagemaker:InstanceTypes": ["ml.m5.large"],
        "sagemaker:MaxRuntimeInSeconds": "60",
        "sagemaker:NetworkIsolation": "false",
        "aws:RequestTag/team": "b",
        "aws:TagKeys": ["team"],
    }
    assert bench.service.condition_context("CreateProcessingJob", processing_request("a"))["sagemaker:InstanceTypes"] == ["ml.m5.large"]
    assert bench.service.condition_context("DescribeTrainingJob", {"TrainingJobName": "a"}) == {}
    approval = {"ModelPackageArn": "x", "ModelApprovalStatus": "Approved"}
    assert bench.service.condition_context("UpdateModelPackage", approval) == {"sagemaker:ModelApprovalStatus": "Approved"}


def test_tags_of_an_existing_resource_are_conditions_too(bench: Bench) -> None:
    bench.call("CreateModelPackageGroup", ModelPackageGroupName="census", Tags=[{"Key": "team", "Value": "a"}])
    found = bench.service.condition_context("DeleteModelPackageGroup", {"ModelPackageGroupName": "census"})
    assert found == {"aws:ResourceTag/team": "a", "sagemaker:ResourceTag/team": "a"}


def test_tags_at_creation_and_the_configuration_of_an_endpoint_are_authorised_too(bench: Bench) -> None:
    bench.call("CreateModelPackageGroup", ModelPackageGroupName="census", Tags=[{"Key": "team", "Value": "a"}])
    assert bench.host.asked[-1] == ("caller", "sagemaker:AddTags", PREFIX + "model-package-group/census", {"aws:RequestTag/team": "a"})
    bench.host.forbidden.add(("caller", "sagemaker:AddTags"))
    with pytest.raises(Refused, match="sagemaker:AddTags"):
        bench.call("CreateModelPackageGroup", ModelPackageGroupName="other", Tags=[{"Key": "team", "Value": "a"}])
    bench.host.forbidden.add(("caller", "sagemaker:CreateEndpoint"))
    with pytest.raises(Refused, match="endpoint-config/next") as refused:
        bench.call("CreateEndpoint", EndpointName="census", EndpointConfigName="next")
    assert refused.value.code == "AccessDeniedException"


def test_a_model_package_group_is_made_changed_and_deleted_by_a_template(bench: Bench) -> None:
    handlers = bench.service.cloudformation_types()["AWS::SageMaker::ModelPackageGroup"]
    old = {"ModelPackageGroupName": "census", "Tags": [{"Key": "a", "Value": "1"}]}
    arn, attributes = handlers["create"]("Group", old, "stack")
    assert arn == attributes["ModelPackageGroupArn"] == PREFIX + "model-package-group/census"
    handlers["update"](arn, old, {**old, "Tags": [{"Key": "b", "Value": "2"}]}, "stack")
    assert bench.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(ApiError, match="cannot be changed in place"):
        handlers["update"](arn, old, {**old, "ModelPackageGroupDescription": "x"}, "stack")
    with pytest.raises(ApiError, match="Unknown member"):
        handlers["create"]("Other", {"Colour": "red"}, "stack")
    handlers["delete"](arn, old)
    handlers["delete"](arn, old)
    assert bench.call("ListModelPackageGroups")["ModelPackageGroupSummaryList"] == []


def test_a_resource_without_a_name_gets_one(bench: Bench) -> None:
    handlers = bench.service.cloudformation_types()["AWS::SageMaker::ModelPackageGroup"]
    arn, _ = handlers["create"]("Group", {}, "my_stack")
    assert arn.startswith(PREFIX + "model-package-group/mystack-Group-")
