"""Step Functions executions and task tokens."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from mlops_core.adapters.aws_errors import is_code, translated
from mlops_core.errors import Conflict, InvalidRequest, NotFound
from mlops_core.facts import ExecutionFacts

MAX_INPUT_BYTES = 256 * 1024


class StepFunctions:
    """State machines of one account and region."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, machine_arn: str, name: str, body: str) -> tuple[str, bool]:
        """Start an execution: (ARN, adopted); the same name and input while open is adopted; `Conflict` when closed or of other input."""
        if len(body.encode()) > MAX_INPUT_BYTES:
            size = len(body.encode())
            raise InvalidRequest(f"the input of {name} has {size} bytes; at most {MAX_INPUT_BYTES} are taken.", remedy="Pass an S3 URI.")
        execution = f"{machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"
        with translated(f"starting {name}"):
            try:
                there = self._open(execution)
                answer = self._client.start_execution(stateMachineArn=machine_arn, name=name, input=body)
            except ClientError as error:
                if is_code(error, "ExecutionAlreadyExists"):
                    raise Conflict(
                        f"an execution {name} has run before.", remedy="Start the next generation.", code="E-RUN-NAME"
                    ) from error
                raise
        return str(answer["executionArn"]), there

    def describe(self, execution_arn: str) -> ExecutionFacts:
        """One execution; `NotFound`."""
        with translated("looking at an execution"):
            try:
                found = self._client.describe_execution(executionArn=execution_arn)
            except ClientError as error:
                if is_code(error, "ExecutionDoesNotExist"):
                    raise NotFound(f"there is no execution {execution_arn}.") from error
                raise
        return ExecutionFacts(
            arn=found["executionArn"],
            name=found["name"],
            status=found["status"],
            input=found.get("input", "{}"),
            output=found.get("output", ""),
            error=found.get("error", ""),
            cause=_cause(found.get("cause", "")),
        )

    def answer(self, token: str, output: str) -> bool:
        """Complete a waiting task; False when nobody waits any more."""
        return self._send("send_task_success", taskToken=token, output=output)

    def stop(self, execution_arn: str, *, error: str, cause: str) -> None:
        """Abort an execution (no error when it has ended)."""
        with translated("stopping an execution"):
            try:
                self._client.stop_execution(executionArn=execution_arn, error=error[:256], cause=cause[:32_768])
            except ClientError as fault:
                if not is_code(fault, "ExecutionDoesNotExist", "ValidationException"):
                    raise

    def _open(self, execution_arn: str) -> bool:
        try:
            return bool(self._client.describe_execution(executionArn=execution_arn)["status"] == "RUNNING")
        except ClientError as error:
            if is_code(error, "ExecutionDoesNotExist"):
                return False
            raise

    def _send(self, operation: str, **request: str) -> bool:
        with translated("answering a waiting task"):
            try:
                getattr(self._client, operation)(**request)
            except ClientError as error:
                if is_code(error, "TaskTimedOut", "TaskDoesNotExist", "InvalidToken"):
                    return False
                raise
        return True


def _cause(text: str) -> str:
    """The sentence in a cause: a Lambda's failure arrives as JSON with ``errorMessage``."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return str(parsed.get("errorMessage", text)) if isinstance(parsed, dict) else text
