"""What the bytes of a file are, found in one pass over all of them before anything is parsed.

    found = examine(Path("train.csv.gz"), scratch)
    found.digest                  # SHA-256 of the file as stored, hex
    found.encoding, found.nul     # 'utf-8' | 'utf-8-sig' | 'utf-16-le' | 'utf-16-be' | 'cp1252'; how many NUL characters
    found.plain                   # the file to read: the file itself, or its unpacked copy in ``scratch``

UTF-16 is told by its byte order mark.  Bytes that are not UTF-8 are cp1252 when none of them is undefined there and the file holds no
UTF-8 sequence either; anything else is no text of one encoding and is refused with the offset of the first wrong byte (E-DATA-006).
Memory: a few chunks of 4 MiB, whatever the size of the file.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from mlops_core.errors import InvalidRequest

Encoding = Literal["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"]
CHUNK = 4 << 20
UNPACKED_RATIO = 200
UNPACKED_FREE = 1 << 30
NUL_SHARE = 0.1
LONG_LINE = 2 * CHUNK
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_MULTIBYTE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_EDGES = b',;|"\r\n'
_BESIDE = dict.fromkeys(b" \x0b\x0c\xa0\xc2", _EDGES + b"\t") | {ord("\t"): _EDGES}
"""Per blank the bytes that it may not stand beside; a tab is a separator too."""
_MARKS: dict[bytes, Encoding] = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


@dataclass(frozen=True)
class Examined:
    """One file's bytes: its digest as stored, and how to read them as text.

    ``padded`` false is a promise: no blank stands beside a separator, a quote or a line end, so no value has blanks around it.
    ``long_lines`` tells of a line over 8 MiB or so: the engine drops one over its limit without a word when it is the last.
    """

    digest: str
    plain: Path
    size: int
    encoding: Encoding = "utf-8"
    nul: int = 0
    start: bytes = b""
    padded: bool = True
    long_lines: bool = False

    @property
    def parquet(self) -> bool:
        """Whether the file is a Parquet file."""
        return self.start == b"PAR1"


def examine(path: Path, scratch: Path) -> Examined:
    """The facts of a file; `InvalidRequest` E-DATA-001 (empty), 002 (an archive or a workbook), 006 (no text, damaged gzip, gzip bomb)."""
    # The hasher ends here and not in a generator: one that an error leaves behind is closed by whichever thread collects garbage.
    with path.open("rb") as file, ThreadPoolExecutor(max_workers=1) as hasher:
        start = file.read(4)
        file.seek(0)
        if not start:
            raise InvalidRequest(
                f"the file {path.name} is empty.", remedy="Upload a CSV with a header line, or a Parquet file.", code="E-DATA-001"
            )
        if start[:2] == b"PK":
            raise InvalidRequest(
                f"the file {path.name} is neither CSV nor Parquet.",
                remedy="Save it as CSV (plain or .gz, UTF-8) or as Parquet.",
                code="E-DATA-002",
            )
        stored = hashlib.sha256()
        chunks = _hashed(file, stored, hasher)
        if start == b"PAR1":
            size = sum(len(chunk) for chunk in chunks)
            return Examined(stored.hexdigest(), path, size, start=start)
        plain = path
        if start[:2] == b"\x1f\x8b":
            plain = scratch / f"unpacked-{path.parent.name}.csv"
            chunks = _unpacked(chunks, path, plain)
        reader = _Reader(path)
        for chunk in chunks:
            reader.feed(chunk)
        encoding = reader.end()
        return Examined(stored.hexdigest(), plain, reader.offset, encoding, reader.nul_characters, start, reader.padded, reader.long_lines)


def _hashed(file: BinaryIO, digest: hashlib._Hash, hasher: ThreadPoolExecutor) -> Iterator[bytes]:
    """The file's chunks; each is hashed by the hasher's thread while the caller looks at it, the last one when the chunks are through."""
    pending: Future[None] | None = None
    while chunk := file.read(CHUNK):
        if pending is not None:
            pending.result()
        pending = hasher.submit(digest.update, chunk)
        yield chunk
    if pending is not None:
        pending.result()


def _unpacked(chunks: Iterator[bytes], path: Path, plain: Path) -> Iterator[bytes]:
    """The gzip stream's content, written to ``plain`` on its way; several members follow each other, as `gzip` allows."""
    packed, written, whole = 0, 0, False
    unpacker = zlib.decompressobj(wbits=31)
    with plain.open("wb") as out:
        for chunk in chunks:
            packed += len(chunk)
            rest = chunk
            while rest:
                try:
                    content = unpacker.decompress(rest, CHUNK)
                except zlib.error as error:
                    raise _damaged(path, packed) from error
                rest, whole = unpacker.unconsumed_tail, unpacker.eof
                if whole:
                    rest = unpacker.unused_data.lstrip(b"\0")
                    unpacker = zlib.decompressobj(wbits=31)
                written += len(content)
                if written > UNPACKED_FREE + UNPACKED_RATIO * packed:
                    raise _bomb(path)
                out.write(content)
                yield content
    if not whole:
        raise _damaged(path, packed)


def _bomb(path: Path) -> InvalidRequest:
    return InvalidRequest(
        f"{path.name} unpacks to more than {UNPACKED_RATIO} times its size.",
        remedy="Upload the CSV unpacked, or as Parquet.",
        code="E-DATA-006",
    )


def _damaged(path: Path, offset: int) -> InvalidRequest:
    return InvalidRequest(
        f"{path.name} is a damaged gzip file (near byte {offset:,}).", remedy="Pack the file again and upload it.", code="E-DATA-006"
    )


class _Reader:
    """Follows the encoding through the chunks; ``offset`` counts the bytes seen."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._multibyte = False
        self._wrong: int | None = None
        self._mark: Encoding | None = None
        self._nul = 0
        self._last = b"\n"
        self._without_end = 0
        self.padded = False
        self.long_lines = False
        self.offset = 0

    @property
    def nul_characters(self) -> int:
        """NUL bytes, or U+0000 characters of UTF-16."""
        return self._nul

    def feed(self, chunk: bytes) -> None:
        """Look at the next chunk."""
        if not self.offset:
            self._mark = next((name for mark, name in _MARKS.items() if chunk.startswith(mark)), None)
        if self._mark in {"utf-16-le", "utf-16-be"}:
            self.offset += len(chunk)
            self.padded = True
            return
        self._without_end = 0 if b"\n" in chunk or b"\r" in chunk else self._without_end + len(chunk)
        self.long_lines = self.long_lines or self._without_end >= LONG_LINE
        self.padded = self.padded or _has_padding(self._last + chunk)
        self._last = chunk[-1:]
        self._nul += chunk.count(b"\0") if b"\0" in chunk else 0
        if self._wrong is not None:
            self._single_bytes(chunk)
        elif not chunk.isascii() or self._decoder.getstate()[0]:
            self._decode(chunk)
        self.offset += len(chunk)

    def end(self) -> Encoding:
        """The encoding of the whole; `InvalidRequest` when there is none, or when a tenth of the bytes are NUL."""
        if self._nul > NUL_SHARE * self.offset:
            raise self._refused("every second byte or so is NUL: binary content, or UTF-16 without its byte order mark", None)
        if self._mark in {"utf-16-le", "utf-16-be"}:
            return self._mark or "utf-8"
        pending = self._decoder.getstate()[0]
        if pending and self._wrong is None:
            self._wrong = self.offset - len(pending)
            self._single_bytes(pending)
        if self._wrong is None:
            return self._mark or "utf-8"
        if self._multibyte or self._mark:
            raise self._refused("UTF-8 and other bytes are mixed in one file", self._wrong)
        return "cp1252"

    def _decode(self, chunk: bytes) -> None:
        pending = self._decoder.getstate()[0]
        try:
            self._multibyte |= not self._decoder.decode(chunk).isascii() if self.offset else _beyond_mark(self._decoder.decode(chunk))
        except UnicodeDecodeError as error:
            self._wrong = self.offset - len(pending) + error.start
            self._single_bytes(pending + chunk)

    def _single_bytes(self, chunk: bytes) -> None:
        undefined = _UNDEFINED.search(chunk)
        if undefined:
            raise self._refused("the bytes are no text, neither UTF-8 nor cp1252", self._wrong)
        self._multibyte |= _MULTIBYTE.search(chunk) is not None

    def _refused(self, reason: str, offset: int | None) -> InvalidRequest:
        where = "" if offset is None else f" at byte {offset:,}"
        return InvalidRequest(
            f"{self._path.name} cannot be read{where}: {reason}.", remedy="Save the file as UTF-8 and upload it again.", code="E-DATA-006"
        )


def _has_padding(chunk: bytes) -> bool:
    """Whether a blank (the bytes of a no-break space included) stands beside a separator, a quote or a line end."""
    import numpy as np

    values = np.frombuffer(chunk, dtype=np.uint8)
    for blank, edges in _BESIDE.items():
        if blank not in chunk:
            continue
        edge = np.zeros(256, dtype=np.bool_)
        edge[list(edges)] = True
        places = np.flatnonzero(values == blank)
        if edge[values[places[places > 0] - 1]].any() or edge[values[places[places < len(values) - 1] + 1]].any():
            return True
    return False


def _beyond_mark(text: str) -> bool:
    """Whether decoded text holds a character outside ASCII, a byte order mark at its start apart."""
    return not text.removeprefix("\ufeff").isascii()
