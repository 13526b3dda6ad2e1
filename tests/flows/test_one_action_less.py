"""Every capability with everything but one action: the call is refused by IAM, says which action it lacked, and leaves nothing behind.

The role has the deployed policies of the MCP server; the session policy takes one action away (role and session policy are intersected,
as AWS does).  The role is a copy, so that the authorisation journal of the server's own role holds what the product did and no test.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import boto3  # noqa: TID251 - the tests are an independent client
import pytest

from mlops_core.adapters.assemble import ports_for_actions
from mlops_core.capabilities import (
    data,
    deployment,
    evaluation,
    history,
    issue,
    monitoring,
    notification,
    optimization,
    packaging,
    retraining,
    training,
)
from mlops_core.cli import seed
from mlops_core.cli.platform import Platform
from mlops_core.contracts.dataset import DataJobConfig
from mlops_core.contracts.evaluation import EvaluationJobConfig
from mlops_core.contracts.job import JobKind
from mlops_core.contracts.run import RunState
from mlops_core.errors import MlopsError, NotFound, Unauthorized
from mlops_core.ports import Ports
from mlops_core.runs import models
from mlops_core.runs.names import CLAIM
from mlops_core.runs.state import create_run, read_run
from tests.unit.mcp_server import world

pytestmark = pytest.mark.flow
ROLE = "mlops-one-action-less"
MODEL = "one-less"
RUN = "one-less-1a2b3c4d-g0"
VERSION = "1.0.0"
JOBS: tuple[tuple[JobKind, str], ...] = (
    ("processing", f"mlops-{RUN}-data"),
    ("training", f"mlops-{RUN}-train-r0"),
    ("processing", f"mlops-{RUN}-eval"),
)


@dataclass(frozen=True)
class Case:
    """One call of one capability, the action it is left without, and what would be there if the call had got through."""

    capability: str
    action: str
    call: Callable[[Ports], object]
    effect: Callable[[Ports], object]


def uri(ports: Ports, path: str) -> str:
    """An object of the platform's bucket."""
    return f"s3://{ports.settings.bucket}/{path}"


def data_job(ports: Ports) -> object:
    config = DataJobConfig(task="binary", target="income")
    raw, out = uri(ports, "datasets/one-less/raw/0/train.csv"), uri(ports, "datasets/one-less/versions/v1.0.0/x")
    return data.start_data_job(ports, RUN, f"mlops-{RUN}-data", config, raw, None, out, "ml.m5.large", 60)


def training_job(ports: Ports) -> object:
    prepared, out = uri(ports, "datasets/one-less/raw/0"), uri(ports, "models/one-less/train")
    name = f"mlops-{RUN}-train-r0"
    return training.start_training_job(
        ports, RUN, name, "random_forest", "binary", "accuracy", 1, {}, prepared, out, "ml.m5.large", 60
    )  # fmt: skip


def evaluation_job(ports: Ports) -> object:
    config = EvaluationJobConfig(run_id=RUN, model_name=MODEL, task="binary", metric="accuracy", split="validation")
    model, prepared, out = (uri(ports, f"{name}/one-less/x") for name in ("models", "datasets", "evaluations"))
    return evaluation.start_evaluation_job(ports, RUN, f"mlops-{RUN}-eval", config, model, prepared, out, "ml.m5.large", 60)


def alarm(ports: Ports) -> object:
    told = {"AlarmName": f"mlops-{MODEL}-errors", "NewStateValue": "ALARM", "NewStateReason": "x"}
    return notification.post_alarm(ports, told)["posted"]


def job(kind: JobKind, name: str) -> Callable[[Ports], object]:
    """Whether a job of that name exists."""

    def look(ports: Ports) -> object:
        with suppress(NotFound):
            return ports.jobs.describe(kind, name).status
        return None

    return look


def nothing(_: Ports) -> object:
    """The capability only reads."""
    return None


def objects(path: str) -> Callable[[Ports], object]:
    """The objects below a prefix."""
    return lambda ports: [item.uri for item in ports.objects.list(uri(ports, path))]


CASES = (
    Case(
        "issue",
        "dynamodb:PutItem",
        lambda ports: issue.claim_delivery(ports, "one-action-less"),
        lambda ports: ports.ledger.get("DELIVERY#one-action-less", CLAIM),
    ),
    Case(
        "issue",
        "secretsmanager:GetSecretValue",
        lambda ports: issue.verify_webhook(ports, "sha256=0", "{}", "d", "issues"),
        nothing,
    ),
    Case("data", "sagemaker:CreateProcessingJob", data_job, job("processing", f"mlops-{RUN}-data")),
    Case("optimization", "s3:GetObject", lambda ports: optimization.propose_plan(ports, RUN), nothing),
    Case("training", "iam:PassRole", training_job, job("training", f"mlops-{RUN}-train-r0")),
    Case("evaluation", "s3:PutObject", evaluation_job, objects(f"runs/{RUN}/config/mlops-{RUN}-eval/")),
    Case(
        "packaging",
        "kms:Sign",
        lambda ports: packaging.sign_package(ports, uri(ports, f"models/{MODEL}/{VERSION}")),
        objects(f"models/{MODEL}/{VERSION}/signature.json"),
    ),
    Case(
        "deployment",
        "sagemaker:CreateEndpoint",
        lambda ports: deployment.apply_endpoint(ports, f"mlops-{MODEL}", f"mlops-{MODEL}-1-0-0-00000000"),
        lambda ports: ports.endpoints.describe(f"mlops-{MODEL}"),
    ),
    Case(
        "monitoring",
        "cloudwatch:PutMetricAlarm",
        lambda ports: monitoring.put_alarms(ports, MODEL, f"mlops-{MODEL}"),
        lambda ports: ports.watch.alarms(f"mlops-{MODEL}-"),
    ),
    Case("notification", "dynamodb:GetItem", alarm, lambda ports: ports.repository.labeled(seed.LOCAL_REPOSITORY, "mlops:alarm")),
    Case(
        "retraining",
        "dynamodb:PutItem",
        lambda ports: retraining.register_champion(ports, world.package(world.world(), RUN, VERSION, model=MODEL)),
        lambda ports: models.champion(ports, MODEL),
    ),
    Case(
        "history",
        "dynamodb:PutItem",
        lambda ports: history.close_run(ports, RUN, "failed", "one action less"),
        lambda ports: read_run(ports, RUN).outcome,
    ),
)


class Sessions:
    """Sessions of the copied role."""

    def __init__(self, platform: Platform) -> None:
        self.root = platform.ports()
        self.platform = platform
        session = platform.session()
        iam, self._sts = session.client("iam"), session.client("sts")
        account = self._sts.get_caller_identity()["Account"]
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self._role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for policy in iam.list_attached_role_policies(RoleName="mlops-server")["AttachedPolicies"]:
            iam.attach_role_policy(RoleName=ROLE, PolicyArn=policy["PolicyArn"])

    def ports(self, *, less: str = "iam:Nothing") -> Ports:
        """The server's ports in a session whose policy allows everything but one action."""
        limit = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": less, "Resource": "*"}]}
        keys = self._sts.assume_role(RoleArn=self._role, RoleSessionName="less", Policy=json.dumps(limit))["Credentials"]
        session: Any = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], self.platform.outputs["Region"])
        told = self.root.settings
        return ports_for_actions(session, "", told.table, told.bucket, told.pipeline_arn, told.repositories)


@pytest.fixture(scope="module")
def sessions(platform: Platform) -> Sessions:
    """The role, a run without outcome, a data file and a package that is not signed yet."""
    os.environ.update(platform.environment())
    made = Sessions(platform)
    request = world.request(model_name=MODEL, dataset=uri(made.root, "datasets/one-less/raw/0/train.csv"))
    state = RunState(
        run_id=RUN, repository=seed.LOCAL_REPOSITORY, issue=999, generation=0, request=request, request_digest="a" * 64,
        body_digest="b" * 64, sender="ana", approved_by="wataru", policy_commit="c" * 40, started_at="2026-11-21T10:00:00Z",
    )  # fmt: skip
    create_run(made.root, state)
    made.root.objects.write(request.dataset, b"age,income\n1,yes\n")
    memory = world.world()
    world.package(memory, RUN, VERSION, model=MODEL)
    for item in memory.objects.list(f"s3://{world.BUCKET}/models/"):
        made.root.objects.write(item.uri.replace(world.BUCKET, made.root.settings.bucket, 1), memory.objects.read(item.uri))
    return made


def test_every_capability_is_denied_something() -> None:
    modules = {item.__name__.rpartition(".")[2] for item in (
        data, deployment, evaluation, history, issue, monitoring, notification, optimization, packaging, retraining, training
    )}  # fmt: skip
    assert {case.capability for case in CASES} == modules


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.capability}-{case.action.partition(':')[2]}")
def test_without_one_action_a_capability_is_refused_by_name_and_leaves_nothing_behind(sessions: Sessions, case: Case) -> None:
    with pytest.raises(Unauthorized, match=case.action):
        case.call(sessions.ports(less=case.action))
    assert not case.effect(sessions.root)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.capability}-{case.action.partition(':')[2]}")
def test_with_that_action_the_same_call_is_not_refused(sessions: Sessions, case: Case) -> None:
    """The other half of the proof: it was the one action that was missing."""
    try:
        case.call(sessions.ports())
    except Unauthorized as error:
        pytest.fail(str(error))
    except MlopsError as error:
        # A plan without a policy, an endpoint without a config: allowed, and then refused for what it asks.
        if case.capability not in {"optimization", "deployment"}:
            raise AssertionError(case) from error
    finally:
        for kind, name in JOBS:
            with suppress(NotFound):
                sessions.root.jobs.stop(kind, name)
