"""What the data job is told and what it writes.

The data job (SageMaker Processing, program ``mlops-job data``) reads ``processing/input/config/config.json`` (`DataJobConfig`),
``processing/input/raw/<file>`` and, when given, ``processing/input/test/<file>``; it writes below ``processing/output/prepared``::

    train/data.parquet  validation/data.parquet  test/data.parquet   typed columns, the target as written, `__row` (int64, row in the file)
    features/train.parquet  features/validation.parquet              the fitted spec applied: float32 columns f0…fn, target `y`, `__row`
    spec.json (FeatureSpec) · profile.json (DataProfile)             fitted on training rows only

"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.request import Duplicates, Task

ColumnType = Literal["float64", "int64", "string"]
MissingValues = Literal["median", "mean", "mode", "constant", "drop"]
Outliers = Literal["none", "flag", "clip", "drop"]
OutlierRule = Literal["iqr", "zscore"]
Encoding = Literal["one_hot", "label", "target"]
Scaling = Literal["none", "standard", "minmax", "robust"]
Selection = Literal["none", "correlation", "importance"]
SplitName = Literal["stratified", "random", "time", "group"]


class Derived(Message):
    """A feature made of two columns: ``ratio`` and ``product`` of numbers, ``cross`` of two texts (one category per pair)."""

    kind: Literal["ratio", "product", "cross"]
    left: str
    right: str


class DataJobConfig(Message):
    """The recipe of one preparation; its digest plus the raw digests name the prepared version.

    ``missing_values: constant`` fills numbers with ``missing_constant`` and text with the category ``missing``.  ``outliers`` are numbers
    outside the fences that ``outlier_rule`` fits on training rows: ``iqr`` 1.5 interquartile ranges beyond the quartiles, ``zscore`` three
    deviations from the mean; ``flag`` only counts them, ``clip`` moves them to the fence (in serving too), ``drop`` leaves rows out of
    training.  Categories rarer than ``rare_share`` of the training rows are one category.  ``split_gap`` rows are left out before each
    later part of a split by time; without a ``time_column`` the file's order is the time.
    """

    task: Task
    target: str
    positive_label: str | None = None
    drop_columns: tuple[str, ...] = ()
    missing_values: MissingValues = "median"
    duplicates: Duplicates = "keep"
    scaling: Scaling = "none"
    missing_constant: float = 0.0
    outliers: Outliers = "none"
    outlier_rule: OutlierRule = "iqr"
    rare_share: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    encoding: Encoding = "one_hot"
    date_parts: bool = False
    derived: tuple[Derived, ...] = ()
    selection: Selection = "none"
    keep_features: Annotated[int, Field(ge=1, le=10_000)] | None = None
    split: SplitName = "stratified"
    split_gap: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    time_column: str | None = None
    group_column: str | None = None
    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.16
    test_share: Annotated[float, Field(ge=0, lt=1)] = 0.2
    has_test_file: bool = False
    seed: int = 42
    one_hot_limit: Annotated[int, Field(ge=2, le=1000)] = 100
    memory_limit_mb: Annotated[int, Field(ge=256)] = 2048
    threads: Annotated[int, Field(ge=1, le=64)] = 2


class NumericColumn(Message):
    """A numeric input: NaN becomes ``fill`` (none: NaN is kept), then (x - mean) / scale."""

    name: str
    type: Literal["float64", "int64"]
    fill: float | None
    mean: float = 0.0
    scale: Annotated[float, Field(gt=0)] = 1.0


class CategoricalColumn(Message):
    """A text input, one-hot over ``categories`` in this order; missing becomes ``fill``; unseen text gives all zeros."""

    name: str
    fill: str
    categories: tuple[str, ...]


class FeatureSpec(Message):
    """Fitted once on training rows; renders to DuckDB SQL and to an ONNX graph that starts from typed columns.

    The feature vector (float32) is the numeric columns in order, then each categorical column's one-hot block in order.
    ``labels`` are the class labels as text in ascending order (empty for regression); class k of the model is ``labels[k]``.
    For a binary task ``labels`` is (negative, positive): with a positive label on a target of many classes the negative is ``not <label>``.
    """

    version: Literal[1] = 1
    task: Task
    target: str
    numeric: tuple[NumericColumn, ...]
    categorical: tuple[CategoricalColumn, ...]
    labels: tuple[str, ...] = ()
    missing_values: MissingValues
    scaling: Scaling


class ColumnProfile(Message):
    """One column of the training split: what it holds, and the reference for drift (bin edges and shares, or category shares)."""

    name: str
    type: ColumnType
    rows: int
    missing: int
    distinct: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    quantiles: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    categories: tuple[tuple[str, float], ...] = ()
    dropped: str = ""


class Finding(Message):
    """A data warning: stable code (`W-DATA-001`), columns, one sentence with the numbers, English and Japanese come from the code."""

    code: str
    columns: tuple[str, ...] = ()
    values: dict[str, str | int | float] = Field(default_factory=dict)


class DataProfile(Message):
    """The quality summary: counts, columns, class shares, findings, and digests that pin the content."""

    raw_digest: Digest
    test_digest: Digest | None = None
    rows_read: int
    duplicate_rows: int
    dropped_rows: int
    rows: dict[Literal["train", "validation", "test"], int]
    columns: tuple[ColumnProfile, ...]
    class_shares: dict[str, float] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    seconds: float
    feature_count: int
    spec_digest: Digest
