"""What only the deployed platform can show: who gets a workflow's role, and how little that role can do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED  # noqa: TID251 - the tests are an independent client
from botocore.config import Config  # noqa: TID251
from botocore.exceptions import ClientError  # noqa: TID251

from mlops_core.cli import seed
from mlops_core.cli.platform import Platform
from mlops_core.local.github.oidc import OidcIssuer

pytestmark = pytest.mark.flow
AUDIENCE = "sts.amazonaws.com"


@pytest.fixture(scope="module")
def issuer(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> OidcIssuer:
    """The platform's own issuer, so that every token below is truly signed."""
    folder = platform.places.state / "github" / "keys"
    assert (folder / "oidc.pem").is_file()
    return OidcIssuer(folder, Path(tmp_path_factory.mktemp("jwks")) / "jwks.json")


def claims(platform: Platform, workflow: str) -> dict[str, str]:
    """What GitHub would say of a run of a public workflow in the example repository."""
    number = str(platform.github_call("GET", f"/repos/{seed.EXAMPLE_REPOSITORY}")["id"])
    suite = f"{seed.SUITE_OWNER}/mlops"
    return {
        "sub": f"repo:{seed.EXAMPLE_REPOSITORY}:ref:refs/heads/main",
        "repository": seed.EXAMPLE_REPOSITORY,
        "repository_id": number,
        "ref": "refs/heads/main",
        "job_workflow_ref": f"{suite}/.github/workflows/{workflow}.yml@{seed.SUITE_COMMIT}",
        "actor": seed.APPROVES,
        "event_name": "issues",
        "runner_environment": "github-hosted",
    }


def assume(platform: Platform, role: str, token: str) -> dict[str, Any]:
    """A session of a role by a token and by nothing else."""
    sts = platform.session().client("sts", config=Config(signature_version=UNSIGNED))
    arn = platform.outputs[f"{role.capitalize()}RoleArn"]
    found: dict[str, Any] = sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="abuse", WebIdentityToken=token)["Credentials"]
    return found


@pytest.mark.parametrize("role", ["train", "operate"])
def test_the_deployed_roles_admit_their_own_workflow(platform: Platform, issuer: OidcIssuer, role: str) -> None:
    assert assume(platform, role, issuer.token(claims(platform, role), AUDIENCE))["AccessKeyId"]


OTHERS: dict[str, dict[str, str]] = {
    "repository": {"repository_id": "999999"},
    "renamed into a freed owner name": {"repository_id": "1000001", "repository": seed.EXAMPLE_REPOSITORY},
    "branch": {"ref": "refs/heads/feature"},
    "tag": {"ref": "refs/tags/main"},
    "pull request": {"ref": "refs/pull/1/merge", "event_name": "pull_request"},
    "workflow file": {"job_workflow_ref": f"{seed.SUITE_OWNER}/mlops/.github/workflows/ci.yml@{seed.SUITE_COMMIT}"},
    "squatted suite": {"job_workflow_ref": f"{seed.SUITE_OWNER}-evil/mlops/.github/workflows/train.yml@{seed.SUITE_COMMIT}"},
    "workflow of the caller": {"job_workflow_ref": f"{seed.EXAMPLE_REPOSITORY}/.github/workflows/train.yml@refs/heads/main"},
}


@pytest.mark.parametrize("other", sorted(OTHERS))
def test_the_deployed_roles_admit_nobody_else(platform: Platform, issuer: OidcIssuer, other: str) -> None:
    """abuse row 55: STS refuses each, by the templates as they are deployed."""
    token = issuer.token({**claims(platform, "train"), **OTHERS[other]}, AUDIENCE)
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(platform, "train", token)


def test_one_workflow_cannot_take_the_role_of_another(platform: Platform, issuer: OidcIssuer) -> None:
    """abuse row 55: the comment's workflow is not the label's."""
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(platform, "train", issuer.token(claims(platform, "operate"), AUDIENCE))


def test_a_token_for_another_audience_is_refused(platform: Platform, issuer: OidcIssuer) -> None:
    """abuse row 55: a token that was made for somebody else is not ours to use."""
    with pytest.raises(ClientError, match=r"InvalidIdentityToken|AccessDenied"):
        assume(platform, "train", issuer.token(claims(platform, "train"), "vault.example.com"))


def test_the_role_of_the_start_job_can_start_and_record_and_nothing_else(platform: Platform, issuer: OidcIssuer) -> None:
    """abuse row 33: even a stolen session reads no secret, no data and no model, and touches no endpoint."""
    keys = assume(platform, "train", issuer.token(claims(platform, "train"), AUDIENCE))
    named = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}

    def client(service: str) -> Any:
        return platform.session().client(service, **named, aws_session_token=keys["SessionToken"])

    tries: dict[str, Callable[[], Any]] = {
        "secret": lambda: client("secretsmanager").get_secret_value(SecretId=seed.APP_SECRET),
        "data": lambda: client("s3").get_object(Bucket=platform.bucket, Key="datasets/x/raw/x.csv"),
        "write data": lambda: client("s3").put_object(Bucket=platform.bucket, Key="datasets/x/raw/x.csv", Body=b"x"),
        "deploy": lambda: client("stepfunctions").start_execution(stateMachineArn=platform.outputs["DeployArn"], input="{}"),
        "server": lambda: client("lambda").invoke(FunctionName="mlops-server:training", Payload=b"{}"),
        "champion": lambda: client("dynamodb").put_item(
            TableName=platform.outputs["TableName"], Item={"pk": {"S": "MODEL#x"}, "sk": {"S": "CHAMPION"}}
        ),
        "job": lambda: client("sagemaker").stop_training_job(TrainingJobName="mlops-x"),
        "role": lambda: client("sts").assume_role(RoleArn=platform.outputs["JobRoleArn"], RoleSessionName="abuse"),
    }
    assert {name: code for name, attempt in tries.items() if (code := outcome(attempt)) not in DENIED} == {}


DENIED = {"AccessDenied", "AccessDeniedException"}


def outcome(attempt: Callable[[], Any]) -> str:
    """The error code of a call, "allowed" when there is none."""
    try:
        attempt()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"
