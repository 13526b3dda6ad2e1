"""Invocation metrics, counted per call and published in bulk.

    traffic = Traffic(host)
    traffic.count("census", "blue", status=200, model_us=850, overhead_us=120)
    traffic.publish()                     # the housekeeper calls it every few seconds

For each call ``Invocations`` gets a 1 and each error count a 1 or a 0, as AWS sends them: Sum counts, Average is a share.  Of the
latencies at most 20 values per interval are published, evenly spaced over the sorted sample: percentiles and averages hold, Sum does not.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from mlops_core.local.aws.host import Host

NAMESPACE = "AWS/SageMaker"
KEPT = 5_000
PUBLISHED = 20


@dataclass
class Interval:
    """What happened to one variant since the last publication."""

    calls: int = 0
    client_errors: int = 0
    server_errors: int = 0
    model_us: list[float] = field(default_factory=list)
    overhead_us: list[float] = field(default_factory=list)


class Traffic:
    """Counters by endpoint and variant; thread-safe."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._intervals: dict[tuple[str, str], Interval] = {}

    def count(self, endpoint: str, variant: str, *, status: int, model_us: float, overhead_us: float) -> None:
        """Count one invocation; ``status`` is the container's (0 when it gave none)."""
        with self._lock:
            interval = self._intervals.setdefault((endpoint, variant), Interval())
            interval.calls += 1
            if 400 <= status < 500:
                interval.client_errors += 1
            elif not 200 <= status < 300:
                interval.server_errors += 1
            if len(interval.model_us) < KEPT:
                interval.model_us.append(model_us)
                interval.overhead_us.append(overhead_us)

    def publish(self) -> None:
        """Send every interval to CloudWatch."""
        with self._lock:
            intervals, self._intervals = self._intervals, {}
        for (endpoint, variant), interval in intervals.items():
            dimensions = {"EndpointName": endpoint, "VariantName": variant}
            counts = {
                "Invocations": interval.calls,
                "Invocation4XXErrors": interval.client_errors,
                "Invocation5XXErrors": interval.server_errors,
            }
            for name, ones in counts.items():
                for value, seen in ((1.0, ones), (0.0, interval.calls - ones)):
                    if seen:
                        self._host.put_metric(NAMESPACE, name, dimensions, value, "None", count=seen)
            for name, values in (("ModelLatency", interval.model_us), ("OverheadLatency", interval.overhead_us)):
                for value in spaced(sorted(values), PUBLISHED):
                    self._host.put_metric(NAMESPACE, name, dimensions, value, "Microseconds")


def spaced(values: list[float], count: int) -> list[float]:
    """At most so many of the sorted values, evenly spaced, the first and the last among them."""
    if len(values) <= count:
        return values
    return [values[round(index * (len(values) - 1) / (count - 1))] for index in range(count)]
