"""Permutation importance: how much worse a metric gets when one input's values are dealt out anew among the rows (Breiman 2001).

    sample = sampled_rows(rows, most=2000, seed=42)
    found = importance(Shuffling(score, feeds, names, y), task="binary", metric="roc_auc", classes=2, seed=42)

Inputs that carry the same information stand in for each other, so each of them may look unimportant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_core.contracts.findings import Importance, InputImportance
from mlops_core.contracts.request import LOWER_IS_BETTER, MetricName, Task
from mlops_core.evaluation.subsets import rows_of

Array = np.ndarray[Any, Any]
REPEATS = 3
MOST_INPUTS = 200


@dataclass(frozen=True)
class Shuffling:
    """A sample: what scores feeds, the feeds [N,1] by graph input, the column behind each input, and the targets."""

    score: Callable[[Mapping[str, Array]], Array]
    feeds: Mapping[str, Array]
    columns: Mapping[str, str]
    y: Array


def sampled_rows(rows: int, *, most: int, seed: int) -> Array:
    """Row numbers of a sample without replacement, ascending; all rows when there are no more than ``most``."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng([seed, 5]).choice(rows, most, replace=False))


def importance(sample: Shuffling, *, task: Task, metric: MetricName, classes: int, seed: int) -> Importance | None:
    """Every input's mean loss of the metric over three shuffles; None where the metric is not defined on the sample.

    The shuffles are the same for every input, so that two inputs are compared on equal terms.
    """
    base = _measured(sample, sample.feeds, task, metric, classes)
    if base is None:
        return None
    generator = np.random.default_rng([seed, 6])
    orders = [generator.permutation(len(sample.y)) for _ in range(REPEATS)]
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    found = []
    for name, column in list(sample.columns.items())[:MOST_INPUTS]:
        shuffled = [_measured(sample, {**sample.feeds, name: sample.feeds[name][order]}, task, metric, classes) for order in orders]
        losses = [sign * (base - value) for value in shuffled if value is not None]
        found.append(InputImportance(column=column, value=float(np.mean(losses)), deviation=float(np.std(losses))))
    ordered = sorted(found, key=lambda item: (-item.value, item.column))
    return Importance(metric=metric, base=base, rows=len(sample.y), repeats=REPEATS, seed=seed, inputs=tuple(ordered))


def _measured(sample: Shuffling, feeds: Mapping[str, Array], task: Task, metric: MetricName, classes: int) -> float | None:
    return rows_of(task, sample.y, sample.score(feeds), classes=classes).value(metric)
