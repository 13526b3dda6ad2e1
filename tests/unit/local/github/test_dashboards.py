"""Dashboard bodies become queries, and points become lines."""

from __future__ import annotations

from mlops_core.local.github.pages.charts import Series, line_chart
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


def test_no_data_is_said() -> None:
    assert "No data" in line_chart([Series("a", [])], [])
