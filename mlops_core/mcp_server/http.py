"""The same application over HTTP (a container, or a check by MCP's own conformance suite).

python -m mlops_core.mcp_server.http --word training --port 8765
"""

from __future__ import annotations

import argparse
import os

from mlops_core import journal
from mlops_core.mcp_server.offers import OFFERS, offer
from mlops_core.mcp_server.server import build, http_app
from mlops_core.mcp_server.stdio import offered
from mlops_core.ports import Ports


def serve(ports: Ports, *, word: str, host: str, port: int, allowed_hosts: tuple[str, ...] = ()) -> None:
    """Serve the tools of one alias (``all``: every tool) until interrupted."""
    import uvicorn

    journal.configure(ports.settings.log_level)
    tools = offered(write=True) if word == "all" else offer(word)
    app = http_app(build(ports, word, tools), host=host, allowed_hosts=allowed_hosts)
    uvicorn.run(app, host=host, port=port, log_config=None)


def main() -> None:
    """Command line."""
    from mlops_core.adapters.assemble import ports_for_server

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--word", choices=[*OFFERS, "all"], required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--allowed-host", action="append", default=[], help="Host header to accept when not on loopback")
    given = parser.parse_args()
    serve(ports_for_server(os.environ), word=given.word, host=given.host, port=given.port, allowed_hosts=tuple(given.allowed_host))


if __name__ == "__main__":
    main()
