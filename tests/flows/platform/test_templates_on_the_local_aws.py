"""The templates, deployed unchanged on the local AWS: what roles may do is asked of the real evaluator."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3  # noqa: TID251 - the tests are an independent client
import pytest
from botocore import UNSIGNED  # noqa: TID251
from botocore.config import Config  # noqa: TID251
from botocore.exceptions import ClientError  # noqa: TID251

from mlops_core.adapters.stacks_cloudformation import CloudFormationStacks
from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.process import LocalAws
from mlops_core.local.environments import Environments
from mlops_core.local.places import free_port
from mlops_core.platform.archives import Builder, host
from mlops_core.platform.deploy import Artifacts, deploy, stack_names
from tests.flows.local.aws.conftest import ISSUER, Signer

pytestmark = pytest.mark.flow
ROOT = Path(__file__).parents[3]
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/mlops-work:local"
GIVEN = {
    "WorkImageUri": IMAGE, "ServeImageUri": IMAGE, "OwnerRepository": "o/mlops", "RepositoryIds": "42,43",
    "Repositories": "o/models", "PollState": "DISABLED", "CostNote": "estimate",
}  # fmt: skip


@dataclass
class Deployed:
    """A local AWS with every template on it."""

    outputs: dict[str, str]
    signer: Signer
    artifacts: Artifacts
    seconds: float

    def assume(self, role: str, **claims: Any) -> boto3.Session:
        """A session of a workflow's role by a signed identity token."""
        sts = boto3.client("sts", config=Config(signature_version=UNSIGNED))
        token = self.signer.token(**claims)
        found = sts.assume_role_with_web_identity(RoleArn=self.outputs[role], RoleSessionName="run", WebIdentityToken=token)["Credentials"]
        return boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, made_environments: Environments) -> Iterator[Deployed]:
    """Everything deployed once for this module, and stopped at its end."""
    state = tmp_path_factory.mktemp("aws")
    signer = Signer(state / "jwks.json")
    builder = Builder(ROOT, made_environments.uv, made_environments.folder / "archives")
    agent, server = builder.build("agent", host()), builder.build("server", host())
    python, bare = made_environments.ensure("ministack") / "bin/python", made_environments.ensure("lambda") / "bin/python"
    aws = LocalAws(AwsConfig(port=free_port(), state=state, python=python, lambda_python=bare, jwks={ISSUER: state / "jwks.json"}))
    before = dict(os.environ)
    aws.start()
    try:
        aws.wait_healthy(30)
        os.environ.update(aws.environment())
        artifacts = Artifacts(agent.path, server.path, ROOT / "stepfunctions", ROOT / "cloudformation")
        began = time.monotonic()
        outputs = deploy(CloudFormationStacks.of_environment(), GIVEN, artifacts)
        yield Deployed(outputs, signer, artifacts, time.monotonic() - began)
    finally:
        aws.stop()
        os.environ.clear()
        os.environ.update(before)


def test_every_template_deploys_unchanged(deployed: Deployed) -> None:
    stacks = boto3.client("cloudformation").describe_stacks()["Stacks"]
    assert {item["StackName"]: item["StackStatus"] for item in stacks} == {f"mlops-{name}": "CREATE_COMPLETE" for name in stack_names()}
    assert deployed.seconds < 30


def test_deploying_again_changes_nothing(deployed: Deployed) -> None:
    again = deploy(CloudFormationStacks.of_environment(), GIVEN, deployed.artifacts)
    assert again == deployed.outputs
    stacks = boto3.client("cloudformation").describe_stacks()["Stacks"]
    assert {item["StackStatus"] for item in stacks} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_the_bucket_s_promises_hold(deployed: Deployed) -> None:
    s3, bucket = boto3.client("s3"), deployed.outputs["BucketName"]
    s3.put_object(Bucket=bucket, Key="runs/x/a.json", Body=b"{}")
    found = s3.head_object(Bucket=bucket, Key="runs/x/a.json")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", deployed.outputs["DataKeyArn"])
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert any(rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 1} for rule in rules)
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


def test_the_ledger_s_promises_hold(deployed: Deployed) -> None:
    table, client = deployed.outputs["TableName"], boto3.client("dynamodb")
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"] == "expires_at"


def test_the_right_workflow_may_write_its_rows_and_nothing_else(deployed: Deployed) -> None:
    session = deployed.assume("TrainRoleArn")
    ledger, table = session.client("dynamodb"), deployed.outputs["TableName"]
    ledger.put_item(TableName=table, Item={"pk": {"S": "RUN#x"}, "sk": {"S": "STATE"}})
    refused: dict[str, Callable[[], object]] = {
        "another row": lambda: ledger.put_item(TableName=table, Item={"pk": {"S": "MODEL#x"}, "sk": {"S": "CHAMPION"}}),
        "the whole table": lambda: ledger.scan(TableName=table),
        "a model": lambda: session.client("s3").put_object(Bucket=deployed.outputs["BucketName"], Key="models/x", Body=b""),
        "a secret": lambda: session.client("secretsmanager").get_secret_value(SecretId="mlops/github-app"),
        "the deploy machine": lambda: session.client("stepfunctions").start_execution(stateMachineArn=deployed.outputs["DeployArn"]),
        "an agent": lambda: session.client("lambda").invoke(FunctionName="mlops-agent-data"),
    }
    for name, call in refused.items():
        with pytest.raises(ClientError) as caught:
            call()
        assert "AccessDenied" in caught.value.response["Error"]["Code"], name


@pytest.mark.parametrize(
    "claims",
    [
        {"repository_id": "41"},
        {"ref": "refs/heads/feature"},
        {"ref": "refs/pull/1/merge"},
        {"job_workflow_ref": "evil/mlops/.github/workflows/train.yml@refs/tags/v1"},
        {"job_workflow_ref": "o/mlops/.github/workflows/operate.yml@refs/tags/v1"},
        {"job_workflow_ref": "o/mlops-evil/.github/workflows/train.yml@refs/tags/v1"},
        {"aud": "https://github.com/o"},
        {"exp": 1},
    ],
)
def test_any_other_workflow_is_refused_the_role(deployed: Deployed, claims: dict[str, Any]) -> None:
    """abuse row 55"""
    with pytest.raises(ClientError):
        deployed.assume("TrainRoleArn", **claims)


def test_the_operator_s_role_starts_no_run(deployed: Deployed) -> None:
    session = deployed.assume("OperateRoleArn", job_workflow_ref="o/mlops/.github/workflows/operate.yml@refs/tags/v1")
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("stepfunctions").start_execution(stateMachineArn=deployed.outputs["PipelineArn"], name="x", input="{}")


def test_an_agent_reaches_its_own_alias_and_the_judge_reaches_nothing(deployed: Deployed) -> None:
    """abuse row 78: the roles as deployed, asked of the real evaluator."""
    assert deployed.outputs
    iam = boto3.client("iam")
    attached = {name: iam.get_role_policy(RoleName=f"mlops-agent-{name}", PolicyName=policy) for name, policy in _POLICIES.items()}
    named = [
        statement["Resource"]
        for statement in attached["data"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    ]
    assert [str(item).rsplit(":", 2)[1:] for item in named] == [["mlops-server", "data"]]
    assert "lambda" not in json.dumps(attached["judge"]["PolicyDocument"]["Statement"][0]["Action"])


_POLICIES = {"data": "agent", "judge": "judge"}
