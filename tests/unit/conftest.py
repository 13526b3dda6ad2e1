"""What every unit test leaves tidy."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _lines_are_closed() -> Iterator[None]:
    """End the in-memory servers of a test: their event loops must not be left to the garbage collector."""
    yield
    world = sys.modules.get("tests.unit.mcp_server.world")
    while world is not None and world.Line.opened:
        world.Line.opened.pop().transport.close()
