"""What changes is written down by itself; what was saved whole is brought up to date by it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlops_core.local.aws.hooks.changes import LEAST_BYTES, Executions, Items

PERSISTENCE = SimpleNamespace(_json_default=None, _json_object_hook=None)
KEYS = st.sampled_from(["a", "b", "c"])


class Store(dict[tuple[str, str, str], Any]):
    """As MiniStack's stores: by account, region and name."""

    def all_values(self) -> list[Any]:
        return list(self.values())

    def set_scoped(self, account: str, region: str, key: str, value: Any) -> None:
        self[account, region, key] = value


def table(items: dict[str, Any] | None = None, *, table_id: str = "1") -> dict[str, Any]:
    """A table that holds items by partition and sort key."""
    return {"TableArn": "arn:aws:dynamodb:r:0:table/ledger", "TableId": table_id, "items": items or {}}


class Tables:
    """MiniStack's way to set and remove an item."""

    @staticmethod
    def _set_item(table: dict[str, Any], pk: str, sk: str, item: Any) -> Any:
        table["items"].setdefault(pk, {})[sk] = item

    @staticmethod
    def _remove_item(table: dict[str, Any], pk: str, sk: str) -> Any:
        return table["items"].get(pk, {}).pop(sk, None)


def recorder(folder: Path) -> tuple[Items, Any]:
    """Recorded items, and the tables whose writes they are told of."""
    items, tables = Items(folder, PERSISTENCE), SimpleNamespace(_set_item=Tables._set_item, _remove_item=Tables._remove_item)
    items.install(tables)
    return items, tables


def restored(folder: Path, *tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Tables that were saved whole, after a restart."""
    state = Items(folder, PERSISTENCE).restored({"tables": Store({("0", "r", str(at)): one for at, one in enumerate(tables)})})
    assert state is not None
    return list(state["tables"].values())


def test_a_write_costs_the_same_in_a_full_table(tmp_path: Path) -> None:
    items, tables = recorder(tmp_path)
    ledger, log = table(), tmp_path / "dynamodb.changes"
    costs = []
    for number in range(300):
        before = log.stat().st_size if log.exists() else 0
        tables._set_item(ledger, f"run{number:03}", "STATE", {"doc": "x" * 500})
        items.record()
        costs.append(log.stat().st_size - before)
    assert max(costs) == costs[0] < 1_000


@given(st.lists(st.tuples(KEYS, KEYS, st.one_of(st.none(), st.integers())), max_size=12), st.integers(0, 12))
def test_restored_items_are_the_items_there_were(tmp_path_factory: Any, writes: list[tuple[str, str, int | None]], cut: int) -> None:
    folder = tmp_path_factory.mktemp("changes")
    items, tables = recorder(folder)
    live: dict[str, Any] = table()
    whole = table()
    for number, (pk, sk, value) in enumerate(writes):
        if value is None:
            tables._remove_item(live, pk, sk)
        else:
            tables._set_item(live, pk, sk, {"v": value})
        items.record()
        if number == cut:
            items.set_aside()
            whole = table({pk: dict(some) for pk, some in live["items"].items()})
            items.forget()
    (again,) = restored(folder, whole)
    assert {pk: some for pk, some in again["items"].items() if some} == {pk: some for pk, some in live["items"].items() if some}
    assert again["ItemCount"] == sum(len(some) for some in live["items"].values())


def test_a_whole_save_that_failed_forgets_nothing(tmp_path: Path) -> None:
    items, tables = recorder(tmp_path)
    ledger = table()
    for value in ("one", "two"):
        tables._set_item(ledger, value, "S", {"v": value})
        items.set_aside()
    tables._set_item(ledger, "three", "S", {"v": "three"})
    items.record()
    (again,) = restored(tmp_path, table())
    assert list(again["items"]) == ["one", "two", "three"]


def test_a_line_cut_short_spoils_neither_the_one_before_nor_the_one_after(tmp_path: Path) -> None:
    items, tables = recorder(tmp_path)
    ledger = table()
    for value in ("one", "two"):
        tables._set_item(ledger, value, "S", {"v": value})
        items.record()
        with (tmp_path / "dynamodb.changes").open("a") as log:
            log.write('\n[["cut')
    (again,) = restored(tmp_path, table())
    assert list(again["items"]) == ["one", "two"]


def test_items_of_a_deleted_table_stay_away_from_its_successor(tmp_path: Path) -> None:
    items, tables = recorder(tmp_path)
    tables._set_item(table(), "old", "S", {})
    items.record()
    (again,) = restored(tmp_path, table(table_id="2"))
    assert again["items"] == {}


def test_much_that_changed_asks_for_a_whole_save_once(tmp_path: Path) -> None:
    items, tables = recorder(tmp_path)
    tables._set_item(table(), "a", "S", {"v": "x" * LEAST_BYTES})
    items.record()
    assert items.many
    items.set_aside()
    items.forget()
    assert not items.many
    assert not list(tmp_path.iterdir())


def test_an_ended_execution_is_written_once_and_a_running_one_as_it_goes_on(tmp_path: Path) -> None:
    executions, log = Executions(tmp_path, PERSISTENCE), tmp_path / "stepfunctions.changes"
    arn = "arn:aws:states:r:0:execution:pipeline:"
    for number in range(20):
        ended = {"executionArn": f"{arn}{number}", "status": "SUCCEEDED", "events": ["e" * 1_000]}
        executions.note(ended)
    executions.record()
    full = log.stat().st_size
    running: dict[str, Any] = {"executionArn": f"{arn}last", "status": "RUNNING", "events": []}
    executions.note(running)
    for step in range(5):
        running["events"].append(step)
        executions.record()
        size = log.stat().st_size
        executions.record()
        assert log.stat().st_size == size, "an execution that waits is not written again"
    running["status"] = "SUCCEEDED"
    executions.record()
    executions.record()
    assert log.stat().st_size - full < 1_000
    state = Executions(tmp_path, PERSISTENCE).restored({"executions": Store()})
    assert state is not None
    assert len(state["executions"]) == 21
    assert state["executions"]["0", "r", f"{arn}last"] == running
