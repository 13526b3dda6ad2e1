"""What changed in a service since it was last saved whole: a line for each change, so that a write costs the same after a thousand runs.

    items = Items(folder, private("core.persistence")); items.install(private("services.dynamodb"))
    items.record()                    # the items written since the last call are on disk when it returns
    items.set_aside(); ...; items.forget()     # around a whole save: what was recorded before it is in it
    items.restored(state)             # the state that was saved whole, with what was recorded since

`kill -9` loses at most the line that is being written.  A table and a running execution are the two states that change with every step
of a run and keep what earlier runs left; every other service is small, or seldom changes, and is saved whole.
"""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LEAST_BYTES = 1 << 20
_RUNNING = "RUNNING"
State = dict[str, Any]
Change = list[Any]


class Changes(ABC):
    """The recorded changes of one service; safe to use from several threads."""

    service: str
    actions: frozenset[str]
    """The actions whose effect `record` writes down; any other one needs the service to be saved whole."""

    def __init__(self, folder: Path, persistence: Any) -> None:
        self._path = folder / f"{self.service}.changes"
        self._earlier = folder / f"{self.service}.changes-saved"
        self._writing = threading.Lock()
        self._encode, self._decode = persistence._json_default, persistence._json_object_hook
        self._bytes, self._aside_bytes = _size(self._earlier) + _size(self._path), 0
        self._whole_bytes = _size(self._path.with_suffix(".json"))

    @abstractmethod
    def drain(self) -> list[Change]:
        """What changed since the last call, as plain JSON."""

    @abstractmethod
    def merge(self, state: State, changes: Iterator[Change]) -> None:
        """Bring a state that was saved whole up to date."""

    def record(self) -> None:
        """Write down what changed since the last call."""
        with self._writing:
            changes = self.drain()
            if not changes:
                return
            # A line that a killed host cut short must not spoil the next one.
            text = f"\n{json.dumps(changes, default=self._encode)}\n"
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(text)
            self._bytes += len(text)

    @property
    def many(self) -> bool:
        """Whether reading them back would cost more than saving the service whole once."""
        return self._bytes > max(LEAST_BYTES, self._whole_bytes)

    def set_aside(self) -> None:
        """Begin a whole save; what is recorded from now on outlives it."""
        self.record()
        with self._writing:
            self._aside_bytes = self._bytes
            if self._path.exists():
                with self._earlier.open("ab") as stream:  # a save that failed may have left its part
                    stream.write(self._path.read_bytes())
                self._path.unlink()

    def forget(self) -> None:
        """End a whole save that succeeded."""
        with self._writing:
            self._earlier.unlink(missing_ok=True)
            self._bytes -= self._aside_bytes
            self._whole_bytes = _size(self._path.with_suffix(".json"))

    def restored(self, state: State | None) -> State | None:
        """The whole state with the recorded changes; what was never saved whole stays None."""
        if state is not None:
            self.merge(state, self._recorded())
        return state

    def _recorded(self) -> Iterator[Change]:
        for path in (self._earlier, self._path):
            for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
                try:
                    yield from json.loads(line or "[]", object_hook=self._decode)
                except ValueError:  # the line that a killed host was writing: its change was never answered
                    continue


class Items(Changes):
    """The items of tables: written down before a write is answered."""

    service = "dynamodb"
    actions = frozenset(
        {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
        | {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}
    )

    def __init__(self, folder: Path, persistence: Any) -> None:
        super().__init__(folder, persistence)
        self._touched: dict[tuple[str, str, str], State] = {}

    def install(self, tables: Any) -> None:
        """Note every item that is set or removed, the ones that expire too."""
        put, remove = tables._set_item, tables._remove_item

        def set_item(table: State, pk: str, sk: str, item: State) -> Any:
            before = put(table, pk, sk, item)
            self._touched[(_identity(table), pk, sk)] = table
            return before

        def remove_item(table: State, pk: str, sk: str) -> Any:
            before = remove(table, pk, sk)
            self._touched[(_identity(table), pk, sk)] = table
            return before

        tables._set_item, tables._remove_item = set_item, remove_item

    def drain(self) -> list[Change]:
        """Each touched item as it is now, None when it is gone."""
        found: list[Change] = []
        while self._touched:
            (identity, pk, sk), table = self._touched.popitem()
            found.append([identity, pk, sk, table["items"].get(pk, {}).get(sk)])
        return found

    def merge(self, state: State, changes: Iterator[Change]) -> None:
        """Put items into their tables; those of a table that is gone are left out."""
        tables = {_identity(table): table for table in state["tables"].all_values()}
        for identity, pk, sk, item in changes:
            items = tables.get(identity, {}).get("items", {})
            if item is not None:
                items.setdefault(pk, {})[sk] = item
            elif items.get(pk, {}).pop(sk, None) is not None and not items[pk]:
                del items[pk]
        for table in tables.values():
            table["ItemCount"] = sum(len(some) for some in table["items"].values())


class Executions(Changes):
    """Executions of state machines: those that run, and those that ended since the last time."""

    service = "stepfunctions"
    actions = frozenset(
        {"StartExecution", "StartSyncExecution", "StopExecution", "SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"}
    )

    def __init__(self, folder: Path, persistence: Any) -> None:
        super().__init__(folder, persistence)
        self._touched: dict[str, State] = {}
        self._written: dict[str, int] = {}

    def note(self, execution: State) -> None:
        """Say that an execution started or ended."""
        self._touched[execution["executionArn"]] = execution

    def drain(self) -> list[Change]:
        """The executions that ended or went on since, with their histories; one that waits costs nothing."""
        found: list[Change] = []
        for arn, execution in list(self._touched.items()):
            running, steps = execution["status"] == _RUNNING, len(execution["events"])
            if not running:
                self._touched.pop(arn, None)
                self._written.pop(arn, None)
            elif self._written.get(arn) == steps:
                continue
            else:
                self._written[arn] = steps
            found.append([arn, execution])
        return found

    def merge(self, state: State, changes: Iterator[Change]) -> None:
        """Put executions into the store by account, region and ARN."""
        for arn, execution in changes:
            _, _, _, region, account, *_ = arn.split(":")
            state["executions"].set_scoped(account, region, arn, execution)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _identity(table: State) -> str:
    """Names one table; another one that is made later under the same name is not meant."""
    return f"{table['TableArn']} {table.get('TableId', '')}"
