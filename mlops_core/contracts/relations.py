"""How the columns of the training rows go with the target and with each other: ``relations`` in ``profile.json``.

Figures over whole columns, never a row; what fewer than ten rows would say is left out.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Message

AssociationMeasure = Literal["spearman", "eta", "cramers_v"]
"""Spearman's rank correlation (two numbers), the correlation ratio (a number and groups), Cramér's V (two categories)."""
Coefficient = Annotated[float, Field(ge=-1, le=1)]


class Association(Message):
    """How a column goes with the target on the ``rows`` that hold a value: 0 not at all, 1 wholly; ``spearman`` alone has a sign.

    ``auc`` is the share of pairs of rows, one of the positive class and one of the other, in which the positive one has the greater
    number (ties count half); None where there is no such pair of classes, or one of fewer than ten rows.
    """

    column: str
    measure: AssociationMeasure
    value: Coefficient
    rows: int
    auc: Annotated[float, Field(ge=0, le=1)] | None = None


class CorrelatedPair(Message):
    """Two numeric columns that say nearly the same: Pearson's r on the ``rows`` that hold both."""

    left: str
    right: str
    r: Coefficient
    rows: int


class Relations(Message):
    """What ``rows`` of the ``of_rows`` training rows say, the strongest first.

    ``correlations`` are the lower half of a matrix: line k holds Pearson's r of ``columns[k]`` with each column before it, None where one
    does not vary or fewer than ten rows hold both.  ``pair_count`` pairs were found to be above the bound, ``pairs`` are the strongest.
    """

    rows: int
    of_rows: int
    associations: tuple[Association, ...] = ()
    columns: tuple[str, ...] = ()
    correlations: tuple[tuple[Coefficient | None, ...], ...] = ()
    pairs: tuple[CorrelatedPair, ...] = ()
    pair_count: int = 0
