"""The leaks and traps of one preparation, found before anything is trained.

    looked = Prepared(connection, config, profiles, out=work.out, duplicates=24)
    findings = traps(looked)
    looked.train      # the training rows, more of them than the checks take, for whoever needs them

Needs the views ``train``, ``validation`` and ``test`` and the written features.  What is looked at and how sure it must be is said in
`mlops_core.features.checks`; the sampled rows are read once, and a probe is trained only where rows drift along an order or at least 5 %
of them repeat another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig, Finding
from mlops_core.features.checks.combinations import combinations
from mlops_core.features.checks.near_copies import near_copies
from mlops_core.features.checks.overlap import overlap
from mlops_core.features.checks.sample import Rows, draw
from mlops_core.features.checks.stability import shifts
from mlops_core.features.checks.time_order import Order, future, order_of
from mlops_core.features.relations import rows_for

if TYPE_CHECKING:
    from mlops_core.algorithms.probe import Score

REPEATED_SHARE = 0.05
LEAST_PROBED = 200
GAPS = {"accuracy": 0.03, "r2": 0.05}
SURE = 3
WEIGHT = 0.01


@dataclass(frozen=True)
class Prepared:
    """One preparation after its features were written: ``duplicates`` is the number of rows that repeat an earlier one and were kept."""

    connection: Any
    config: DataJobConfig
    profiles: Sequence[ColumnProfile]
    out: Path
    duplicates: int = 0

    @property
    def by_chance(self) -> bool:
        """Whether validation rows are drawn from all of the file, not from its end or from other groups."""
        return self.config.split in {"random", "stratified"}

    @cached_property
    def train(self) -> Rows:
        """Training rows as arrays, read once."""
        return draw(self.connection, "train", self.profiles, self.config, most=rows_for(len(self.profiles)))


def traps(work: Prepared) -> list[Finding]:
    """Every warning of this module, in the order of the codes."""
    train = work.train.thinned()
    parts = {part: draw(work.connection, part, work.profiles, work.config) for part in ("validation", "test")}
    found = near_copies(train) or combinations(train)
    found += future(train, work.config)
    if len(train) >= LEAST_PROBED and work.by_chance:
        found += _probed(work, train)
    later = {part: rows for part, rows in parts.items() if len(rows)}
    # Rows of a test file that also stand in the training file are counted exactly where it is read (W-DATA-012).
    found += overlap(train, {part: rows for part, rows in later.items() if part != "test" or not work.config.has_test_file})
    return found + shifts(train, later, work.config)


def _probed(work: Prepared, train: Rows) -> list[Finding]:
    order = order_of(train, work.config)
    repeated = work.config.duplicates == "keep" and work.duplicates >= REPEATED_SHARE * train.total
    if order is None and not repeated:
        return []
    from mlops_core.algorithms.probe import Probe

    places = order.places if order else slice(None)
    probe = Probe.read(work.out / "features" / "train.parquet", task=work.config.task, order=train.numbers[places])
    fair = probe.at_random()
    found = []
    if repeated:
        found += _by_heart(probe.by_row(), fair, work.duplicates)
    if order is not None:
        found += _in_time(probe.in_time(), fair, order)
    return found


def _by_heart(apart: Score, together: Score, duplicates: int) -> list[Finding]:
    """W-LEAK-003 when a split that puts equal rows on both sides flatters the probe by 0.01 or more."""
    if apart.value - together.value < WEIGHT:
        return []
    values: dict[str, str | int | float] = {
        "rows": duplicates, "metric": apart.metric, "apart": round(apart.value, 4), "together": round(together.value, 4),
    }  # fmt: skip
    return [Finding(code="W-LEAK-003", values=values)]


def _in_time(late: Score, fair: Score, order: Order) -> list[Finding]:
    """W-LEAK-004 when the later rows are answered worse than random ones, by more than chance (three standard errors)."""
    gap = fair.value - late.value
    sure = SURE * float((fair.error**2 + late.error**2) ** 0.5)
    if gap < max(GAPS[fair.metric], sure):
        return []
    values: dict[str, str | int | float] = {
        "metric": fair.metric, "random": round(fair.value, 4), "in_time": round(late.value, 4), "rows": late.rows,
        "drifting": ", ".join(order.drifting[:5]),
    }  # fmt: skip
    return [Finding(code="W-LEAK-004", columns=(order.column,) if order.column else (), values=values)]
