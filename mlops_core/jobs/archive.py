"""Tar archives of models: read with suspicion, written so that equal content gives equal bytes.

    files = read_archive(path, ["model.onnx"], optional=["training.json"])      # {'model.onnx': b'…'}
    archive = write_archive({"manifest.json": b"…"})       # gzip, sorted, times 0, owners 0, mode 644

Only plain files of known names and bounded size are read; a link, a device, a path with ``..``, an unknown name or more than 100 times
the packed bytes refuses the whole archive (`mlops_core.unpacking`).
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops_core.errors import Refused
from mlops_core.unpacking import ArchiveError, Names, opened, plain_members

TRAINING_MEMBERS = {
    "model.onnx": 2_000_000_000,
    "spec.json": 64_000_000,
    "training.json": 4_000_000,
    r"native/[a-z0-9_]{1,40}\.(?:json|ubj)": 2_000_000_000,
}
OUTPUT_MEMBERS = {"predictions.parquet": 8_000_000_000}
MODEL_MEMBERS = TRAINING_MEMBERS | {"manifest.json": 4_000_000, "smoke.json": 4_000_000}


def read_archive(
    path: Path, required: Sequence[str], *, optional: Sequence[str] = (), members: Mapping[str, int] = TRAINING_MEMBERS
) -> dict[str, bytes]:
    """The bytes of the required members, and of the optional ones (name patterns) where there; `Refused` (E-PACK-002) names what is wrong.

    ``members`` maps every name pattern (regular expression, whole name) that the archive may hold to its greatest size in bytes.
    """
    files: dict[str, bytes] = {}
    allowed = _allowed(members)
    try:
        with path.open("rb") as stream, opened(stream, packed=path.stat().st_size) as archive:
            for name, member in plain_members(archive, allowed):
                if name in required or any(re.fullmatch(pattern, name) for pattern in optional):
                    content = archive.extractfile(member)
                    files[name] = content.read() if content else b""
    except OSError as error:
        raise _refused(path, "it is absent, damaged or no gzip tar archive") from error
    except ArchiveError as error:
        raise _refused(path, str(error)) from error
    absent = [name for name in required if name not in files]
    if absent:
        raise _refused(path, f"it lacks {absent[0]}")
    return files


def _allowed(members: Mapping[str, int]) -> Names:
    def reason(name: str, size: int) -> str:
        limit = next((most for pattern, most in members.items() if re.fullmatch(pattern, name)), None)
        if limit is None:
            return f"it holds {name[:80]!r}, which has no place in it"
        return f"{name!r} has {size:,} bytes, more than {limit:,}" if size > limit else ""

    return reason


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


def _refused(path: Path, reason: str) -> Refused:
    return Refused(f"the archive {path.name} is refused: {reason}.", remedy="Use the archive that the job wrote.", code="E-PACK-002")
