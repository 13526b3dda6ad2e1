"""What the evaluation job is told and what it writes.

Evaluation job (SageMaker Processing, program ``mlops-job evaluation``): ``processing/input/config/config.json`` (`EvaluationJobConfig`),
``processing/input/model/model.tar.gz`` (the training artifact), ``processing/input/prepared/`` (the one split's folder and spec.json,
profile.json below it).  It writes below ``processing/output/evaluation``: ``results.json`` (`EvaluationResults`), ``confusion_matrix.png``,
``roc_curve.png`` (or ``residuals.png``), ``report.html``, ``drift_baseline.json``, ``predictions.parquet`` (never published).

What a part of `EvaluationResults` means is said by `mlops_core.contracts.findings`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.dataset import ColumnProfile, Finding
from mlops_core.contracts.findings import (
    Calibration,
    Curve,
    Figure,
    GroupAudit,
    Importance,
    MeasureName,
    Residuals,
    Slices,
    ThresholdPoint,
)
from mlops_core.contracts.request import Language, MetricName, Task
from mlops_core.contracts.verdict import Interval


class EvaluationJobConfig(Message):
    """One look at one split.

    ``protected`` are columns of the split whose groups are compared; ``bins`` the equal widths of the calibration table.
    ``slice_rows`` is the least size of the slices that a floor of the policy holds for.  ``importance_rows`` is the most rows that are
    scored again to measure what each input contributes; 0 leaves that out.
    """

    run_id: str
    model_name: str
    task: Task
    metric: MetricName
    split: Literal["validation", "test"]
    round: int = 0
    language: Language = "en"
    resamples: Annotated[int, Field(ge=100, le=10_000)] = 1000
    seed: int = 42
    protected: tuple[str, ...] = ()
    bins: Annotated[int, Field(ge=2, le=50)] = 10
    slice_rows: Annotated[int, Field(ge=10, le=1_000_000_000)] = 50
    importance_rows: Annotated[int, Field(ge=0, le=100_000)] = 2000


class EvaluationResults(Message):
    """Every figure of one look at one split, with its sample size; no row of the data.

    ``baseline_rule`` is ``majority_class`` or ``mean``.  ``interval_methods`` says per metric how its interval was made: ``bootstrap``
    (percentiles), ``delong`` or ``delta`` (normal, on splits too large to resample), ``exact`` (binomial, when no or every row is right)
    or ``none``.  ``left_out`` counts the rows a metric
    cannot use (mape: target 0); ``hidden_groups`` the classes with fewer than ten rows, which ``per_class`` does not show.

    ``metrics`` are the figures a request can name and a judge weighs; ``measures`` are all of them with interval, method and baseline.
    ``protected_absent`` names protected columns that the split does not hold, ``learning_curve`` is the training's own.
    ``champion`` are the figures of the champion (``champion_version``) on the same rows, empty where it was not or could not be measured.
    """

    run_id: str
    task: Task
    metric: MetricName
    split: Literal["validation", "test"]
    rows: int
    labels: tuple[str, ...] = ()
    metrics: dict[MetricName, Interval]
    baseline: dict[MetricName, float]
    baseline_rule: str
    confusion: tuple[tuple[int, ...], ...] = ()
    roc: tuple[Curve, ...] = ()
    per_class: dict[str, dict[str, float]] = Field(default_factory=dict)
    score_quantiles: tuple[float, ...] = ()
    interval_methods: dict[MetricName, str] = Field(default_factory=dict)
    left_out: dict[MetricName, int] = Field(default_factory=dict)
    hidden_groups: int = 0
    measures: dict[MeasureName, Figure] = Field(default_factory=dict)
    precision_recall: tuple[Curve, ...] = ()
    calibration: tuple[Calibration, ...] = ()
    thresholds: tuple[ThresholdPoint, ...] = ()
    residuals: Residuals | None = None
    slices: Slices | None = None
    groups: tuple[GroupAudit, ...] = ()
    protected_absent: tuple[str, ...] = ()
    importance: Importance | None = None
    learning_curve: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    champion: dict[MetricName, Interval] = Field(default_factory=dict)
    champion_version: str = ""
    model_digest: Digest
    seconds: float


class DriftBaseline(Message):
    """``drift_baseline.json``: what monitoring compares captured traffic with.

    ``score_edges`` are the inner decile edges of the scores of this split (multiclass: of the greatest score) and ``score_shares`` the
    share of rows in each bin: bin k holds edges[k-1] < x <= edges[k], the outer ones are open.  ``label_shares`` is the share of each
    predicted label; ``columns`` the reference of the training split as the data job wrote it.
    """

    format: int = 1
    model_digest: Digest
    spec_digest: Digest
    split: Literal["validation", "test"]
    rows: int
    score_edges: tuple[float, ...]
    score_shares: tuple[float, ...]
    label_shares: dict[str, float] = Field(default_factory=dict)
    columns: tuple[ColumnProfile, ...]
