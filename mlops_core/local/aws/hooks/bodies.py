"""Object bodies that stay in files: uploads are spooled to disk, downloads are sent from it, neither passes through memory.

A `FileBody` stands in for the ``bytes`` that MiniStack passes around; the few places that look inside bytes are wrapped to ask the file.
`uploads` reads requests into such bodies.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import hashlib
import os
import shutil
import struct
import tempfile
import types
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.hooks import uploads
from mlops_core.local.aws.hooks.names import private

_CHUNK = 1 << 20
_IN_FILE_BYTES = 1 << 20
_SHARED_ARCHIVES = 8
_completing: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("mlops_completing", default=None)


class FileBody(bytes):
    """``size`` bytes of a file from ``offset``; empty for C code that reads its buffer, so every reader is wrapped.

    An ``owned`` body's file is ours to move into the store and vanishes with the body; any other belongs to the store.  The file is held
    open, so a body stays what it was while the object is overwritten.
    """

    path: Path
    offset: int
    size: int
    owned: bool
    known: dict[str, bytes]
    _descriptor: int
    _root: FileBody | None

    def __new__(cls, path: Path, *, owned: bool = False, known: dict[str, bytes] | None = None) -> FileBody:
        """The whole of a file; ``known`` digests (``md5``, ``crc32``, ``sha256``) save reading it again."""
        made = super().__new__(cls, b"")
        made._descriptor, made._root = os.open(path, os.O_RDONLY), None
        made.path, made.offset, made.owned, made.known = path, 0, owned, known or {}
        made.size = os.fstat(made._descriptor).st_size
        return made

    @classmethod
    def copy_of(cls, source: Path, folder: Path) -> FileBody:
        """An owned copy of a file, made on the store's own disk."""
        folder.mkdir(parents=True, exist_ok=True)
        handle, staging = tempfile.mkstemp(dir=folder)
        with source.open("rb") as data, os.fdopen(handle, "wb") as out:
            shutil.copyfileobj(data, out, _CHUNK)
        return cls(Path(staging), owned=True)

    def __del__(self) -> None:
        """Close the file; an owned one that nobody moved is removed."""
        if getattr(self, "_root", self) is None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            if self.owned:
                self.path.unlink(missing_ok=True)

    def __len__(self) -> int:
        """The body's size in bytes."""
        return self.size

    def __bool__(self) -> bool:
        """Whether the body has any bytes."""
        return self.size > 0

    def __getitem__(self, part: Any) -> Any:
        """A narrower view of the same file."""
        start, stop, _ = part.indices(self.size)
        made = bytes.__new__(FileBody, b"")
        made._descriptor, made._root = self._descriptor, self._root or self
        made.path, made.offset, made.owned, made.known = self.path, self.offset + start, False, {}
        made.size = max(0, stop - start)
        return made

    def pieces(self) -> Iterator[bytes]:
        """The bytes, a megabyte at a time."""
        position, end = self.offset, self.offset + self.size
        while position < end:
            piece = os.pread(self._descriptor, min(_CHUNK, end - position), position)
            if not piece:
                raise OSError(f"{self.path} ended {end - position} bytes early")
            position += len(piece)
            yield piece

    def read(self) -> bytes:
        """All bytes in memory; for callers that cannot take a file."""
        return b"".join(self.pieces())

    def digest(self, name: str) -> bytes:
        """MD5, SHA-1, SHA-256 or CRC-32 (big endian) of the bytes."""
        if name not in self.known:
            if name == "crc32":
                value = 0
                for piece in self.pieces():
                    value = zlib.crc32(piece, value)
                self.known[name] = struct.pack(">I", value)
            else:
                hasher = hashlib.new(name, usedforsecurity=False)
                for piece in self.pieces():
                    hasher.update(piece)
                self.known[name] = hasher.digest()
        return self.known[name]

    def store(self, target: Path) -> None:
        """Put the bytes at a path of the store: moved when owned, linked when whole and unchanged, copied otherwise."""
        if self.owned:
            self.owned = False
            self.path = self.path.replace(target)
            return
        staging = target.with_name(f"{target.name}.tmp")
        staging.unlink(missing_ok=True)
        if self._whole():
            staging.hardlink_to(self.path)
        else:
            with staging.open("wb") as out:
                out.writelines(self.pieces())
        staging.replace(target)

    def _whole(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            there, open_one = self.path.stat(), os.fstat(self._descriptor)
            return (there.st_ino, there.st_dev) == (open_one.st_ino, open_one.st_dev) and (self.offset, self.size) == (0, there.st_size)
        return False


def install(config: AwsConfig) -> None:
    """Keep the bodies of objects and of parts of uploads in files."""
    spool = config.state / "spool"
    shutil.rmtree(spool, ignore_errors=True)
    spool.mkdir(parents=True)
    s3 = private("services.s3")
    uploads.install(spool, lambda path, known: FileBody(path, owned=True, known=known))
    _wrap_digests(s3)
    _wrap_files(s3)
    _wrap_versions(s3)
    _wrap_parts(s3, spool)
    _wrap_answers(private("app"))


def _wrap_digests(s3: Any) -> None:
    """Everything that hashes a body asks the file."""
    md5_hash, checksum = s3.md5_hash, s3._compute_s3_checksum

    def digest_of(body: bytes) -> str:
        return body.digest("md5").hex() if isinstance(body, FileBody) else str(md5_hash(body))

    def checksum_of(algorithm: str, body: bytes) -> Any:
        name = (algorithm or "").lower().replace("_", "")
        if isinstance(body, FileBody):
            return base64.b64encode(body.digest(name)).decode() if name in ("sha256", "sha1", "crc32") else checksum(algorithm, body.read())
        return checksum(algorithm, body)

    def md5(body: bytes = b"", **named: Any) -> Any:
        if isinstance(body, FileBody):
            return types.SimpleNamespace(digest=lambda: body.digest("md5"), hexdigest=lambda: body.digest("md5").hex())
        return hashlib.md5(body, **named)  # noqa: S324 - an ETag, not a secret

    s3.md5_hash, s3._compute_s3_checksum = digest_of, checksum_of
    s3.hashlib = types.SimpleNamespace(md5=md5, sha1=hashlib.sha1, sha256=hashlib.sha256, new=hashlib.new)


def _wrap_files(s3: Any) -> None:
    """Bodies are read as views of the store's files and written by moving or linking files."""
    write, read = s3._atomic_write, s3._read_body

    def atomic_write(path: str, body: Any, *, text: bool = False) -> None:
        if isinstance(body, FileBody):
            body.store(Path(path))
        else:
            write(path, body, text=text)

    def read_body(bucket: str, key: str, record: dict[str, Any]) -> bytes:
        path = s3._object_disk_path(bucket, key) if record.get("body") is None else None
        if path is None or record.get("size", 0) < _IN_FILE_BYTES or not Path(path).is_file():
            return bytes(read(bucket, key, record)) if not isinstance(record.get("body"), FileBody) else record["body"]
        return FileBody(Path(path))

    s3._atomic_write, s3._read_body = atomic_write, read_body


def _wrap_versions(s3: Any) -> None:
    """Versions keep no bytes in memory; only a Lambda archive is read whole."""
    version, entry, data = s3._version_body, s3._version_entry_from_record, s3._get_object_data
    shared: dict[bytes, bytes] = {}

    def version_body(bucket: dict[str, Any], name: str, key: str, one: dict[str, Any]) -> bytes | None:
        path = s3._version_disk_path(name, key, one["version_id"])
        if path is not None and one.get("size", 0) >= _IN_FILE_BYTES and Path(path).is_file():
            return FileBody(Path(path))
        found: bytes | None = version(bucket, name, key, one)
        return found

    def version_entry(record: dict[str, Any], version_id: str, _body: Any) -> Any:
        return entry(record, version_id, None)

    def object_data(*args: Any, **named: Any) -> Any:
        """Real bytes, for Lambda archives; a dozen functions of one archive share them."""
        found = data(*args, **named)
        if not isinstance(found, FileBody):
            return found
        key = found.digest("sha256")
        if key not in shared:
            while len(shared) >= _SHARED_ARCHIVES:
                shared.pop(next(iter(shared)))
            shared[key] = found.read()
        return shared[key]

    s3._version_body, s3._version_entry_from_record, s3._get_object_data = version_body, version_entry, object_data


def _wrap_parts(s3: Any, spool: Path) -> None:
    """Parts of an upload wait in files and are joined in files."""
    upload_part, complete, record_version = s3._upload_part, s3._complete_multipart_upload, s3._record_object_version

    def store_part(bucket: str, key: str, body: bytes, query: Any, headers: Any) -> Any:
        if not isinstance(body, FileBody):
            handle, staging = tempfile.mkstemp(dir=spool)
            with os.fdopen(handle, "wb") as out:
                out.write(body)
            body = FileBody(Path(staging), owned=True)
        return upload_part(bucket, key, body, query, headers)

    def complete_upload(bucket: str, key: str, body: bytes, query: Any, headers: Any = None) -> Any:
        upload = s3._multipart_uploads.get((query.get("uploadId") or [""])[0])
        reset = _completing.set(upload)
        try:
            return complete(bucket, key, body, query, headers)
        finally:
            _completing.reset(reset)

    def record(bucket: str, key: str, prior: Any, made: dict[str, Any], body: Any) -> Any:
        upload = _completing.get()
        if upload is not None:  # the joined bytes that MiniStack made of our parts are empty: the files are joined here
            body = made["body"] = _join([upload["parts"][one["PartNumber"]]["body"] for one in made["parts"]], spool)
            made["size"] = len(body)
        return record_version(bucket, key, prior, made, body)

    s3._upload_part, s3._complete_multipart_upload, s3._record_object_version = store_part, complete_upload, record


def _join(parts: list[Any], spool: Path) -> FileBody:
    """One file of all parts; each part's file is given up as soon as it is copied, so the disk holds the data about once."""
    handle, staging = tempfile.mkstemp(dir=spool)
    with os.fdopen(handle, "wb") as out:
        for part in parts:
            out.writelines(part.pieces() if isinstance(part, FileBody) else [part])
            if isinstance(part, FileBody) and part.owned:
                part.owned = False
                part.path.unlink(missing_ok=True)
    return FileBody(Path(staging), owned=True)


def _wrap_answers(app: Any) -> None:
    """Bodies in files are sent in pieces; joining and hashing big ones happens beside the event loop."""
    handle, streaming = app.SERVICE_HANDLERS["s3"], private("core.responses").StreamingResponse

    async def answered(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        if isinstance(body, FileBody) or (method == "POST" and "uploadId" in query):
            status, told, found = await asyncio.to_thread(lambda: asyncio.run(handle(method, path, headers, body, query)))
        else:
            status, told, found = await handle(method, path, headers, body, query)
        if not isinstance(found, FileBody):
            return status, told, found
        told["Content-Length"] = str(len(found))
        return status, told, streaming(_sender(found))

    app.SERVICE_HANDLERS["s3"] = answered


def _sender(body: FileBody) -> Any:
    async def send_pieces(send: Any, _receive: Any) -> None:
        for piece in body.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_pieces
