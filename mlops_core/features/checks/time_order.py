"""Rows in the order of time, and what a random split hides about them.

    order = order_of(train, config)      # Order(column="date", places=…, drifting=("nswprice", …)) or None
    future(train, config)                # [Finding W-LEAK-005 …]: dates after the time of the row

An order is taken from, in this order: the request's time column; a column of dates or a number that rises from row to row (one fall in a
thousand is forgiven) and has at least 20 values; the file's own order, unless the target is sorted in it.  It matters when a column of
the last 30 % of the rows is distributed unlike in the first 70 % (PSI above 0.2 and above chance): only then is the probe worth its time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_core.contracts.dataset import DataJobConfig, Finding
from mlops_core.features.checks.sample import Array, Rows, grouped, scaled
from mlops_core.features.checks.stability import moved_columns

EARLY = 0.7
LEAST_TIMES = 20
FUTURE_SHARE = 0.05
FALLS = 0.001


@dataclass(frozen=True)
class Order:
    """The order that the rows seem to have: ``column`` is empty for the file's; ``places`` sorts the rows; ``drifting`` change along it."""

    column: str
    places: Array
    drifting: tuple[str, ...]


def order_of(train: Rows, config: DataJobConfig) -> Order | None:
    """The order along which the rows drift; None when they show none."""
    rising = [name for name, values in train.measured.items() if name not in train.texts and _rises(values)]
    column = _time_column(train, config, rising)
    if not column and _sorted_by_target(train):
        return None
    places = np.argsort(train.columns[column], kind="stable") if column else np.arange(len(train))
    early, late = np.split(places, [round(EARLY * len(train))])
    others = {name: values for name, values in train.measured.items() if name != column and name not in rising}
    moved = moved_columns(
        {name: values[early] for name, values in others.items()}, {name: values[late] for name, values in others.items()}, texts=train.texts
    )
    return Order(column, places, tuple(moved)) if moved else None


def future(train: Rows, config: DataJobConfig) -> list[Finding]:
    """W-LEAK-005 for each column of dates that lies after the time column in at least 5 % of the rows that hold both."""
    time = config.time_column or ""
    found = []
    for name in sorted(train.moments - {time}) if time in train.moments else []:
        both = ~np.isnan(train.columns[name]) & ~np.isnan(train.columns[time])
        after = int((train.columns[name][both] > train.columns[time][both]).sum())
        if after and after >= FUTURE_SHARE * int(both.sum()):
            values: dict[str, str | int | float] = {"rows": after, "of": int(both.sum()), "time": time[:80]}
            found.append(Finding(code="W-LEAK-005", columns=(name,), values=values))
    return found


def _time_column(train: Rows, config: DataJobConfig, rising: list[str]) -> str:
    if config.time_column is not None and config.time_column in train.columns:
        return config.time_column
    timely = [name for name in rising if len(grouped(train.columns[name])[0]) >= LEAST_TIMES]
    return next((name for name in timely if name in train.moments), next(iter(timely), ""))


def _rises(values: Array) -> bool:
    steps = np.diff(scaled(values)) if not np.isnan(values).any() else np.zeros(0)
    return bool(steps.any()) and int((steps < 0).sum()) <= FALLS * len(values)


def _sorted_by_target(train: Rows) -> bool:
    """Whether the target stands in blocks (at most two changes per class) or, a number, never falls or never rises."""
    steps = np.diff(scaled(train.target))
    if train.regression:
        return not (steps > 0).any() or not (steps < 0).any()
    return int(np.count_nonzero(steps)) <= 2 * len(grouped(train.target)[0])
