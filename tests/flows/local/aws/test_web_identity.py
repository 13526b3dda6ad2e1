"""`AssumeRoleWithWebIdentity` admits exactly the callers that the trust policy names (abuse row 55, the part of STS)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED  # noqa: TID251 - the tests are an independent client
from botocore.config import Config  # noqa: TID251
from botocore.exceptions import ClientError  # noqa: TID251

if TYPE_CHECKING:
    from .conftest import Lab

pytestmark = pytest.mark.flow
HOST = "token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def trusted(lab: Lab) -> str:
    """A role for one repository and one workflow, made by a template."""
    condition = {
        "StringEquals": {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:repository_id": "42", f"{HOST}:ref": "refs/heads/main"},
        "StringLike": {f"{HOST}:job_workflow_ref": "o/mlops/.github/workflows/train.yml@*"},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": {"Ref": "Provider"}},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    resources = {
        "Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": f"https://{HOST}", "ClientIdList": ["sts.amazonaws.com"]}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "workflow", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
        },
    }
    stack = lab.deploy("identity", resources)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return f"arn:aws:iam::{lab.aws.config.account}:role/workflow"


def _assume(lab: Lab, role: str, token: str) -> Any:
    unsigned: Any = {"config": Config(signature_version=UNSIGNED)}
    return lab.client("sts", **unsigned).assume_role_with_web_identity(RoleArn=role, RoleSessionName="tests", WebIdentityToken=token)


def _code(lab: Lab, role: str, token: str) -> str:
    with pytest.raises(ClientError) as refused:
        _assume(lab, role, token)
    return str(refused.value.response["Error"]["Code"])


def test_the_named_repository_and_workflow_are_admitted(lab: Lab, trusted: str) -> None:
    keys = _assume(lab, trusted, lab.signer.token())["Credentials"]
    named = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
    caller = lab.client("sts", **named, aws_session_token=keys["SessionToken"]).get_caller_identity()
    assert ":assumed-role/workflow/" in caller["Arn"]


@pytest.mark.parametrize(
    "claims",
    [
        {"repository_id": "43"},
        {"job_workflow_ref": "evil/mlops/.github/workflows/train.yml@refs/tags/v1"},
        {"ref": "refs/heads/other"},
        {"repository_id": None},
    ],
)
def test_another_caller_is_denied_by_the_trust_policy(lab: Lab, trusted: str, claims: dict[str, Any]) -> None:
    assert _code(lab, trusted, lab.signer.token(**claims)) == "AccessDenied"


def test_a_token_that_was_changed_after_signing_is_refused(lab: Lab, trusted: str) -> None:
    header, _, signature = lab.signer.token(repository_id="43").split(".")
    body = lab.signer.token().split(".")[1]
    assert _code(lab, trusted, f"{header}.{body}.{signature}") == "InvalidIdentityToken"


def test_tokens_of_another_time_audience_or_issuer_are_refused(lab: Lab, trusted: str) -> None:
    assert _code(lab, trusted, lab.signer.token(exp=int(time.time()) - 3600)) == "ExpiredTokenException"
    assert _code(lab, trusted, lab.signer.token(aud="other")) == "InvalidIdentityToken"
    assert _code(lab, trusted, lab.signer.token(iss="https://evil.example")) == "InvalidIdentityToken"
    assert _code(lab, trusted, "no-token") == "InvalidIdentityToken"
