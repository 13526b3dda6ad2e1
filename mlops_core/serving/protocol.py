"""HTTP/1.1 over one connection: httptools parses, the app answers, answers leave in the order of the requests.

Bodies over the limit get 413, heads over 64 KiB get 431, what is no HTTP gets 400, a request that is not whole after 60 seconds gets 408,
a connection beyond the most gets 503, and the connection is closed two seconds after each of these: what the client still sends is
thrown away meanwhile, because a client whose writing fails never reads its answer.
A client that sends faster than it reads, or more than 64 requests ahead, is not read from until it catches up; one that does not read
at all is cut off.
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
REQUEST_SECONDS = 60.0
_READ = (b"content-type", b"content-length", b"content-encoding", b"accept", b"expect")
_UNREAD = (b"host", b"user-agent", b"connection", b"accept-encoding")
_HEADERS = {form: name.decode() for name in _READ for form in (name, name.title())} | {
    form: "" for name in _UNREAD for form in (name, name.title())
}
_VERBS = {verb.encode(): verb for verb in ("GET", "HEAD", "POST")}
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
        head = self.connection.shared.head(response, close=self.close)
        self.data = head if self.head_only else head + response.body
        self.connection.write_ready()


class Connections:
    """What the connections of one server share: who is there, and the heads of answers that were written before."""

    def __init__(self, identity: str, *, most: int = 4096) -> None:
        self.open: set[Connection] = set()
        self.most = most
        self._witness = f"X-Mlops-Model: {identity}\r\nX-Amzn-SageMaker-Custom-Attributes: {identity}\r\n"
        self._heads: dict[tuple[object, ...], bytes] = {}

    def head(self, response: Response, *, close: bool) -> bytes:
        """Status line and headers."""
        key = (response.status, response.content_type if response.body else "", response.headers, close)
        start = self._heads.get(key)
        if start is None:
            start = self._heads[key] = self._start(response, close=close)
        return b"%b%d\r\n\r\n" % (start, len(response.body))

    def _start(self, response: Response, *, close: bool) -> bytes:
        extra = "".join(f"{name}: {value}\r\n" for name, value in response.headers)
        kind = f"Content-Type: {response.content_type}\r\n" if response.body else ""
        ending = "Connection: close\r\n" if close else ""
        status = f"HTTP/1.1 {response.status} {_REASONS[response.status]}\r\n"
        return f"{status}{kind}{self._witness}{extra}{ending}Content-Length: ".encode("latin-1")


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, app: App, shared: Connections) -> None:
        self._app = app
        self.shared = shared
        self._parser = httptools.HttpRequestParser(self)
        self._slots: deque[Slot] = deque()
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._full = False
        self._refused = False
        self._in_head = self._fresh = False
        self._began = 0.0
        self.last_heard = 0.0
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._body: bytes | bytearray = b""
        self._began = 0.0

    @property
    def idle(self) -> bool:
        """Nothing is being answered and no request has begun."""
        return not self._slots and not self._url

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.last_heard = time.monotonic()
        self.shared.open.add(self)
        if len(self.shared.open) > self.shared.most:
            self._refuse(problem(503, "too many connections are open.", headers=(("Retry-After", "1"),)))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._app.metrics.in_flight -= len(self._slots)
        self._slots.clear()
        self._transport = None
        self.shared.open.discard(self)

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
        if self._in_head:
            # The parser keeps an unfinished header to itself, so its bytes are counted here; the piece it began in is not.
            self._count_head(0 if self._fresh else len(data))
            self._fresh = False

    # The parser's side

    def on_message_begin(self) -> None:
        self._in_head = self._fresh = True
        self._began = self.last_heard

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        if not self._in_head:
            return  # trailers after a body in chunks decide nothing
        wanted = _HEADERS.get(name)
        if wanted is None:
            wanted = _HEADERS.get(name.lower())
        if wanted:
            self._headers[wanted] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_head = False
        stated = self._headers.get("content-length", "0")
        if stated.isdecimal() and int(stated) > BODY_LIMIT:
            self._too_large()
        elif self._headers.get("expect", "").lower() == "100-continue" and self._transport and not self._slots:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if len(self._body) + len(body) > BODY_LIMIT:
            self._too_large()
        elif not self._body:
            self._body = body
        elif not self._refused:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += body

    def on_message_complete(self) -> None:
        if self._refused:
            return
        verb = self._parser.get_method()
        method = _VERBS.get(verb) or verb.decode("latin-1")
        path = self._url.split(b"?", 1)[0].decode("latin-1")
        slot = Slot(self, close=not self._parser.should_keep_alive() or self._app.stopping, head_only=method == "HEAD")
        self._slots.append(slot)
        self._app.metrics.in_flight += 1
        request = Request(method, unquote(path) if "%" in path else path, self._headers, bytes(self._body))
        self._reset()
        self._app.answer(request, slot.fill)
        self._regulate()

    # Answers

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

    def overdue(self, now: float, *, silence: float) -> None:
        """Refuse a request that is not whole in time; after ``silence`` seconds close, or cut off a client that does not read."""
        silent = now - self.last_heard > silence
        if silent and self._full and self._transport is not None:
            self._transport.abort()
        elif self._began and now - self._began > REQUEST_SECONDS:
            self._refuse(problem(408, f"the request was not whole within {REQUEST_SECONDS:g} seconds."))
        elif silent:
            self.close_when_idle()

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
