"""The prepared files pinned by their bytes: what the data job wrote is what training and evaluation read.

files = pins(out)                       # {"features/train.parquet": "9f2c…", …}, kept in profile.json
hold(prepared)                          # JobFailed (E-DATA-CHANGED) names the first file here with other bytes
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mlops_core.contracts.dataset import DataProfile
from mlops_core.errors import JobFailed
from mlops_core.jobs.contract import read_message


def pins(folder: Path) -> dict[str, str]:
    """SHA-256 of the specification and of every Parquet file below a prepared folder, by its path."""
    files = sorted([*folder.rglob("*.parquet"), folder / "spec.json"])
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in files}


def hold(folder: Path, names: Sequence[str] = ()) -> None:
    """Compare the files that a job is about to read (all that are there, unless named) with the profile; nothing without a profile."""
    if not (folder / "profile.json").is_file():
        return
    for name, known in read_message(folder / "profile.json", DataProfile).files.items():
        if (not names or name in names) and (folder / name).is_file() and _sha256(folder / name) != known:
            raise JobFailed(
                f"the prepared file {name} was changed after it was checked: it is not the one that the data job wrote.",
                remedy="Give the data set a new file with `mlops data add FILE` and label the issue again; leave prepared folders alone.",
                code="E-DATA-CHANGED",
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
