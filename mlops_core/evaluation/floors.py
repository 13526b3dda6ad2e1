"""The worst slice by every metric, significant or not: what a floor of a policy is held against.

    lowest = lowest_slices(columns, rows, predicted, least=50)      # columns are `slices.Coded`, rows `subsets.Rows`
    lowest["accuracy"].conditions, lowest["accuracy"].value

One pass per column: confusion counts, or sums of losses or errors per value, and a sort per value for areas and medians.  The areas of
several classes are left out where they would take more than 20 million ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from mlops_core.contracts.findings import LowestSlice, MeasureName
from mlops_core.contracts.request import LOWER_IS_BETTER, MetricName
from mlops_core.evaluation.classification import threshold_metrics
from mlops_core.evaluation.losses import LOSSES
from mlops_core.evaluation.regression import regression_metrics, terms
from mlops_core.evaluation.slices import Coded
from mlops_core.evaluation.subsets import Rows

Array = np.ndarray[Any, Any]
_MOST_CELLS = 4_000_000
_MOST_RANKS = 20_000_000


def lowest_slices(columns: Sequence[Coded], rows: Rows, predicted: Array, *, least: int) -> dict[MetricName, LowestSlice]:
    """For every metric that a request can name, the slice of one column with at least ``least`` rows on which it is worst."""
    found: dict[MetricName, LowestSlice] = {}
    ranked = rows.task == "binary" or len(rows.y) * len(columns) * rows.classes <= _MOST_RANKS
    measured = _Measured(rows, predicted, terms(rows.y, rows.scores) if rows.task == "regression" else np.column_stack(rows.losses()))
    for column in columns:
        inside = column.codes >= 0
        counts = np.bincount(column.codes[inside], minlength=len(column.conditions))
        figures = measured.of(column, inside, counts)
        if ranked or rows.task == "regression":
            figures |= _sorted(rows, column, counts, least)
        for name, values in figures.items():
            sign = -1.0 if name in LOWER_IS_BETTER else 1.0
            there = np.flatnonzero((counts >= least) & np.isfinite(values))
            for code in there[np.argsort(sign * values[there], kind="stable")][:1]:
                if name not in found or sign * values[code] < sign * found[name].value:
                    found[name] = LowestSlice(conditions=(column.conditions[code],), rows=int(counts[code]), value=float(values[code]))
    return found


@dataclass(frozen=True)
class _Measured:
    """A split with what every row adds: the terms of its error, or log loss and Brier score."""

    rows: Rows
    predicted: Array
    parts: Array

    def of(self, column: Coded, inside: Array, counts: Array) -> dict[MetricName, Array]:
        """Every figure that counts and sums give, per value of a column."""
        codes = column.codes[inside].astype(np.int64)
        sums = np.column_stack([np.bincount(codes, weights=part, minlength=len(counts)) for part in self.parts[inside].T])
        many = np.maximum(counts, 1)
        if self.rows.task == "regression":
            figures = regression_metrics(sums, many)
        else:
            losses = dict(zip(LOSSES, (sums / many[:, None]).T, strict=True))
            figures = _hits(self.rows, self.predicted[inside], codes, inside=inside, size=len(counts)) | losses
        return {name: figures[name] for name in get_args(MetricName) if name in figures}


def _hits(rows: Rows, predicted: Array, codes: Array, *, inside: Array, size: int) -> dict[MeasureName, Array]:
    classes = rows.classes
    if size * classes * classes > _MOST_CELLS:
        return {}
    cells = np.bincount((codes * classes + rows.y[inside]) * classes + predicted, minlength=size * classes * classes)
    cells = cells.reshape(size, classes, classes)
    figures = threshold_metrics(rows.task, cells)
    truth, named = cells.sum(axis=2), cells.sum(axis=1)
    # Where a class does not occur, a ratio of 0 says nothing about the model.
    both = ((truth > 0).sum(axis=1) > 1) & ((named > 0).sum(axis=1) > 1)
    counted: dict[MeasureName, Array] = {"mcc": both}
    if rows.task == "binary":
        counted |= {"precision": named[:, 1], "recall": truth[:, 1], "f1": truth[:, 1], "specificity": truth[:, 0]}
    for name, there in counted.items():
        figures[name] = np.where(there > 0, figures[name], np.nan)
    return figures


def _sorted(rows: Rows, column: Coded, counts: Array, least: int) -> dict[MetricName, Array]:
    """The figures that need the rows of a value in order."""
    found: dict[MetricName, Array] = {}
    for code in np.flatnonzero(counts >= least):
        part = rows.inside(column.codes == code)
        median = part.value("median_ae") if rows.task == "regression" else None
        figures = part.ranked() if median is None else {"median_ae": median}
        for name in get_args(MetricName):
            if name in figures:
                found.setdefault(name, np.full(len(counts), np.nan))[code] = figures[name]
    return found
