"""Sorted runs are looked at as if all of them were one sorted array."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.features import ordered
from mlops_core.features.ordered import Ordered

VALUES = st.one_of(st.integers(-4, 4).map(float), st.floats(-1e6, 1e6))


def _runs(values: np.ndarray, block: int) -> Ordered:
    return Ordered(np.concatenate([np.sort(values[start : start + block]) for start in range(0, len(values), block)]))


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=90), st.integers(1, 30), st.integers(1, 30))
def test_every_rank_every_search_and_all_batches(listed: list[float], block: int, batch: int) -> None:
    with patch.object(ordered, "BLOCK", block), patch.object(ordered, "BATCH", batch):
        values = np.array(listed)
        found, wanted = _runs(values, block), np.sort(values)
        assert [found[rank] for rank in range(len(wanted))] == wanted.tolist()
        assert (len(found), found[-1]) == (len(wanted), wanted[-1])
        for value in (*wanted[:5], 0.0, 0.5, -2e6, 2e6):
            assert found.searchsorted(value) == wanted.searchsorted(value)
            assert found.searchsorted(value, side="right") == wanted.searchsorted(value, side="right")
        pieces = list(found.batches())
        assert np.concatenate(pieces).tolist() == wanted.tolist()
        assert {len(piece) for piece in pieces[:-1]} <= {batch}


@pytest.mark.parametrize("block", [4, 100])
def test_whole_numbers_become_doubles_where_they_lie(block: int) -> None:
    with patch.object(ordered, "BLOCK", block), patch.object(ordered, "BATCH", 3):
        values = np.array([5, 2**53 + 1, -7, 0, 2**62, 5, 5, 1, -(2**60), 3])
        found = _runs(values, block)
        assert found[len(values) - 2] == 2**53 + 1
        found.to_doubles()
        assert [found[rank] for rank in range(len(values))] == np.sort(values).astype(np.float64).tolist()
        assert found.searchsorted(4.5) == 5
