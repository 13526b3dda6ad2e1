"""A metric alarm's state from the figures of its periods."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_core.local.aws.hooks.alarms import decide, newest

NOW = 6_010.0  # ten seconds into the period that begins at 6,000


def alarm(**changes: Any) -> dict[str, Any]:
    """More than 5 in each of the last periods of a minute."""
    plain = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 5, "Period": 60, "EvaluationPeriods": 1}
    return {**plain, "TreatMissingData": "notBreaching", **changes}


def state(found: tuple[str, str] | None) -> str:
    """The state alone, empty when it is kept."""
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({6000: 6.0}, "ALARM"),
        ({6000: 5.0}, "OK"),
        ({5940: 6.0}, "ALARM"),  # the running minute has no data yet, so the last whole one still speaks
        ({5940: 6.0, 6000: 0.0}, "OK"),
        ({5880: 6.0}, "OK"),
        ({}, "OK"),
    ],
)
def test_the_newest_minute_counts_as_soon_as_it_has_data(figures: dict[int, float], expected: str) -> None:
    assert state(decide(alarm(), figures, now=NOW)) == expected


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({6000: 9.0}, "OK"),
        ({6000: 9.0, 5940: 9.0}, "OK"),
        ({6000: 9.0, 5940: 9.0, 5880: 9.0}, "ALARM"),
        ({5940: 9.0, 5880: 9.0, 5820: 9.0}, "ALARM"),
        ({6000: 9.0, 5940: 1.0, 5880: 9.0}, "OK"),
        ({6000: 9.0, 5880: 9.0, 5820: 9.0}, "OK"),
    ],
)
def test_three_periods_must_breach_one_after_the_other(figures: dict[int, float], expected: str) -> None:
    assert state(decide(alarm(EvaluationPeriods=3), figures, now=NOW)) == expected


@pytest.mark.parametrize(
    ("treat", "expected"), [("missing", "INSUFFICIENT_DATA"), ("ignore", ""), ("breaching", "ALARM"), ("notBreaching", "OK")]
)
def test_missing_data_is_treated_as_the_alarm_says(treat: str, expected: str) -> None:
    assert state(decide(alarm(TreatMissingData=treat), {}, now=NOW)) == expected


def test_two_of_three_are_enough_when_the_alarm_says_so() -> None:
    assert state(decide(alarm(EvaluationPeriods=3, DatapointsToAlarm=2), {6000: 9.0, 5880: 9.0}, now=NOW)) == "ALARM"


def test_the_reason_names_figures_and_threshold() -> None:
    found = decide(alarm(), {6000: 7.5}, now=NOW)
    assert found is not None
    assert "1 out of the last 1 datapoints [7.5 (01/01/70 01:40:00)] were greater than the threshold (5.0)" in found[1]


def test_an_operator_that_is_not_modelled_changes_nothing() -> None:
    assert decide(alarm(ComparisonOperator="LessThanLowerThreshold"), {6000: 1.0}, now=NOW) is None


class Counted(list[dict[str, float]]):
    """A series that counts the points that were looked at."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        self.looks += len(found) if isinstance(at, slice) else 1
        return found


def test_an_alarm_looks_at_its_window_not_at_the_week_before() -> None:
    series = Counted({"Timestamp": 5.0 * number} for number in range(120_000))
    found = newest(series, 5.0 * 119_976)
    assert [point["Timestamp"] for point in found] == [5.0 * number for number in range(119_976, 120_000)]
    assert series.looks < 60


@pytest.mark.parametrize(("since", "left"), [(-1.0, 3), (0.0, 3), (0.5, 2), (1.0, 2), (2.0, 1), (3.0, 0)])
def test_the_window_begins_with_its_first_second(since: float, left: int) -> None:
    assert len(newest([{"Timestamp": 0.0}, {"Timestamp": 1.0}, {"Timestamp": 2.0}], since)) == left
