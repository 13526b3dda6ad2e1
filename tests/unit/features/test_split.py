"""Which row belongs to which part."""

# ruff: noqa: S608  the queries are the tests' own
from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.errors import InvalidRequest
from mlops_core.features import split
from mlops_core.features.split import Plan, decide

PARTS = ("train", "validation", "test")


def _parts(rows: list[tuple[Any, ...]], plan: Plan) -> dict[int, str | None]:
    """Part by row number of rows (content, class, time, group); the content alone makes the digest."""
    contents, labels, times, groups = zip(*rows, strict=True)
    kinds = (pa.int64(), pa.string(), pa.float64(), pa.string())
    columns = [pa.array(values, kind) for values, kind in zip((contents, labels, times, groups), kinds, strict=True)]
    listed = pa.table([pa.array(range(1, len(rows) + 1)), *columns], names=["__row", "content", "y", "at", "who"])
    with duckdb.connect() as connection:
        connection.register("listed", listed)
        connection.execute("create table data as select *, (md5_number('42' || content) >> 64)::ubigint as __digest from listed")
        rule = decide(connection, plan)
        return dict(connection.execute(f"select __row, {rule.part} from data {rule.join}").fetchall())


def _rows(contents: list[int]) -> list[tuple[Any, ...]]:
    return [(content, "ab"[content % 3 == 0], None, None) for content in contents]


STRATIFIED = Plan("stratified", 0.16, 0.2, by="y")


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=3, max_size=150, unique=True))
def test_each_class_is_cut_at_the_exact_shares(contents: list[int]) -> None:
    rows = _rows(contents)
    found = _parts(rows, STRATIFIED)
    for label in {row[1] for row in rows}:
        places = [place for place, row in enumerate(rows, start=1) if row[1] == label]
        counted, total = Counter(found[place] for place in places), len(places)
        n_test, n_validation = (int(share * total + 0.5) for share in (0.2, 0.16))
        assert counted["train"] == max(total - n_test - n_validation, 1)
        assert abs(counted["test"] - n_test) <= 1


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=10, max_size=120), st.booleans())
def test_equal_rows_share_a_side(contents: list[int], stratified: bool) -> None:
    found = _parts(_rows(contents), STRATIFIED if stratified else Plan("random", 0.16, 0.2))
    sides: dict[int, set[str | None]] = {}
    for place, content in enumerate(contents, start=1):
        sides.setdefault(content, set()).add(found[place])
    assert all(len(parts) == 1 for parts in sides.values())


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=12, max_size=120, unique=True), st.integers(1, 10))
def test_adding_n_rows_takes_at_most_n_old_rows_across_each_cut(contents: list[int], added: int) -> None:
    more = [10_001 + place for place in range(added)]
    before, after = (_parts(_rows(rows), Plan("random", 0.16, 0.2)) for rows in (contents, contents + more))
    for cut in ({"train"}, {"train", "validation"}):
        crossed = sum((before[place] in cut) != (after[place] in cut) for place in before)
        assert crossed <= added


def test_adding_many_rows_moves_fewer_old_rows_than_were_added() -> None:
    before, after = (_parts(_rows(list(range(count))), STRATIFIED) for count in (1000, 1100))
    assert sum(before[place] != after[place] for place in before) <= 100


def test_ranges_of_digests_find_the_same_cuts_as_a_full_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _rows(list(range(600)))
    whole = _parts(rows, STRATIFIED)
    monkeypatch.setattr(split, "_BUCKET_ROWS", 4)
    monkeypatch.setattr(split, "_INLINE_CLASSES", 1)
    assert _parts(rows, STRATIFIED) == whole


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=20, max_size=120), st.integers(0, 3))
def test_a_split_by_time_never_looks_ahead_and_leaves_the_gap_out(times: list[int], gap: int) -> None:
    rows = [(place, "a", float(time), None) for place, time in enumerate(times)]
    try:
        found = _parts(rows, Plan("time", 0.16, 0.2, by="at", gap=gap))
    except InvalidRequest:
        return  # too few different times, see below
    of_part = {part: [rows[place - 1][2] for place, where in found.items() if where == part] for part in PARTS}
    for earlier, later in pairwise(PARTS):
        if of_part[earlier] and of_part[later]:
            assert max(of_part[earlier]) < min(of_part[later])
    left_out = sum(part is None for part in found.values())
    assert left_out <= 2 * gap
    assert gap == 0 or left_out > 0


def test_without_a_time_column_the_order_of_the_file_is_the_time() -> None:
    found = _parts(_rows(list(range(100))), Plan("time", 0.16, 0.2, gap=5))
    assert [found[place] for place in (1, 59, 60, 64, 65, 75, 76, 80, 81, 100)] == [
        "train", "train", None, None, "validation", "validation", None, None, "test", "test",
    ]  # fmt: skip


def test_a_row_without_a_time_belongs_to_no_part() -> None:
    rows = [(place, "a", None if place == 7 else float(place), None) for place in range(50)]
    assert [place for place, part in _parts(rows, Plan("time", 0.16, 0.2, by="at")).items() if part is None] == [8]


def test_one_single_time_cannot_be_cut() -> None:
    with pytest.raises(InvalidRequest, match="too few different times"):
        _parts([(place, "a", 1.0, None) for place in range(50)], Plan("time", 0.16, 0.2, by="at"))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=20, max_size=120), st.integers(0, 3))
def test_a_group_is_never_divided_and_no_part_is_empty(groups: list[int], seed: int) -> None:
    rows = [(place, "a", None, None if group == 12 else f"g{group}") for place, group in enumerate(groups)]
    if len({row[3] for row in rows}) < 3:
        return
    found = _parts(rows, Plan("group", 0.16, 0.2, by="who", seed=seed))
    sides: dict[object, set[str | None]] = {}
    for place, part in found.items():
        sides.setdefault(rows[place - 1][3], set()).add(part)
    assert all(len(parts) == 1 for parts in sides.values())
    assert set(found.values()) == set(PARTS)


def test_many_groups_come_close_to_the_shares() -> None:
    rows = [(place, "a", None, f"g{place // 3}") for place in range(900)]
    counted = Counter(_parts(rows, Plan("group", 0.16, 0.2, by="who")).values())
    assert [counted[part] for part in PARTS] == pytest.approx([576, 144, 180], abs=3)


def test_two_groups_do_not_make_three_parts() -> None:
    with pytest.raises(InvalidRequest, match="holds 2 groups; at least 3"):
        _parts([(place, "a", None, "gh"[place % 2]) for place in range(30)], Plan("group", 0.16, 0.2, by="who"))
