"""The server's applications inside AWS Lambda: one event loop and one lifespan per application for the life of the process.

    transport = Transport(lambda alias: http_app(...))
    answer = transport.answer("training", {"path": "/mcp", "method": "POST", "headers": {…}, "body": "…"})

Adapters that open and close the lifespan with every invocation break on the second one, because the SDK's session manager runs once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message

from mlops_core.errors import Defect, InvalidRequest

Envelope = Mapping[str, Any]


class Transport:
    """Applications by alias, started at their first request."""

    def __init__(self, application: Callable[[str], ASGIApp]) -> None:
        self._application = application
        self._loop = asyncio.new_event_loop()
        self._running: dict[str, _Running] = {}

    def answer(self, alias: str, envelope: Envelope) -> dict[str, Any]:
        """One request to one alias's application: {status, headers, body}."""
        if alias not in self._running:
            running = _Running(self._application(alias))
            self._loop.run_until_complete(running.start())
            self._running[alias] = running
        return self._loop.run_until_complete(_exchange(self._running[alias].app, envelope))

    def close(self) -> None:
        """End every application and the loop (tests; Lambda just freezes)."""
        for running in self._running.values():
            self._loop.run_until_complete(running.stop())
        self._running.clear()
        self._loop.close()


class _Running:
    """An application whose lifespan runs in a task of the loop."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}

        async def run() -> None:
            await self.app(scope, self._to_app.get, self._from_app.put)

        self._task = asyncio.create_task(run())
        await self._to_app.put({"type": "lifespan.startup"})
        told = await self._from_app.get()
        if told["type"] != "lifespan.startup.complete":
            raise Defect(f"the server did not start: {told.get('message', 'no reason')}", code="E-MCP-START")

    async def stop(self) -> None:
        await self._to_app.put({"type": "lifespan.shutdown"})
        await self._from_app.get()
        if self._task is not None:
            await self._task


async def _exchange(app: ASGIApp, envelope: Envelope) -> dict[str, Any]:
    """One ASGI request with its whole body, and the whole answer."""
    body = str(envelope.get("body") or "").encode()
    inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    status, headers, parts = 500, dict[str, str](), list[bytes]()
    done = asyncio.Event()

    async def receive() -> Message:
        if inbox:
            return inbox.pop(0)
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(message["status"])
            headers.update({name.decode().lower(): value.decode() for name, value in message.get("headers", [])})
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                done.set()

    await app(_scope(envelope), receive, send)
    return {"status": status, "headers": headers, "body": b"".join(parts).decode()}


def _scope(envelope: Envelope) -> dict[str, Any]:
    headers = envelope.get("headers")
    path, method = envelope.get("path"), envelope.get("method")
    if not isinstance(headers, Mapping) or not isinstance(path, str) or not isinstance(method, str):
        raise InvalidRequest("the event is no request envelope: path, method, headers and body are expected.", code="E-MCP-ENVELOPE")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(str(name).lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in headers.items()],
        "client": ("lambda", 0),
        "server": ("lambda", 80),
        "state": {},
    }
