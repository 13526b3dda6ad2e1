"""Rules that every CloudFormation template keeps: what may do what is written once, narrowly, and explained."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_core.platform.deploy import stack_names
from mlops_core.settings import Settings, variable

FOLDER = Path(__file__).parents[2] / "cloudformation"
TEMPLATES = sorted(FOLDER.glob("*.yaml"))
AGENTS = [
    "issue",
    "data",
    "training",
    "evaluation",
    "judge",
    "packaging",
    "deployment",
    "monitoring",
    "retraining",
    "notification",
    "history",
]
ON_EVERYTHING = {
    "kms:*": "a key's own policy: the resource is the key itself",
    "kms:Decrypt": "a key's own policy: the resource is the key itself",
    "kms:GenerateDataKey": "a key's own policy: the resource is the key itself",
    "kms:GenerateDataKey*": "a key's own policy: the resource is the key itself",
    "kms:DescribeKey": "a key's own policy: the resource is the key itself",
    "cloudwatch:PutMetricData": "has no resource; limited by namespace",
    "cloudwatch:DescribeAlarms": "a search by prefix names no alarm",
    "states:SendTaskSuccess": "task tokens have no resource; the token is the secret",
    "ecr:GetAuthorizationToken": "has no resource",
    "xray:*": "traces have no resource",
    "logs:*": "vended log delivery has no resource",
    "sagemaker:ListModelPackages": "lists have no resource",
    "sagemaker:ListEndpointConfigs": "lists have no resource",
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags as plain dictionaries."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tag)


@cache
def load(name: str) -> dict[str, Any]:
    """A template with loops written out."""
    template: dict[str, Any] = yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    resources: dict[str, Any] = {}
    for logical, body in template["Resources"].items():
        if not logical.startswith("Fn::ForEach"):
            resources[logical] = body
            continue
        word, words, fragment = body
        for value in words:
            resources.update(json.loads(json.dumps(fragment).replace(f"${{{word}}}", value)))
    return {**template, "Resources": resources}


@pytest.fixture(params=TEMPLATES, ids=lambda path: path.stem)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param.stem)


def resources(kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(template, logical id, properties) of every resource of a type."""
    for path in TEMPLATES:
        for logical, body in load(path.stem)["Resources"].items():
            if body["Type"] == kind:
                yield path.stem, logical, body["Properties"]


def statements(name: str) -> Iterator[dict[str, Any]]:
    """Every policy statement of a template."""
    found: list[Any] = [load(name)["Resources"]]
    while found:
        item = found.pop()
        if isinstance(item, list):
            found += item
        elif isinstance(item, dict):
            if {"Effect", "Action"} <= item.keys():
                yield item
            found += item.values()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_a_template_is_short_and_says_what_it_is(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.count("\n") <= 250
    assert len(load(name)["Description"]) > 30


def test_every_parameter_and_output_is_described(name: str) -> None:
    template = load(name)
    for item in [*template.get("Parameters", {}).values(), *template.get("Outputs", {}).values()]:
        assert len(item["Description"]) > 8


def test_no_code_stands_in_a_template(name: str) -> None:
    assert "ZipFile" not in (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def test_no_template_uses_yaml_anchors_which_cloudformation_refuses(name: str) -> None:
    assert not re.search(r":\s+[&*][A-Za-z]", (FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def test_nothing_is_allowed_on_everything_but_a_listed_few(name: str) -> None:
    for statement in statements(name):
        if statement["Effect"] == "Allow" and "*" in _list(statement.get("Resource", [])):
            for action in _list(statement["Action"]):
                assert action in ON_EVERYTHING or f"{action.split(':')[0]}:*" in ON_EVERYTHING, (name, action)


def test_no_policy_allows_every_action_of_a_service(name: str) -> None:
    allowed = [action for item in statements(name) if item["Effect"] == "Allow" for action in _list(item["Action"])]
    assert [action for action in allowed if action.endswith(":*") or action == "*"] == (["kms:*"] if name in {"storage", "signing"} else [])


def test_a_role_is_passed_to_one_named_service_only(name: str) -> None:
    for statement in statements(name):
        if "iam:PassRole" in _list(statement["Action"]):
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
            assert all("role/" in str(item) and "*" not in str(item) for item in _list(statement["Resource"]))


def test_service_roles_are_trusted_for_this_account_only(name: str) -> None:
    for _, logical, properties in (item for item in resources("AWS::IAM::Role") if item[0] == name):
        for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
            service = str(statement["Principal"].get("Service", ""))
            if service and service != "lambda.amazonaws.com":
                assert "aws:SourceAccount" in statement["Condition"]["StringEquals"], logical


def test_jobs_are_limited_by_instance_type_and_run_time() -> None:
    """abuse row 20: the second wall behind the parser."""
    made = [item for item in statements("server-policy") if "sagemaker:CreateTrainingJob" in _list(item["Action"])]
    assert len(made) == 1
    assert made[0]["Condition"]["ForAllValues:StringEquals"] == {"sagemaker:InstanceTypes": {"Ref": "InstanceTypes"}}
    assert made[0]["Condition"]["NumericLessThanEquals"] == {"sagemaker:MaxRuntimeInSeconds": {"Ref": "MaxRuntimeSeconds"}}
    (configs,) = (item for item in statements("server-policy") if "sagemaker:CreateEndpointConfig" in _list(item["Action"]))
    assert configs["Condition"]["ForAllValues:StringEquals"] == {"sagemaker:InstanceTypes": {"Ref": "InstanceTypes"}}
    # ForAllValues is true for a request without the key, so its absence is refused too.
    assert made[0]["Condition"]["Null"] == configs["Condition"]["Null"] == {"sagemaker:InstanceTypes": "false"}


def test_each_agent_may_call_its_own_alias_and_nothing_else() -> None:
    """abuse row 78: another agent's alias is denied by IAM."""
    roles = {str(item["RoleName"]["Fn::Sub"]): item for _, _, item in resources("AWS::IAM::Role") if "-agent-" in str(item["RoleName"])}
    assert {name.rsplit("-", 1)[1] for name in roles} == set(AGENTS)
    for name, role in roles.items():
        word = name.rsplit("-", 1)[1]
        actions = {
            action: item["Resource"] for item in role["Policies"][0]["PolicyDocument"]["Statement"] for action in _list(item["Action"])
        }
        service = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
        assert set(actions) - service == (set() if word == "judge" else {"lambda:InvokeFunction"}), word
        if word != "judge":
            assert str(actions["lambda:InvokeFunction"]["Fn::Sub"]).endswith(f":function:${{Prefix}}-server:{word}")


def test_the_judge_can_write_logs_and_nothing_else() -> None:
    judge = next(item for _, logical, item in resources("AWS::IAM::Role") if logical == "JudgeRole")
    document = judge["Policies"][0]["PolicyDocument"]["Statement"]
    assert [action for item in document for action in item["Action"]] == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_every_function_is_traced_on_the_same_runtime_with_logs_for_90_days() -> None:
    functions = list(resources("AWS::Lambda::Function"))
    assert len(functions) == len(AGENTS) + 1
    for _, logical, properties in functions:
        assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"]), logical
        assert properties["TracingConfig"]["Mode"] in ({"PassThrough"} if logical == "Judge" else {"Active"})
        assert "LogGroup" in properties["LoggingConfig"]
    kept = {str(item["LogGroupName"]): item["RetentionInDays"] for _, _, item in resources("AWS::Logs::LogGroup")}
    assert all(days == (365 if "apigateway" in name else 90) for name, days in kept.items())


def test_handlers_name_modules_that_exist() -> None:
    root = FOLDER.parent
    for _, _, properties in resources("AWS::Lambda::Function"):
        handler = properties["Handler"]
        text = str(handler["Fn::Sub"] if isinstance(handler, dict) else handler)
        module = root / Path(*text.split(".")[:-1]).with_suffix(".py")
        assert module.exists() or "mcp_server" in text, text


def test_environments_hold_settings_that_exist() -> None:
    known = {variable(item.name) for item in fields(Settings)}
    for _, logical, properties in resources("AWS::Lambda::Function"):
        assert properties["Environment"]["Variables"].keys() <= known, logical


def test_buckets_are_encrypted_private_versioned_tls_only_and_forget_incomplete_uploads() -> None:
    buckets = {logical: (name, item) for name, logical, item in resources("AWS::S3::Bucket")}
    denied = {str(item["Bucket"]["Ref"]): item["PolicyDocument"]["Statement"][0] for _, _, item in resources("AWS::S3::BucketPolicy")}
    assert buckets.keys() == denied.keys()
    for logical, (_, item) in buckets.items():
        assert all(item["PublicAccessBlockConfiguration"].values())
        assert item["VersioningConfiguration"] == {"Status": "Enabled"}
        default = item["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        # Access logs come only to a bucket with S3's own keys.
        assert default["SSEAlgorithm"] == ("AES256" if logical == "AccessLogs" else "aws:kms")
        rules = item["LifecycleConfiguration"]["Rules"]
        assert any(rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 1} for rule in rules), logical
        assert denied[logical]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert (denied[logical]["Effect"], denied[logical]["Principal"]) == ("Deny", "*")


def test_access_logs_and_the_trail_are_kept_a_year() -> None:
    kept = {
        logical: [
            rule["ExpirationInDays"]
            for rule in item["LifecycleConfiguration"]["Rules"]
            if "Prefix" not in rule and "ExpirationInDays" in rule
        ]
        for _, logical, item in resources("AWS::S3::Bucket")
    }
    assert kept == {"AccessLogs": [365], "Bucket": [], "TrailBucket": [365]}


def test_the_ledger_can_be_restored_and_forgets_by_itself() -> None:
    ledger = next(item for _, _, item in resources("AWS::DynamoDB::Table"))
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert ledger["SSESpecification"]["SSEType"] == "KMS"


@pytest.mark.parametrize("workflow", ["train", "operate"])
def test_a_workflow_s_role_trusts_one_workflow_of_named_repositories_on_their_default_branch(workflow: str) -> None:
    """abuse row 55: every other claim is refused by STS."""
    role = next(item for _, logical, item in resources("AWS::IAM::Role") if logical == f"{workflow.title()}Role")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert set(statement["Condition"]["StringEquals"]) == {f"{issuer}:aud", f"{issuer}:repository_id", f"{issuer}:ref"}
    wanted = statement["Condition"]["StringLike"][f"{issuer}:job_workflow_ref"]["Fn::Sub"]
    assert wanted.startswith(f"${{OwnerRepository}}/.github/workflows/{workflow}.yml@")


@pytest.mark.parametrize("workflow", ["train", "operate"])
def test_a_workflow_s_role_reads_no_secret_and_reaches_only_its_rows(workflow: str) -> None:
    role = next(item for _, logical, item in resources("AWS::IAM::Role") if logical == f"{workflow.title()}Role")
    document = role["Policies"][0]["PolicyDocument"]["Statement"]
    actions = {action for item in document for action in _list(item["Action"])}
    assert not {action for action in actions if action.split(":")[0] in {"secretsmanager", "sagemaker", "iam", "lambda"}}
    rows = next(item for item in document if "dynamodb:GetItem" in item["Action"])
    assert "dynamodb:LeadingKeys" in rows["Condition"]["ForAllValues:StringLike"]


def test_every_alarm_names_a_runbook_and_reaches_the_topic() -> None:
    alarms = list(resources("AWS::CloudWatch::Alarm"))
    assert len(alarms) >= 12
    for _, logical, item in alarms:
        description = item["AlarmDescription"]
        text = str(description["Fn::Sub"] if isinstance(description, dict) else description)
        assert re.search(r"Runbook: docs/runbooks/[a-z-]+\.md$", text), logical
        assert item["AlarmActions"] == [{"Ref": "AlarmTopicArn"}]


def test_every_template_is_deployed() -> None:
    assert sorted(stack_names()) == sorted(path.stem for path in TEMPLATES)


def test_every_unsuccessful_end_has_one_closing_path() -> None:
    rules = [item for _, _, item in resources("AWS::Events::Rule") if "aws.states" in str(item["EventPattern"])]
    assert len(rules) == 1
    assert rules[0]["EventPattern"]["detail"]["status"] == ["FAILED", "ABORTED", "TIMED_OUT"]
    assert str(rules[0]["Targets"][0]["Arn"]["Fn::Sub"]).endswith("-agent-history")


def test_cfn_lint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, *TEMPLATES], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("", 0)
