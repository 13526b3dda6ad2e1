"""The official MCP client is the oracle: what it sees of our server is what the thin client sees."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import anyio
import pytest
from mcp.client.client import Client as OfficialClient

from mlops_core.adapters.in_memory import in_memory_ports
from mlops_core.mcp_server.offers import OFFERS, everything, offer
from mlops_core.mcp_server.server import build
from mlops_core.mcp_server.stdio import offered
from tests.unit.mcp_server.test_wire_and_server import GOOD, Server


def ask(alias: str, name: str, arguments: dict[str, Any]) -> tuple[list[str], Any]:
    """(tools, result) through the official client, in memory."""

    async def talk() -> tuple[list[str], Any]:
        server = build(in_memory_ports(bucket="lake").ports, alias, offer(alias))
        async with OfficialClient(server) as client:
            listed = await client.list_tools()
            return [tool.name for tool in listed.tools], await client.call_tool(name, arguments)

    return anyio.run(talk)


@pytest.mark.parametrize("alias", sorted(OFFERS))
def test_the_official_client_lists_what_the_thin_one_lists(alias: str) -> None:
    server = Server()
    tools, result = ask(alias, "read_run", {"run_id": "income-1a2b3c4d-g0"})
    assert sorted(tools) == sorted(server.client(alias).tools())
    assert result.is_error
    assert result.structured_content["error"]["name"] == "NotFound"
    server.transport.close()


def test_the_official_client_gets_the_same_result() -> None:
    _, result = ask("evaluation", "count_look", dict(GOOD))
    assert result.structured_content == {"looks": 1}
    assert json.loads(result.content[0].text) == {"looks": 1}


def test_every_tool_has_a_closed_schema_a_description_and_a_key_exactly_when_it_acts() -> None:
    for tool in everything().values():
        assert tool.schema["additionalProperties"] is False
        assert len(tool.description) > 20
        assert ("key" in tool.schema["required"]) == tool.mutating


def test_an_assistant_is_offered_no_acting_tool_unless_asked() -> None:
    assert not any(tool.mutating for tool in offered(write=False).values())
    assert "start_run" in offered(write=True)


def test_importing_the_client_stays_light() -> None:
    """The budget of a whole agent is 0.35 s; the least of three starts counts, because this machine is shared."""
    script = (
        "import sys, time; start = time.perf_counter(); import mlops_core.mcp_server.client as c;"
        "print(time.perf_counter() - start, ','.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    best = 9.0
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
        best = min(best, float(out[0]))
        loaded = set(out[1].split(","))
        assert not loaded & {"boto3", "botocore", "mcp", "numpy", "pandas", "jinja2", "starlette", "anyio", "github", "cryptography"}
    assert best < 0.35


def test_a_call_in_process_takes_milliseconds() -> None:
    server = Server()
    client = server.client("evaluation")
    client.call("count_look", **GOOD)
    begin = time.perf_counter()
    for number in range(20):
        client.call("count_look", **{**GOOD, "key": f"k{number}"})
    assert (time.perf_counter() - begin) / 20 < 0.1
    server.transport.close()
