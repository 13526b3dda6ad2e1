"""Whatever bytes arrive in whatever pieces, a connection answers in whole HTTP or closes, and keeps little."""

from __future__ import annotations

import asyncio
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.serving.app import App
from mlops_core.serving.model import ServedModel, load
from mlops_core.serving.protocol import REQUEST_SECONDS, Connection, Connections
from tests.unit.serving.bench import ROW, Turn, http, pack


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = self.aborted = self.paused = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@cache
def model() -> ServedModel:
    return load(pack(Path(tempfile.mkdtemp())))


class Line:
    """One connection of a server of its own."""

    def __init__(self, *, most: int = 10) -> None:
        self.turn = Turn()
        self.wire = Wire()
        self.app = App(model(), self.turn)
        self.shared = Connections(model().identity, most=most)
        self.connection = self.another(self.wire)

    def another(self, wire: Wire) -> Connection:
        connection = Connection(self.app, self.shared)
        connection.connection_made(wire)  # type: ignore[arg-type]
        return connection

    def feed(self, *pieces: bytes) -> Line:
        for piece in pieces:
            self.connection.data_received(piece)
            self.turn.run()
        return self

    @property
    def statuses(self) -> list[int]:
        return [status for status, _ in answers(bytes(self.wire.written))]


class _Reader:
    def __init__(self) -> None:
        self.found: list[tuple[int, bytes]] = []
        self.body = b""

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.found.append((self.parser.get_status_code(), self.body))
        self.body = b""

    parser: Any


def answers(written: bytes) -> list[tuple[int, bytes]]:
    """Statuses and bodies of a stream of answers; a parser of HTTP reads all of it."""
    reader = _Reader()
    reader.parser = httptools.HttpResponseParser(reader)
    if written:
        reader.parser.feed_data(written)
    return reader.found


@pytest.fixture(autouse=True)
def _no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loop:
        def call_later(self, _seconds: float, call: Any) -> None:
            call()

    monkeypatch.setattr(asyncio, "get_running_loop", Loop)


FRAGMENTS = st.sampled_from([
    b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", http(json.dumps(ROW).encode()), b"POST /invocations HTTP/1.1\r\n", b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"0\r\n\r\n",
    b"5\r\n[1,2]\r\n", b"ffffffffffffffff\r\n", b"Expect: 100-continue\r\n", b"\xff\xfe", b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"GET /%ff%00 HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"Connection: close\r\n", b"HEAD /docs HTTP/1.0\r\n\r\n",
])  # fmt: skip


@given(st.lists(FRAGMENTS | st.binary(max_size=40), max_size=8))
def test_any_bytes_get_whole_answers_or_none(pieces: list[bytes]) -> None:
    line = Line().feed(*pieces)
    shown = bytes(line.wire.written).replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    if b"HEAD " not in b"".join(pieces):
        assert all(200 <= status < 600 for status, _ in answers(shown))
    line.connection.connection_lost(None)
    assert line.app.metrics.in_flight == 0
    assert not line.shared.open


@given(st.lists(st.integers(1, 200), max_size=30))
def test_the_pieces_in_which_requests_arrive_change_no_byte_of_the_answers(cuts: list[int]) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = json.dumps(ROW).encode()
    chunks = head + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    whole = http(body) + chunks + http(b"{") + http(b"", path="/ping", method="GET") + http(body, extra="Connection: close\r\n")
    pieces, rest = [], whole
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    once = Line().feed(whole)
    assert once.statuses == [200, 200, 400, 200, 200]
    assert once.wire.closed
    assert bytes(Line().feed(*filter(None, [*pieces, rest])).wire.written) == bytes(once.wire.written)


def test_a_header_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    line = Line().feed(b"GET /ping HTTP/1.1\r\nX: ", *[b"a" * 4096] * 20)
    assert line.statuses == [431]


def test_a_body_in_tiny_chunks_takes_no_more_memory_than_its_bytes() -> None:
    line = Line().feed(b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n" * 100] * 50)
    assert isinstance(line.connection._body, bytearray)
    assert len(line.connection._body) == 5000


def test_a_trailer_decides_nothing() -> None:
    body = json.dumps(ROW).encode()
    head = b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + f"{len(body):x}\r\n".encode()
    assert Line().feed(head + body + b"\r\n0\r\nContent-Type: image/png\r\n\r\n").statuses == [200]


@pytest.mark.parametrize(
    "start", [b"", b"G", http(json.dumps(ROW).encode())[:-3], b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n"]
)
def test_a_request_that_is_not_whole_in_time_is_408_however_slowly_it_drips(start: bytes) -> None:
    line = Line().feed(start) if start else Line()
    line.connection.overdue(line.connection.last_heard + REQUEST_SECONDS + 1, silence=1000)
    assert line.statuses == ([408] if start else [])
    assert line.wire.closed is bool(start)


def test_a_silent_connection_is_closed_and_a_client_that_never_reads_is_cut_off() -> None:
    line = Line().feed(http(b"", path="/ping", method="GET"))
    line.connection.overdue(line.connection.last_heard + 10, silence=75)
    assert not line.wire.closed
    line.connection.overdue(line.connection.last_heard + 76, silence=75)
    assert line.wire.closed
    stuck = Line().feed(http(b"", path="/docs", method="GET"))
    stuck.connection.pause_writing()
    assert stuck.wire.paused
    stuck.connection.overdue(stuck.connection.last_heard + 76, silence=75)
    assert stuck.wire.aborted


def test_a_connection_beyond_the_most_is_503_and_the_others_live() -> None:
    line, late = Line(most=1), Wire()
    line.another(late)
    assert [status for status, _ in answers(bytes(late.written))] == [503]
    assert late.closed
    assert line.feed(http(b"", path="/ping", method="GET")).statuses == [200]
