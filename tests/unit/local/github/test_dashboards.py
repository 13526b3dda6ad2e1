"""Dashboard bodies become queries, and points become lines."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import botocore.auth  # noqa: TID251 - the authority on signatures
import botocore.awsrequest  # noqa: TID251
import botocore.credentials  # noqa: TID251
import pytest

from mlops_core.local.github.config import CloudWatchConfig
from mlops_core.local.github.pages.charts import Series, line_chart
from mlops_core.local.github.pages.cloudwatch import CloudWatch
from mlops_core.local.github.pages.dashboards import metric_queries


def test_dots_repeat_the_line_above_as_cloudwatch_writes_them() -> None:
    metrics = [["NS", "Errors", "Endpoint", "a"], [".", "Latency", ".", "."], ["...", "b", {"stat": "p99", "label": "slow"}]]
    found = metric_queries({"metrics": metrics, "period": 60, "stat": "Sum"})
    assert [item["MetricStat"]["Metric"]["MetricName"] for item in found] == ["Errors", "Latency", "Latency"]
    assert found[2]["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "Endpoint", "Value": "b"}]
    assert (found[2]["MetricStat"]["Stat"], found[2]["Label"], found[0]["MetricStat"]["Stat"]) == ("p99", "slow", "Sum")


def test_metric_math_is_left_out() -> None:
    assert metric_queries({"metrics": [[{"expression": "m1/m2"}]]}) == []


def test_a_chart_has_a_line_a_limit_and_escaped_names() -> None:
    chart = str(line_chart([Series("<b>", [(0.0, 1.0), (60.0, 3.0)])], [2.0]))
    assert chart.count("<circle") == 2
    assert 'class="limit"' in chart
    assert "<b>" not in chart


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (5.0, ["0", "2", "4", "6", "8"]),
        (4929.0, ["0", "2,000", "4,000", "6,000", "8,000"]),
        (0.43, ["0", "0.2", "0.4", "0.6", "0.8"]),
        (100.0, ["0", "25", "50", "75", "100"]),
    ],
)
def test_the_scale_of_a_chart_has_round_steps(highest: float, ticks: list[str]) -> None:
    chart = str(line_chart([Series("a", [(0.0, 0.0), (60.0, highest)])], []))
    assert re.findall(r'text-anchor="end">([^<:]+)</text>', chart) == ticks


def test_no_data_is_said() -> None:
    assert "No data" in line_chart([Series("a", [])], [])


def test_calls_are_signed_as_botocore_signs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
    watch = CloudWatch(CloudWatchConfig("http://127.0.0.1:4566", keys, "eu-west-1"))
    ours = watch._signed("ListDashboards", b"{}")
    moment = datetime.strptime(ours["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
    headers = {name: value for name, value in ours.items() if name in {"content-type", "x-amz-target"}}
    request = botocore.awsrequest.AWSRequest("POST", "http://127.0.0.1:4566/", headers, b"{}")
    credentials = botocore.credentials.Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    botocore.auth.SigV4Auth(credentials, "monitoring", "eu-west-1").add_auth(request)
    assert request.headers["Authorization"] == ours["Authorization"]
