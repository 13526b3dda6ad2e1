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
from mlops_core.contracts.request import Duplicates, MissingValues, Scaling, SplitName, Task

ColumnType = Literal["float64", "int64", "string"]


class DataJobConfig(Message):
    """The recipe of one preparation; its digest plus the raw digests name the prepared version."""

    task: Task
    target: str
    positive_label: str | None = None
    drop_columns: tuple[str, ...] = ()
    missing_values: MissingValues = "median"
    duplicates: Duplicates = "keep"
    scaling: Scaling = "none"
    split: SplitName = "stratified"
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
