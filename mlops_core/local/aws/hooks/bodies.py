"""Object bodies that stay in files: uploads are spooled to disk, downloads are sent from it, neither passes through memory.

A `FileBody` stands in for the ``bytes`` that MiniStack passes around; the few places that look inside bytes are wrapped to ask the file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


class FileBody(bytes):
    """``size`` bytes of a file from ``offset``; empty for C code that reads its buffer, so every reader is wrapped.

    An ``owned`` body's file is ours to move into the store; any other belongs to the store and is only read or linked.
    """

    path: Path
    offset: int
    size: int
    owned: bool

    def __new__(cls, path: Path, *, offset: int = 0, size: int | None = None, owned: bool = False) -> FileBody:
        """A view of a file."""
        made = super().__new__(cls, b"")
        made.path, made.offset, made.owned = path, offset, owned
        made.size = path.stat().st_size - offset if size is None else size
        return made

    @classmethod
    def copy_of(cls, source: Path, folder: Path) -> FileBody:
        """An owned copy of a file, made on the store's own disk."""
        folder.mkdir(parents=True, exist_ok=True)
        handle, staging = tempfile.mkstemp(dir=folder, prefix=".spool-")
        with source.open("rb") as data, os.fdopen(handle, "wb") as out:
            shutil.copyfileobj(data, out, _CHUNK)
        return cls(Path(staging), owned=True)

    def __len__(self) -> int:
        """The body's size in bytes."""
        return self.size

    def __bool__(self) -> bool:
        """Whether the body has any bytes."""
        return self.size > 0

    def __getitem__(self, part: Any) -> Any:
        """A narrower view of the same file."""
        if not isinstance(part, slice):
            raise TypeError("a body in a file is read by slices")
        start, stop, _ = part.indices(self.size)
        return FileBody(self.path, offset=self.offset + start, size=max(0, stop - start))


def install(_config: Any) -> None:
    """Nothing yet."""
