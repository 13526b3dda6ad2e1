"""Our application with the tools that MCP's conformance suite looks for, over HTTP on a free port of loopback.

`PYTHONPATH=. python tests/conformance/server.py` prints the port.
"""

from __future__ import annotations

import socket
from typing import Any

from mlops_core.adapters.in_memory import in_memory_ports
from mlops_core.errors import Refused
from mlops_core.mcp_server.offers import offer
from mlops_core.mcp_server.server import build, http_app
from mlops_core.ports import Ports
from mlops_core.tool import reads


def test_simple_text(ports: Ports) -> dict[str, Any]:
    """A plain answer."""
    return {"text": "This is a simple text response for testing."}


def test_error_handling(ports: Ports) -> None:
    """A tool that fails."""
    raise Refused("This tool intentionally returns an error for testing")


def main() -> None:
    """Serve until killed."""
    import uvicorn

    fixtures = {tool.name: tool for tool in (reads(test_simple_text), reads(test_error_handling))}
    server = build(in_memory_ports(bucket="lake").ports, "conformance", {**fixtures, **offer("training")})
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(http_app(server), log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
