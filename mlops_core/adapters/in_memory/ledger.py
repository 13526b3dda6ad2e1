"""The ledger in a dictionary, with the same conditions and expiry as the table."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops_core.errors import Defect, Stale
from mlops_core.ports import Clock, Item, Value


@dataclass
class MemoryLedger:
    """Rows by (pk, sk); safe for threads."""

    clock: Clock
    rows: dict[tuple[str, str], tuple[Item, int | None]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def get(self, pk: str, sk: str) -> Item | None:
        """A live row or None."""
        with self._lock:
            item, expires = self.rows.get((pk, sk), ({}, 0))
            alive = expires is None or expires > self.clock.now().timestamp()
            return dict(item) if alive else None

    def put(self, pk: str, sk: str, item: Mapping[str, Value], *, expires_at: int | None = None) -> None:
        """Write a row."""
        with self._lock:
            self.rows[pk, sk] = (dict(item), expires_at)

    def claim(self, pk: str, sk: str, item: Mapping[str, Value], *, expires_at: int | None = None) -> Item | None:
        """Write only if absent; the row that is there otherwise."""
        with self._lock:
            there = self.get(pk, sk)
            if there is None:
                self.put(pk, sk, item, expires_at=expires_at)
            return there

    def replace(self, pk: str, sk: str, item: Mapping[str, Value], *, expected: Mapping[str, Value], expires_at: int | None = None) -> None:
        """Overwrite if the expected attributes still hold."""
        with self._lock:
            self._check(pk, sk, expected)
            self.put(pk, sk, item, expires_at=expires_at)

    def delete(self, pk: str, sk: str, *, expected: Mapping[str, Value] | None = None) -> None:
        """Remove a row."""
        with self._lock:
            if expected is not None:
                self._check(pk, sk, expected)
            self.rows.pop((pk, sk), None)

    def _check(self, pk: str, sk: str, expected: Mapping[str, Value]) -> None:
        there = self.get(pk, sk)
        if there is None or any(there.get(name) != value for name, value in expected.items()):
            raise Stale(f"the row {pk} {sk} moved.", remedy="Read it again.")

    def increase(self, pk: str, sk: str, name: str, by: int = 1) -> int:
        """Add to a counter."""
        with self._lock:
            item = self.get(pk, sk) or {}
            before = item.get(name) or 0
            if not isinstance(before, int):
                raise Defect(f"the attribute {name} of {pk} {sk} is no counter.")
            self.put(pk, sk, {**item, name: before + by})
            return before + by

    def query(self, pk: str, *, prefix: str = "", limit: int = 100, newest_first: bool = False) -> list[tuple[str, Item]]:
        """Rows of a partition by sort key."""
        with self._lock:
            keys = sorted((sk for found, sk in self.rows if found == pk and sk.startswith(prefix)), reverse=newest_first)
            return [(sk, item) for sk in keys if (item := self.get(pk, sk)) is not None][:limit]
