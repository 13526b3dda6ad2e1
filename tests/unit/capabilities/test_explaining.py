"""Assistants ask what a code of a run means."""

from __future__ import annotations

import pytest

from mlops_core.capabilities.history import TOOLS
from mlops_core.errors import InvalidRequest, NotFound
from tests.unit.mcp_server import world as w


def explain(**arguments: str) -> object:
    tool = next(tool for tool in TOOLS if tool.name == "explain_code")
    return tool.call(w.world().ports, tool.parse(arguments))


def test_a_code_is_explained_in_the_language_that_is_asked_for() -> None:
    english, japanese = explain(code="W-DATA-001"), explain(code="w-data-001", language="ja")
    assert isinstance(english, dict)
    assert isinstance(japanese, dict)
    assert english["code"] == japanese["code"] == "W-DATA-001"
    assert "0.495" in english["why"]
    assert "重複" in japanese["act"]
    assert english["page"] == "docs/reference/codes/warnings.md#w-data-001"


def test_an_unknown_code_gets_near_spellings_and_nothing_else_is_taken() -> None:
    with pytest.raises(NotFound, match="E-DATA-012"):
        explain(code="E-DATA-12")
    with pytest.raises(InvalidRequest):
        explain(code="E" * 200)
    with pytest.raises(InvalidRequest):
        explain(code="E-DATA-012", language="fr")
