"""Errors of a regression: MSE, RMSE, MAE, R², explained variance and MAPE from weighted sums: a resample is one matrix product.

    figures = regression_metrics(terms(y, predicted).sum(axis=0))

MAPE leaves rows with target 0 out (the caller states how many); it is a share, not a percentage.  R² and the explained variance (R² without
the penalty for a constant error) are absent when the target is constant.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_core.contracts.findings import MeasureName

Array = np.ndarray[Any, Any]


def terms(y: Array, predicted: Array) -> Array:
    """Per row [N,7]: squared error, absolute error, relative error, target is not 0, target less the mean, its square, error."""
    error = predicted - y
    usable = y != 0
    relative = np.abs(np.divide(error, y, out=np.zeros(len(y)), where=usable))
    centred = y - y.mean()
    return np.column_stack([error * error, np.abs(error), relative, usable.astype(np.float64), centred, centred * centred, error])


def regression_metrics(sums: Array, rows: int | Array) -> dict[MeasureName, Array]:
    """The figures for sums […, 7] of `terms` over ``rows`` rows (resampled or not); NaN where one is not defined."""
    squared, absolute, relative, usable, centred, spread, error = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    spread = spread - centred * centred / rows
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(spread > 0, 1 - squared / spread, np.nan)
        explained = np.where(spread > 0, 1 - (squared - error * error / rows) / spread, np.nan)
        mape = np.where(usable > 0, relative / usable, np.nan)
    mean = squared / rows
    return {"mse": mean, "rmse": np.sqrt(mean), "mae": absolute / rows, "r2": r2, "explained_variance": explained, "mape": mape}


def influences(rows: Array) -> dict[MeasureName, Array]:
    """Every row's influence on each figure (the delta method), for normal intervals on splits too large to resample."""
    count = len(rows)
    squared, absolute, relative, usable, _, spread, error = rows.T
    mean_squared, variance, share = squared.mean(), spread.mean(), usable.mean()
    zero = np.zeros(count)
    root = np.sqrt(mean_squared)
    r2 = 1 - mean_squared / variance if variance > 0 else np.nan
    mape = relative.sum() / usable.sum() if share > 0 else np.nan
    scatter = (error - error.mean()) ** 2
    unexplained = scatter.mean() / variance if variance > 0 else np.nan
    return {
        "mse": squared - mean_squared,
        "rmse": (squared - mean_squared) / (2 * root) if root > 0 else zero,
        "mae": absolute - absolute.mean(),
        "r2": (-squared + (1 - r2) * spread) / variance if variance > 0 else zero,
        "explained_variance": (unexplained * spread - scatter) / variance if variance > 0 else zero,
        "mape": (relative - mape * usable) / share if share > 0 else zero,
    }
