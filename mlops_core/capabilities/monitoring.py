"""Watching an endpoint: alarms on errors and latency that reach the issue, and a dashboard."""

from __future__ import annotations

import json
from typing import Any

from mlops_core.contracts.base import ModelName
from mlops_core.facts import Alarm
from mlops_core.ports import Ports
from mlops_core.runs import names
from mlops_core.runs.progress import COMMON
from mlops_core.tool import ResourceName, acts, reads

NAMESPACE = "AWS/SageMaker"
VARIANT = "AllTraffic"
ERROR_SHARE = 0.05
"""Share of answers of the 5xx kind that raises the alarm."""
LATENCY_P95_US = 100_000
"""95th percentile of the container's latency, in microseconds, that raises the alarm."""
_MINUTE = 60


def alarm_names(model_name: str) -> tuple[str, str]:
    """Names of a model's two alarms."""
    return f"{names.endpoint(model_name)}-errors", f"{names.endpoint(model_name)}-latency"


def put_alarms(ports: Ports, model_name: ModelName, endpoint: ResourceName) -> dict[str, Any]:
    """Make or replace the endpoint's alarms: {alarms}."""
    errors, latency = alarm_names(model_name)
    topic = ports.settings.require("alarm_topic_arn")
    dimensions = {"EndpointName": endpoint, "VariantName": VARIANT}
    alarms = (
        Alarm(
            name=errors,
            description=f"More than {ERROR_SHARE:.0%} of the answers of {endpoint} were errors. See docs/runbooks/endpoint-errors.md.",
            namespace=NAMESPACE,
            metric="Invocation5XXErrors",
            dimensions=dimensions,
            # Invocation5XXErrors is 0 or 1 for each request: its average is the share of errors.
            statistic="Average",
            period=_MINUTE,
            evaluations=1,
            threshold=ERROR_SHARE,
            topic_arn=topic,
        ),
        Alarm(
            name=latency,
            description=f"P95 of {endpoint} was over {LATENCY_P95_US // 1000} ms for 3 minutes. See docs/runbooks/endpoint-latency.md.",
            namespace=NAMESPACE,
            metric="ModelLatency",
            dimensions=dimensions,
            statistic="p95",
            period=_MINUTE,
            evaluations=3,
            threshold=LATENCY_P95_US,
            topic_arn=topic,
        ),
    )
    for alarm in alarms:
        ports.watch.put_alarm(alarm)
    return {"alarms": [alarm.name for alarm in alarms]}


def put_dashboard(ports: Ports, model_name: ModelName, endpoint: ResourceName) -> dict[str, Any]:
    """Make or replace the endpoint's dashboard: {dashboard}."""
    name = names.endpoint(model_name)
    ports.watch.put_dashboard(name, json.dumps(dashboard(model_name, endpoint, ports.settings.region or "us-east-1")))
    return {"dashboard": name}


def dashboard(model_name: str, endpoint: str, region: str) -> dict[str, Any]:
    """The body of the dashboard: requests, errors, latency (P50, P95, P99), CPU and memory."""

    def metric(name: str, label: str, **options: object) -> list[object]:
        return [NAMESPACE, name, "EndpointName", endpoint, "VariantName", VARIANT, {"label": label, **options}]

    def graph(title: str, place: tuple[int, int], metrics: list[list[object]]) -> dict[str, Any]:
        properties = {"title": title, "region": region, "view": "timeSeries", "stacked": False, "period": _MINUTE, "metrics": metrics}
        return {"type": "metric", "x": place[0], "y": place[1], "width": 12, "height": 6, "properties": properties}

    def load(name: str, label: str) -> list[object]:
        return [
            "/aws/sagemaker/Endpoints", name, "EndpointName", endpoint, "VariantName", VARIANT, {"label": label, "stat": "Maximum"},
        ]  # fmt: skip

    return {
        "start": "-PT3H",
        "widgets": [
            {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": f"# {model_name}\n{endpoint}"}},
            graph("Requests a minute", (0, 2), [metric("Invocations", "requests", stat="Sum")]),
            graph(
                "Errors a minute",
                (12, 2),
                [metric("Invocation5XXErrors", "5xx", stat="Sum"), metric("Invocation4XXErrors", "4xx", stat="Sum")],
            ),
            graph(
                "Latency (µs)",
                (0, 8),
                [metric("ModelLatency", name.upper(), stat=name) for name in ("p50", "p95", "p99")],
            ),
            graph("CPU (% of one core)", (12, 8), [load("CPUUtilization", "CPU")]),
            graph("Memory (% of the instance)", (0, 14), [load("MemoryUtilization", "memory")]),
            graph("SageMaker's own latency (µs)", (12, 14), [metric("OverheadLatency", "P95", stat="p95")]),
        ],
    }


def describe_alarms(ports: Ports, model_name: ModelName) -> dict[str, Any]:
    """State of the model's alarms: {alarms: {name: OK | ALARM | INSUFFICIENT_DATA}}."""
    states = ports.watch.alarms(f"{names.endpoint(model_name)}-")
    return {"alarms": {name: states[name] for name in alarm_names(model_name) if name in states}}


TOOLS = (*COMMON, acts(put_alarms), acts(put_dashboard), reads(describe_alarms))
