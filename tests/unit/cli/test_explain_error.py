"""`mlops explain-error` as people type it."""

from __future__ import annotations

import io
import unicodedata

import pytest

from mlops_core.cli.console import Console
from mlops_core.cli.explain_error import lines
from mlops_core.cli.main import main
from mlops_core.errors import Refused
from mlops_core.explain.table import TABLE


def test_a_code_is_explained_in_english(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-error", "W-DATA-001"]) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("what it means", "why it matters", "what to do", "0.495", "docs/reference/codes/warnings.md"))


def test_a_code_is_explained_in_japanese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-error", "e-data-012", "--language", "ja"]) == 0
    shown = capsys.readouterr().out
    assert "目的変数の値が 1 種類しかありません。" in shown
    assert "docs/reference/codes/ja/data.md#e-data-012" in shown


def test_an_unknown_code_gets_near_spellings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-error", "E-DATA-12"]) == 5
    assert "Did you mean E-DATA-012" in capsys.readouterr().err


def test_a_code_of_another_kind_gets_the_way_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-error", "\x1b[2Jx"]) == 5
    error = capsys.readouterr().err
    assert "lists every code" in error
    assert "\x1b" not in error


def test_a_failure_leads_to_its_explanation() -> None:
    err = io.StringIO()
    Console(io.StringIO(), err).failure(Refused("no.", code="E-POLICY-COST"))
    assert err.getvalue() == "mlops: no. (E-POLICY-COST)\n  more: mlops explain-error E-POLICY-COST\n"


def test_without_a_code_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-error"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(TABLE)


def test_no_line_is_wider_than_a_hundred_columns() -> None:
    for language in ("en", "ja"):
        for item in TABLE.values():
            for line in lines(item, language):
                width = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)
                assert width <= 104, line
