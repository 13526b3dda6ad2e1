"""CloudFormation stacks and the uploads they need, behind `mlops_core.platform.deploy.Stacks`.

stacks = CloudFormationStacks.of_environment()
stacks.apply("mlops-storage", Path("cloudformation/storage.yaml").read_text(), {"Prefix": "mlops"})
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mlops_core.errors import JobFailed, MlopsError, Throttled, Unauthorized, Unavailable

_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_MISSING = re.compile("does not exist")
_UNCHANGED = re.compile("No updates are to be performed")
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.05, 5.0
_PARAMETER = re.compile(r"^  ([A-Za-z][A-Za-z0-9]*):\s*$", re.MULTILINE)
_SECTION = re.compile(r"^Parameters:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


class CloudFormationStacks:
    """Stacks of one account and region."""

    def __init__(self, cloudformation: Any, s3: Any, *, limit_seconds: float = 1800) -> None:
        self._cloudformation = cloudformation
        self._s3 = s3
        self._limit_seconds = limit_seconds

    @classmethod
    def of_environment(cls) -> Self:
        """Clients of the account, region and endpoint that the environment names."""
        session = boto3.Session()
        config = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=16)
        return cls(session.client("cloudformation", config=config), session.client("s3", config=config))

    def parameters(self, template: str) -> frozenset[str]:
        """Names in the template's ``Parameters`` section."""
        section = _SECTION.search(template)
        return frozenset(_PARAMETER.findall(section.group(1))) if section else frozenset()

    def apply(self, name: str, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Create or update a stack, wait for it, and return its outputs; raises `JobFailed` with the first resource that failed."""
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())]
        arguments = {"StackName": name, "TemplateBody": template, "Parameters": given, "Capabilities": _CAPABILITIES}
        try:
            before = self._status(name)
            if before in {"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"}:
                self._cloudformation.delete_stack(StackName=name)
                self._settle(name)
                before = None
            if before is None or before == "DELETE_COMPLETE":
                self._cloudformation.create_stack(**arguments, OnFailure="ROLLBACK")
            elif not self._update(arguments):
                return self._outputs(name)
            status = self._settle(name)
            if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
                raise JobFailed(
                    f"the stack {name} ended as {status}: {self._first_failure(name)}",
                    remedy="Correct it and deploy again.",
                    code="E-STACK-001",
                )
            return self._outputs(name)
        except (ClientError, BotoCoreError) as error:
            raise _mapped(error, f"the stack {name}") from error

    def upload(self, bucket: str, key: str, path: Path) -> None:
        """Store a file unless the key exists (keys carry digests)."""
        try:
            try:
                self._s3.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                self._s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        except (ClientError, BotoCoreError) as error:
            raise _mapped(error, f"the upload of {path.name} to {bucket}") from error

    def _update(self, arguments: dict[str, Any]) -> bool:
        try:
            self._cloudformation.update_stack(**arguments)
        except ClientError as error:
            if _UNCHANGED.search(str(error)):
                return False
            raise
        return True

    def _status(self, name: str) -> str | None:
        try:
            return str(self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if _MISSING.search(str(error)):
                return None
            raise

    def _settle(self, name: str) -> str:
        wait, deadline = _FIRST_WAIT_SECONDS, time.monotonic() + self._limit_seconds
        while time.monotonic() < deadline:
            status = self._status(name)
            if status is None or not status.endswith("_IN_PROGRESS"):
                return status or "DELETE_COMPLETE"
            time.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT_SECONDS)
        raise Unavailable(
            f"the stack {name} was not ready after {self._limit_seconds:.0f} s.", remedy="Look at its events in the CloudFormation console."
        )

    def _outputs(self, name: str) -> dict[str, str]:
        stack = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}

    def _first_failure(self, name: str) -> str:
        events = self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [
            item
            for item in events
            if item["ResourceStatus"].endswith("_FAILED") and "cancelled" not in item.get("ResourceStatusReason", "")
        ]
        first = min(failed, key=lambda item: item["Timestamp"], default=None)
        return (
            f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}" if first else "no event names a reason"
        )


def _mapped(error: ClientError | BotoCoreError, what: str) -> MlopsError:
    if not isinstance(error, ClientError):
        return Unavailable(f"{what}: {error}", remedy="Check the network, the region and the credentials.")
    code, text = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "InvalidClientTokenId", "SignatureDoesNotMatch"}:
        return Unauthorized(f"{what} is not allowed: {text}", remedy="Deploy with a role that may.")
    if code in {"Throttling", "ThrottlingException", "SlowDown"}:
        return Throttled(f"{what}: {text}")
    if int(error.response["ResponseMetadata"].get("HTTPStatusCode", 400)) >= 500:
        return Unavailable(f"{what}: {text}")
    return JobFailed(f"{what} failed: {code}: {text}", remedy="Correct it and deploy again.", code="E-STACK-002")
