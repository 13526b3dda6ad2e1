"""HTTP/1.1 over one connection: httptools parses, the app answers, answers leave in the order of the requests.

Bodies over the limit get 413, heads over 64 KiB get 431, what is no HTTP gets 400, and the connection is closed two seconds after each
of these: what the client still sends is thrown away meanwhile, because a client whose writing fails never reads its answer.
A client that sends faster than it reads, or more than 64 requests ahead, is not read from until it catches up.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

import httptools

from mlops_core.serving.app import BODY_LIMIT, App, Request, Response, problem

HEAD_LIMIT = 65_536
AHEAD_LIMIT = 64
LINGER_SECONDS = 2.0
_READ = (b"content-type", b"content-length", b"content-encoding", b"accept", b"expect")
_HEADERS = {form: name.decode() for name in _READ for form in (name, name.title())}
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Slot:
    """The place of one answer in a connection's order."""

    __slots__ = ("close", "connection", "data", "head_only")

    def __init__(self, connection: Connection, *, close: bool, head_only: bool) -> None:
        self.connection = connection
        self.data: bytes | None = None
        self.close = close
        self.head_only = head_only

    def fill(self, response: Response) -> None:
        """Write the answer as soon as every earlier one has been written."""
        self.data = self.connection.head(response, close=self.close) + (b"" if self.head_only else response.body)
        self.connection.write_ready()


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, app: App, open_connections: set[Connection]) -> None:
        self._app = app
        self._open = open_connections
        self._parser = httptools.HttpRequestParser(self)
        self._slots: deque[Slot] = deque()
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._full = False
        self._refused = False
        self.last_heard = 0.0
        self._witness = f"X-Mlops-Model: {app.model.identity}\r\nX-Amzn-SageMaker-Custom-Attributes: {app.model.identity}\r\n"
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    @property
    def idle(self) -> bool:
        """Nothing is being answered and no request has begun."""
        return not self._slots and not self._url

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.last_heard = time.monotonic()
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._app.metrics.in_flight -= len(self._slots)
        self._slots.clear()
        self._transport = None
        self._open.discard(self)

    def pause_writing(self) -> None:
        self._full = True
        self._regulate()

    def resume_writing(self) -> None:
        self._full = False
        self._regulate()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self.last_heard = time.monotonic()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(problem(400, "protocol upgrades are not offered."))
        except httptools.HttpParserError:
            self._refuse(problem(400, "this is no HTTP/1.1 request."))

    # The parser's side

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        wanted = _HEADERS.get(name) or _HEADERS.get(name.lower())
        if wanted:
            self._headers[wanted] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        stated = self._headers.get("content-length", "0")
        if stated.isdigit() and int(stated) > BODY_LIMIT:
            self._too_large()
        elif self._headers.get("expect", "").lower() == "100-continue" and self._transport and not self._slots:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > BODY_LIMIT:
            self._too_large()
        elif not self._refused:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._refused:
            return
        method = self._parser.get_method().decode("latin-1")
        path = self._url.split(b"?", 1)[0].decode("latin-1")
        slot = Slot(self, close=not self._parser.should_keep_alive() or self._app.stopping, head_only=method == "HEAD")
        self._slots.append(slot)
        self._app.metrics.in_flight += 1
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(method, unquote(path) if "%" in path else path, self._headers, body)
        self._reset()
        self._app.answer(request, slot.fill)
        self._regulate()

    # Answers

    def head(self, response: Response, *, close: bool) -> bytes:
        """Status line and headers."""
        extra = "".join(f"{name}: {value}\r\n" for name, value in response.headers)
        kind = f"Content-Type: {response.content_type}\r\n" if response.body else ""
        ending = "Connection: close\r\n\r\n" if close else "\r\n"
        return (
            f"HTTP/1.1 {response.status} {_REASONS[response.status]}\r\n{kind}Content-Length: {len(response.body)}\r\n"
            f"{self._witness}{extra}{ending}"
        ).encode("latin-1")

    def write_ready(self) -> None:
        """Write every leading answer that is complete."""
        while self._slots and self._slots[0].data is not None:
            slot = self._slots.popleft()
            self._app.metrics.in_flight -= 1
            if self._transport is not None:
                self._transport.write(slot.data or b"")
                if slot.close and self._refused:
                    asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.close)
                elif slot.close:
                    self._transport.close()
        self._regulate()

    def close_when_idle(self) -> None:
        """Close now if nothing is being answered, else after the last answer."""
        if self._transport is None:
            return
        if self._slots:
            self._slots[-1].close = True
        if self.idle or not self._slots:
            self._transport.close()

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_LIMIT:
            self._refuse(problem(431, f"the request's head is larger than {HEAD_LIMIT:,} bytes."))

    def _too_large(self) -> None:
        self._refuse(problem(413, f"the body is larger than {BODY_LIMIT:,} bytes."))

    def _refuse(self, response: Response) -> None:
        if self._refused or self._transport is None:
            return
        self._refused = True
        self._app.metrics.answered("refused", response.status, seconds=0.0)
        slot = Slot(self, close=True, head_only=False)
        self._slots.append(slot)
        self._app.metrics.in_flight += 1
        slot.fill(response)

    def _regulate(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        wanted = self._full or len(self._slots) > AHEAD_LIMIT
        if wanted and not self._paused:
            transport.pause_reading()
        elif self._paused and not wanted:
            transport.resume_reading()
        self._paused = wanted
