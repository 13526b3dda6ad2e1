"""Parts of a UTC date from seconds since 1970, by floor arithmetic alone: one definition for SQL and for the graph.

    date_parts(arithmetic, moment)["year"]      # whatever `arithmetic` makes: a SQL expression, the name of a graph's tensor

Days to year, month and day as in C. Neri and L. Schneider, "Euclidean affine functions and their application to calendar algorithms"
(2022): years begin in March, so that the leap day comes last, and century, year, month and day follow by one division each.  Exact for
moments between `FIRST` and `LAST`; others are the caller's to keep out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from mlops_core.contracts.dataset import DerivedKind

PARTS: tuple[DerivedKind, ...] = ("year", "month", "day", "weekday", "hour")
FIRST = -62_135_596_800.0
"""0001-01-01 00:00:00 UTC, in seconds since 1970."""
LAST = 253_402_300_799.0
"""9999-12-31 23:59:59 UTC, in seconds since 1970."""

_DAY, _HOUR = 86_400.0, 3_600.0
_CENTURY, _FOUR_YEARS, _FIVE_MONTHS = 146_097.0, 1_461.0, 153.0
"""A mean century and a mean year in quarters of a day, a mean month from March on in fifths."""
_DAYS_TO_1970 = 719_468.0
"""Days from 0000-03-01, where the counting begins, to 1970-01-01."""

T = TypeVar("T")


class Arithmetic(Protocol[T]):
    """Doubles by the rules of IEEE 754; the second operand may be a constant."""

    def add(self, left: T, right: T | float) -> T: ...

    def sub(self, left: T, right: T | float) -> T: ...

    def mul(self, left: T, right: T | float) -> T: ...

    def floor_div(self, left: T, right: float) -> T:
        """The greatest whole number not above left / right."""


class _Calendar(Generic[T]):
    def __init__(self, arithmetic: Arithmetic[T], moment: T) -> None:
        self._do = arithmetic
        self._moment = moment
        self._days = arithmetic.floor_div(moment, _DAY)

    def part(self, kind: DerivedKind) -> T:
        if kind == "hour":
            return self._do.floor_div(self._rest(self._moment, self._days, _DAY), _HOUR)
        if kind == "weekday":
            # 1970-01-01 was a Thursday, day 3 of a week that starts on Monday.
            shifted = self._do.add(self._days, 3.0)
            return self._rest(shifted, self._do.floor_div(shifted, 7.0), 7.0)
        if kind == "day":
            return self._do.add(self._do.floor_div(self._from_march[3], 5.0), 1.0)
        return self._of_month(kind)

    def _of_month(self, kind: DerivedKind) -> T:
        do, (century, year, month, _) = self._do, self._from_march
        if kind == "month":
            return self._rest(do.add(month, 3.0), self._turned, 12.0)
        return do.add(do.add(year, do.mul(century, 100.0)), self._turned)

    @cached_property
    def _from_march(self) -> tuple[T, T, T, T]:
        """Century, year, month (0 is March) and the fifths of a day that are left."""
        do = self._do
        century, rest = self._split(self._quadrupled(do.add(self._days, _DAYS_TO_1970)), _CENTURY)
        year, rest = self._split(self._quadrupled(do.floor_div(rest, 4.0)), _FOUR_YEARS)
        month, rest = self._split(do.add(do.mul(do.floor_div(rest, 4.0), 5.0), 2.0), _FIVE_MONTHS)
        return century, year, month, rest

    @cached_property
    def _turned(self) -> T:
        """1 in January and February, which end a year that began in March."""
        return self._do.floor_div(self._from_march[2], 10.0)

    def _quadrupled(self, days: T) -> T:
        return self._do.add(self._do.mul(days, 4.0), 3.0)

    def _split(self, value: T, unit: float) -> tuple[T, T]:
        """How often the unit goes into the value, and what is left."""
        times = self._do.floor_div(value, unit)
        return times, self._rest(value, times, unit)

    def _rest(self, whole: T, times: T, unit: float) -> T:
        return self._do.sub(whole, self._do.mul(times, unit))


def date_parts(arithmetic: Arithmetic[T], moment: T, kinds: Sequence[DerivedKind]) -> dict[DerivedKind, T]:
    """Each wanted part of ``moment``: `PARTS` says which there are; ranges as `DerivedColumn` says."""
    calendar = _Calendar(arithmetic, moment)
    return {kind: calendar.part(kind) for kind in kinds}
