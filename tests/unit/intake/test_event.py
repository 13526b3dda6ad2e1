"""Payloads are read without trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_core.errors import InvalidRequest
from mlops_core.intake.event import Person, comment_event, labeled_event, parse_payload, read_payload


def labeled(**changes: object) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "action": "labeled",
        "issue": {"number": 7, "body": "text", "user": {"login": "bob", "type": "User"}},
        "label": {"name": "mlops:train"},
        "repository": {"full_name": "octo/models"},
        "sender": {"login": "ana", "type": "User"},
    }
    return {**payload, **changes}


def commented(**changes: object) -> dict[str, Any]:
    payload = {**labeled(), "action": "created", "comment": {"id": 99, "body": "/retrain max_depth=8"}}
    return {**payload, **changes}


def test_a_labeled_event_gives_the_facts_of_that_moment() -> None:
    event = labeled_event(labeled())
    assert (event.repository, event.issue, event.label, event.body, event.author, event.sender) == (
        "octo/models", 7, "mlops:train", "text", "bob", Person("ana", "User"),
    )  # fmt: skip


def test_a_null_body_is_empty_and_a_deleted_account_is_a_ghost() -> None:
    event = labeled_event(labeled(issue={"number": 7, "body": None, "user": None}, sender=None))
    assert (event.body, event.author, event.sender.kind) == ("", "ghost", "Mannequin")


def test_an_edited_comment_is_never_a_command_abuse_row_35() -> None:
    assert comment_event(commented()).body == "/retrain max_depth=8"
    for action in ("edited", "deleted", "pinned", None):
        with pytest.raises(InvalidRequest, match="created"):
            comment_event(commented(action=action))


def test_a_comment_on_a_pull_request_is_marked() -> None:
    issue = {"number": 7, "user": None, "body": None, "pull_request": {"url": "x"}}
    assert comment_event(commented(issue=issue)).on_pull_request


@pytest.mark.parametrize(
    "change",
    [
        {"issue": None},
        {"issue": {"number": "7", "user": None}},
        {"issue": {"number": True, "user": None}},
        {"issue": {"number": 0, "user": None}},
        {"issue": {"number": 7, "body": 5, "user": None}},
        {"label": None},
        {"label": {"name": 3}},
        {"repository": {"full_name": "../x"}},
        {"repository": {"full_name": "a/b/c"}},
        {"sender": {"login": "a\nb"}},
        {"sender": {"login": "$(id)"}},
        {"action": "opened"},
    ],
)
def test_a_payload_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        labeled_event(labeled(**change))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"[" * 200_000, b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_payload(text)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(json.dumps(labeled()).encode())
    assert read_payload(path)["action"] == "labeled"
    with path.open("r+b") as stream:
        stream.truncate((8 << 20) + 1)
    with pytest.raises(InvalidRequest, match="8388608"):
        read_payload(path)
