"""Tar archives of models: read with suspicion, written so that equal content gives equal bytes.

    files = read_archive(path, ["model.onnx"], optional=["training.json"])      # {'model.onnx': b'…'}
    archive = write_archive({"manifest.json": b"…"})       # gzip, sorted, times 0, owners 0, mode 644

Only plain files of known names and bounded size are read; a link, a device, a path with ``..`` or an unknown name refuses the whole
archive.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlops_core.errors import Refused

TRAINING_MEMBERS = {
    "model.onnx": 2_000_000_000,
    "spec.json": 64_000_000,
    "training.json": 4_000_000,
    r"native/[a-z0-9_]{1,40}\.(?:json|ubj)": 2_000_000_000,
}
OUTPUT_MEMBERS = {"predictions.parquet": 8_000_000_000}
MODEL_MEMBERS = TRAINING_MEMBERS | {"manifest.json": 4_000_000, "smoke.json": 4_000_000}
MEMBER_LIMIT = 100


def read_archive(
    path: Path, required: Sequence[str], *, optional: Sequence[str] = (), members: Mapping[str, int] = TRAINING_MEMBERS
) -> dict[str, bytes]:
    """The bytes of the required members, and of the optional ones (name patterns) where there; `Refused` (E-PACK-002) names what is wrong.

    ``members`` maps every name pattern (regular expression, whole name) that the archive may hold to its greatest size in bytes.
    """
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for name, member in _members(path, archive, members):
                if name in required or any(re.fullmatch(pattern, name) for pattern in optional):
                    opened = archive.extractfile(member)
                    files[name] = opened.read() if opened else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _refused(path, "it is absent, damaged or no gzip tar archive") from error
    absent = [name for name in required if name not in files]
    if absent:
        raise _refused(path, f"it lacks {absent[0]}")
    return files


def _members(path: Path, archive: tarfile.TarFile, members: Mapping[str, int]) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Every plain file of the archive with its name, each checked before it is handed out."""
    seen: set[str] = set()
    for count, member in enumerate(archive, start=1):
        name = member.name.removeprefix("./")
        if count > MEMBER_LIMIT:
            raise _refused(path, f"it holds more than {MEMBER_LIMIT} members")
        if member.isdir() and name in {"", ".", "native"}:
            continue
        _check(path, member, name, allowed=members)
        if name in seen:
            raise _refused(path, f"{name!r} is there twice")
        seen.add(name)
        yield name, member


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """A gzip tar archive that depends on names and contents alone."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=3, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(files[name]), 0o644
            archive.addfile(member, io.BytesIO(files[name]))
    return packed.getvalue()


def _check(path: Path, member: tarfile.TarInfo, name: str, *, allowed: Mapping[str, int]) -> None:
    limit = next((size for pattern, size in allowed.items() if re.fullmatch(pattern, name)), None)
    if limit is None or ".." in name or name.startswith("/"):
        raise _refused(path, f"it holds {name[:80]!r}, which has no place in it")
    if not member.isreg():
        raise _refused(path, f"{name!r} is not a plain file")
    if member.size > limit:
        raise _refused(path, f"{name!r} has {member.size:,} bytes, more than {limit:,}")


def _refused(path: Path, reason: str) -> Refused:
    return Refused(f"the archive {path.name} is refused: {reason}.", remedy="Use the archive that the job wrote.", code="E-PACK-002")
