"""What a person asks for: one training request.

    request = TrainingRequest(model_name="income", task="binary", dataset="s3://b/datasets/adult/raw/train.csv.gz", target="income")
    digest(request)      # identity of the request: same content, same run

The issue form, the parser, `mlops run` and `workflow_dispatch` all end in this one type.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Message, ModelName, S3Uri

Task = Literal["binary", "multiclass", "regression"]
AlgorithmName = Literal["auto", "xgboost", "random_forest", "logistic_regression", "linear_regression"]
SplitName = Literal["stratified", "random", "time", "group"]
MetricName = Literal[
    "accuracy", "precision", "recall", "f1", "roc_auc",
    "balanced_accuracy", "specificity", "mcc", "average_precision", "log_loss", "brier",
    "precision_weighted", "f1_weighted", "roc_auc_weighted", "average_precision_weighted",
    "rmse", "mae", "r2", "mape", "mse", "median_ae", "explained_variance",
]  # fmt: skip
MissingValues = Literal["median", "mean", "mode", "constant", "drop"]
Outliers = Literal["none", "flag", "clip", "drop"]
OutlierRule = Literal["iqr", "zscore"]
Encoding = Literal["one_hot", "label", "target"]
Selection = Literal["none", "correlation", "importance"]
Duplicates = Literal["drop", "keep"]
RareClasses = Literal["keep", "drop"]
Scaling = Literal["none", "standard", "minmax", "robust"]
Promotion = Literal["auto", "none"]
Language = Literal["en", "ja"]
InstanceType = Literal["ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge", "ml.c5.xlarge", "ml.c5.2xlarge"]
Scalar = int | float | str

BINARY_METRICS: tuple[MetricName, ...] = (
    *("accuracy", "precision", "recall", "f1", "roc_auc", "balanced_accuracy", "specificity", "mcc", "average_precision", "log_loss"),
    "brier",
)
CLASSIFICATION_METRICS: tuple[MetricName, ...] = (
    *BINARY_METRICS,
    *("precision_weighted", "f1_weighted", "roc_auc_weighted", "average_precision_weighted"),
)
REGRESSION_METRICS: tuple[MetricName, ...] = ("rmse", "mae", "r2", "mape", "mse", "median_ae", "explained_variance")
TASK_METRICS: dict[Task, tuple[MetricName, ...]] = {
    "binary": BINARY_METRICS,
    "multiclass": CLASSIFICATION_METRICS,
    "regression": REGRESSION_METRICS,
}
"""What each task measures and a request can name; the calibration error is left out, because the trivial answer is well calibrated."""
LOWER_IS_BETTER: frozenset[MetricName] = frozenset({"rmse", "mae", "mape", "mse", "median_ae", "log_loss", "brier"})
METRIC_RANGES: dict[MetricName, tuple[float, float]] = {
    "r2": (float("-inf"), 1.0),
    "explained_variance": (float("-inf"), 1.0),
    "mcc": (-1.0, 1.0),
    "brier": (0.0, 2.0),
}
"""What a figure may be where that is not 0 … 1, or for an error 0 and above."""


def range_of(metric: str) -> tuple[float, float]:
    """What a metric can be, so that a threshold or a floor beyond it is a slip: 85 for 0.85."""
    usual = (0.0, float("inf") if metric in LOWER_IS_BETTER else 1.0)
    return next((ends for name, ends in METRIC_RANGES.items() if name == metric), usual)


DEFAULT_METRIC: dict[Task, MetricName] = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}

ColumnName = Annotated[str, Field(min_length=1, max_length=256)]


class Derived(Message):
    """A feature made of two columns: ``ratio`` and ``product`` of numbers, ``cross`` of two texts (one category per pair)."""

    kind: Literal["ratio", "product", "cross"]
    left: ColumnName
    right: ColumnName


class TrainingRequest(Message):
    """One request; every field is checked where people write it (intake) and again here.

    ``dataset_version`` is empty (the bytes found at the start are pinned by digest) or an immutable ``vMAJOR.MINOR.PATCH``.
    ``max_runtime_minutes`` bounds each job; ``max_cost_usd`` is turned into a shorter run time by the instance's price.
    ``threshold`` is in the metric's own unit; empty means: better than the trivial baseline.
    ``split_gap`` counts rows; without a ``time_column`` a split by time follows the file's order.  ``validation_share`` and
    ``test_share`` are shares of all rows of ``dataset``; the rest is trained on, and with a test dataset nothing is held back.
    """

    model_name: ModelName
    task: Task
    algorithm: AlgorithmName = "auto"
    dataset: S3Uri
    test_dataset: S3Uri | None = None
    dataset_version: Annotated[str, Field(pattern=r"^v\d{1,6}\.\d{1,6}\.\d{1,6}$")] | None = None
    target: ColumnName
    positive_label: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    split: SplitName = "stratified"
    split_gap: Annotated[int, Field(ge=0, le=10**9)] = 0
    time_column: ColumnName | None = None
    group_column: ColumnName | None = None
    validation_share: Annotated[float, Field(ge=0.01, le=0.45)] = 0.16
    test_share: Annotated[float, Field(ge=0.01, le=0.45)] = 0.2
    drop_columns: tuple[ColumnName, ...] = ()
    protected_attributes: tuple[ColumnName, ...] = ()
    missing_values: MissingValues = "median"
    missing_constant: float = 0.0
    outliers: Outliers = "none"
    outlier_rule: OutlierRule = "iqr"
    rare_share: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    duplicates: Duplicates = "keep"
    rare_classes: RareClasses = "keep"
    encoding: Encoding = "one_hot"
    scaling: Scaling = "none"
    date_parts: bool = False
    derived: tuple[Derived, ...] = ()
    selection: Selection = "none"
    keep_features: Annotated[int, Field(ge=1, le=10_000)] | None = None
    metric: MetricName
    threshold: float | None = None
    hyperparameters: dict[str, Scalar] = Field(default_factory=dict, max_length=100)
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 42
    instance_type: InstanceType | Literal["auto"] = "auto"
    max_runtime_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    max_cost_usd: Annotated[float, Field(gt=0, le=1000)] | None = None
    max_retrains: Annotated[int, Field(ge=0, le=3)] = 3
    promotion: Promotion = "auto"
    endpoint: bool = True
    language: Language = "en"
