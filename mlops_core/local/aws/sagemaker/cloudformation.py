"""CloudFormation types of this service.

    types(service_call)["AWS::SageMaker::ModelPackageGroup"]["create"]("Group", {"ModelPackageGroupName": "census"}, stack)

``call(operation, request)`` runs one operation of the control API without a caller: the host has authorised the stack.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_core.local.aws.sagemaker.errors import ApiError, validation

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
Created = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Type:
    """How a resource type maps to operations; its physical id is its name or its ARN."""

    word: str
    name: str
    attribute: str
    updatable: tuple[str, ...] = ()


TYPES = {
    "AWS::SageMaker::ModelPackageGroup": Type("ModelPackageGroup", "ModelPackageGroupName", "ModelPackageGroupArn"),
    "AWS::SageMaker::Model": Type("Model", "ModelName", "ModelArn"),
    "AWS::SageMaker::EndpointConfig": Type("EndpointConfig", "EndpointConfigName", "EndpointConfigArn"),
    "AWS::SageMaker::Endpoint": Type("Endpoint", "EndpointName", "EndpointArn", ("EndpointConfigName",)),
}
NUMBERS = ("InitialInstanceCount", "InitialSamplingPercentage", "ContainerStartupHealthCheckTimeoutInSeconds")


def types(call: Call) -> dict[str, dict[str, Callable[..., Any]]]:
    """Handlers by type: ``create(logical_id, props, stack)``, ``update(id, old, new, stack)``, ``delete(id, props)``."""
    return {name: _handlers(kind, call) for name, kind in TYPES.items()}


def _handlers(kind: Type, call: Call) -> dict[str, Callable[..., Any]]:
    def create(logical_id: str, props: Mapping[str, Any], stack: Any) -> Created:
        request = typed({**props})
        request.setdefault(kind.name, generated_name(logical_id, stack))
        answer = call(f"Create{kind.word}", request)
        arn = str(answer[kind.attribute])
        return arn, {kind.attribute: arn, kind.name: request[kind.name]}

    def update(physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], stack: Any) -> Created:  # noqa: ARG001 (the host's signature)
        name = physical_id.rpartition("/")[2]
        changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
        if changed - {*kind.updatable, "Tags"}:
            raise validation(f"{', '.join(sorted(changed))} of {name} cannot be changed in place; give the resource a new name.")
        if changed & {*kind.updatable}:
            call(f"Update{kind.word}", {kind.name: name, **{key: new[key] for key in kind.updatable}})
        if "Tags" in changed:
            _retag(call, physical_id, old=old.get("Tags") or [], new=new.get("Tags") or [])
        return physical_id, {kind.attribute: physical_id, kind.name: name}

    def delete(physical_id: str, props: Mapping[str, Any]) -> None:  # noqa: ARG001 (the host's signature)
        try:
            call(f"Delete{kind.word}", {kind.name: physical_id.rpartition("/")[2]})
        except ApiError as error:
            if not re.search("not exist|not find", str(error)):
                raise

    return {"create": create, "update": update, "delete": delete}


def _retag(call: Call, arn: str, *, old: list[Mapping[str, str]], new: list[Mapping[str, str]]) -> None:
    gone = [tag["Key"] for tag in old if tag["Key"] not in {one["Key"] for one in new}]
    if gone:
        call("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
    if new:
        call("AddTags", {"ResourceArn": arn, "Tags": [dict(tag) for tag in new]})


def generated_name(logical_id: str, stack: Any) -> str:
    """A name as CloudFormation makes it, cut to SageMaker's 63 characters."""
    stack_name = str(stack.get("StackName", "stack") if isinstance(stack, Mapping) else stack)
    return f"{re.sub('[^A-Za-z0-9-]', '', f'{stack_name[:30]}-{logical_id[:18]}')}-{uuid.uuid4().hex[:12]}"


def typed(value: Any, key: str = "") -> Any:
    """Properties with the numbers and booleans that templates may carry as text."""
    if isinstance(value, dict):
        return {name: typed(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [typed(item, key) for item in value]
    if key in NUMBERS and isinstance(value, str):
        return int(value)
    if key == "InitialVariantWeight" and isinstance(value, str):
        return float(value)
    return value == "true" if key.startswith("Enable") and value in ("true", "false") else value
