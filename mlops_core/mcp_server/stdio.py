"""The same tools over stdin and stdout, for a person's assistant: ``mlops mcp``.

serve(ports, write=False)      # returns when standard input ends
"""

from __future__ import annotations

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from mlops_core import journal
from mlops_core.mcp_server.offers import everything
from mlops_core.mcp_server.server import build
from mlops_core.ports import Ports
from mlops_core.tool import Tool


def offered(*, write: bool) -> dict[str, Tool]:
    """Every reading tool; with ``write`` the acting ones too."""
    return {name: tool for name, tool in everything().items() if write or not tool.mutating}


def serve(ports: Ports, *, write: bool = False) -> None:
    """Serve until standard input ends; logs go to standard error."""
    journal.configure(ports.settings.log_level)
    anyio.run(_serve, build(ports, "assistant", offered(write=write)))


async def _serve(server: Server[object]) -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
