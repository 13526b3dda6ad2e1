"""The MCP server's Lambda entry.

    handler({"path": "/mcp", "method": "POST", "headers": {…}, "body": "…"}, context)      # {"status", "headers", "body"}

The alias in ``invoked_function_arn`` decides which tools there are; without a known alias nothing runs.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from starlette.types import ASGIApp

from mlops_core import journal
from mlops_core.errors import MlopsError, Unauthorized
from mlops_core.mcp_server import wire
from mlops_core.mcp_server.lambda_transport import Transport
from mlops_core.mcp_server.offers import OFFERS, offer
from mlops_core.mcp_server.server import build, http_app
from mlops_core.ports import Ports

_ARN_PARTS = 8


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One MCP request of one alias."""
    with journal.bound(request_id=str(getattr(context, "aws_request_id", ""))):
        return answer(_transport(), event, str(getattr(context, "invoked_function_arn", "")))


def answer(transport: Transport, event: dict[str, Any], function_arn: str) -> dict[str, Any]:
    """The application's answer, or ``{"error": …}`` when the alias is not one of ours."""
    try:
        return transport.answer(alias_of(function_arn), event)
    except MlopsError as error:
        return {"error": wire.error_to_wire(error)}


def alias_of(function_arn: str) -> str:
    """The alias an invocation was made through; `Unauthorized` when there is none or it is unknown."""
    parts = function_arn.split(":")
    alias = parts[7] if len(parts) == _ARN_PARTS else ""
    if alias not in OFFERS:
        remedy = "Invoke NAME:ALIAS with the alias of the agent's word."
        raise Unauthorized(f"the MLOps server offers nothing to the alias {alias[:40]!r}.", remedy=remedy, code="E-MCP-ALIAS")
    return alias


def transport_of(ports: Ports) -> Transport:
    """A transport over ports (tests use in-memory ones)."""

    def application(alias: str) -> ASGIApp:
        return http_app(build(ports, alias, offer(alias)), allowed_hosts=("lambda",))

    return Transport(application)


@functools.cache
def _transport() -> Transport:
    from mlops_core.adapters.assemble import ports_for_server

    ports = ports_for_server(os.environ)
    journal.configure(ports.settings.log_level)
    return transport_of(ports)
