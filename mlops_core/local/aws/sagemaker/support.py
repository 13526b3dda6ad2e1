"""What the local SageMaker models, field by field; everything else that AWS knows is refused by name.

    refuse_unsupported("CreateTrainingJob", request)   # ValidationException naming the field

`SUPPORTED` lists the request members of each operation; a structure with braces is supported in the listed members only, one
without braces whole.  `RULES` lists members that are supported with some values only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_core.local.aws.sagemaker.errors import validation

Tree = dict[str, "Tree | None"]

_SHORT_LIST = "NextToken MaxResults CreationTimeAfter CreationTimeBefore NameContains SortBy SortOrder"
_JOB_LIST = _SHORT_LIST + " LastModifiedTimeAfter LastModifiedTimeBefore StatusEquals"
_SOURCE = "S3DataSource{S3Uri S3DataType CompressionType}"
_CONTAINER = f"Image ModelDataUrl Environment ModelPackageName ContainerHostname Mode ModelDataSource{{{_SOURCE}}}"
_INFERENCE = f"""SupportedContentTypes SupportedResponseMIMETypes SupportedRealtimeInferenceInstanceTypes SupportedTransformInstanceTypes
    Containers{{Image ImageDigest ModelDataUrl ModelDataSource{{{_SOURCE}}}
    Environment Framework FrameworkVersion ModelInput NearestModelName ContainerHostname}}"""

SUPPORTED: Mapping[str, str] = {
    "CreateTrainingJob": """TrainingJobName HyperParameters RoleArn Tags Environment
        AlgorithmSpecification{TrainingImage TrainingInputMode MetricDefinitions
        EnableSageMakerMetricsTimeSeries ContainerEntrypoint ContainerArguments}
        InputDataConfig{ChannelName DataSource{S3DataSource{S3DataType S3Uri S3DataDistributionType}}
        ContentType CompressionType RecordWrapperType InputMode}
        OutputDataConfig{S3OutputPath KmsKeyId CompressionType} ResourceConfig{InstanceType InstanceCount VolumeSizeInGB VolumeKmsKeyId}
        StoppingCondition{MaxRuntimeInSeconds MaxWaitTimeInSeconds} CheckpointConfig EnableManagedSpotTraining EnableNetworkIsolation
        EnableInterContainerTrafficEncryption""",
    "DescribeTrainingJob": "TrainingJobName",
    "ListTrainingJobs": _JOB_LIST,
    "StopTrainingJob": "TrainingJobName",
    "CreateProcessingJob": """ProcessingJobName RoleArn Tags Environment AppSpecification
        ProcessingInputs{InputName S3Input{S3Uri LocalPath S3DataType S3InputMode S3DataDistributionType S3CompressionType}}
        ProcessingOutputConfig{KmsKeyId Outputs{OutputName S3Output{S3Uri LocalPath S3UploadMode}}}
        ProcessingResources{ClusterConfig{InstanceType InstanceCount VolumeSizeInGB VolumeKmsKeyId}} StoppingCondition
        NetworkConfig{EnableInterContainerTrafficEncryption EnableNetworkIsolation}""",
    "DescribeProcessingJob": "ProcessingJobName",
    "ListProcessingJobs": _JOB_LIST,
    "StopProcessingJob": "ProcessingJobName",
    "CreateModelPackageGroup": "ModelPackageGroupName ModelPackageGroupDescription Tags",
    "DescribeModelPackageGroup": "ModelPackageGroupName",
    "ListModelPackageGroups": _SHORT_LIST,
    "DeleteModelPackageGroup": "ModelPackageGroupName",
    "CreateModelPackage": f"""ModelPackageName ModelPackageGroupName ModelPackageDescription ModelPackageRegistrationType Tags
        ModelApprovalStatus InferenceSpecification{{{_INFERENCE}}} MetadataProperties ModelMetrics ClientToken Domain Task SamplePayloadUrl
        CustomerMetadataProperties DriftCheckBaselines SourceUri ModelCard ModelLifeCycle
        CertifyForMarketplace SkipModelValidation""",
    "DescribeModelPackage": "ModelPackageName",
    "UpdateModelPackage": f"""ModelPackageArn ModelApprovalStatus ApprovalDescription CustomerMetadataProperties
        CustomerMetadataPropertiesToRemove InferenceSpecification{{{_INFERENCE}}}
        SourceUri ModelCard ModelLifeCycle ModelPackageRegistrationType""",
    "ListModelPackages": _SHORT_LIST + " ModelApprovalStatus ModelPackageGroupName ModelPackageType",
    "DeleteModelPackage": "ModelPackageName",
    "CreateModel": f"ModelName PrimaryContainer{{{_CONTAINER}}} Containers{{{_CONTAINER}}} ExecutionRoleArn Tags EnableNetworkIsolation",
    "DescribeModel": "ModelName",
    "ListModels": _SHORT_LIST,
    "DeleteModel": "ModelName",
    "CreateEndpointConfig": """EndpointConfigName Tags DataCaptureConfig EnableNetworkIsolation KmsKeyId
        ProductionVariants{VariantName ModelName InitialInstanceCount InstanceType InitialVariantWeight
        ContainerStartupHealthCheckTimeoutInSeconds}""",
    "DescribeEndpointConfig": "EndpointConfigName",
    "ListEndpointConfigs": _SHORT_LIST,
    "DeleteEndpointConfig": "EndpointConfigName",
    "CreateEndpoint": "EndpointName EndpointConfigName Tags",
    "DescribeEndpoint": "EndpointName",
    "ListEndpoints": _JOB_LIST,
    "UpdateEndpoint": "EndpointName EndpointConfigName RetainAllVariantProperties",
    "UpdateEndpointWeightsAndCapacities": "EndpointName DesiredWeightsAndCapacities{VariantName DesiredWeight DesiredInstanceCount}",
    "DeleteEndpoint": "EndpointName",
    "AddTags": "ResourceArn Tags",
    "ListTags": "ResourceArn NextToken MaxResults",
    "DeleteTags": "ResourceArn TagKeys",
}


@dataclass(frozen=True)
class Rule:
    """A member that is supported with some values only: where, which values, and why the others cannot be had here."""

    operation: str
    path: str
    allowed: tuple[Any, ...]
    reason: str


_ONE = "one process runs each job here"
_NO_WALL = "a process here cannot be cut off from the network"
RULES: tuple[Rule, ...] = (
    Rule("CreateTrainingJob", "AlgorithmSpecification.TrainingInputMode", ("File", "FastFile"), "data is linked as files"),
    Rule("CreateTrainingJob", "InputDataConfig.InputMode", ("File", "FastFile"), "data is linked as files"),
    Rule("CreateTrainingJob", "InputDataConfig.DataSource.S3DataSource.S3DataType", ("S3Prefix",), "manifests are not read"),
    Rule("CreateTrainingJob", "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType", ("FullyReplicated",), _ONE),
    Rule("CreateTrainingJob", "InputDataConfig.CompressionType", ("None",), "data is linked, not unpacked"),
    Rule("CreateTrainingJob", "InputDataConfig.RecordWrapperType", ("None",), "data is linked, not wrapped"),
    Rule("CreateTrainingJob", "OutputDataConfig.CompressionType", ("GZIP",), "artifacts are always archives"),
    Rule("CreateTrainingJob", "ResourceConfig.InstanceCount", (1,), _ONE),
    Rule("CreateTrainingJob", "EnableNetworkIsolation", (False,), _NO_WALL),
    Rule("CreateTrainingJob", "EnableInterContainerTrafficEncryption", (False,), _ONE),
    Rule("CreateModel", "PrimaryContainer.Mode", ("SingleModel",), "one model is served per container"),
    Rule("CreateModel", "Containers.Mode", ("SingleModel",), "one model is served per container"),
    Rule("CreateModel", "EnableNetworkIsolation", (False,), _NO_WALL),
    Rule("CreateEndpointConfig", "EnableNetworkIsolation", (False,), _NO_WALL),
    Rule("CreateModelPackage", "CertifyForMarketplace", (False,), "there is no marketplace here"),
    Rule("CreateProcessingJob", "ProcessingInputs.S3Input.S3DataType", ("S3Prefix",), "manifests are not read"),
    Rule("CreateProcessingJob", "ProcessingInputs.S3Input.S3InputMode", ("File",), "data is linked as files"),
    Rule("CreateProcessingJob", "ProcessingInputs.S3Input.S3CompressionType", ("None",), "data is linked, not unpacked"),
    Rule("CreateProcessingJob", "ProcessingInputs.S3Input.S3DataDistributionType", ("FullyReplicated",), _ONE),
    Rule("CreateProcessingJob", "ProcessingResources.ClusterConfig.InstanceCount", (1,), _ONE),
    Rule("CreateProcessingJob", "NetworkConfig.EnableNetworkIsolation", (False,), _NO_WALL),
    Rule("CreateProcessingJob", "NetworkConfig.EnableInterContainerTrafficEncryption", (False,), _ONE),
)


def parse_tree(text: str) -> Tree:
    """``A B{C D}`` as ``{"A": None, "B": {"C": None, "D": None}}``."""
    root: Tree = {}
    stack: list[Tree] = [root]
    last = ""
    for word in re.findall(r"\w+|[{}]", text):
        if word == "{":
            inner: Tree = {}
            stack[-1][last] = inner
            stack.append(inner)
        elif word == "}":
            stack.pop()
        else:
            stack[-1][word] = None
            last = word
    return root


def refuse_unsupported(operation: str, request: Mapping[str, Any]) -> None:
    """Raise ValidationException for the first member or value that AWS knows and the local platform does not have."""
    for path in _unsupported(parse_tree(SUPPORTED[operation]), request, ""):
        raise validation(f"{operation}.{path} is not supported by the local platform; remove it, or see docs/reference/local-sagemaker.md.")
    for rule in RULES:
        if rule.operation == operation:
            _check_rule(rule, request)


def _unsupported(tree: Tree, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _unsupported(tree, item, path)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            here = f"{path}.{name}" if path else name
            if name not in tree:
                yield here
            elif (below := tree[name]) is not None:
                yield from _unsupported(below, item, here)


def _check_rule(rule: Rule, request: Mapping[str, Any]) -> None:
    for value in values_at(request, rule.path.split(".")):
        if value not in rule.allowed:
            allowed = " or ".join(str(one) for one in rule.allowed)
            raise validation(
                f"{rule.operation}.{rule.path} = {value} is not supported by the local platform ({rule.reason}); use {allowed}."
            )


def values_at(value: Any, path: list[str]) -> Iterator[Any]:
    """Every value at a path of member names; lists are walked through."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])
