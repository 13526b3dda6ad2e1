"""Predicted memory and seconds of the data and training jobs, before they run.

    work = Workload(rows=48_842, numeric=6, text=8, task="binary", classes=2)
    estimate_data(work)                                     # Estimate(memory_bytes=…, seconds=…)
    estimate_training(work, "xgboost", hyperparameters)     # values missing among the hyperparameters take the catalogue's defaults

Plain formulas whose constants were fitted to measured runs (``benchmarks/estimate.py``, its table beside it).  Start-up apart: seconds
hold neither process start nor imports.  Memory is the greatest resident set of the process.  No learning library is imported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mlops_core.algorithms.catalogue import entry
from mlops_core.contracts.request import Scalar

TRAIN_SHARE = 0.64
VALIDATION_SHARE = 0.16
FEATURES_PER_TEXT = 12
MEGABYTE = 1e6
NANOSECOND = 1e-9


@dataclass(frozen=True)
class Workload:
    """What is known of the data: rows and columns of the raw file.

    ``features`` is the length of the feature vector and ``duplicate_share`` the share of rows that repeat another (both from the profile
    when there is one; guessed, or 0, before).
    """

    rows: int
    numeric: int
    text: int
    task: str
    classes: int = 2
    features: int | None = None
    duplicate_share: float = 0.0
    threads: int = 2
    memory_limit_mb: int = 2048

    @property
    def width(self) -> int:
        """Length of the feature vector."""
        return self.features or max(1, self.numeric + FEATURES_PER_TEXT * self.text)

    @property
    def trained_rows(self) -> float:
        """Rows of the training split."""
        return self.rows * TRAIN_SHARE

    @property
    def outputs(self) -> int:
        """Scores per row: one, or one per class of a multiclass task."""
        return max(2, self.classes) if self.task == "multiclass" else 1


@dataclass(frozen=True)
class Estimate:
    """Greatest resident set in bytes, and seconds without start-up."""

    memory_bytes: int
    seconds: float


def estimate_data(work: Workload) -> Estimate:
    """The data job: two passes over every cell, a few queries per column, one write of every feature; memory up to DuckDB's limit."""
    columns = work.numeric + work.text
    cells = work.rows * columns
    written = work.rows * (TRAIN_SHARE + VALIDATION_SHARE) * work.width
    seconds = 0.2 + 0.018 * columns + _parallel(DATA_CELL_NS * cells + DATA_FEATURE_NS * written, work) * NANOSECOND
    memory = 110 + 1.5 * columns + min(20 * cells / MEGABYTE, work.memory_limit_mb)
    return Estimate(int(memory * MEGABYTE), seconds)


DATA_CELL_NS = 480.0
DATA_FEATURE_NS = 60.0


def estimate_training(work: Workload, method: str, hyperparameters: Mapping[str, Scalar]) -> Estimate:
    """The training job of a method; `InvalidRequest` for a method that is not offered."""
    values = {name: item.default for name, item in entry(method).hyperparameters.items()} | dict(hyperparameters)
    numbers = {name: float(value) for name, value in values.items() if not isinstance(value, str)}
    if method == "random_forest":
        return _forest(work, numbers, str(values["max_features"]))
    return {"xgboost": _boosting, "logistic_regression": _logistic, "linear_regression": _linear}[method](work, numbers)


def _boosting(work: Workload, values: Mapping[str, float]) -> Estimate:
    """Per tree: a constant, the walk of each row down the tree, the histograms of each value, the search over bins of each node."""
    rows, trees = work.trained_rows, values["n_estimators"] * work.outputs
    depth, leaves = values["max_depth"], min(2 ** values["max_depth"], work.trained_rows / 20)
    walk = 35 * rows * depth * values["subsample"]
    histograms = 0.6 * rows * work.width * values["colsample_bytree"]
    search = 30 * work.numeric * values["max_bin"] * leaves
    seconds = (90 * rows * work.width + trees * (0.6e6 + walk + histograms + search)) * NANOSECOND
    nodes = 2 * leaves * trees
    memory = 150 * MEGABYTE + 8 * rows * work.width + 800 * nodes
    return Estimate(int(memory), 0.1 + _parallel(seconds, work))


def _forest(work: Workload, values: Mapping[str, float], tried: str) -> Estimate:
    """Per tree: sorting the tried columns of every level (one-hot columns cost a fifth); rows that repeat end in pure leaves early."""
    rows, trees = work.trained_rows, values["n_estimators"]
    fresh = 1 - work.duplicate_share
    columns = {"sqrt": math.sqrt(work.width), "log2": math.log2(work.width + 1), "third": work.width / 3}.get(tried, float(work.width))
    numeric = min(work.numeric, work.width)
    costly = (numeric + 0.2 * (work.width - numeric)) / work.width
    levels = min(values["max_depth"], math.log2(max(2.0, rows / values["min_samples_leaf"])) + 1)
    sorting = 45 * rows * levels * columns * costly * fresh**1.5
    density = 1.0 if work.task == "regression" else 0.2
    nodes = trees * min(2 ** (values["max_depth"] + 1), density * rows * fresh**3 / values["min_samples_leaf"])
    seconds = (40 * rows * work.width + trees * (2.5e6 + sorting) + 1500 * nodes) * NANOSECOND
    memory = 220 * MEGABYTE + 5 * rows * work.width + 650 * nodes * (1 + work.outputs / 8)
    return Estimate(int(memory), _parallel(seconds, work))


def _linear(work: Workload, values: Mapping[str, float]) -> Estimate:
    """One factorisation of the rows, one of the triangle, half as much again for the parts of the learning curve."""
    rows, width = work.trained_rows, work.width + 2
    part = min(rows / 2, 200_000) * 2
    seconds = (rows + part) * (25 * width + 0.5 * width**2) + 30 * width**3
    steps = 1 + (values["l1_ratio"] > 0) * (values["alpha"] > 0) * width / 10
    memory = 170 * MEGABYTE + min(4 * rows * width, 1.7e9) + 250 * MEGABYTE * min(1.0, rows * width / 8e6) + 60 * width**2
    return Estimate(int(memory), 0.1 + _parallel(seconds * NANOSECOND * steps, work))


def _logistic(work: Workload, values: Mapping[str, float]) -> Estimate:
    """The factorisation of a linear regression, then passes over all rows: about thirty, more for many classes."""
    rows, width = work.trained_rows, work.width + 2
    part = min(rows / 2, 200_000) * 2
    steps = min(values["max_iter"], 30 + 20 * (work.outputs > 1))
    one = _linear(work, {"alpha": 0, "l1_ratio": 0})
    seconds = steps * (rows + part) * (6 * width + 2 * width * work.outputs + 40 * work.outputs)
    return Estimate(one.memory_bytes, one.seconds + _parallel(seconds * NANOSECOND, work))


def _parallel(processor: float, work: Workload) -> float:
    """Time on the clock for processor time: a bit less than half of the work runs on one thread."""
    return processor * (0.45 + 0.55 / work.threads)
