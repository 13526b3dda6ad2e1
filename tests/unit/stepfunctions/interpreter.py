"""Walks a state machine in memory: JSONata, variables, choices, retries and catches; tasks are answered by the test.

    machine = load("job")
    ended = walk(machine, {"agent": "a", "event": {}}, answer=lambda call: {"state": "completed", "job": "j"})
    ended.path          # ["Start", "Ended", "Finished"]

The subset is what our three machines use; an unknown field of a state fails the test instead of being ignored.  `tests/flows` runs the
same files on the local platform.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonata  # type: ignore[import-untyped]

FOLDER = Path(__file__).parents[3] / "stepfunctions"
WAIT_SECONDS = 259_200
_KNOWN = {
    "Task": {"Type", "Comment", "Resource", "Arguments", "TimeoutSeconds", "Retry", "Catch", "Assign", "Output", "Next", "End"},
    "Choice": {"Type", "Comment", "Choices", "Default", "Assign"},
    "Wait": {"Type", "Comment", "Seconds", "Next"},
    "Succeed": {"Type", "Comment"},
    "Fail": {"Type", "Comment", "Error", "Cause"},
}


class TaskError(Exception):
    """A task that fails with an error name and a cause."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(name)
        self.name, self.cause = name, cause


@dataclass(frozen=True)
class Call:
    """One task as the test sees it: the state, the resource, the evaluated arguments, the how-manieth try (from 1)."""

    state: str
    resource: str
    arguments: Any
    attempt: int

    @property
    def function(self) -> str:
        """The Lambda function's name, or the nested machine's."""
        target = self.arguments.get("FunctionName") or self.arguments["StateMachineArn"]
        return str(target).removesuffix("Arn")

    @property
    def payload(self) -> Any:
        """What the function is given."""
        return self.arguments["Payload"] if "Payload" in self.arguments else self.arguments["Input"]


Answer = Callable[[Call], Any]


@dataclass
class Ended:
    """How an execution ended."""

    status: str
    output: Any = None
    error: str = ""
    cause: str = ""
    path: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


def load(name: str) -> dict[str, Any]:
    """A machine with each substitution replaced by its own name (a number for the operator's wait)."""
    text = (FOLDER / f"{name}.asl.json").read_text(encoding="utf-8")
    text = text.replace("${OperatorWaitSeconds}", str(WAIT_SECONDS))
    definition: dict[str, Any] = json.loads(re.sub(r"\$\{(\w+)\}", r"\1", text))
    return definition


def walk(machine: dict[str, Any], given: Any, *, answer: Answer, name: str = "income-1a2b3c4d-g0", most: int = 5000) -> Ended:
    """Run to the end; `AssertionError` after ``most`` states."""
    variables: dict[str, Any] = {}
    ended, state, data = Ended("RUNNING"), machine["StartAt"], given
    for _ in range(most):
        ended.path.append(state)
        definition = machine["States"][state]
        unknown = definition.keys() - _KNOWN[definition["Type"]]
        assert not unknown, f"{state} uses {unknown}"
        scope = {
            "input": data,
            "context": {"Execution": {"Name": name, "Id": f"arn:{name}"}, "Task": {"Token": f"token-of-{state}-{len(ended.path)}-{name}"}},
        }
        if definition["Type"] == "Succeed":
            ended.status, ended.output = "SUCCEEDED", data
            return ended
        if definition["Type"] == "Fail":
            ended.status = "FAILED"
            ended.error, ended.cause = (_value(definition[part], scope, variables) for part in ("Error", "Cause"))
            return ended
        try:
            state, data = _step(definition, scope, variables, ended, answer)
        except TaskError as error:
            ended.status, ended.error, ended.cause = "FAILED", error.name, error.cause
            return ended
        if state == "":
            ended.status, ended.output = "SUCCEEDED", data
            return ended
    raise AssertionError(f"no end after {most} states: {ended.path[-6:]}")


def _step(definition: dict[str, Any], scope: dict[str, Any], variables: dict[str, Any], ended: Ended, answer: Answer) -> tuple[str, Any]:
    if definition["Type"] == "Choice":
        for rule in definition["Choices"]:
            if _value(rule["Condition"], scope, variables) is True:
                return _leave(rule, scope, variables, scope["input"])
        return _leave({**definition, "Next": definition["Default"]}, scope, variables, scope["input"])
    if definition["Type"] == "Wait":
        assert isinstance(_value(definition["Seconds"], scope, variables), int | float)
        return definition["Next"], scope["input"]
    try:
        result = _task(definition, scope, variables, ended, answer)
    except TaskError as error:
        for rule in definition.get("Catch", []):
            if error.name in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]:
                caught = {"Error": error.name, "Cause": error.cause}
                return _leave(rule, {**scope, "errorOutput": caught}, variables, caught)
        raise
    return _leave(definition, {**scope, "result": result}, variables, result)


def _task(definition: dict[str, Any], scope: dict[str, Any], variables: dict[str, Any], ended: Ended, answer: Answer) -> Any:
    assert isinstance(definition["TimeoutSeconds"], int), "a computed time-out fails on the local platform"
    state, arguments = ended.path[-1], _value(definition["Arguments"], scope, variables)
    retries = {name: rule["MaxAttempts"] for rule in definition.get("Retry", []) for name in rule["ErrorEquals"]}
    for attempt in range(1, 100):
        call = Call(state, definition["Resource"], arguments, attempt)
        ended.calls.append(call)
        try:
            found = answer(call)
        except TaskError as error:
            if attempt > retries.get(error.name, 0):
                raise
            continue
        if definition["Resource"].endswith(":lambda:invoke"):
            return {"Payload": found, "StatusCode": 200}
        return {"Output": found, "Status": "SUCCEEDED"} if "startExecution" in definition["Resource"] else found
    raise AssertionError("endless retries")


def _leave(rule: dict[str, Any], scope: dict[str, Any], variables: dict[str, Any], default: Any) -> tuple[str, Any]:
    output = _value(rule["Output"], scope, variables) if "Output" in rule else default
    variables.update(_value(rule.get("Assign", {}), scope, dict(variables)))
    return ("" if rule.get("End") else rule["Next"]), output


def _value(template: Any, scope: dict[str, Any], variables: dict[str, Any]) -> Any:
    if isinstance(template, dict):
        return {key: _value(item, scope, variables) for key, item in template.items()}
    if isinstance(template, list):
        return [_value(item, scope, variables) for item in template]
    if not isinstance(template, str) or not template.startswith("{%"):
        return template
    text = template.removeprefix("{%").removesuffix("%}").strip()
    bindings = {**variables, "states": scope}
    found = _evaluated(text, bindings)
    assert found is not None or _evaluated(f"$exists(({text}))", bindings), f"undefined: {text}"
    return found


def _evaluated(text: str, bindings: dict[str, Any]) -> Any:
    expression = jsonata.Jsonata.jsonata(text)
    expression.register_lambda("parse", json.loads)
    return expression.evaluate(None, bindings)
