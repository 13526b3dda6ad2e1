"""What one look at a split finds, part by part: figures, curves, calibration, residuals, slices, groups, importance.

Every share is 0 … 1, every interval covers 95 %, and nothing here is a row of the data: what describes fewer than ten rows is counted
and not shown.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlops_core.contracts.base import Message
from mlops_core.contracts.request import MetricName
from mlops_core.contracts.verdict import Interval

SMALLEST_GROUP = 10
"""Rows below which nothing is said of a group, a slice, a bin or a category."""
MeasureName = Literal[MetricName, "ece"]
"""Every figure that is measured.

Binary precision, recall, specificity, F1, ROC AUC and average precision are those of the positive class; of several classes they are the
unweighted mean over the classes, each against the rest, and ``…_weighted`` weighs by the rows of each class (the weighted recall is the
accuracy).  ``ece`` is the expected calibration error, of several classes that of the greatest probability.
"""

IntervalMethod = Literal["bootstrap", "delong", "delta", "normal", "wilson", "order", "exact", "none"]
"""How an interval was made.

``bootstrap`` percentiles; ``delong`` and ``delta`` normal by the variance of every row's influence; ``normal`` of a mean; ``wilson``
score interval of a share; ``order`` statistics around a median; ``exact`` binomial; ``none`` where the rows allow none.
"""

GroupFigure = Literal[
    "selection_rate", "base_rate", "true_positive_rate", "false_positive_rate", "positive_predictive_value", "accuracy", "mae", "bias"
]
"""Figures of a group: ``bias`` is the mean of predicted less measured; ``mae`` and ``bias`` are those of a regression."""


class Figure(Message):
    """A measured figure, its 95 % interval and how it was made, and what the trivial answer reaches (none: it has no such figure)."""

    value: float
    low: float
    high: float
    method: IntervalMethod
    baseline: float | None = None


class Curve(Message):
    """A curve as points; ``name`` is the class for one-vs-rest curves."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


class CalibrationBin(Message):
    """Rows whose score lies in (low, high] (the first bin also holds its lower edge): the mean score and the share that was positive."""

    low: float
    high: float
    rows: int
    score: float
    rate: Interval


class Calibration(Message):
    """Equal widths, right-closed as scikit-learn's; ``ece`` is over all bins, those under ten rows are counted in ``hidden_bins``."""

    name: str
    bins: tuple[CalibrationBin, ...]
    ece: float
    hidden_bins: int = 0


class ThresholdPoint(Message):
    """A binary split when a score at or above ``threshold`` counts as positive: ``rows`` are those, ``share`` theirs of all."""

    threshold: float
    rows: int
    share: float
    precision: Interval
    recall: Interval
    f1: float
    false_positive_rate: float


class ResidualBin(Message):
    """Rows by prediction, in tenths: predicted between low and high; mean, mean absolute value and deviation of predicted less measured."""

    low: float
    high: float
    rows: int
    mean: float
    absolute: float
    deviation: float


class Residuals(Message):
    """Predicted less measured: moments, quantiles (share, value) and tenths by prediction.

    Quantiles reach no further out than ten rows from either end.  ``edges`` and ``counts`` are a histogram whose outer bins hold what lies
    beyond; bins with one to nine rows are counted as 0 and their rows in ``hidden_rows``.
    """

    mean: float
    deviation: float
    quantiles: tuple[tuple[float, float], ...] = ()
    bins: tuple[ResidualBin, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    hidden_rows: int = 0


class Condition(Message):
    """Rows of one column: a category, missing values, or numbers with low < x <= high (an end that is None is open)."""

    column: str
    category: str | None = None
    low: float | None = None
    high: float | None = None
    missing: bool = False


class Slice(Message):
    """Rows that meet one or two conditions and the loss there against everywhere else.

    ``effect`` is the difference of the mean losses in deviations of the loss; ``p_value`` is one-sided (Welch), ``q_value`` the same
    after Benjamini and Hochberg over everything tested.  ``figures`` are those a request can name, where they are defined on the slice;
    ``metric`` is the request's own.
    """

    conditions: tuple[Condition, ...]
    rows: int
    share: float
    loss: Interval
    rest: float
    effect: float
    p_value: float
    q_value: float
    metric: Interval | None = None
    figures: dict[MetricName, Interval] = Field(default_factory=dict)


class LowestSlice(Message):
    """The slice of one column on which a metric is worst, significant or not."""

    conditions: tuple[Condition, ...]
    rows: int
    value: float


class Slices(Message):
    """The worst slices, most significant first: ``tested`` of at least ``least_rows`` rows over ``columns`` columns and their pairs.

    ``loss`` per row: ``brier`` (the squared error of the probabilities, 0 … 2), ``absolute_error``, or of decisions without probabilities
    ``error`` (1 where the class is wrong).  ``found`` have a q value below 0.05.  ``lowest`` holds for every metric the worst slice of one
    column with at least ``lowest_rows`` rows, against which a policy holds its floor.
    """

    loss: Literal["brier", "absolute_error", "error"]
    mean: float
    least_rows: int
    columns: int
    tested: int
    found: tuple[Slice, ...] = ()
    lowest: dict[MetricName, LowestSlice] = Field(default_factory=dict)
    lowest_rows: int = 50


class GroupRow(Message):
    """One group with at least ten rows: its figures with intervals; a figure without a denominator is absent."""

    name: str
    rows: int
    figures: dict[GroupFigure, Interval]


class GroupGap(Message):
    """The widest gap of a figure between two shown groups: greatest less least, and least over greatest (absent where that is 0).

    The intervals are those of the two groups as if chosen beforehand; of more than two groups the widest gap is somewhat overstated.
    """

    highest: str
    lowest: str
    difference: Interval
    ratio: Interval | None = None


class GroupAudit(Message):
    """How the figures differ between the groups of one protected column.

    ``four_fifths``: the least selection rate is at least 0.8 of the greatest (None: no two groups, or nobody is selected).  Groups under
    ten rows are not shown: ``hidden_groups`` of them with ``hidden_rows`` rows together.
    """

    attribute: str
    groups: tuple[GroupRow, ...]
    gaps: dict[GroupFigure, GroupGap] = Field(default_factory=dict)
    four_fifths: bool | None = None
    hidden_groups: int = 0
    hidden_rows: int = 0


class InputImportance(Message):
    """How much worse the metric gets when one input is shuffled among the rows: mean and deviation over the repeats."""

    column: str
    value: float
    deviation: float


class Importance(Message):
    """Permutation importance (Breiman 2001) by the request's metric, on a stated sample of the split; greatest first.

    ``base`` is the metric of the sample unshuffled; values are in the metric's unit, positive when the input helps.
    """

    metric: MeasureName
    base: float
    rows: int
    repeats: int
    seed: int
    inputs: tuple[InputImportance, ...]
