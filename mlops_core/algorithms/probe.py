"""A small, quick model that shows what a split hides: the same rows, split in two ways.

    probe = Probe.read(path, task="binary", order=rows)      # order: the row numbers in the order of time
    probe.in_time()            # Score(metric="accuracy", value=0.71, rows=6000): the first 70 % learn, the last 30 % answer
    probe.at_random()          # the same sizes by a hash of the row number, equal rows together as in our own split
    probe.by_row()             # the same, equal rows apart

XGBoost, 60 trees of depth 6 (240 in all for many classes) on one thread: the same figures in every run.  At most 10,000 rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlops_core.algorithms.xgboost import load
from mlops_core.contracts.request import Task
from mlops_core.features.checks.sample import hashed, scaled

Array = np.ndarray[Any, Any]
EARLY = 0.7
MOST_ROWS = 10_000
MOST_FEATURES = 500
_PARAMETERS = {"max_depth": 6, "eta": 0.15, "tree_method": "hist", "nthread": 1, "seed": 42, "max_bin": 64}
_TREES = 60
_MOST_TREES = 240
_BATCH = 65_536


@dataclass(frozen=True)
class Score:
    """What a probe measured on the rows that it did not learn from: accuracy, or R2 of a regression."""

    metric: str
    value: float
    rows: int

    @property
    def error(self) -> float:
        """The standard error: binomial for an accuracy, 2 R (1 - R2) / sqrt(n) for R2 (Olkin and Finn 1995)."""
        share = min(max(self.value, 0.0), 1.0)
        spread = share * (1 - share) if self.metric == "accuracy" else 4 * share * (1 - share) ** 2
        return math.sqrt(max(spread, 1e-9) / max(self.rows, 1))


@dataclass(frozen=True)
class Probe:
    """Rows in the order of time: features, targets and a number per group of equal rows."""

    task: Task
    x: Array
    y: Array

    @classmethod
    def read(cls, path: Path, *, task: Task, order: Array) -> Probe:
        """The rows of a feature file that ``order`` names, in that order; the file is read in pieces."""
        import pyarrow.parquet as pq

        file = pq.ParquetFile(path)
        names = [name for name in file.schema_arrow.names if name not in {"__row", "y"}][:MOST_FEATURES]
        wanted = np.sort(order)
        found, x, y = [], [], []
        for batch in file.iter_batches(batch_size=_BATCH, columns=["__row", *names, "y"]):
            numbers = np.asarray(batch.column("__row"))
            inside = wanted[np.minimum(np.searchsorted(wanted, numbers), len(wanted) - 1)] == numbers
            found.append(numbers[inside])
            x.append(np.stack([np.asarray(batch.column(name), dtype=np.float32)[inside] for name in names], axis=1))
            y.append(np.asarray(batch.column("y"), dtype=np.float64)[inside])
        numbers = np.concatenate(found)
        order = order[np.isin(order, numbers)]
        sorter = np.argsort(numbers, kind="stable")
        places = sorter[np.searchsorted(numbers, order, sorter=sorter)]
        return cls(task, np.concatenate(x)[places], np.concatenate(y)[places])

    def in_time(self) -> Score:
        """The first 70 % learn, the last 30 % answer."""
        return self._measure(np.arange(len(self.y)) < round(EARLY * len(self.y)))

    def at_random(self) -> Score:
        """A random 70 % learn; rows equal in all features and the target are on one side."""
        whole = np.ascontiguousarray(np.column_stack([self.x, self.y.astype(np.float32)])).view(np.void((self.x.shape[1] + 1) * 4)).ravel()
        _, group = np.unique(whole, return_inverse=True)
        return self._measure(hashed(group.ravel()) < EARLY)

    def by_row(self) -> Score:
        """A random 70 % of the rows learn, whatever they hold."""
        return self._measure(hashed(np.arange(len(self.y))) < EARLY)

    def _measure(self, learns: Array) -> Score:
        load()
        import xgboost as xgb

        xgb.set_config(verbosity=0)
        # The library takes float32: a target of any size is brought near 1 first, which changes no figure.
        y = scaled(self.y) if self.task == "regression" else np.unique(self.y, return_inverse=True)[1].astype(np.float64)
        classes = 0 if self.task == "regression" else int(y.max()) + 1
        objective: dict[str, Any] = {"objective": "reg:squarederror"}
        if classes:
            objective = {"objective": "multi:softmax", "num_class": max(classes, 2)}
        matrix = xgb.QuantileDMatrix(self.x[learns], y[learns], max_bin=64, nthread=1)
        booster = xgb.train(_PARAMETERS | objective, matrix, num_boost_round=max(5, min(_TREES, _MOST_TREES // max(classes, 1))))
        answers = booster.inplace_predict(self.x[~learns])
        asked = y[~learns]
        if classes:
            return Score("accuracy", float(np.mean(answers == asked)), len(asked))
        spread = float(np.sum((asked - asked.mean()) ** 2))
        left = float(np.sum((answers.astype(np.float64) - asked) ** 2))
        return Score("r2", 1 - left / spread if spread else 0.0, len(asked))
