"""Date parts agree with the calendar of the standard library."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.features.calendar import FIRST, LAST, PARTS, date_parts

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Numbers:
    """Plain floats as `Arithmetic`."""

    def add(self, left: float, right: float) -> float:
        return left + right

    def sub(self, left: float, right: float) -> float:
        return left - right

    def mul(self, left: float, right: float) -> float:
        return left * right

    def floor_div(self, left: float, right: float) -> float:
        return float(math.floor(left / right))


def _parts(moment: float) -> tuple[float, ...]:
    found = date_parts(_Numbers(), moment, PARTS)
    return tuple(found[kind] for kind in PARTS)


def _expected(moment: datetime) -> tuple[float, ...]:
    return (moment.year, moment.month, moment.day, moment.weekday(), moment.hour)


def test_every_first_and_last_day_of_a_month_in_a_thousand_years_has_the_right_parts() -> None:
    for month in range(12 * 1000):
        first = datetime(1600 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        for moment in (first, first - timedelta(seconds=1)):
            assert _parts((moment - _EPOCH).total_seconds()) == _expected(moment)


@settings(max_examples=300, deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_any_moment_between_the_years_1_and_9999_has_the_right_parts(moment: datetime) -> None:
    assert _parts((moment - _EPOCH) / timedelta(seconds=1)) == _expected(moment)


@pytest.mark.parametrize(("moment", "parts"), [(FIRST, (1, 1, 1, 0, 0)), (LAST, (9999, 12, 31, 4, 23)), (0.0, (1970, 1, 1, 3, 0))])
def test_the_ends_of_the_range_are_inside(moment: float, parts: tuple[float, ...]) -> None:
    assert _parts(moment) == parts
