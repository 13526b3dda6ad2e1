"""States of a training that was interrupted: left below the container's ``checkpoints`` folder, taken up by the next attempt.

    keeper = Keeper(task, name="xgboost.json", extra={"library": version})
    state = keeper.restore()               # what `save` was given, or None
    if keeper.due(): keeper.save({"round": 40, …})

A state belongs to one training: it carries a digest of the data files, the hyperparameters, the seed and the threads, and is left alone
when one of them differs.  It is written beside its place and moved there, so a copy made at any moment is whole.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from mlops_core.algorithms.fitting import FitTask


class Keeper:
    """Saves and restores the state of one training; without a folder it never is due and holds nothing."""

    def __init__(self, task: FitTask, *, name: str, extra: dict[str, str]) -> None:
        self._path = task.checkpoints / name if task.checkpoints else None
        self._seconds = task.checkpoint_seconds
        self._last = time.monotonic()
        self._identity = _identity(task, extra) if self._path else ""

    def due(self) -> bool:
        """Whether the last state is older than the interval."""
        return self._path is not None and time.monotonic() - self._last >= self._seconds

    def restore(self) -> dict[str, Any] | None:
        """The saved state of this very training; None when there is none, or none that can be read."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except ValueError:
            return None
        if not isinstance(found, dict) or found.get("identity") != self._identity:
            return None
        state = found.get("state")
        return state if isinstance(state, dict) else None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A name that begins with a dot: what copies the folder while it is written finds at worst a file nobody reads.
        part = self._path.with_name(f".{self._path.name}.part")
        part.write_text(json.dumps({"identity": self._identity, "state": state}), encoding="utf-8")
        part.replace(self._path)
        self._last = time.monotonic()


def _identity(task: FitTask, extra: dict[str, str]) -> str:
    settings = [task.task, task.classes, task.metric, sorted(task.hyperparameters.items()), task.seed, task.threads, sorted(extra.items())]
    whole = hashlib.sha256(json.dumps(settings).encode())
    for path in (task.train.path, task.validation.path):
        whole.update(_file_digest(path))
    return whole.hexdigest()


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
