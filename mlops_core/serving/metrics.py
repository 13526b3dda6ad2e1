"""Counters and a latency histogram in Prometheus' text format (version 0.0.4).

metrics.answered("/invocations", 200, seconds=0.0004)
metrics.render()
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

_EDGES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """What one server process counted since it started."""

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._answers: Counter[tuple[str, int]] = Counter()
        self._buckets = [0] * (len(_EDGES) + 1)
        self._seconds = 0.0
        self.rows = 0
        self.batches = 0
        self.invalid_rows = 0
        self.in_flight = 0

    def answered(self, path: str, status: int, *, seconds: float) -> None:
        """Count one answer; only scoring requests enter the histogram."""
        self._answers[path, status] += 1
        if path == "/invocations":
            self._buckets[bisect_left(_EDGES, seconds)] += 1
            self._seconds += seconds

    def render(self) -> bytes:
        """The text a scraper reads."""
        name, version, digest = self._identity.split("/")
        lines = [
            "# HELP mlops_model_info The model this process serves.",
            "# TYPE mlops_model_info gauge",
            f'mlops_model_info{{name="{name}",version="{version}",digest="{digest}"}} 1',
            "# HELP mlops_requests_total Answers by path and status.",
            "# TYPE mlops_requests_total counter",
            *(
                f'mlops_requests_total{{path="{path}",status="{status}"}} {count}'
                for (path, status), count in sorted(self._answers.items())
            ),
            *_counter("mlops_rows_total", "Rows scored.", self.rows),
            *_counter("mlops_batches_total", "Calls of the model; rows that arrive together share one.", self.batches),
            *_counter("mlops_invalid_values_total", "Fields refused by validation.", self.invalid_rows),
            "# HELP mlops_requests_in_flight Requests being answered.",
            "# TYPE mlops_requests_in_flight gauge",
            f"mlops_requests_in_flight {self.in_flight}",
            *self._histogram(),
        ]
        return ("\n".join(lines) + "\n").encode()

    def _histogram(self) -> list[str]:
        lines = [
            "# HELP mlops_invocation_seconds Time from the last byte of a request to its answer.",
            "# TYPE mlops_invocation_seconds histogram",
        ]
        total = 0
        for edge, count in zip(_EDGES, self._buckets, strict=False):
            total += count
            lines.append(f'mlops_invocation_seconds_bucket{{le="{edge:g}"}} {total}')
        total += self._buckets[-1]
        lines += [
            f'mlops_invocation_seconds_bucket{{le="+Inf"}} {total}',
            f"mlops_invocation_seconds_sum {self._seconds:.6f}",
            f"mlops_invocation_seconds_count {total}",
        ]
        return lines


def _counter(name: str, description: str, value: int) -> tuple[str, str, str]:
    return f"# HELP {name} {description}", f"# TYPE {name} counter", f"{name} {value}"
