"""The deployment: waves in order, each template given what it asks for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError  # noqa: TID251 - the adapter's own test

from mlops_core.adapters.stacks_cloudformation import CloudFormationStacks
from mlops_core.errors import JobFailed, Throttled, Unauthorized, Unavailable
from mlops_core.platform.deploy import WAVES, Artifacts, deploy, stack_names

ROOT = Path(__file__).parents[3]
OUTPUTS = {
    "storage": {"BucketName": "lake", "TableName": "ledger", "DataKeyArn": "arn:key"},
    "signing": {"SigningKeyArn": "arn:signing"},
    "topics": {"AlarmTopicArn": "arn:alarms", "DeadLetterArn": "arn:dead"},
    "server-policy": {"ServerPolicyArns": "arn:a,arn:b"},
}


class MemoryStacks(CloudFormationStacks):
    """Stacks that remember what they were given."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.given: dict[str, dict[str, str]] = {}
        self.stored: dict[str, str] = {}

    def apply(self, name: str, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Remember a stack."""
        assert template
        self.given[name.removeprefix("mlops-")] = dict(parameters)
        return OUTPUTS.get(name.removeprefix("mlops-"), {})

    def upload(self, bucket: str, key: str, path: Path) -> None:
        """Remember a file."""
        self.stored[f"{bucket}/{key}"] = path.name


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    """Two made-up archives beside the real machines and templates."""
    for name in ("agent-host-1.zip", "server-host-1.zip"):
        (tmp_path / name).write_text(name)
    return Artifacts(tmp_path / "agent-host-1.zip", tmp_path / "server-host-1.zip", ROOT / "stepfunctions", ROOT / "cloudformation")


GIVEN = {"WorkImageUri": "w", "ServeImageUri": "s", "OwnerRepository": "o/mlops", "RepositoryIds": "42", "Repositories": "o/models"}


def test_every_template_gets_every_parameter_it_needs(artifacts: Artifacts) -> None:
    stacks = MemoryStacks()
    told: list[str] = []
    outputs = deploy(stacks, GIVEN, artifacts, told.append)
    assert sorted(stacks.given) == sorted(stack_names())
    assert told == [*WAVES[0], "artifacts", *WAVES[1], *WAVES[2]]
    for name, given in stacks.given.items():
        template = (ROOT / "cloudformation" / f"{name}.yaml").read_text(encoding="utf-8")
        needed = {item for item in stacks.parameters(template) if "Default:" not in _rest(template, item)}
        assert needed <= given.keys(), name
        assert given.keys() <= stacks.parameters(template), name
    assert outputs["SigningKeyArn"] == "arn:signing"


def _rest(template: str, name: str) -> str:
    """The lines of one parameter."""
    after = template.split(f"\n  {name}:\n", 1)[1].split("\n")
    return "\n".join(itertools.takewhile(lambda line: line.startswith("    "), after))


def test_artifacts_have_keys_that_carry_their_digest(artifacts: Artifacts) -> None:
    stacks = MemoryStacks()
    deploy(stacks, GIVEN, artifacts)
    assert sorted(stacks.stored.values()) == [
        "agent-host-1.zip",
        "deploy.asl.json",
        "job.asl.json",
        "pipeline.asl.json",
        "server-host-1.zip",
    ]
    assert stacks.given["agents"]["AgentArchiveKey"].startswith("artifacts/")
    assert stacks.given["agents"]["AgentArchiveKey"].endswith("/agent.zip")


def test_a_stack_that_fails_ends_the_deployment_after_its_wave(artifacts: Artifacts) -> None:
    class Failing(MemoryStacks):
        def apply(self, name: str, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
            found = super().apply(name, template, parameters)
            if name == "mlops-roles":
                raise JobFailed("the stack mlops-roles ended as ROLLBACK_COMPLETE.")
            return found

    stacks = Failing()
    with pytest.raises(JobFailed, match="mlops-roles"):
        deploy(stacks, GIVEN, artifacts)
    assert "server" not in stacks.given


class Cloud:
    """A CloudFormation that walks through prepared statuses."""

    def __init__(self, *statuses: str, unchanged: bool = False, failure: Exception | None = None) -> None:
        self.statuses, self.unchanged, self.failure = list(statuses), unchanged, failure
        self.called: list[str] = []

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        """The next status."""
        if self.failure:
            raise self.failure
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == "":
            raise _error("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackStatus": status, "Outputs": [{"OutputKey": "A", "OutputValue": "b"}]}]}

    def create_stack(self, **_: Any) -> None:
        """Note it."""
        self.called.append("create")

    def update_stack(self, **_: Any) -> None:
        """Note it, or say that nothing changed."""
        self.called.append("update")
        if self.unchanged:
            raise _error("ValidationError", "No updates are to be performed.")

    def delete_stack(self, **_: Any) -> None:
        """Note it."""
        self.called.append("delete")

    def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        """Two failures, the second caused by the first."""
        first = {"LogicalResourceId": "Role", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "no right", "Timestamp": 1}
        return {"StackEvents": [{**first, "LogicalResourceId": "Key", "ResourceStatusReason": "creation cancelled", "Timestamp": 0}, first]}


def _error(code: str, text: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


@pytest.mark.parametrize(
    ("cloud", "called"),
    [
        (Cloud("", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"), ["create"]),
        (Cloud("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"), ["update"]),
        (Cloud("CREATE_COMPLETE", unchanged=True), ["update"]),
        (Cloud("ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "", "CREATE_COMPLETE"), ["delete", "create"]),
    ],
)
def test_a_stack_is_made_changed_or_made_anew(cloud: Cloud, called: list[str]) -> None:
    assert CloudFormationStacks(cloud, None).apply("s", "t", {}) == {"A": "b"}
    assert cloud.called == called


def test_a_failed_stack_names_the_resource_that_failed_first() -> None:
    with pytest.raises(JobFailed, match="Role: no right"):
        CloudFormationStacks(Cloud("", "ROLLBACK_COMPLETE"), None).apply("s", "t", {})


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (_error("AccessDenied", "no"), Unauthorized),
        (_error("Throttling", "slow down"), Throttled),
        (_error("InternalFailure", "oops", 500), Unavailable),
        (_error("ValidationError", "Template format error"), JobFailed),
        (EndpointConnectionError(endpoint_url="https://x"), Unavailable),
    ],
)
def test_foreign_errors_become_ours(failure: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        CloudFormationStacks(Cloud("", failure=failure), None).apply("s", "t", {})
