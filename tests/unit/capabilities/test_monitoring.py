"""What is watched of an endpoint."""

from __future__ import annotations

import json

from mlops_core.capabilities import monitoring
from mlops_core.local.github.pages.dashboards import metric_queries
from tests.unit.mcp_server import world as w


def test_the_dashboard_shows_latency_errors_requests_cpu_and_memory() -> None:
    memory = w.world()
    monitoring.put_dashboard(memory.ports, "income", "mlops-income")
    widgets = json.loads(memory.watch.dashboards["mlops-income"])["widgets"]
    queries = [query["MetricStat"] for widget in widgets if widget["type"] == "metric" for query in metric_queries(widget["properties"])]
    shown = {(item["Metric"]["Namespace"], item["Metric"]["MetricName"], item["Stat"]) for item in queries}
    assert shown == {
        ("AWS/SageMaker", "Invocations", "Sum"),
        ("AWS/SageMaker", "Invocation4XXErrors", "Sum"),
        ("AWS/SageMaker", "Invocation5XXErrors", "Sum"),
        ("AWS/SageMaker", "ModelLatency", "p50"),
        ("AWS/SageMaker", "ModelLatency", "p95"),
        ("AWS/SageMaker", "ModelLatency", "p99"),
        ("AWS/SageMaker", "OverheadLatency", "p95"),
        ("/aws/sagemaker/Endpoints", "CPUUtilization", "Maximum"),
        ("/aws/sagemaker/Endpoints", "MemoryUtilization", "Maximum"),
    }
    dimensions = [{"Name": "EndpointName", "Value": "mlops-income"}, {"Name": "VariantName", "Value": "AllTraffic"}]
    assert all(item["Metric"]["Dimensions"] == dimensions for item in queries)
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(places)) == len(places)
