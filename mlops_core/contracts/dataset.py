"""What the data job is told and what it writes.

The data job (SageMaker Processing, program ``mlops-job data``) reads ``processing/input/config/config.json`` (`DataJobConfig`),
``processing/input/raw/<file>`` and, when given, ``processing/input/test/<file>``; it writes below ``processing/output/prepared``::

    train/data.parquet  validation/data.parquet  test/data.parquet   typed columns, the target as written, `__row` (int64, row in the file)
    features/train.parquet  features/validation.parquet              the spec applied: f0…fn (float32, flags boolean), target `y`, `__row`
    spec.json (FeatureSpec) · profile.json (DataProfile)             fitted on training rows only
    features.json (FeatureDocs)                                      the same for people: every feature, its sources and fitted values

"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.relations import Relations
from mlops_core.contracts.request import (
    Derived,
    Duplicates,
    Encoding,
    MissingValues,
    OutlierRule,
    Outliers,
    RareClasses,
    Scaling,
    Selection,
    SplitName,
    Task,
)

ColumnType = Literal["float64", "int64", "string", "datetime"]
DerivedKind = Literal["ratio", "product", "year", "month", "day", "weekday", "hour"]


class DataJobConfig(Message):
    """The recipe of one preparation; its digest plus the raw digests name the prepared version.

    ``missing_values: constant`` fills numbers with ``missing_constant`` and text with the category ``missing``. ``outliers`` are
    numbers outside the fences that ``outlier_rule`` fits on training rows: ``iqr`` 1.5 interquartile ranges beyond the quartiles,
    ``zscore`` three deviations from the mean; ``flag`` only counts them, ``clip`` moves them to the fence (in serving too), ``drop``
    leaves rows out of training. Classes with fewer than ten rows go with ``rare_classes: drop``. Categories rarer than ``rare_share`` of
    the training rows are one category. ``split_gap`` rows are left out before each later part of a split by time; without a
    ``time_column`` the file's order is the time. ``audit_columns`` are dropped ones that stay in the splits, so that groups can be
    compared by what the model does not see. ``suite: run`` carries out the expectation suite on a sample (it is written in any case).
    ``image`` is the work image: another one may prepare otherwise.
    """

    task: Task
    target: str
    positive_label: str | None = None
    drop_columns: tuple[str, ...] = ()
    audit_columns: tuple[str, ...] = ()
    missing_values: MissingValues = "median"
    duplicates: Duplicates = "keep"
    rare_classes: RareClasses = "keep"
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
    suite: Literal["write", "run"] = "write"
    image: str = ""
    memory_limit_mb: Annotated[int, Field(ge=256)] = 2048
    threads: Annotated[int, Field(ge=1, le=64)] = 2


class _Grown(Message):
    """A message of version 1 that grew: a later field at its default is not written, so that old contents keep their bytes and digests."""

    later: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        unused = {name for name in self.later if getattr(self, name) == fields[name].default}
        written: dict[str, Any] = handler(self)
        return {name: value for name, value in written.items() if name not in unused}


class NumericColumn(_Grown):
    """A numeric input: beyond a fence it is moved to the fence, NaN becomes ``fill`` (none: NaN is kept), then (x - mean) / scale.

    ``mean`` and ``scale`` are what the scaling fitted: mean and deviation, least value and range, or median and interquartile range.
    A ``moment`` counts seconds since 1970 (UTC); people write it as a date.
    """

    later = frozenset({"low", "high", "moment"})

    name: str
    type: Literal["float64", "int64"]
    fill: float | None
    mean: float = 0.0
    scale: Annotated[float, Field(gt=0)] = 1.0
    low: float | None = None
    high: float | None = None
    moment: bool = False


class DerivedColumn(Message):
    """A number made of inputs before they are filled, then treated as `NumericColumn` says; what is no finite number is missing.

    ``ratio`` is left / right, ``product`` left * right.  The parts of the moment ``left`` are those of its UTC date between the years 1
    and 9999: ``month`` 1 to 12, ``day`` 1 to 31, ``weekday`` 0 (Monday) to 6, ``hour`` 0 to 23.
    """

    kind: DerivedKind
    left: str
    right: str = ""
    fill: float | None
    mean: float = 0.0
    scale: Annotated[float, Field(gt=0)] = 1.0
    low: float | None = None
    high: float | None = None


class CategoricalColumn(_Grown):
    """A text input; missing becomes ``fill``, then the text is a code: its place in ``categories``.

    Text that is not listed has the code after the last one when ``rare`` is set (one category for all rare text), else none.
    ``one_hot``: one feature per code, all zeros without a code.  ``label``: the code itself, -1 without one.  ``target``: ``values`` of the
    code (one number per feature: the share of the positive class, of each class, or the mean target), ``prior`` without a code.
    ``spellings`` (written, category) are other spellings that the data job brought together: what is served is read alike.
    """

    later = frozenset({"encoding", "rare", "values", "prior", "spellings"})

    name: str
    fill: str
    categories: tuple[str, ...]
    encoding: Encoding = "one_hot"
    rare: bool = False
    values: tuple[tuple[float, ...], ...] = ()
    prior: tuple[float, ...] = ()
    spellings: tuple[tuple[str, str], ...] = ()


class CrossedColumn(CategoricalColumn):
    """The pair of two text inputs, each filled as its own column says, as one text: left, U+001F, right; ``fill`` is not used."""

    left: str
    right: str


class FeatureSpec(_Grown):
    """Fitted once on training rows; renders to DuckDB SQL and to an ONNX graph that starts from typed columns.

    The feature vector (float32) is the numeric columns in order, the derived numbers, each categorical column's block in order, then
    each crossed column's block; of it ``selected`` names the places that are kept, ascending (empty: all).
    ``labels`` are the class labels as text in ascending order (empty for regression); class k of the model is ``labels[k]``.
    For a binary task ``labels`` is (negative, positive): with a positive label on a target of many classes the negative is ``not <label>``.
    Version 2 is a specification that uses a field which version 1 lacked.
    """

    later = frozenset({"derived", "crossed", "selected"})

    version: Literal[1, 2] = 1
    task: Task
    target: str
    numeric: tuple[NumericColumn, ...]
    categorical: tuple[CategoricalColumn, ...]
    labels: tuple[str, ...] = ()
    missing_values: MissingValues
    scaling: Scaling
    derived: tuple[DerivedColumn, ...] = ()
    crossed: tuple[CrossedColumn, ...] = ()
    selected: tuple[int, ...] = ()


class FeatureStep(Message):
    """One step from the source to the feature, with its fitted values.

    In this order: ``ratio``, ``product``, ``cross``, ``date_part`` (part) · ``clip`` (low, high) · ``fill`` (value) · ``scale`` (rule,
    center, width) · ``one_hot`` (category, or rare: 1), ``label`` (categories), ``target`` (categories, smoothing, prior, label).
    """

    kind: Literal["ratio", "product", "cross", "date_part", "clip", "fill", "scale", "one_hot", "label", "target"]
    values: dict[str, str | int | float] = Field(default_factory=dict)


class FeatureDoc(Message):
    """What one feature is: ``name`` for people, ``column`` in the feature files, the inputs it is made of and the steps between.

    ``filled_share`` is the share of the training rows in which the value was missing and got the fill.  A feature that selection left out
    has no ``column`` and says why: ``correlation`` (with which feature, and r) or ``importance`` (its measure).
    """

    name: str
    column: str = ""
    sources: tuple[str, ...]
    steps: tuple[FeatureStep, ...] = ()
    filled_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    left_out: Literal["", "correlation", "importance", "constant"] = ""
    reason: dict[str, str | int | float] = Field(default_factory=dict)


class FeatureDocs(Message):
    """``features.json``: every feature in the order of the vector, then those left out."""

    spec_digest: Digest
    rows: int
    features: tuple[FeatureDoc, ...]


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


class ColumnQuality(Message):
    """One column over all rows of the file, before anything is left out: what was found there, never a row of it.

    ``misfits`` are values that the type does not take (text among numbers), counted as missing when a model is fed.  ``edges`` bound even
    bins between the 1 and the 99 % quantile with ``counts`` values each, the outer bins open; ``categories`` are the most frequent texts
    with their counts.  ``far`` values lie over 20 interquartile ranges outside the quartiles; ``codes`` are numbers such as 999 that
    probably stand for missing, with their counts.  ``notation`` and ``currency`` (values with a mark) tell how numbers were written;
    ``spellings`` how many values were respelt to join a category that differs in case and blanks alone.
    """

    name: str
    type: ColumnType
    rows: int
    missing: int
    misfits: int
    distinct: int
    minimum: float | None = None
    maximum: float | None = None
    quantiles: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    categories: tuple[tuple[str, int], ...] = ()
    far: int = 0
    codes: tuple[tuple[float, int], ...] = ()
    notation: Literal["plain", "comma", "thousands"] = "plain"
    currency: int = 0
    spellings: int = 0


class FileQuality(Message):
    """How the raw file was written and what had to be repaired in it; counts are of characters (``nul``) or lines."""

    kind: Literal["csv", "parquet"] = "csv"
    bytes: int = 0
    encoding: str = "utf-8"
    separator: str = ","
    rewritten: bool = False
    nul: int = 0
    comments: int = 0
    headers: int = 0
    totals: int = 0
    ragged: int = 0
    ragged_lines: tuple[int, ...] = ()


class DataProfile(Message):
    """The quality summary: counts, columns, class shares, findings, and digests that pin the content.

    ``columns`` describe the training rows, ``all_columns`` the whole file.  ``engine`` and the digests of raw file, recipe and
    specification are the lineage: the same three give the same prepared bytes, which ``files`` pins by path and SHA-256.  Profiles that
    were written before there were ``relations`` have none.
    """

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
    all_columns: tuple[ColumnQuality, ...] = ()
    file: FileQuality = FileQuality()
    config_digest: str = ""
    engine: str = ""
    files: dict[str, Digest] = Field(default_factory=dict)
    relations: Relations | None = None
