"""Tar archives in gzip that somebody else wrote, read within limits: one member after the other, nothing extracted to a disk.

    with path.open("rb") as stream, opened(stream, packed=path.stat().st_size) as archive:
        for name, member in plain_members(archive, allowed):
            content = archive.extractfile(member).read()

What an archive says of itself is not believed: the unpacked bytes are counted as they come, so a bomb ends at the limit wherever it hides
(in a member, in a padded header, in a sparse file), and names and kinds are checked before a byte of a member is read.
"""

from __future__ import annotations

import contextlib
import gzip
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, Protocol

MEMBER_LIMIT = 100
MOST_RATIO = 100
"""Unpacked bytes for each packed one.  Trees and tables of models pack to a third or a twentieth; DEFLATE's own end is about 1,030."""
FREE_BYTES = 64 << 20
"""Unpacked bytes that are allowed whatever the ratio."""
_PIECE = 1 << 20


class _Counted:
    """A stream that refuses to give more than so many bytes."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        """At most one piece at a time, so that one wish for gigabytes is not granted either."""
        piece = self._stream.read(min(size if size >= 0 else _PIECE, _PIECE))
        self._left -= len(piece)
        if self._left < 0:
            raise ArchiveError(f"it unpacks to more than {self._limit:,} bytes, {MOST_RATIO} times its size")
        return piece


class ArchiveError(Exception):
    """The archive is damaged, or holds what or more than it may; the message is a reason in words."""


class Names(Protocol):
    """What may be in an archive."""

    def __call__(self, name: str, size: int) -> str:
        """Why a plain file of this name and size has no place; empty when it has."""


@contextlib.contextmanager
def opened(stream: IO[bytes], *, packed: int) -> Iterator[tarfile.TarFile]:
    """The archive as a stream; damage raises `ArchiveError` too."""
    try:
        with (
            gzip.GzipFile(fileobj=stream, mode="rb") as raw,
            tarfile.open(fileobj=_Counted(raw, max(FREE_BYTES, MOST_RATIO * packed)), mode="r|", bufsize=65_536) as archive,  # type: ignore[call-overload]
        ):
            yield archive
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise ArchiveError("it is absent, damaged or no gzip tar archive") from error


def plain_members(archive: tarfile.TarFile, allowed: Names) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Every plain file with its name, checked before it is handed out; `ArchiveError` says what has no place."""
    seen: set[str] = set()
    for count, member in enumerate(archive, start=1):
        name = member.name.removeprefix("./")
        if count > MEMBER_LIMIT:
            raise ArchiveError(f"it holds more than {MEMBER_LIMIT} members")
        if member.isdir() and name in {"", ".", "native"}:
            continue
        if ".." in name or name.startswith("/"):
            raise ArchiveError(f"it holds {name[:80]!r}, which has no place in it")
        if reason := allowed(name, member.size):
            raise ArchiveError(reason)
        if not member.isreg() or member.issparse():
            raise ArchiveError(f"{name!r} is not a plain file")
        if name in seen:
            raise ArchiveError(f"{name!r} is there twice")
        seen.add(name)
        yield name, member
