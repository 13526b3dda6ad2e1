"""The edge of a step: inputs, neutral logs, summaries, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.entrypoints.runner import Step, harmless, neutral, run_step
from mlops_core.errors import EnvironmentBroken, Refused, Unavailable
from tests.unit.entrypoints.runners import Runner


@given(st.text() | st.sampled_from(["::error::x", "##[group]x", "a\n::set-env name=A::b", "%0A::stop-commands::x", "::::x"]))
def test_a_log_line_is_one_line_and_never_a_command_abuse_row_3(text: str) -> None:
    line = neutral(text)
    assert "\n" not in line
    assert "\r" not in line
    assert "::" not in line
    assert "##[" not in line


@given(st.text())
def test_text_in_a_summary_has_no_markup_that_acts_abuse_row_28(text: str) -> None:
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|@!]", harmless(text))


def test_a_missing_input_is_named() -> None:
    with pytest.raises(EnvironmentBroken, match="'role-arn'"):
        Step({}).input("role-arn")
    with pytest.raises(EnvironmentBroken, match="GITHUB_EVENT_PATH"):
        Step({}).path("GITHUB_EVENT_PATH")


def test_a_failing_step_writes_headline_cause_and_remedy_and_exits_with_the_errors_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = Runner(tmp_path)
    runner.step(monkeypatch)

    def refuse(step: Step) -> None:
        raise Refused("the <b>policy</b> said no.", remedy="Ask @owner.", code="E-X-001") from Unavailable("502")

    assert run_step("start", refuse) == Refused.exit_code
    summary = runner.read("summary")
    assert "**Cause** Refused E-X-001, after Unavailable" in summary
    assert "**Remedy** Ask \\@owner." in summary
    assert "<b>" not in summary.replace("\\<b\\>", "")
    assert capsys.readouterr().out.count("\n") == 1


def test_a_defect_is_told_with_its_trace_and_without_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = Runner(tmp_path)
    runner.step(monkeypatch)

    def broken(step: Step) -> None:
        raise KeyError("::stop-commands::x")

    assert run_step("parse", broken) == 10
    assert "KeyError in step parse" in runner.read("summary")
    assert not [line for line in capsys.readouterr().out.split("\n") if line.startswith("::") and not line.startswith("::error")]


def test_an_output_cannot_be_broken_out_of_abuse_row_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(tmp_path)
    runner.step(monkeypatch).output("request", "a\nEOF\nok=true\nok<<EOF\ntrue\nEOF")
    assert runner.outputs() == {"request": "a\nEOF\nok=true\nok<<EOF\ntrue\nEOF"}


def test_a_runner_without_a_summary_page_loses_nothing_else() -> None:
    Step({}).summary("text")
    assert run_step("x", lambda _: None) == 0
