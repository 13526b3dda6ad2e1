"""Equal rows are found by their digests, however many there are and in however many passes."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_core.features import repeats


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2, 1 << 63, (1 << 64) - 1, 3 << 62]), st.sampled_from("ab")), min_size=1, max_size=40),
    st.sampled_from([1 << 25, 7, 3]),
)
@example([(1 << 63, "a"), (1 << 63, "a"), ((1 << 63) + 1, "a")], 1)
def test_repeats_are_those_that_counting_finds(rows: list[tuple[int, str]], together: int) -> None:
    with duckdb.connect() as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "TOGETHER", together)
        connection.execute("create table present (__row bigint, __digest ubigint, y varchar)")
        connection.executemany("insert into present values (?, ?, ?)", [(place, *row) for place, row in enumerate(rows, start=1)])
        repeats.find_repeats(connection, "present", "y")
        found = connection.execute("select digest, answer, n, first from mlops_repeats order by 1, 2").fetchall()
    alike = {digest for digest, count in Counter(digest for digest, _ in rows).items() if count > 1}
    wanted = [(*row, count, rows.index(row) + 1) for row, count in sorted(Counter(rows).items()) if row[0] in alike]
    assert found == wanted
