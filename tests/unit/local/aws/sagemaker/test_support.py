"""What is supported exists in AWS's own model; everything else is refused by name; the page is current."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_core.local.aws.sagemaker.model import Model, expression, load_model
from mlops_core.local.aws.sagemaker.support import RULES, SUPPORTED, Tree, parse_tree
from mlops_core.local.aws.sagemaker.support_table import render
from tests.unit.local.aws.sagemaker.bench import IMAGE, Bench, Refused, training_request
from tests.unit.local.aws.sagemaker.test_training import CHANNEL

PAGE = Path(__file__).parents[5] / "docs" / "reference" / "local-sagemaker.md"
MODEL = load_model()


def missing(model: Model, shape_name: str, tree: Tree, path: str) -> Iterator[str]:
    shape = model.shapes[shape_name]
    while shape["type"] == "list":
        shape = model.shapes[shape["member"]["shape"]]
    for name, below in tree.items():
        member = shape.get("members", {}).get(name)
        if member is None:
            yield f"{path}.{name}"
        elif below is not None:
            yield from missing(model, member["shape"], below, f"{path}.{name}")


def test_every_supported_member_exists_in_aws_own_model() -> None:
    found = [
        name
        for operation in SUPPORTED
        for name in missing(MODEL, MODEL.input_shape(operation), parse_tree(SUPPORTED[operation]), operation)
    ]
    assert found == []


def test_every_rule_is_about_a_supported_member() -> None:
    for rule in RULES:
        tree: Tree | None = parse_tree(SUPPORTED[rule.operation])
        for name in rule.path.split("."):
            assert tree is None or name in tree, rule
            tree = tree[name] if tree is not None else None


def test_every_supported_operation_is_built(bench: Bench) -> None:
    for operation in SUPPORTED:
        with pytest.raises(Refused) as refused:
            bench.call(operation, Nonsense=1)
        assert refused.value.code == "ValidationException", operation
        assert "Unknown member 'nonsense'" in str(refused.value)


def test_every_pattern_of_aws_model_can_be_read() -> None:
    for shape in MODEL.shapes.values():
        if "pattern" in shape:
            expression(shape["pattern"])


def test_the_support_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "run: python -m mlops_core.local.aws.sagemaker.support_table > docs/reference/local-sagemaker.md"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"TrainingJobName": "a b"},
            "Value 'a b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression",
        ),
        ({"TrainingJobName": "../../x"}, "trainingJobName"),
        ({"TrainingJobName": "x" * 64}, "length less than or equal to 63"),
        ({"TrainingJobName": 7}, "has the wrong type: Member must be a string"),
        ({"RoleArn": None}, "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"),
        ({"HyperParameters": {"k": "v" * 2501}}, "length less than or equal to 2500"),
        ({"HyperParameters": {str(number): "v" for number in range(101)}}, "length less than or equal to 100"),
        ({"HyperParameters": {"k": 1}}, "wrong type"),
        ({"ResourceConfig": {"InstanceType": "ml.huge", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "Member must satisfy enum value set"),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
            "InstanceCount = 2 is not supported",
        ),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "value greater than or equal to 1"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": True}}, "wrong type"),
        ({"Speed": "fast"}, "Unknown member 'speed'"),
        (
            {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
            "CreateTrainingJob.VpcConfig is not supported by the local platform",
        ),
        ({"EnableNetworkIsolation": True}, "EnableNetworkIsolation = True is not supported"),
        ({"AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"}}, "TrainingInputMode = Pipe is not supported"),
        ({"InputDataConfig": [CHANNEL, CHANNEL]}, "'train' occurs more than once"),
        ({"OutputDataConfig": {"S3OutputPath": "https://bucket/x"}}, "is not an S3 URI"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds"),
        ({"CheckpointConfig": {"S3Uri": "s3://out/c", "LocalPath": "/etc"}}, "is not below /opt/ml/"),
        ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "reserved prefix"),
    ],
)
def test_a_wrong_training_request_is_refused_by_name(bench: Bench, change: Mapping[str, Any], message: str) -> None:
    """The second wall of abuse row 26: names are held against SageMaker's own patterns."""
    with pytest.raises(Refused, match=message) as refused:
        bench.call("CreateTrainingJob", **{**training_request("wrong"), **change})
    assert refused.value.code == "ValidationException"


def test_metric_expressions_need_one_group(bench: Bench) -> None:
    for text, message in (("auc=(", "invalid Regex"), ("auc=.*", "0 groups")):
        algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": [{"Name": "auc", "Regex": text}]}
        with pytest.raises(Refused, match=message):
            bench.train("metrics", AlgorithmSpecification=algorithm)


def test_operations_that_are_not_there_are_refused_by_name(bench: Bench) -> None:
    with pytest.raises(Refused, match="CreateTransformJob is not supported by the local platform"):
        bench.call("CreateTransformJob")
    with pytest.raises(Refused, match="has no operation 'Explode'") as refused:
        bench.call("Explode")
    assert refused.value.code == "UnknownOperationException"


def test_a_body_that_is_no_json_object_is_refused(bench: Bench) -> None:
    for body in (b"[]", b"{", b"[" * 100_000):
        status, _, answer = bench.loop.run(bench.service.handle("POST", "/", {"x-amz-target": "SageMaker.ListModels"}, body, {}))
        assert status == 400
        assert b"SerializationException" in answer
