"""Operators' comments: what is a command, what is talk, what is refused."""

from __future__ import annotations

import pytest

from mlops_core.errors import MlopsError, Unsupported
from mlops_core.intake.commands import Command, parse_command


def refusal(comment: str, algorithm: str | None = None) -> MlopsError:
    with pytest.raises(MlopsError) as caught:
        parse_command(comment, algorithm=algorithm)
    return caught.value


def test_a_command_carries_typed_parameters() -> None:
    assert parse_command("/retrain max_depth=8 n_estimators=300\nthanks!", algorithm="xgboost") == Command(
        "retrain", {"max_depth": 8, "n_estimators": 300}
    )
    assert parse_command("/retrain learning_rate=0.05 max_features=sqrt") == Command(
        "retrain", {"learning_rate": 0.05, "max_features": "sqrt"}
    )


@pytest.mark.parametrize(
    "comment",
    [
        "> /retrain max_depth=8",
        "```\n/retrain max_depth=8\n```",
        "    /retrain max_depth=8",
        "please /retrain max_depth=8",
        "hello\n/retrain max_depth=8",
        "\n/retrain max_depth=8",
        "<!-- /retrain max_depth=8 -->",
        "/assign me",
        "/cc @somebody",
        "",
        "/",
        "/usr/bin/retrain",
        "／retrain max_depth=8",
        "x" * 70_000,
    ],
)
def test_talk_quotes_and_fences_are_no_commands_abuse_row_36(comment: str) -> None:
    assert parse_command(comment) is None


@pytest.mark.parametrize("second", ["/retrain max_depth=9", "/promote", "  /rollback x"])
def test_two_commands_refuse_the_whole_comment_abuse_row_37(second: str) -> None:
    assert refusal(f"/retrain max_depth=8\n{second}").code == "E-COMMAND-002"


@pytest.mark.parametrize("second", ["> /retrain max_depth=9", "```\n/retrain max_depth=9\n```", "```sh\n/promote\n"])
def test_a_second_command_that_is_quoted_does_not_count(second: str) -> None:
    assert parse_command(f"/retrain max_depth=8\n{second}") == Command("retrain", {"max_depth": 8})


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ("/retrain", "E-COMMAND-006"),
        ("/retrain " + " ".join(f"k{index}=1" for index in range(21)), "E-COMMAND-006"),
        ("/retrain max_depth = 8", "E-COMMAND-007"),
        ("/retrain --force", "E-COMMAND-007"),
        ("/retrain max_depth=8 /promote", "E-COMMAND-007"),
        ("/retrain max_depth=8 max_depth=9", "E-COMMAND-008"),
        ("/retrain max_depth=99", "E-COMMAND-009"),
        ("/retrain max_depth=0x8", "E-COMMAND-009"),
        ("/retrain max_depth=８", "E-COMMAND-004"),
        ("/retrain max_dept=8", "E-COMMAND-010"),
        ("/retrain max_depth=8\u202e", "E-COMMAND-004"),
        ("/retrain " + "a" * 1_100, "E-COMMAND-003"),
        ("/retrian max_depth=8", "E-COMMAND-001"),
        ("/RETRAIN max_depth=8", "E-COMMAND-001"),
    ],
)
def test_a_wrong_command_is_refused_as_a_whole_abuse_row_37(comment: str, code: str) -> None:
    error = refusal(comment)
    assert error.code == code
    assert error.remedy


def test_unknown_names_get_a_spelling_hint() -> None:
    assert "Did you mean max_depth" in str(refusal("/retrain max_dept=8", "xgboost"))
    assert "Did you mean /retrain?" in str(refusal("/retrian max_depth=8"))


@pytest.mark.parametrize("name", ["promote", "rollback"])
def test_planned_commands_are_refused_by_name(name: str) -> None:
    assert isinstance(refusal(f"/{name} x"), Unsupported)
