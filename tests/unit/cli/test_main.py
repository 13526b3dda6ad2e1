"""The command line teaches, and its exit codes mean something."""

from __future__ import annotations

import io

import pytest

from mlops_core.cli.console import Console, plain
from mlops_core.cli.main import WORDS, build_parser, load, main
from mlops_core.errors import Refused


@pytest.mark.parametrize("word", WORDS)
def test_every_command_has_help_with_an_example(word: str) -> None:
    command = load(word)
    assert command.HELP.endswith(".")
    assert f"mlops {word}" in command.EXAMPLE


def test_help_lists_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(["--help"])
    shown = capsys.readouterr().out
    assert end.value.code == 0
    assert all(word in shown for word in WORDS)
    assert "Exit codes" in shown


def test_a_missing_file_ends_with_the_code_of_not_found_and_the_next_act(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--data", "/nowhere.csv", "--target", "y"]) == 5
    assert "next: Check the path." in capsys.readouterr().err


def test_a_column_that_a_flag_names_in_vain_ends_with_the_code_of_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--data", __file__, "--target", "y", "--protected", "sex"]) == 2
    assert "--protected 'sex'" in capsys.readouterr().err


def test_a_failure_shows_headline_code_and_remedy() -> None:
    err = io.StringIO()
    Console(io.StringIO(), err).failure(Refused("the judge said no.", remedy="Try again.", code="E-X-1"))
    assert err.getvalue() == "mlops: the judge said no. (E-X-1)\n  next: Try again.\n"


def test_text_of_others_cannot_move_the_cursor() -> None:
    assert "\x1b" not in plain("\x1b[2Jgone")
