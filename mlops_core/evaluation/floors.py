"""The worst slice by every metric, significant or not: what a floor of a policy is held against.

    lowest = lowest_slices(columns, rows, predicted, least=50)      # columns are `slices.Coded`, rows `subsets.Rows`
    lowest["accuracy"].conditions, lowest["accuracy"].value

One pass per column: confusion counts or sums of errors per value, and a sort per value for the area.  The area of several classes is left
out where it would take more than 20 million ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from mlops_core.contracts.findings import LowestSlice, MeasureName
from mlops_core.contracts.request import LOWER_IS_BETTER, MetricName
from mlops_core.evaluation.classification import threshold_metrics
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
    errors = terms(rows.y, rows.scores) if rows.task == "regression" else None
    for column in columns:
        inside = column.codes >= 0
        codes = column.codes[inside].astype(np.int64)
        counts = np.bincount(codes, minlength=len(column.conditions))
        figures = _errors(errors[inside], codes, counts) if errors is not None else _hits(rows, predicted, column, inside)
        if ranked and rows.task != "regression":
            figures["roc_auc"] = _areas(rows, column, counts, least)
        for name, values in figures.items():
            sign = -1.0 if name in LOWER_IS_BETTER else 1.0
            there = np.flatnonzero((counts >= least) & np.isfinite(values))
            for code in there[np.argsort(sign * values[there], kind="stable")][:1]:
                if name not in found or sign * values[code] < sign * found[name].value:
                    found[name] = LowestSlice(conditions=(column.conditions[code],), rows=int(counts[code]), value=float(values[code]))
    return found


def _hits(rows: Rows, predicted: Array, column: Coded, inside: Array) -> dict[MetricName, Array]:
    classes, size = rows.classes, len(column.conditions)
    if size * classes * classes > _MOST_CELLS:
        return {}
    keys = (column.codes[inside].astype(np.int64) * classes + rows.y[inside]) * classes + predicted[inside]
    cells = np.bincount(keys, minlength=size * classes * classes).reshape(size, classes, classes)
    figures = threshold_metrics(rows.task, cells)
    if rows.task == "binary":
        # Without a positive row, or a row named positive, a ratio of 0 says nothing about the model.
        truth, named = cells[:, 1].sum(axis=1), cells[:, :, 1].sum(axis=1)
        counted: dict[MeasureName, Array] = {"precision": named, "recall": truth, "f1": truth}
        for name, there in counted.items():
            figures[name] = np.where(there > 0, figures[name], np.nan)
    return {name: figures[name] for name in get_args(MetricName) if name in figures}


def _errors(errors: Array, codes: Array, counts: Array) -> dict[MetricName, Array]:
    sums = np.column_stack([np.bincount(codes, weights=column, minlength=len(counts)) for column in errors.T])
    figures = regression_metrics(sums, np.maximum(counts, 1))
    return {name: figures[name] for name in get_args(MetricName) if name in figures}


def _areas(rows: Rows, column: Coded, counts: Array, least: int) -> Array:
    found = np.full(len(counts), np.nan)
    for code in np.flatnonzero(counts >= least):
        area = rows.inside(column.codes == code).value("roc_auc")
        found[code] = np.nan if area is None else area
    return found
