"""One SQLite file that survives ``kill -9``.

    database = Database(folder / "github.sqlite")
    with database.transaction():
        database.run("insert into labels (repository, name) values (?, ?)", 7, "bug")

Write-ahead logging makes each finished transaction durable against the death of the process.  One connection is shared by the worker
threads behind a lock: the load is one laptop's.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops_core.local.github.schema import SCHEMA

Row = dict[str, Any]


def now() -> str:
    """The present moment as GitHub writes it (UTC, seconds)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Database:
    """Rows as dictionaries; statements always take their values as parameters."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode=wal")
        self._connection.execute("pragma synchronous=normal")
        self._connection.execute("pragma foreign_keys=on")
        self._connection.executescript(SCHEMA)
        path.chmod(0o600)

    def rows(self, statement: str, *values: Any) -> list[Row]:
        """Every row of a query."""
        with self._lock:
            return [dict(row) for row in self._connection.execute(statement, values)]

    def row(self, statement: str, *values: Any) -> Row | None:
        """The first row of a query, or None."""
        found = self.rows(statement, *values)
        return found[0] if found else None

    def value(self, statement: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        found = self.row(statement, *values)
        return next(iter(found.values())) if found else None

    def run(self, statement: str, *values: Any) -> int:
        """Change something; the id of the row that an insert made."""
        with self._lock:
            return self._connection.execute(statement, values).lastrowid or 0

    def insert(self, table: str, **values: Any) -> int:
        """Insert one row; table and column names come from this package, never from a request."""
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        return self.run(f"insert into {table} ({names}) values ({marks})", *values.values())  # noqa: S608

    def update(self, table: str, key: int, **values: Any) -> None:
        """Change columns of the row with this id; table and column names come from this package."""
        sets = ", ".join(f"{name} = ?" for name in values)
        self.run(f"update {table} set {sets} where id = ?", *values.values(), key)  # noqa: S608

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another joins it."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("begin immediate")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            else:
                self._connection.execute("commit")
            finally:
                self._depth = 0

    def __del__(self) -> None:
        """A database that nobody holds any more closes its file."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        with self._lock:
            self._connection.close()
