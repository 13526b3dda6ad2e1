"""Every action that the templates allow stands on resources and under conditions that AWS knows for it.

``iam_actions.json`` holds what AWS documents of the actions in use, its source named inside; `tests.policy.write_iam_actions` writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.policy.test_templates import TEMPLATES, load, statements

TABLE = Path(__file__).with_name("iam_actions.json")
PROVIDERS_ACTION = "sts:AssumeRoleWithWebIdentity"
"""Its condition keys are the claims of whichever provider is trusted."""
SEARCHES = {
    "cloudwatch:DescribeAlarms": "a search by prefix names no alarm, and CloudWatch then asks for everything",
    "sagemaker:ListModelPackages": "the documented resource type is optional: a list is asked for by group and names no package",
}
"""Actions that stand on everything although AWS documents a resource for them."""
WORDS = {
    "BucketName": "bucket",
    "TableName": "table",
    "DataKeyArn": "arn:aws:kms:us-east-1:000000000000:key/data",
    "SigningKeyArn": "arn:aws:kms:us-east-1:000000000000:key/signing",
    "Prefix": "mlops",
    "Word": "issue",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
}


def as_list(value: Any) -> list[Any]:
    """A policy's one value or list as a list."""
    return value if isinstance(value, list) else [value]


def identity_statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """(template, statement) of every policy of a role, managed ones included."""
    for path in TEMPLATES:
        for body in load(path.stem)["Resources"].values():
            properties = body["Properties"]
            documents = [item["PolicyDocument"] for item in properties.get("Policies", [])] if body["Type"] == "AWS::IAM::Role" else []
            if body["Type"] == "AWS::IAM::ManagedPolicy":
                documents = [properties["PolicyDocument"]]
            for document in documents:
                for statement in document["Statement"]:
                    yield path.stem, statement


def allowed_actions() -> set[str]:
    """Every action that a template allows by name."""
    allowed = (item for path in TEMPLATES for item in statements(path.stem) if item["Effect"] == "Allow")
    return {action for item in allowed for action in as_list(item["Action"]) if "*" not in action}


def arn_of(resource: Any) -> str:
    """A resource as an ARN, parameters replaced by plain words."""
    if isinstance(resource, str):
        return resource
    text = str(resource.get("Fn::Sub") or f"${{{resource['Ref']}}}")
    return re.sub(r"\$\{([^}]+)\}", lambda found: WORDS[found[1]], text)


@cache
def documented() -> dict[str, Any]:
    """The table."""
    found: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))["actions"]
    return found


def fits(arn: str, pattern: str) -> bool:
    """Whether an ARN (with stars) can name a resource of a documented pattern."""
    wanted, told = pattern.split(":", 5), arn.split(":", 5)
    if len(told) < 6 or any(mine != "" and not theirs for mine, theirs in zip(told[3:5], wanted[3:5], strict=True)):
        return False
    body = "".join(".+" if part.startswith("${") else re.escape(part) for part in re.split(r"(\$\{[^}]+\})", wanted[5]))
    # A star may stand for the rest of the pattern, as in log-group:NAME:* for its streams.
    return told[2] == wanted[2] and bool(re.fullmatch(body, told[5]) or re.fullmatch(body, told[5].replace("*", ":log-stream:x")))


def test_the_table_holds_exactly_the_actions_that_the_templates_allow() -> None:
    assert allowed_actions() == documented().keys()


def test_an_action_stands_on_everything_if_and_only_if_aws_knows_no_resource_for_it() -> None:
    for template, statement in identity_statements():
        everything = "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"]):
            assert everything == (not documented()[action]["resources"] or action in SEARCHES), (template, action)


def test_every_searching_exception_is_still_needed() -> None:
    granted = {action for _, item in identity_statements() for action in as_list(item["Action"])}
    assert granted >= SEARCHES.keys()
    assert all(documented()[action]["resources"] for action in SEARCHES)


def test_every_resource_of_a_statement_is_one_that_an_action_of_it_can_act_on() -> None:
    for template, statement in identity_statements():
        arns = [arn_of(item) for item in as_list(statement["Resource"])]
        if "*" in arns:
            continue
        for arn in arns:
            assert any(fits(arn, pattern) for action in as_list(statement["Action"]) for pattern in documented()[action]["resources"]), arn
        for action in as_list(statement["Action"]):
            assert any(fits(arn, pattern) for arn in arns for pattern in documented()[action]["resources"]), (template, action, arns)


def test_every_condition_key_is_one_that_aws_evaluates_for_the_action() -> None:
    """A key that AWS does not know for an action is a limit that never holds, or a grant that never counts."""
    for path in TEMPLATES:
        for statement in statements(path.stem):
            keys = {key for test in statement.get("Condition", {}).values() for key in test}
            for action in as_list(statement["Action"]):
                if "*" in action or action == PROVIDERS_ACTION:
                    continue
                unknown = {key for key in keys if not key.startswith("aws:")} - set(documented()[action]["conditions"])
                assert not unknown, (path.stem, action, unknown)


@pytest.mark.parametrize(
    ("arn", "pattern", "fit"),
    [
        ("arn:aws:s3:::bucket/runs/*", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", True),
        ("arn:aws:s3:::bucket", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", False),
        (
            "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*",
            "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:log-stream:${LogStreamName}",
            True,
        ),
        (
            "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/mlops-*",
            "arn:${Partition}:sagemaker:${Region}:${Account}:endpoint/${EndpointName}",
            False,
        ),
        (
            "arn:aws:cloudwatch:us-east-1:000000000000:dashboard/mlops-*",
            "arn:${Partition}:cloudwatch::${Account}:dashboard/${DashboardName}",
            False,
        ),
    ],
)
def test_an_arn_fits_the_pattern_of_its_own_kind_only(arn: str, pattern: str, *, fit: bool) -> None:
    assert fits(arn, pattern) is fit
