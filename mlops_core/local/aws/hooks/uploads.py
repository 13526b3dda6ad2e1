"""Reads the body of a large upload into a file while it arrives, decoding ``aws-chunked`` framing on the way."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mlops_core.local.aws.hooks.names import private

_SPOOL_BYTES = 1 << 20
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}")
_MAX_FRAME_HEADER = 4096


class FramingError(Exception):
    """The body is not what its headers announced."""


class Frames:
    """Takes ``aws-chunked`` bytes as they come; gives the payload, and at the end the trailing headers."""

    def __init__(self) -> None:
        self.trailers: dict[str, str] = {}
        self._buffer = bytearray()
        self._left = 0
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Payload bytes that this piece completes."""
        self._buffer += data
        while not self._ended and self._buffer:
            if self._left > 2:
                taken = bytes(self._buffer[: self._left - 2])
                del self._buffer[: len(taken)]
                self._left -= len(taken)
                yield taken
            elif self._left:
                if len(self._buffer) < self._left:
                    return
                del self._buffer[: self._left]
                self._left = 0
            elif not self._next_frame():
                return

    def finish(self) -> None:
        """Read the trailers; `FramingError` when the last frame never came."""
        if not self._ended:
            raise FramingError("the terminating frame is missing")
        for line in bytes(self._buffer).split(b"\r\n"):
            name, colon, value = line.partition(b":")
            if colon:
                self.trailers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()

    def _next_frame(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_FRAME_HEADER:
                raise FramingError("a frame header is too long")
            return False
        size = bytes(self._buffer[:end]).split(b";")[0]
        if not re.fullmatch(rb"[0-9A-Fa-f]+", size):
            raise FramingError("a frame has no size")
        del self._buffer[: end + 2]
        length = int(size, 16)
        self._ended = length == 0
        self._left = length + 2 if length else 0
        return True


def install(spool: Path, body_of: Callable[[Path, dict[str, bytes]], bytes]) -> None:
    """Spool the bodies of signed S3 uploads of at least a megabyte."""
    app, evaluator = private("app"), private("core.iam_evaluator")
    read = app._read_request_body

    async def read_request_body(receive: Any, method: str, headers: dict[str, str]) -> bytes:
        if not _spooled(method, headers):
            body: bytes = await read(receive, method, headers)
            return body
        handle, staging = tempfile.mkstemp(dir=spool)
        try:
            with os.fdopen(handle, "wb") as out:
                known = await _receive(app, receive, headers, out)
        except BaseException:
            Path(staging).unlink(missing_ok=True)
            raise
        evaluator.pin_signed_body(b"")  # the signature covers the announced digest, which `_receive` compared with the bytes
        return body_of(Path(staging), known)

    app._read_request_body = read_request_body


def _spooled(method: str, headers: dict[str, str]) -> bool:
    length = headers.get("x-amz-decoded-content-length") or headers.get("content-length", "")
    digest = headers.get("x-amz-content-sha256", "")
    signed = "/s3/aws4_request" in headers.get("authorization", "")
    # Chunks that are signed one by one are rare over TLS and are left to MiniStack, which checks them in memory.
    return method == "PUT" and signed and length.isdigit() and int(length) >= _SPOOL_BYTES and not digest.startswith("STREAMING-AWS4-")


async def _receive(app: Any, receive: Any, headers: dict[str, str], out: Any) -> dict[str, bytes]:
    """Write the payload; its digests.  A body that is cut short or not what was signed raises MiniStack's own error."""
    chunked = headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or "aws-chunked" in headers.get("content-encoding", "")
    frames, announced = Frames(), headers.get("x-amz-content-sha256", "")
    md5, sha256, crc32, raw = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0, 0
    hashed = bool(_HEXADECIMAL.fullmatch(announced))
    try:
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise app._RequestBodyDisconnected
            data, more = message.get("body", b""), message.get("more_body", False)
            raw += len(data)
            for piece in frames.feed(data) if chunked else (data,):
                out.write(piece)
                md5.update(piece)
                crc32 = zlib.crc32(piece, crc32)
                if hashed:
                    sha256.update(piece)
        if chunked:
            frames.finish()
    except FramingError as error:
        raise app._IncompleteRequestBody(str(error)) from error
    _check(app, headers, raw, out.tell(), sha256.hexdigest() if hashed else announced)
    for name, value in frames.trailers.items():
        headers.setdefault(name, value)
    _drop_framing(headers)
    return {"md5": md5.digest(), "crc32": struct.pack(">I", crc32)}


def _check(app: Any, headers: dict[str, str], raw: int, written: int, digest: str) -> None:
    length, decoded = headers.get("content-length"), headers.get("x-amz-decoded-content-length")
    if (length is not None and str(raw) != length.strip()) or (decoded is not None and str(written) != decoded.strip()):
        raise app._IncompleteRequestBody("Content-Length does not match request body")
    if digest != headers.get("x-amz-content-sha256", ""):
        raise app._IncompleteRequestBody("The provided 'x-amz-content-sha256' header does not match what was computed")


def _drop_framing(headers: dict[str, str]) -> None:
    left = [part.strip() for part in headers.get("content-encoding", "").split(",") if part.strip() not in ("", "aws-chunked")]
    if left:
        headers["content-encoding"] = ", ".join(left)
    else:
        headers.pop("content-encoding", None)
