"""The operator's inbox: takes what a product sends to a chat's incoming web hook, as Slack answers it, and keeps it.

    url = inbox.url("slack")                    # http://127.0.0.1:PORT/_local/inbox/slack/<token>
    inbox.take("slack", token, b'{"text": "hello"}')
    inbox.messages("slack")                     # newest first

The token in the address is the only credential, as with Slack; it follows from the admin token, so nothing is stored for it.
Source of the answers: "Sending messages using incoming webhooks" (Slack API documentation).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from mlops_core.local.github.answers import Answer
from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.database import Database, now

CHATS = ("slack",)
LARGEST_BYTES = 100_000
KEPT = 500


class Inbox:
    """Messages by chat, the newest 500 kept."""

    def __init__(self, database: Database, config: GithubConfig) -> None:
        self._database = database
        self._config = config

    def url(self, chat: str) -> str:
        """The web hook's address; raises `ValueError` for a chat that is not one of CHATS."""
        if chat not in CHATS:
            raise ValueError(f"{chat!r} is none of {', '.join(CHATS)}")
        return f"{self._config.url}/_local/inbox/{chat}/{self._token(chat)}"

    def take(self, chat: str, token: str, content: bytes) -> Answer:
        """Keep one message; the answer is Slack's plain word for it."""
        if chat not in CHATS or not hmac.compare_digest(token.encode(), self._token(chat).encode()):
            return _word(403, "invalid_token")
        if len(content) > LARGEST_BYTES:
            return _word(413, "invalid_payload")
        try:
            message = json.loads(content)
        except (ValueError, RecursionError):
            return _word(400, "invalid_payload")
        if not isinstance(message, dict):
            return _word(400, "invalid_payload")
        if not message.get("text") and not message.get("blocks"):
            return _word(400, "no_text")
        key = self._database.insert("inbox", chat=chat, message=json.dumps(message, ensure_ascii=False), received_at=now())
        self._database.run("delete from inbox where id <= ?", key - KEPT)
        return _word(200, "ok")

    def messages(self, chat: str) -> list[dict[str, Any]]:
        """id, received_at and the message of each, newest first."""
        rows = self._database.rows("select * from inbox where chat = ? order by id desc", chat)
        return [{"id": row["id"], "received_at": row["received_at"], "message": json.loads(row["message"])} for row in rows]

    def _token(self, chat: str) -> str:
        return hmac.new(self._config.admin_token.encode(), f"inbox {chat}".encode(), hashlib.sha256).hexdigest()[:32]


def _word(status: int, word: str) -> Answer:
    return Answer(status, word.encode(), {}, "text/html")


def texts(message: dict[str, Any]) -> list[str]:
    """The plain texts of a message's blocks in order; its fallback text when it has none."""
    blocks = message.get("blocks")
    found = [block.get("text") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    plain = [str(item.get("text") or "") if isinstance(item, dict) else str(item or "") for item in found]
    return [item for item in plain if item] or [str(message.get("text") or "")]
