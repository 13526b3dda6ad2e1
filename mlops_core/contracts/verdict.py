"""Policy in, verdict out: the judge's two messages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.request import MetricName, Task

Decision = Literal["accept", "retrain", "refuse"]


class Interval(Message):
    """A figure with its 95 % interval (bootstrap percentile unless said otherwise)."""

    value: float
    low: float
    high: float


class Policy(Message):
    """The caller's `.github/mlops.yml`, pinned with its commit when a run starts.

    ``minimum`` holds a floor per metric (a ceiling for errors such as rmse); ``champion_margin`` is how much better than the
    champion a challenger must be, in the metric's own unit.
    """

    minimum: dict[MetricName, float] = Field(default_factory=dict)
    champion_margin: Annotated[float, Field(ge=0)] = 0.0
    beat_baseline: bool = True
    max_retrains: Annotated[int, Field(ge=0, le=3)] = 3
    max_cost_usd: Annotated[float, Field(gt=0)] | None = None
    instance_types: tuple[str, ...] = ()


class VerdictInput(Message):
    """What the judge sees of an evaluation (at most 8 KB): no rows, no names of people."""

    task: Task
    metric: MetricName
    split: Literal["validation", "test"]
    rows: int
    metrics: dict[MetricName, Interval]
    baseline: dict[MetricName, float]
    champion: dict[MetricName, float] | None = None
    champion_version: str | None = None
    threshold: float | None = None
    round: int = 0
    max_retrains: int = 3


class Rule(Message):
    """One rule with the numbers it compared."""

    name: Literal["threshold", "policy_minimum", "beat_baseline", "champion_margin"]
    metric: MetricName
    measured: float
    required: float
    passed: bool


class Verdict(Message):
    """The decision, the rule that decided, every rule checked, and the policy's digest."""

    decision: Decision
    decided_by: str
    rules: tuple[Rule, ...]
    metric: MetricName
    measured: Interval
    policy_digest: Digest
