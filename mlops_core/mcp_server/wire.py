"""What client and server agree on beside MCP itself: the Lambda envelope, names in ``_meta`` and how our errors travel.

Standard library and our error tree only: agents import this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_core import errors

PROTOCOL = "2026-07-28"
PATH = "/mcp"
META_PROTOCOL = "io.modelcontextprotocol/protocolVersion"
META_CLIENT = "io.modelcontextprotocol/clientInfo"
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_RUN = "mlops/run-id"
META_CORRELATION = "mlops/correlation-id"
INVALID_PARAMS = -32602
RESULT_LIMIT = 64 * 1024
REQUEST_LIMIT = 1 << 20


def error_to_wire(error: errors.MlopsError) -> dict[str, Any]:
    """An error of our tree as JSON."""
    return {
        "name": type(error).__name__,
        "headline": error.headline,
        "remedy": error.remedy,
        "code": error.code,
        "retryable": error.retryable,
        "retry_after": getattr(error, "retry_after", None),
    }


def error_from_wire(value: Mapping[str, Any]) -> errors.MlopsError:
    """The same class again; a name outside the tree becomes `Defect`."""
    found = getattr(errors, str(value.get("name", "")), None)
    kind = found if isinstance(found, type) and issubclass(found, errors.MlopsError) else errors.Defect
    words = {"remedy": str(value.get("remedy", "")), "code": str(value.get("code", ""))}
    headline = str(value.get("headline", "the server answered an error without a headline."))
    if kind is errors.Throttled:
        after = value.get("retry_after")
        return errors.Throttled(headline, **words, retry_after=after if isinstance(after, int | float) else None)
    return kind(headline, **words)
