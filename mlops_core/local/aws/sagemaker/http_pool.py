"""A small HTTP/1.1 client with kept connections: the way from InvokeEndpoint to a serving process.

    answer = await pool.post("/invocations", {"Content-Type": "text/csv"}, b"1,2", timeout_s=60)

Connections belong to the event loop that opened them; a connection that the program closed while idle is replaced once.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping
from dataclasses import dataclass

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
READ_LIMIT = 65_536
IDLE_LIMIT = 256


@dataclass(frozen=True)
class HttpAnswer:
    """Status, headers with lower-case names, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Pool:
    """Connections to one port."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._idle: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[Connection]] = weakref.WeakKeyDictionary()

    async def post(self, path: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float) -> HttpAnswer:
        """One request; OSError or EOFError when the program does not answer, TimeoutError after the limit."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        raw = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode("latin-1", "replace") + body
        async with asyncio.timeout(timeout_s):
            idle = self._idle.setdefault(asyncio.get_running_loop(), [])
            while idle:
                connection = idle.pop()
                try:
                    return await self._exchange(connection, raw, idle)
                except (ConnectionError, asyncio.IncompleteReadError) as error:
                    if isinstance(error, asyncio.IncompleteReadError) and error.partial:
                        raise
            return await self._exchange(await asyncio.open_connection(self._host, self._port, limit=READ_LIMIT), raw, idle)

    def close(self) -> None:
        """Close the idle connections, each in the loop it belongs to; may be called from any thread."""
        for loop, idle in list(self._idle.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(_close_all, idle)

    async def _exchange(self, connection: Connection, raw: bytes, idle: list[Connection]) -> HttpAnswer:
        reader, writer = connection
        reusable = False
        try:
            writer.write(raw)
            answer = await _read_answer(reader)
            reusable = answer.headers.get("connection", "").lower() != "close" and len(idle) < IDLE_LIMIT
            return answer
        finally:
            if reusable:
                idle.append(connection)
            else:
                writer.close()


def _close_all(idle: list[Connection]) -> None:
    while idle:
        idle.pop()[1].close()


async def _read_answer(reader: asyncio.StreamReader) -> HttpAnswer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers = {}
    for line in head[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return HttpAnswer(status, headers, await _read_chunks(reader))
    if "content-length" in headers:
        length = int(headers["content-length"])
        return HttpAnswer(status, headers, await reader.readexactly(length) if length else b"")
    if status in (204, 304):
        return HttpAnswer(status, headers, b"")
    return HttpAnswer(status, {**headers, "connection": "close"}, await reader.read())


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        continue
    return b"".join(parts)
