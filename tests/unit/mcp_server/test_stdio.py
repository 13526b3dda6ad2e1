"""`mlops mcp` speaks the protocol on stdin and stdout; logs never mix into it."""

from __future__ import annotations

import sys

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

SCRIPT = """
from mlops_core.adapters.in_memory import in_memory_ports
from mlops_core.mcp_server.stdio import serve
serve(in_memory_ports(bucket="lake", log_level="DEBUG").ports, write={write})
"""


@pytest.mark.parametrize("write", [False, True])
def test_an_assistant_reads_and_acts_only_when_asked_to(write: bool) -> None:
    async def talk() -> tuple[set[str], bool]:
        server = StdioServerParameters(command=sys.executable, args=["-c", SCRIPT.format(write=write)])
        async with Client(stdio_client(server)) as client:
            tools = await client.list_tools()
            missing = await client.call_tool("read_champion", {"model_name": "income"})
            return {tool.name for tool in tools.tools}, bool(missing.is_error)

    names, failed = anyio.run(talk)
    assert "read_run" in names
    assert ("start_run" in names) is write
    assert not failed
