"""Records that survive ``kill -9``: one JSON file each, written whole and then renamed.

    store = Store(state / "sagemaker")
    store.put("models", "census", {"ModelName": "census"})

A record is a plain JSON object; keys that start with ``_`` are this platform's own and never answered.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

LOG = logging.getLogger(__name__)
Record = dict[str, Any]


class Store:
    """Collections of records by key; safe for use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "records"
        self._journal = folder / "names.journal"
        self._lock = threading.RLock()
        self._records: dict[str, dict[str, Record]] = {}
        self._names: set[str] = set()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._load()

    @property
    def lock(self) -> threading.RLock:
        """Held by callers that read and then write."""
        return self._lock

    def get(self, kind: str, key: str) -> Record | None:
        """A copy of one record, or None."""
        with self._lock:
            found = self._records.get(kind, {}).get(key)
            return copy.deepcopy(found) if found is not None else None

    def all(self, kind: str) -> list[Record]:
        """Copies of every record of a collection."""
        with self._lock:
            return [copy.deepcopy(record) for record in self._records.get(kind, {}).values()]

    def put(self, kind: str, key: str, record: Record) -> None:
        """Write one record; it is on disk when this returns."""
        text = json.dumps(record, allow_nan=False)
        with self._lock:
            path = self._path(kind, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)
            self._records.setdefault(kind, {})[key] = json.loads(text)

    def delete(self, kind: str, key: str) -> None:
        """Forget one record; unknown keys are no error."""
        with self._lock:
            self._records.get(kind, {}).pop(key, None)
            self._path(kind, key).unlink(missing_ok=True)

    def claimed(self, name: str) -> bool:
        """Whether a name was ever taken, even by something deleted since."""
        return name in self._names

    def claim(self, name: str) -> None:
        """Take a name for ever."""
        with self._lock:
            if name in self._names:
                return
            with self._journal.open("a", encoding="utf-8") as stream:
                stream.write(name + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            self._names.add(name)

    def _path(self, kind: str, key: str) -> Path:
        return self._folder / kind / (quote(key, safe="") + ".json")

    def _load(self) -> None:
        for path in sorted(self._folder.glob("*/*.json")):
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:  # a lost disk, not a killed process: records are renamed into place whole
                LOG.exception("%s is no record; it is kept as .broken", path)
                path.replace(path.with_suffix(".broken"))
            else:
                self._records.setdefault(path.parent.name, {})[unquote(path.stem)] = record
        if self._journal.exists():
            self._names = set(self._journal.read_text(encoding="utf-8").splitlines())


def public(record: Record) -> Record:
    """The part of a record that may be answered."""
    return {key: value for key, value in record.items() if not key.startswith("_")}
