"""A copy of this clone's own files, as a caller's workflow would fetch them.

    export(project=Path("."), folder=state / "suite")      # -> the checkout for ``OWNER/mlops@REF``

Only files that git tracks or would track are copied, so the runner sees no environment, cache or secret of the developer.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from mlops_core.errors import EnvironmentBroken

_PARTS = (".github", "actions", "mlops_core", "locks", "action.yml", "pyproject.toml", "README.md", "LICENSE")


def export(project: Path, folder: Path) -> Path:
    """Copy the parts that workflows use; the same content is copied once."""
    listed = subprocess.run(
        ["git", "-C", str(project), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *_PARTS],
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        raise EnvironmentBroken(
            f"git could not list {project}: {listed.stderr.decode(errors='replace').strip()}", remedy="Use a git clone of the project."
        )
    files = [project / name.decode() for name in listed.stdout.split(b"\0") if name and (project / name.decode()).is_file()]
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(str(path.relative_to(project)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    target = folder / total.hexdigest()[:16]
    if not target.exists():
        shutil.rmtree(folder, ignore_errors=True)
        partial = folder / "partial"
        for path in files:
            copy = partial / path.relative_to(project)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
        partial.rename(target)
    return target


def head_commit(project: Path) -> str:
    """The commit this clone is at, with ``+`` when files differ from it, empty outside git."""
    done = subprocess.run(["git", "-C", str(project), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if done.returncode:
        return ""
    changed = subprocess.run(["git", "-C", str(project), "status", "--porcelain", "-uno"], capture_output=True, text=True, check=False)
    return done.stdout.strip() + ("+" if changed.stdout.strip() else "")
