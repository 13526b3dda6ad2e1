"""Metric definitions read from a program's log.

metrics = LogMetrics([{"Name": "auc", "Regex": "auc=([0-9.]+)"}], publish=host_put)
metrics.read([(1700000000000, "auc=0.91")])
metrics.latest()                      # [{"MetricName": "auc", "Value": 0.91, "Timestamp": 1700000000.0}]
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LONGEST_LINE = 4_096  # characters that are searched: expressions are the job's own and may be slow


class LogMetrics:
    """The last value of each defined metric; every value is published as it comes."""

    def __init__(self, definitions: Sequence[Mapping[str, str]], publish: Callable[[str, float], None]) -> None:
        self._expressions = [(one["Name"], re.compile(one["Regex"])) for one in definitions]
        self._publish = publish
        self._latest: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def read(self, lines: Sequence[tuple[int, str]]) -> None:
        """Search each line (epoch milliseconds, text) for each metric; the first group is its value."""
        for moment, text in lines if self._expressions else ():
            for name, expression in self._expressions:
                for found in expression.finditer(text[:LONGEST_LINE]):
                    self._take(name, found, moment)

    def latest(self) -> list[dict[str, Any]]:
        """``FinalMetricDataList``."""
        with self._lock:
            return [dict(value) for value in self._latest.values()]

    def _take(self, name: str, found: re.Match[str], moment: int) -> None:
        try:
            value = float(found.group(1) if found.re.groups else found.group(0))
        except (TypeError, ValueError):
            return
        if math.isfinite(value):
            with self._lock:
                self._latest[name] = {"MetricName": name, "Value": value, "Timestamp": moment / 1000}
            self._publish(name, value)
