"""A tool: a typed function over ports with a closed schema.

    TOOLS = (reads(describe_job), acts(start_job))

A tool is one effect or one read.  Its JSON schema is made from the function's own signature (everything after ``ports``); arguments
are checked strictly: nothing is coerced, nothing unknown is dropped.  A tool that acts also takes ``key``: the same key with the same
arguments is carried out once (see `mlops_core.mcp_server.once`).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from mlops_core.errors import InvalidRequest
from mlops_core.ports import Ports

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9:._#/@-]{1,256}$")]
Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}$")]
JobName = Annotated[str, Field(pattern=r"^mlops-[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,56}$")]
ResourceName = Annotated[str, Field(pattern=r"^mlops-[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,56}$")]
Token = Annotated[str, Field(min_length=1, max_length=2048)]
RunTime = Annotated[int, Field(ge=60, le=86_400)]


class Arguments(BaseModel):
    """Base of every tool's arguments: closed and strict."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Tool:
    """One tool: its name, its function and whether it changes anything."""

    function: Callable[..., object]
    mutating: bool

    @property
    def name(self) -> str:
        """The function's name is the tool's name."""
        return self.function.__name__

    @property
    def description(self) -> str:
        """The function's docstring."""
        return inspect.getdoc(self.function) or self.name

    @cached_property
    def arguments(self) -> type[Arguments]:
        """The model of the arguments, made from the signature."""
        hints = get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]:
            fields[name] = (hints[name], ... if parameter.default is inspect.Parameter.empty else parameter.default)
        if self.mutating:
            fields["key"] = (Key, ...)
        return create_model(f"{self.name}_arguments", __base__=Arguments, **fields)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments (closed: no additional properties)."""
        return self.arguments.model_json_schema()

    def parse(self, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Typed arguments; `InvalidRequest` names each wrong field, never its value."""
        try:
            parsed = self.arguments.model_validate_json(json.dumps(arguments), strict=True)
        except ValidationError as error:
            problems = error.errors(include_input=False)[:8]
            wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or self.name}: {item['msg']}" for item in problems)
            raise InvalidRequest(f"tool {self.name} does not take these arguments: {wrong}.", code="E-TOOL-ARGUMENTS") from error
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(f"tool {self.name} was given something that is not JSON.", code="E-TOOL-ARGUMENTS") from error
        return {name: getattr(parsed, name) for name in type(parsed).model_fields}

    def call(self, ports: Ports, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """Run the function on parsed arguments (``key`` left out) and return its result as a JSON object, or None."""
        return as_object(self.function(ports, **{name: value for name, value in arguments.items() if name != "key"}))


def as_object(result: object) -> dict[str, Any] | None:
    """A tool's result as a JSON object: messages are dumped, dictionaries and None stay."""
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    if result is None or isinstance(result, dict):
        return result
    raise TypeError(f"a tool returned {type(result).__name__}; tools return messages, dictionaries or nothing")


def reads(function: Callable[..., object]) -> Tool:
    """A tool that changes nothing."""
    return Tool(function, mutating=False)


def acts(function: Callable[..., object]) -> Tool:
    """A tool that has one effect and takes ``key``."""
    return Tool(function, mutating=True)
