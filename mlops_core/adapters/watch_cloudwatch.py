"""CloudWatch alarms and dashboards."""

from __future__ import annotations

from typing import Any

from mlops_core.adapters.aws_errors import translated
from mlops_core.facts import Alarm


class CloudWatch:
    """Alarms and dashboards of one account and region."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put_alarm(self, alarm: Alarm) -> None:
        """Make or replace an alarm; missing data is not breaching: an endpoint without traffic is not broken."""
        percentile = alarm.statistic.startswith("p")
        with translated(f"making alarm {alarm.name}"):
            self._client.put_metric_alarm(
                AlarmName=alarm.name,
                AlarmDescription=alarm.description,
                Namespace=alarm.namespace,
                MetricName=alarm.metric,
                Dimensions=[{"Name": name, "Value": value} for name, value in alarm.dimensions.items()],
                **({"ExtendedStatistic": alarm.statistic} if percentile else {"Statistic": alarm.statistic}),
                Period=alarm.period,
                EvaluationPeriods=alarm.evaluations,
                Threshold=alarm.threshold,
                ComparisonOperator="GreaterThanThreshold",
                TreatMissingData="notBreaching",
                AlarmActions=[alarm.topic_arn],
                OKActions=[alarm.topic_arn],
            )

    def alarms(self, prefix: str) -> dict[str, str]:
        """State by alarm name: OK, ALARM or INSUFFICIENT_DATA."""
        with translated("reading alarms"):
            pages = self._client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
            return {item["AlarmName"]: item["StateValue"] for page in pages for item in page["MetricAlarms"]}

    def put_dashboard(self, name: str, body: str) -> None:
        """Make or replace a dashboard of JSON text."""
        with translated(f"making dashboard {name}"):
            self._client.put_dashboard(DashboardName=name, DashboardBody=body)
