"""An endpoint that fails or is slow raises its alarm, and the model's issue says so, with the runbook; its end is told once."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_core.adapters.shell import session_of_shell
from mlops_core.cli import seed
from mlops_core.cli.platform import Platform
from tests.flows.local.github.test_pages import Browser
from tests.flows.test_line import Line, wait_for

pytestmark = pytest.mark.flow
MODEL, ENDPOINT = "watched", "mlops-watched"
ERRORS, LATENCY = f"{ENDPOINT}-errors", f"{ENDPOINT}-latency"
ROW = json.dumps({"instances": [{"length": 4.0, "width": 3.0, "region": "north"}]}).encode()


@dataclass(frozen=True)
class Watched:
    """A model that serves and is watched."""

    line: Line
    issue: int

    def state(self, alarm: str) -> str:
        """The alarm's state."""
        return self.line.platform.ports().watch.alarms(ENDPOINT)[alarm]

    def told(self, *words: str) -> list[str]:
        """Comments on the model's issue that hold every word."""
        return [body for body in self.line.comments(seed.LOCAL_REPOSITORY, self.issue) if all(word in body for word in words)]

    def answers(self) -> bool:
        """Whether the endpoint answers a good row."""
        return self.line.platform.ports().endpoints.invoke(ENDPOINT, ROW).status == 200


@pytest.fixture(scope="module")
def watched(platform: Platform, flowers: Callable[[int], bytes], tmp_path_factory: pytest.TempPathFactory) -> Watched:
    line = Line.of(platform, tmp_path_factory.mktemp("data"), flowers(3), dataset="watched")
    return Watched(line, line.served(seed.LOCAL_REPOSITORY, MODEL).issue)


def test_a_serving_process_that_dies_raises_the_alarm_on_errors_and_its_end_is_told_once(watched: Watched) -> None:
    assert watched.answers()
    deadline = time.monotonic() + 60
    # The platform replaces a dead process, so it is ended again until the alarm has heard of it.
    while watched.state(ERRORS) != "ALARM":
        assert time.monotonic() < deadline, "the alarm did not fire"
        for number in serving(watched.line.platform):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        for _ in range(5):
            watched.answers()
        time.sleep(0.5)
    wait_for(lambda: watched.told(ERRORS, "docs/runbooks/endpoint-errors.md", f"mlops rollback {MODEL}"))
    wait_for(watched.answers)
    wait_for(lambda: watched.state(ERRORS) == "OK", seconds=150)
    wait_for(lambda: len(watched.told(ERRORS)) == 2)
    assert len(watched.told(ERRORS, "endpoint-errors.md")) == 1


def test_three_slow_minutes_raise_the_alarm_on_latency_of_that_endpoint_alone(watched: Watched) -> None:
    put(LATENCY_METRIC, 250_000.0, endpoint="mlops-another", minutes=(0, 1, 2, 3))
    put(LATENCY_METRIC, 250_000.0, endpoint=ENDPOINT, minutes=(2, 3))
    assert watched.state(LATENCY) != "ALARM"
    put(LATENCY_METRIC, 250_000.0, endpoint=ENDPOINT, minutes=(0, 1))
    wait_for(lambda: watched.state(LATENCY) == "ALARM")
    wait_for(lambda: watched.told(LATENCY, "docs/runbooks/endpoint-latency.md"))


def test_requests_that_are_wrong_themselves_raise_nothing(watched: Watched) -> None:
    wait_for(lambda: watched.state(ERRORS) == "OK", seconds=150)
    before = len(watched.told(ERRORS))
    for _ in range(10):
        assert watched.line.platform.ports().endpoints.invoke(ENDPOINT, b'{"instances": [{"length": "long"}]}').status == 400
    wait_for(lambda: total("Invocation4XXErrors") >= 10)
    assert watched.state(ERRORS) == "OK"
    assert len(watched.told(ERRORS)) == before


def test_the_dashboard_page_draws_what_happened(watched: Watched) -> None:
    page = Browser(watched.line.platform.url).sign_in(seed.APPROVES).open(f"/dashboards/{ENDPOINT}")
    for title in ("Requests a minute", "Errors a minute", "Latency"):
        assert title in page
    assert page.count("<svg") >= 3
    assert "<circle" in page


LATENCY_METRIC = "ModelLatency"


def put(metric: str, value: float, *, endpoint: str, minutes: tuple[int, ...]) -> None:
    """A thousand values in each of some minutes ago, so that the few real requests of these minutes weigh little."""
    now = time.time()
    start = now // 60 * 60
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]
    data = [
        {
            "MetricName": metric,
            "Dimensions": dimensions,
            "Values": [value],
            "Counts": [1000.0],
            "Timestamp": min(now, start - 60 * ago + 30),
        }
        for ago in minutes
    ]
    session_of_shell().client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=data)


def total(metric: str) -> float:
    """The metric's sum over the last minutes."""
    dimensions = [{"Name": "EndpointName", "Value": ENDPOINT}, {"Name": "VariantName", "Value": "AllTraffic"}]
    watch, now = session_of_shell().client("cloudwatch"), time.time()
    asked = {"StartTime": now - 300, "EndTime": now + 60, "Period": 60, "Statistics": ["Sum"]}
    found = watch.get_metric_statistics(Namespace="AWS/SageMaker", MetricName=metric, Dimensions=dimensions, **asked)
    return sum(float(point["Sum"]) for point in found["Datapoints"])


def serving(platform: Platform) -> list[int]:
    """Ids of the processes that serve the endpoint: their environment names its folder below this platform's state."""
    folder = f"{platform.places.state}/aws/sagemaker/endpoints/{ENDPOINT}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if folder in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found
