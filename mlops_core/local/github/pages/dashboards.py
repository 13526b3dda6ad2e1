"""CloudWatch dashboards drawn from their bodies: metric widgets as line charts, text widgets as Markdown.

Metric math, alarms and logs widgets are named, not drawn.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from mlops_core.local.github.answers import ApiError, not_found
from mlops_core.local.github.pages.charts import SHADES, Series, line_chart
from mlops_core.local.github.pages.cloudwatch import CloudWatch
from mlops_core.local.github.pages.markdown import render
from mlops_core.local.github.pages.view import Page, View

_SHOWN_S = 3 * 3600


def _watch(view: View) -> CloudWatch:
    if view.site.config.cloudwatch is None:
        raise not_found()
    if view.identity.anonymous:
        raise ApiError(401, "Requires authentication")
    return CloudWatch(view.site.config.cloudwatch)


def index(view: View) -> Page:
    """Every dashboard by name."""
    entries = _watch(view).call("ListDashboards", {}).get("DashboardEntries") or []
    return Page("dashboards.html", {"names": sorted(str(entry["DashboardName"]) for entry in entries)})


def dashboard(view: View) -> Page:
    """One dashboard over the last three hours."""
    watch = _watch(view)
    name = str(view.path["name"])
    try:
        body = json.loads(watch.call("GetDashboard", {"DashboardName": name}).get("DashboardBody") or "{}")
    except ValueError as error:
        raise ApiError(502, f"the body of dashboard {name!r} is no JSON") from error
    widgets = [_widget(watch, item) for item in body.get("widgets") or []]
    return Page("dashboard.html", {"name": name, "widgets": widgets})


def _widget(watch: CloudWatch, item: Mapping[str, Any]) -> dict[str, Any]:
    properties = item.get("properties") or {}
    title = str(properties.get("title") or item.get("type") or "")
    if item.get("type") == "text":
        html = Markup(render(str(properties.get("markdown") or ""), breaks=False))  # noqa: S704 - cleaned by nh3
        return {"title": title if title != "text" else "", "text": html, "svg": "", "legend": []}
    if item.get("type") != "metric":
        return {"title": title, "text": f"A widget of type {item.get('type')} is not drawn here.", "svg": "", "legend": []}
    queries = metric_queries(properties)
    end = int(time.time()) + 60
    wish = {"MetricDataQueries": queries, "StartTime": end - _SHOWN_S, "EndTime": end}
    results = watch.call("GetMetricData", wish).get("MetricDataResults") or [] if queries else []
    series = [Series(str(result.get("Label") or result.get("Id")), _points(result)) for result in results]
    annotations = (properties.get("annotations") or {}).get("horizontal") or []
    limits = [float(mark["value"]) for mark in annotations if isinstance(mark, dict) and "value" in mark]
    legend = [(line.label, number % SHADES) for number, line in enumerate(series)]
    return {"title": title, "text": "", "svg": line_chart(series, limits), "legend": legend}


def metric_queries(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """GetMetricData queries of a metric widget; ``.`` repeats the part above and ``...`` all earlier parts, as CloudWatch writes them."""
    queries = []
    above: list[str] = []
    for number, line in enumerate(properties.get("metrics") or []):
        options = line[-1] if line and isinstance(line[-1], dict) else {}
        parts = _spelled_out([part for part in line if not isinstance(part, dict)], above)
        if len(parts) < 2 or options.get("expression"):
            continue
        above = parts
        pairs = zip(parts[2::2], parts[3::2], strict=False)
        metric = {"Namespace": parts[0], "MetricName": parts[1], "Dimensions": [{"Name": name, "Value": value} for name, value in pairs]}
        stat = {"Metric": metric, "Period": int(options.get("period") or properties.get("period") or 300)}
        stat["Stat"] = str(options.get("stat") or properties.get("stat") or "Average")
        label = str(options.get("label") or " ".join([parts[1], *parts[3::2]]))
        queries.append({"Id": f"m{number}", "Label": label, "MetricStat": stat})
    return queries


def _spelled_out(parts: Sequence[Any], above: Sequence[str]) -> list[str]:
    if parts and parts[0] == "...":
        rest = list(map(str, parts[1:]))
        return [*above[: len(above) - len(rest)], *rest]
    return [above[place] if part == "." and place < len(above) else str(part) for place, part in enumerate(parts)]


def _points(result: Mapping[str, Any]) -> list[tuple[float, float]]:
    times, values = result.get("Timestamps") or [], result.get("Values") or []
    return [(_seconds(when), float(value)) for when, value in zip(times, values, strict=False)]


def _seconds(when: Any) -> float:
    return float(when) if isinstance(when, int | float) else datetime.fromisoformat(str(when)).timestamp()
