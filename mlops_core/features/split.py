"""Which row belongs to which part: decided by content, not by position or chance.

    cuts = make_cuts(connection, Shares(validation=0.16, test=0.2), by="income")
    part_sql(cuts, "income")     # 'train' | 'validation' | 'test' for each row

Rows are ordered by digest (of seed and content, see `load`) and cut at the exact count; rows with equal content have equal digests and
stay together, on the earlier side of the cut.  Stratified: within each class.  Training comes first, so a class of a single row, or of
copies of one row, is trained on.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops_core.features.load import DIGEST, ROW
from mlops_core.features.typing import identifier

CUTS = "mlops_cuts"


@dataclass(frozen=True)
class Shares:
    """Shares of all rows; training is the rest."""

    validation: float
    test: float


def make_cuts(connection: Any, shares: Shares, *, by: str | None) -> None:
    """Make the table of cuts: per stratum the greatest digest of training and of validation."""
    stratum = identifier(by) if by else "''"
    counted = f"""
        select {stratum} as stratum, {DIGEST} as digest,
               row_number() over (partition by {stratum} order by {DIGEST}, {ROW}) as place, count(*) over (partition by {stratum}) as n
        from data"""
    sized = f"""
        select *, cast(round(n * {shares.test!r}) as bigint) as n_test, cast(round(n * {shares.validation!r}) as bigint) as n_validation
        from ({counted})"""
    connection.execute(
        f"""create or replace table {CUTS} as
        select stratum, max(digest) filter (where place <= greatest(n - n_test - n_validation, 1)) as train_end,
               max(digest) filter (where place <= n - n_test) as validation_end
        from ({sized}) group by stratum"""
    )


def parted(by: str | None, columns: Sequence[str]) -> str:
    """A query over ``data`` that adds ``mlops_part``; needs the table of `make_cuts`."""
    stratum = f"d.{identifier(by)}" if by else "''"
    listed = ", ".join(f"d.{identifier(name)}" for name in columns)
    part = f"case when d.{DIGEST} <= c.train_end then 'train' when d.{DIGEST} <= c.validation_end then 'validation' else 'test' end"
    return f"select d.{ROW}, {listed}, {part} as mlops_part from data d join {CUTS} c on c.stratum = {stratum}"
