"""The operator's inbox answers as Slack's incoming web hooks do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.database import Database
from mlops_core.local.github.inbox import KEPT, LARGEST_BYTES, Inbox, texts


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(Database(tmp_path / "github.sqlite"), GithubConfig(port=8400, state=tmp_path, admin_token="admin-token"))


def token(inbox: Inbox) -> str:
    """The last part of the address."""
    return inbox.url("slack").rpartition("/")[2]


def test_a_message_to_the_address_is_kept(inbox: Inbox) -> None:
    answer = inbox.take("slack", token(inbox), '{"text": "判断"}'.encode())
    assert (answer.status, answer.body) == (200, b"ok")
    assert [item["message"] for item in inbox.messages("slack")] == [{"text": "判断"}]


@pytest.mark.parametrize(
    ("chat", "wrong", "content", "status", "word"),
    [
        ("slack", "x", b'{"text": "hello"}', 403, b"invalid_token"),
        ("slack", "é", b'{"text": "hello"}', 403, b"invalid_token"),
        ("teams", "", b'{"text": "hello"}', 403, b"invalid_token"),
        ("slack", "", b"{", 400, b"invalid_payload"),
        ("slack", "", b"[1]", 400, b"invalid_payload"),
        ("slack", "", b"[" * 100_000, 400, b"invalid_payload"),
        ("slack", "", b"{}", 400, b"no_text"),
        ("slack", "", b'{"text": "' + b"x" * LARGEST_BYTES + b'"}', 413, b"invalid_payload"),
    ],
)
def test_everything_else_is_refused_and_nothing_is_kept(
    inbox: Inbox, chat: str, wrong: str, content: bytes, status: int, word: bytes
) -> None:
    answer = inbox.take(chat, wrong or token(inbox), content)
    assert (answer.status, answer.body) == (status, word)
    assert inbox.messages("slack") == []


def test_the_token_is_not_the_admin_token_and_an_unknown_chat_has_no_address(inbox: Inbox) -> None:
    assert "admin-token" not in inbox.url("slack")
    with pytest.raises(ValueError, match="slack"):
        inbox.url("teams")


def test_only_the_newest_messages_are_kept(inbox: Inbox) -> None:
    for number in range(KEPT + 3):
        inbox.take("slack", token(inbox), json.dumps({"text": str(number)}).encode())
    found = inbox.messages("slack")
    assert (len(found), found[0]["message"]["text"], found[-1]["message"]["text"]) == (KEPT, str(KEPT + 2), "3")


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"text": "fallback"}, ["fallback"]),
        ({"text": "fallback", "blocks": [{"text": {"text": "one"}}, {"text": "two"}, 3, {"type": "divider"}]}, ["one", "two"]),
        ({"blocks": "no list", "text": "fallback"}, ["fallback"]),
    ],
)
def test_a_page_shows_the_plain_texts(message: dict[str, object], parts: list[str]) -> None:
    assert texts(message) == parts
