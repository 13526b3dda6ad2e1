"""Reading a model archive that somebody else packed: known members only, into memory, nothing is unpacked to disk.

    files = read_archive(path, ("model.onnx", "spec.json"))      # {"model.onnx": b"…", "spec.json": b"…"}

Refused before a byte is used: links and devices, absolute or climbing names, a name twice, more than 64 members, more than 2 GiB in
all, a member that grows more than 200 times.  Members that nobody asked for are counted and passed over.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from mlops_core.errors import InvalidRequest

MOST_MEMBERS = 64
MOST_BYTES = 2 * 1024**3
GREATEST_RATIO = 200


def read_archive(path: Path, wanted: Sequence[str], *, optional: Sequence[str] = ()) -> dict[str, bytes]:
    """The wanted members' bytes; `InvalidRequest` (E-JOB-010 … 012) names what is missing or not allowed."""
    if not path.is_file():
        raise InvalidRequest(f"the job needs {path.name} and it is not there.", code="E-JOB-010")
    limit = min(MOST_BYTES, max(1024**2, path.stat().st_size * GREATEST_RATIO))
    try:
        with tarfile.open(path, "r:*") as tar:
            found = _read(tar, {*wanted, *optional}, limit)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise InvalidRequest(f"{path.name} is no readable tar archive: {error}.", code="E-JOB-011") from error
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise InvalidRequest(f"{path.name} lacks {', '.join(missing)}.", remedy="Run the training again.", code="E-JOB-012")
    return found


def _read(tar: tarfile.TarFile, names: set[str], limit: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for member, name in _checked(tar, limit):
        if name in names:
            file = tar.extractfile(member)
            found[name] = file.read() if file else b""
    return found


def _checked(tar: tarfile.TarFile, limit: int) -> Iterable[tuple[tarfile.TarInfo, str]]:
    seen: set[str] = set()
    total = 0
    for member in tar:
        name = str(PurePosixPath(member.name))
        total += member.size
        if member.isdir():
            continue
        problem = _problem(member, name, seen, total, limit)
        if problem:
            raise InvalidRequest(f"the archive's member {name[:80]!r} {problem}.", remedy="Do not pack archives by hand.", code="E-JOB-012")
        seen.add(name)
        yield member, name


def _problem(member: tarfile.TarInfo, name: str, seen: set[str], total: int, limit: int) -> str:
    if not member.isreg():
        return "is no regular file"
    if name.startswith("/") or ".." in PurePosixPath(name).parts:
        return "points outside the archive"
    if name in seen:
        return "is there twice"
    if len(seen) >= MOST_MEMBERS:
        return f"is one of more than {MOST_MEMBERS}"
    if total > limit:
        return f"takes the archive over {limit:,} bytes"
    return ""
