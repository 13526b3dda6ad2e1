"""The door of the one port: only health and signed AWS calls pass, and only for names of this machine.

MiniStack serves unsigned administration below ``/_ministack/`` (reset, queue contents, function code); none of it is reachable here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mlops_core.local.aws.hooks.names import private

_OPEN = ("/_ministack/health", "/_ministack/ready", "/_ministack/ses/messages")
_HIDDEN = ("/_ministack/", "/_localstack/")
_LOCAL_NAMES = ("127.0.0.1", "localhost")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


def install() -> None:
    """Put the gate around the application and keep it off port 443."""
    app = private("app")
    inner = app.app

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await inner(scope, receive, send)
        else:
            await _answer(send, *refusal)

    app.app = guarded
    app._port_is_bindable = lambda _host, _port: False


def _refusal(scope: Scope) -> tuple[int, str] | None:
    path = str(scope["path"])
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"), "")
    name = host.rsplit(":", 1)[0].lower()
    if name not in _LOCAL_NAMES and not name.endswith(".localhost"):
        return 421, f"host {name!r} is not served here; use 127.0.0.1 or localhost"
    if path.startswith(_HIDDEN) and not (path in _OPEN and scope["method"] == "GET"):
        return 404, "not found"
    return None


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
