"""Policy in, verdict out: the judge's two messages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.dataset import Finding
from mlops_core.contracts.request import MetricName, Task

Decision = Literal["accept", "retrain", "refuse"]
WarningCode = Annotated[str, Field(pattern=r"^W-[A-Z]{2,12}(?:-[0-9]{3})?$")]
GroupMeasure = Literal[
    "selection_rate_ratio",
    "selection_rate_difference",
    "true_positive_rate_difference",
    "false_positive_rate_difference",
    "accuracy_difference",
]
RuleName = Literal["threshold", "policy_minimum", "beat_baseline", "champion_margin", "champion_interval", "fairness", "slice_minimum"]
FOUR_FIFTHS: dict[GroupMeasure, float] = {"selection_rate_ratio": 0.8}
"""The four-fifths rule: Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 (D)."""


class Interval(Message):
    """A figure with its 95 % interval (bootstrap percentile unless said otherwise)."""

    value: float
    low: float
    high: float


class GroupFigure(Message):
    """How far the groups of one protected attribute lie apart by one measure: the two groups farthest apart, and the figure.

    Ratios are the least rate divided by the greatest (1 is equal), differences the greatest less the least (0 is equal); both lie in
    0..1.  Groups of fewer than ten rows take no part.
    """

    attribute: Annotated[str, Field(max_length=256)]
    measure: GroupMeasure
    value: Annotated[float, Field(ge=0, le=1)]
    least: Annotated[str, Field(max_length=64)] = ""
    greatest: Annotated[str, Field(max_length=64)] = ""


class SliceFigure(Message):
    """One segment of the split in words (``age < 25``), its rows and one metric on them."""

    name: Annotated[str, Field(max_length=256)]
    metric: MetricName
    value: float
    rows: Annotated[int, Field(ge=1)]


class Retraining(Message):
    """When models of this repository are trained again without a person; nothing unless asked for.

    ``schedule`` is ``rate(N minutes|hours|days)``; ``cool_down_hours`` is the least time between two such runs of one model.
    """

    on_data: bool = False
    schedule: Annotated[str, Field(pattern=r"^(?:rate\([1-9][0-9]{0,4} (?:minute|hour|day)s?\))?$")] = ""
    cool_down_hours: Annotated[float, Field(ge=0, le=8760)] = 24.0


class Policy(Message):
    """The caller's `.github/mlops.yml`, pinned with its commit when a run starts.

    ``minimum`` holds a floor per metric (a ceiling for errors such as rmse); ``champion_margin`` is how much better than the
    champion a challenger must be, in the metric's own unit; with ``champion_interval`` the pessimistic end of the challenger's 95 %
    interval must be that much better.  ``fairness`` bounds what lies between the groups of each protected attribute (ratios from below,
    differences from above): ``fairness_action`` says whether a bound that is broken is reported or stops the model.
    ``slice_minimum`` is ``minimum`` for the worst slice of at least ``slice_rows`` rows.  ``stop_on`` names warnings that stop a run, by
    code (``W-LEAK-001``) or by family (``W-LEAK``).  ``data_suite: run`` carries out the data's expectation suite on a sample.
    """

    minimum: dict[MetricName, float] = Field(default_factory=dict)
    champion_margin: Annotated[float, Field(ge=0)] = 0.0
    champion_interval: bool = False
    beat_baseline: bool = True
    fairness: dict[GroupMeasure, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=lambda: dict(FOUR_FIFTHS))
    fairness_action: Literal["report", "stop"] = "report"
    slice_minimum: dict[MetricName, float] = Field(default_factory=dict)
    slice_rows: Annotated[int, Field(ge=10, le=1_000_000_000)] = 50
    retrain: Retraining = Field(default_factory=Retraining)
    max_retrains: Annotated[int, Field(ge=0, le=3)] = 3
    max_cost_usd: Annotated[float, Field(gt=0)] | None = None
    instance_types: tuple[str, ...] = ()
    stop_on: tuple[WarningCode, ...] = ()
    data_suite: Literal["write", "run"] = "write"


class VerdictInput(Message):
    """What the judge sees of an evaluation (at most 8 KB): no rows, no names of people.

    ``champion_must_lose``: an equal figure is not enough against the champion (runs that nobody asked for).  ``groups`` and ``slices``
    hold the worst figures only, as many as the policy's rules need; ``stops`` the warnings that its ``stop_on`` names.
    """

    task: Task
    metric: MetricName
    split: Literal["validation", "test"]
    rows: int
    metrics: dict[MetricName, Interval]
    baseline: dict[MetricName, float]
    champion: dict[MetricName, float] | None = None
    champion_version: str | None = None
    champion_must_lose: bool = False
    threshold: float | None = None
    round: int = 0
    max_retrains: int = 3
    protected_attributes: tuple[str, ...] = ()
    groups: tuple[GroupFigure, ...] = ()
    slices: tuple[SliceFigure, ...] = ()
    stops: tuple[Finding, ...] = ()


class Rule(Message):
    """One rule with the numbers it compared.

    ``subject`` is what was measured where that is not the whole split: a slice, or an attribute with its groups; ``measure`` names a
    figure between groups in place of the metric.  A rule that is only ``reported`` never decides.
    """

    name: RuleName
    metric: MetricName
    measured: float
    required: float
    passed: bool
    strict: bool = False
    subject: Annotated[str, Field(max_length=512)] = ""
    measure: GroupMeasure | None = None
    reported: bool = False


class Verdict(Message):
    """The decision, the rule that decided, every rule checked, and the policy's digest."""

    decision: Decision
    decided_by: str
    rules: tuple[Rule, ...]
    metric: MetricName
    measured: Interval
    policy_digest: Digest
