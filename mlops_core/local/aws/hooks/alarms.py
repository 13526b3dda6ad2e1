"""CloudWatch's evaluation of metric alarms: by period, over the alarm's own dimensions, missing data treated as the alarm says.

alarms = Alarms(config.account, config.region); alarms.install()
decide(alarm, {600: 0.4}, now=650.0)          # ("ALARM", "Threshold Crossed: 1 out of the last 1 datapoints …")

MiniStack compares one figure over all endpoints of a metric, and only when data arrives.  Here the newest period counts as soon as it has
data, so an alarm fires within seconds; a period without data counts once it is over.  New data wake the alarms on their own series alone,
and an alarm reads its own window alone: neither costs more after a week of serving many models.
Source: "Using Amazon CloudWatch alarms" (evaluating an alarm, configuring how alarms treat missing data).
"""

from __future__ import annotations

import bisect
import logging
import operator
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops_core.local.aws.hooks.names import private

_LOG = logging.getLogger("mlops.local.aws")
SECONDS = 5.0
_EVICTION_SECONDS = 3600.0
_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
Alarm = Mapping[str, Any]


def decide(alarm: Alarm, figures: Mapping[int, float], *, now: float) -> tuple[str, str] | None:
    """State and reason from the figure of each period (by its first second); None when the alarm keeps its state.

    ``figures`` lacks periods without data.
    """
    comparison = _COMPARISONS.get(str(alarm.get("ComparisonOperator")))
    if comparison is None:
        return None
    compare, words = comparison
    threshold, treat = float(alarm["Threshold"]), alarm.get("TreatMissingData") or "missing"
    starts = window(figures, period=int(alarm["Period"]), count=int(alarm["EvaluationPeriods"]), now=now)
    there = [start for start in starts if start in figures]
    wanted = int(alarm.get("DatapointsToAlarm") or len(starts))
    over = [start for start in there if compare(figures[start], threshold)]
    missing = len(starts) - len(there)
    if not there and treat == "missing":
        return "INSUFFICIENT_DATA", f"Insufficient Data: {missing} datapoints were unknown."
    if not there and treat == "ignore":
        return None
    breaching = len(over) + (missing if treat == "breaching" else 0)
    if breaching >= wanted or (treat in {"missing", "ignore"} and over and len(over) == len(there)):
        shown = _shown(over, figures)
        found = f"{breaching} out of the last {len(starts)} datapoints{shown} were {words} the threshold ({threshold})"
        return "ALARM", f"Threshold Crossed: {found} (minimum {wanted} datapoints for OK -> ALARM transition)."
    if not there:
        return "OK", f"Threshold Crossed: no datapoints were received for {missing} periods; they were treated as not breaching."
    return "OK", f"Threshold Crossed: the datapoints{_shown(there, figures)} were not {words} the threshold ({threshold}) often enough."


def window(figures: Mapping[int, float], *, period: int, count: int, now: float) -> list[int]:
    """First seconds of the periods to look at, newest first: the one that runs counts only when it has data."""
    newest = int(now // period) * period
    if newest not in figures:
        newest -= period
    return [newest - index * period for index in range(count)]


def newest(points: Sequence[Mapping[str, Any]], since: float) -> Sequence[Mapping[str, Any]]:
    """The points from a moment on (epoch seconds) of a series in order of time; hardly any of the earlier ones is looked at."""
    return points[bisect.bisect_left(points, since, key=lambda point: float(point["Timestamp"])) :]


def _shown(starts: Sequence[int], figures: Mapping[int, float]) -> str:
    texts = [f"{figures[start]:g} ({datetime.fromtimestamp(start, UTC):%d/%m/%y %H:%M:%S})" for start in starts[:5]]
    return f" [{', '.join(texts)}]" if texts else ""


class Alarms:
    """Replaces MiniStack's evaluation, and repeats it every few seconds, since missing data is no event."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._watch = private("services.cloudwatch")
        self._scope = private("core.responses").request_scope
        self._lock = threading.Lock()
        self._evaluate_all: Callable[[], None] = self._watch._evaluate_all_alarms
        self._touched: set[tuple[Any, ...]] = set()
        self._evicted = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def install(self) -> None:
        """Evaluate from now on."""
        watch = self._watch
        store, evict = watch._store_datum, watch._evict_old_metrics
        watch._evaluate_alarm = self._evaluate

        def store_datum(namespace: str, name: str, dimensions: dict[str, str], *rest: Any) -> None:
            """Data may come late: the series stays in order of time."""
            key = (namespace, name, watch._dims_key(dimensions))
            with self._lock:
                known = len(watch._metrics.get(key) or ())
                store(namespace, name, dimensions, *rest)
                points = watch._metrics[key]
                if 0 < known < len(points) and points[known]["Timestamp"] < points[known - 1]["Timestamp"]:
                    watch._metrics[key] = sorted(points, key=lambda point: float(point["Timestamp"]))
                self._touched.add(key)

        def evict_old_metrics() -> None:
            """MiniStack copies every series at every request."""
            if time.monotonic() - self._evicted > _EVICTION_SECONDS:
                self._evicted = time.monotonic()
                evict()

        watch._store_datum, watch._evict_old_metrics, watch._evaluate_all_alarms = store_datum, evict_old_metrics, self._evaluate_touched
        self._thread.start()

    def close(self) -> None:
        """Stop the clock."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(SECONDS):
            try:
                with self._scope(self._account, self._region):
                    self._evaluate_all()
            except Exception:  # the outermost edge of this thread: a defect in one alarm must not stop the others for ever
                _LOG.exception("alarms were not evaluated")

    def _evaluate_touched(self) -> None:
        """Evaluate the alarms on the series that got data since the last time."""
        with self._lock:
            touched, self._touched = self._touched, set()
        for alarm in list(self._watch._alarms.values()):
            if self._series(alarm) in touched:
                try:
                    self._watch._evaluate_alarm(alarm)
                except Exception:  # a defect in one alarm must not be answered to the one who sent data
                    _LOG.exception("the alarm %s was not evaluated", alarm["AlarmName"])

    def _series(self, alarm: Alarm) -> tuple[Any, ...]:
        dimensions = {one["Name"]: one["Value"] for one in alarm.get("Dimensions") or []}
        return (alarm.get("Namespace"), alarm.get("MetricName"), self._watch._dims_key(dimensions))

    def _evaluate(self, alarm: dict[str, Any]) -> None:
        now = time.time()
        found = decide(alarm, self._figures(alarm, now), now=now) if alarm.get("Namespace") and alarm.get("MetricName") else None
        if found is None:
            return
        state, reason = found
        with self._lock:
            before = alarm["StateValue"]
            if state == before:
                return
            alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(now)}
        self._watch._record_history(alarm["AlarmName"], before, state, reason)
        self._watch._dispatch_alarm_actions(alarm, before, state, reason)
        self._watch._evaluate_parent_alarms(alarm)

    def _figures(self, alarm: Alarm, now: float) -> dict[int, float]:
        """The alarm's statistic for each period it may look at and that has data."""
        period, count = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
        since = (int(now // period) - count) * period
        periods: dict[int, list[Any]] = {}
        for point in newest(self._watch._metrics.get(self._series(alarm)) or [], since):
            periods.setdefault(int(point["Timestamp"] // period) * period, []).append(point)
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        found = {start: self._watch._stat_value(self._watch._calc_stats(some), statistic, some) for start, some in periods.items()}
        return {start: float(value) for start, value in found.items() if value is not None}
