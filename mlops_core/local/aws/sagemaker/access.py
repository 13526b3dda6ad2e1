"""What IAM needs to decide a request: the action, the resource's ARN and the condition keys.

    resource_arn("CreateTrainingJob", {"TrainingJobName": "census-1"}, "/", arn=platform.arn)   # arn:aws:sagemaker:…:training-job/census-1
    condition_context("CreateTrainingJob", body)                                        # {"sagemaker:InstanceTypes": ["ml.m5.large"], …}

Source: "Actions, resources, and condition keys for Amazon SageMaker" (Service Authorization Reference).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from mlops_core.local.aws.sagemaker.support import values_at

RUNTIME_PATH = re.compile(r"/endpoints/(?P<endpoint>[^/]{1,200})/(?P<what>[a-z-]+)")
RUNTIME_ACTIONS = {
    "invocations": "InvokeEndpoint",
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}
# The member of a request that names the resource, by the resource's word in an ARN.
_NAMES = {
    "training-job": "TrainingJobName",
    "processing-job": "ProcessingJobName",
    "endpoint-config": "EndpointConfigName",
    "endpoint": "EndpointName",
    "model-package-group": "ModelPackageGroupName",
    "model": "ModelName",
}
_RESOURCES = {
    "TrainingJob": "training-job",
    "ProcessingJob": "processing-job",
    "EndpointConfig": "endpoint-config",
    "EndpointWeightsAndCapacities": "endpoint",
    "Endpoint": "endpoint",
    "ModelPackageGroup": "model-package-group",
    "Model": "model",
}
# Condition key → where its values stand in a request.
_CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "sagemaker:InstanceTypes": (
        "ResourceConfig.InstanceType",
        "ProcessingResources.ClusterConfig.InstanceType",
        "ProductionVariants.InstanceType",
    ),
    "sagemaker:MaxRuntimeInSeconds": ("StoppingCondition.MaxRuntimeInSeconds",),
    "sagemaker:NetworkIsolation": ("EnableNetworkIsolation", "NetworkConfig.EnableNetworkIsolation"),
    "sagemaker:InterContainerTrafficEncryption": (
        "EnableInterContainerTrafficEncryption",
        "NetworkConfig.EnableInterContainerTrafficEncryption",
    ),
    "sagemaker:OutputKmsKey": ("OutputDataConfig.KmsKeyId", "ProcessingOutputConfig.KmsKeyId"),
    "sagemaker:VolumeKmsKey": ("ResourceConfig.VolumeKmsKeyId", "ProcessingResources.ClusterConfig.VolumeKmsKeyId", "KmsKeyId"),
    "sagemaker:VpcSubnets": ("VpcConfig.Subnets", "NetworkConfig.VpcConfig.Subnets"),
    "sagemaker:VpcSecurityGroupIds": ("VpcConfig.SecurityGroupIds", "NetworkConfig.VpcConfig.SecurityGroupIds"),
    "sagemaker:ModelApprovalStatus": ("ModelApprovalStatus",),
}
_LISTED = ("sagemaker:InstanceTypes", "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds")

Check = tuple[str, str, dict[str, str]]


def action(method: str, path: str, headers: Mapping[str, str]) -> str | None:
    """The IAM action of a request, for example ``sagemaker:InvokeEndpoint``; None when it is none of ours."""
    target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
    if target.startswith("SageMaker."):
        return f"sagemaker:{target.removeprefix('SageMaker.')}"
    found = RUNTIME_PATH.fullmatch(path) if method == "POST" else None
    return f"sagemaker:{RUNTIME_ACTIONS[found['what']]}" if found and found["what"] in RUNTIME_ACTIONS else None


def resource_arn(operation: str, body: Mapping[str, Any], path: str, *, arn: Callable[[str, str], str]) -> str | None:
    """The ARN of the resource an operation is about; None for lists (``*`` in a policy)."""
    operation = operation.removeprefix("sagemaker:")
    if operation.startswith("InvokeEndpoint"):
        found = RUNTIME_PATH.fullmatch(path)
        return arn("endpoint", unquote(found["endpoint"])) if found else None
    if operation in ("AddTags", "ListTags", "DeleteTags"):
        return _text(body.get("ResourceArn"))
    if operation.endswith("ModelPackage"):
        return _package_arn(body, arn)
    word = re.sub(r"^(Create|Describe|Update|Delete|Stop)", "", operation)
    resource = _RESOURCES.get(word)
    if resource is None or word == operation:
        return None
    name = _text(body.get(_NAMES[resource]))
    return arn(resource, name.rpartition("/")[2]) if name else None


def further_checks(operation: str, body: Mapping[str, Any], *, arn: Callable[[str, str], str]) -> list[Check]:
    """What AWS authorises besides the operation on its resource: tags given at creation, and the configuration an endpoint takes."""
    checks: list[Check] = []
    if operation in ("CreateEndpoint", "UpdateEndpoint"):
        checks.append((f"sagemaker:{operation}", arn("endpoint-config", str(body["EndpointConfigName"])), {}))
    if operation.startswith("Create") and body.get("Tags"):
        tags = {f"aws:RequestTag/{tag['Key']}": str(tag["Value"]) for tag in body["Tags"]}
        checks.append(("sagemaker:AddTags", resource_arn(operation, body, "/", arn=arn) or "*", tags))
    return checks


def _package_arn(body: Mapping[str, Any], arn: Callable[[str, str], str]) -> str | None:
    name = _text(body.get("ModelPackageArn")) or _text(body.get("ModelPackageName"))
    if name:
        return name if name.startswith("arn:") else arn("model-package", name)
    group = _text(body.get("ModelPackageGroupName"))
    return arn("model-package", group.rpartition("/")[2] + "/*") if group else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def condition_context(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys that IAM documents for the operation, as text or lists of text; absent members give no key."""
    operation = operation.removeprefix("sagemaker:")
    context: dict[str, Any] = {}
    if not operation.startswith(("Create", "Update", "AddTags", "DeleteTags")):
        return context
    for key, paths in _CONDITIONS.items():
        values = [_plain(value) for path in paths for value in values_at(body, path.split("."))]
        if values:
            context[key] = sorted(set(values)) if key in _LISTED else values[0]
    metadata = body.get("CustomerMetadataProperties")
    if isinstance(metadata, Mapping):
        context |= {f"sagemaker:CustomerMetadataProperties/{key}": _plain(value) for key, value in metadata.items()}
    stage = body.get("ModelLifeCycle")
    if isinstance(stage, Mapping):
        context |= {
            f"sagemaker:ModelLifeCycle:{key[0].lower()}{key[1:]}": _plain(stage[key]) for key in ("Stage", "StageStatus") if key in stage
        }
    return context | _tag_context(body)


def _tag_context(body: Mapping[str, Any]) -> dict[str, Any]:
    tags = [tag for tag in body.get("Tags") or [] if isinstance(tag, Mapping) and "Key" in tag]
    keys = [str(tag["Key"]) for tag in tags] + [str(key) for key in body.get("TagKeys") or []]
    context: dict[str, Any] = {f"aws:RequestTag/{tag['Key']}": _plain(tag.get("Value", "")) for tag in tags}
    return {**context, "aws:TagKeys": keys} if keys else context


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
