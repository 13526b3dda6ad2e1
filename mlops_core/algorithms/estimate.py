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

from mlops_core.algorithms.catalogue import columns_tried, entry
from mlops_core.contracts.request import Scalar

TRAIN_SHARE = 0.64
VALIDATION_SHARE = 0.16
FEATURES_PER_TEXT = 12
MEGABYTE = 1e6
NANOSECOND = 1e-9


@dataclass(frozen=True)
class Workload:
    """What is known of the data: rows and columns of the raw file.

    ``features`` is the length of the feature vector, ``train_rows`` the rows of the training split and ``duplicate_share`` the share of
    rows that repeat another (from the profile when there is one; guessed, or 0, before).
    """

    rows: int
    numeric: int
    text: int
    task: str
    classes: int = 2
    features: int | None = None
    train_rows: int | None = None
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
        return self.rows * TRAIN_SHARE if self.train_rows is None else float(self.train_rows)

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
    """The data job: pages and checks, a few queries a column, passes over every cell, one write of every feature, the probes of its split.

    Memory goes up to DuckDB's limit.
    """
    columns = work.numeric + work.text
    cells = work.rows * columns
    written = work.rows * (TRAIN_SHARE + VALIDATION_SHARE) * work.width
    probed = min(work.rows, PROBE_ROWS) / PROBE_ROWS
    processor = 0.45e9 + 0.05e9 * columns + DATA_CELL_NS * cells + DATA_FEATURE_NS * written + 0.5e9 * probed
    memory = 130 + 2 * columns + 30 * probed + min(20 * cells / MEGABYTE, work.memory_limit_mb)
    return Estimate(int(memory * MEGABYTE), _on_cores(processor, work, "data"))


DATA_CELL_NS = 480.0
DATA_FEATURE_NS = 60.0
PROBE_ROWS = 10_000


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
    histograms = 2 * rows * work.width * values["colsample_bytree"]
    search = 8 * work.numeric * values["max_bin"] * leaves + 5000 * work.width * values["colsample_bytree"]
    processor = 0.05e9 + 120 * rows * work.width + trees * (0.2e6 + walk + histograms + search)
    nodes = 2 * leaves * trees
    memory = 150 * MEGABYTE + 8 * rows * work.width + 800 * nodes
    return Estimate(int(memory), 0.1 + _on_cores(processor, work, "xgboost"))


def _forest(work: Workload, values: Mapping[str, float], tried: str) -> Estimate:
    """Per tree: sorting the tried columns of every level (one-hot columns cost an eighth); rows that repeat end in pure leaves early.

    The learning curve adds a tenth.
    """
    rows, trees = work.trained_rows, values["n_estimators"]
    fresh = 1 - work.duplicate_share
    columns = float(columns_tried(tried, task=work.task, features=work.width))
    if work.task == "regression":
        # Better splits make flatter trees: three times the columns take twice the time.
        columns = 0.47 * (columns + 4)
    numeric = min(work.numeric, work.width)
    costly = (numeric + 0.125 * (work.width - numeric)) / work.width
    levels = min(values["max_depth"], math.log2(max(2.0, rows / values["min_samples_leaf"])) + 1)
    sorting = (65 if work.task == "regression" else 45) * rows * levels * columns * costly * fresh**1.5
    density = 1.0 if work.task == "regression" else 0.2
    nodes = trees * min(2 ** (values["max_depth"] + 1), density * rows * fresh**3 / values["min_samples_leaf"])
    processor = 60 * rows * work.width + 1.1 * trees * (4e6 + sorting) + 1500 * nodes
    memory = 220 * MEGABYTE + 5 * rows * work.width + 8 * _part(work) * work.width + 650 * nodes * (1 + work.outputs / 8)
    return Estimate(int(memory), 0.05 + _on_cores(processor, work, "random_forest"))


def _linear(work: Workload, values: Mapping[str, float]) -> Estimate:
    """One factorisation of the rows, one of the triangle, and as much again for the parts of the learning curve."""
    rows, width = work.trained_rows, work.width + 2
    seen = rows + 2 * _part(work)
    searched = 1 + width / 10 * (values["l1_ratio"] > 0) * (values["alpha"] > 0)
    processor = 0.09e9 + seen * (25 * width + 0.5 * width**2) + 30 * width**3 * searched
    memory = 160 * MEGABYTE + _kept(4 * rows * width) + 28 * min(rows * width, 8e6) + 8 * _part(work) * width + 60 * width**2
    return Estimate(int(memory), _on_cores(processor, work, "linear_regression"))


def _logistic(work: Workload, values: Mapping[str, float]) -> Estimate:
    """One look at every value, then passes over all rows until nothing is gained; the parts of the curve take half as many steps.

    How many steps is known afterwards only: 9 to 132 on the measured sets, more where there are more features.
    """
    rows, width, part = work.trained_rows, work.width + 2, _part(work)
    steps = min(values["max_iter"], 10 + 0.3 * width)
    processor = 0.07e9 + 70 * (rows + 2 * part) * width + 8 * width**3 + 150 * steps * (rows + part) * work.outputs
    memory = 160 * MEGABYTE + _kept(4 * rows * width) + _kept(8 * rows * width) + 12 * part * width + 20 * min(rows * width, 8e6)
    return Estimate(int(memory), _on_cores(processor, work, "logistic_regression"))


def _part(work: Workload) -> float:
    """Rows of the largest part of a learning curve."""
    return min(work.trained_rows / 2, 200_000, 2**28 / (4 * max(1, work.width)))


def _kept(size: float) -> float:
    """Bytes that stay in memory: all, or none when they are too many and are read again at every pass."""
    return size if size <= 3 << 29 else 0.0


PARALLEL = {"data": 0.55, "xgboost": 0.8, "random_forest": 0.8, "logistic_regression": 0.0, "linear_regression": 0.0}
"""Share of a job's processor time that several threads divide."""


def _on_cores(processor_ns: float, work: Workload, method: str) -> float:
    """Seconds on the clock for processor time."""
    shared = PARALLEL[method]
    return processor_ns * NANOSECOND * (1 - shared + shared / work.threads)
