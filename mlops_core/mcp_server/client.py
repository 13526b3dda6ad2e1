"""The thin MCP client of the agents: one call is one POST, carried inside ``lambda:InvokeFunction``.

    client = Client("mlops-server:training", run_id=run_id, correlation_id=correlation_id)
    facts = client.call("describe_training_job", job="mlops-income-1a2b3c4d-g0-train-r0")     # a dict; None for nothing

Errors of our tree arrive as the class they left as.  The alias is part of the function's name, never a qualifier.  Importing this
module loads neither boto3 nor the server; ``invoke`` may be any ``(function, payload) -> payload`` (tests, in process).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from mlops_core.errors import Defect, EnvironmentBroken, InvalidRequest, Unavailable
from mlops_core.mcp_server import wire
from mlops_core.settings import Settings

Invoke = Callable[[str, bytes], bytes]


def lambda_invoke(function: str, payload: bytes) -> bytes:
    """Carry a payload by AWS Lambda."""
    # Imported at the first call: boto3 is half of an agent's import time.
    from mlops_core.adapters.invoke_lambda import invoke

    return invoke(function, payload)


class Client:
    """Calls tools of one alias; not safe for several threads at once."""

    def __init__(self, function: str, invoke: Invoke = lambda_invoke, *, run_id: str = "", correlation_id: str = "") -> None:
        if ":" not in function:
            remedy = "Give it as NAME:ALIAS, for example mlops-server:training."
            raise EnvironmentBroken(f"the server function {function!r} names no alias.", remedy=remedy)
        self.function = function
        self.run_id = run_id
        self.correlation_id = correlation_id
        self._invoke = invoke
        self._ids = itertools.count(1)

    @classmethod
    def from_settings(cls, settings: Settings, invoke: Invoke = lambda_invoke) -> Client:
        """The client of an agent's own alias: MLOPS_SERVER_FUNCTION and MLOPS_WORD."""
        function = settings.require("server_function")
        return cls(function if ":" in function else f"{function}:{settings.require('word')}", invoke)

    def call(self, tool: str, /, **arguments: object) -> Any:
        """The tool's result object, None when it returned nothing; messages may be given as they are. Raises what the tool raised."""
        plain = {name: _plain(value) for name, value in arguments.items()}
        run_id = self.run_id or str(arguments.get("run_id", ""))
        result = self.request("tools/call", {"name": tool, "arguments": plain}, run_id=run_id)
        content = result.get("structuredContent")
        if result.get("isError"):
            failure = content.get("error") if isinstance(content, dict) else None
            raise wire.error_from_wire(failure if isinstance(failure, dict) else {"headline": f"the tool {tool} failed without a reason."})
        return content

    def tools(self) -> list[str]:
        """Names of the tools this alias offers."""
        return [str(tool["name"]) for tool in self.request("tools/list", {}).get("tools", [])]

    def request(self, method: str, params: dict[str, Any], *, run_id: str = "") -> dict[str, Any]:
        """One JSON-RPC exchange; `InvalidRequest` for refused parameters, `Unavailable` when the server did not answer properly."""
        number = next(self._ids)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": self._meta(run_id)}}
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        headers |= {"host": "lambda", "mcp-protocol-version": wire.PROTOCOL, "mcp-method": method}
        if "name" in params:
            headers["mcp-name"] = str(params["name"])
        event = {"path": wire.PATH, "method": "POST", "headers": headers, "body": json.dumps(body)}
        answer = _decoded(self._invoke(self.function, json.dumps(event).encode()))
        if "error" in answer:
            raise wire.error_from_wire(answer["error"])
        reply = _decoded(str(answer.get("body", "")).encode())
        if "error" in reply:
            raise self._refusal(method, reply["error"])
        if reply.get("id") != number or not isinstance(reply.get("result"), dict):
            raise Unavailable(f"the MLOps server gave no answer to {method} (status {answer.get('status')}).", code="E-MCP-ANSWER")
        result: dict[str, Any] = reply["result"]
        return result

    def _meta(self, run_id: str) -> dict[str, Any]:
        meta: dict[str, Any] = {
            wire.META_PROTOCOL: wire.PROTOCOL,
            wire.META_CLIENT: {"name": self.function, "version": "1"},
            wire.META_CAPABILITIES: {},
        }
        correlation = self.correlation_id or run_id
        return {**meta, **({wire.META_RUN: run_id} if run_id else {}), **({wire.META_CORRELATION: correlation} if correlation else {})}

    @staticmethod
    def _refusal(method: str, error: dict[str, Any]) -> Exception:
        text = f"the MLOps server refused {method}: {error.get('message', 'no message')} ({error.get('code')})."
        kind = InvalidRequest if error.get("code") == wire.INVALID_PARAMS else Defect
        return kind(text, code="E-MCP-REFUSED")


def _plain(value: object) -> object:
    """Messages as JSON values, without importing pydantic for those who have none."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if dump is not None else value


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Unavailable("the MLOps server answered something that is not JSON.", code="E-MCP-ANSWER") from error
    if not isinstance(value, dict):
        raise Unavailable("the MLOps server answered something that is no object.", code="E-MCP-ANSWER")
    return value
