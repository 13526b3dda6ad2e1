"""Carry a payload to a Lambda function and back (the transport of agents to the MCP server)."""

from __future__ import annotations

import functools
import json
from typing import Any

import boto3
from botocore.config import Config

from mlops_core.adapters.aws_errors import translated
from mlops_core.errors import Defect, Unavailable


@functools.cache
def _client() -> Any:
    # One try: repeating a call is the state machine's decision, with the same key.
    config = Config(connect_timeout=5, read_timeout=120, retries={"max_attempts": 1, "mode": "standard"})
    return boto3.Session().client("lambda", config=config)


def invoke(function: str, payload: bytes) -> bytes:
    """The function's answer; the alias belongs to the name (``name:alias``). `Unavailable` when the function itself crashed."""
    with translated(f"call {function}"):
        answer = _client().invoke(FunctionName=function, Payload=payload)
        body: bytes = answer["Payload"].read()
    if "FunctionError" in answer:
        raise _crash(function, body)
    return body


def _crash(function: str, body: bytes) -> Unavailable | Defect:
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    name = str(told.get("errorType", "unknown")) if isinstance(told, dict) else "unknown"
    text = str(told.get("errorMessage", ""))[:200] if isinstance(told, dict) else ""
    kind = Defect if name in {"Runtime.ImportModuleError", "Runtime.HandlerNotFound", "Runtime.UserCodeSyntaxError"} else Unavailable
    return kind(f"the function {function} ended with {name}: {text}", code="E-LAMBDA-CRASH")
