"""Differences between the groups of a protected column: rates with intervals, widest gaps, the four-fifths rule.

    found = audit_classes("race", names, groups, y=y, predicted=decided)   # of any given decision; groups are indices into names
    found.gaps["selection_rate"].ratio                                     # least over greatest
    audit_values("sex", names, groups, y=y, predicted=predicted)           # of a regression: mean absolute error and bias

Rates are those of the positive class; intervals are Wilson's (1927), of a difference Newcombe's (1998, method 10), of a ratio of rates
Katz's (1978).  The four-fifths rule is that of the Uniform Guidelines on Employee Selection Procedures (29 CFR 1607.4 D, 1978).
Groups under ten rows are counted and not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from mlops_core.contracts.findings import SMALLEST_GROUP, GroupAudit, GroupFigure, GroupGap, GroupRow
from mlops_core.contracts.verdict import Interval
from mlops_core.evaluation.intervals import NORMAL_975, wilson
from mlops_core.evaluation.subsets import Rows

Array = np.ndarray[Any, Any]
FOUR_FIFTHS = 0.8


@dataclass(frozen=True)
class _Member:
    """A group before it is told which gaps it makes: figures with the rows each is a share or a mean of."""

    name: str
    rows: int
    figures: dict[GroupFigure, tuple[Interval, float]]


def audit_classes(attribute: str, names: Sequence[str], groups: Array, *, y: Array, predicted: Array) -> GroupAudit:
    """The audit of decisions (bool or 0 and 1) against outcomes (the same)."""
    keys = 4 * groups.astype(np.int64) + 2 * y.astype(np.int64) + predicted.astype(np.int64)
    return audit_cells(attribute, names, np.bincount(keys, minlength=4 * len(names)).reshape(-1, 2, 2))


def audit_cells(attribute: str, names: Sequence[str], cells: Array) -> GroupAudit:
    """The same from counts [group, true, decided]."""
    members = [_Member(name, int(counts.sum()), _rates(counts)) for name, counts in zip(names, cells, strict=True) if counts.sum()]
    return _audit(attribute, members, _ratio_of_shares)


def audit_hits(attribute: str, names: Sequence[str], groups: Array, *, correct: Array) -> GroupAudit:
    """The audit of several classes: the accuracy of each group."""
    counts = np.bincount(groups, minlength=len(names)).tolist()
    hits = np.bincount(groups, weights=correct, minlength=len(names)).tolist()
    members = [
        _Member(name, rows, {"accuracy": (wilson(right, rows), rows)})
        for name, rows, right in zip(names, counts, hits, strict=True)
        if rows
    ]
    return _audit(attribute, members, _ratio_of_shares)


def audit_values(attribute: str, names: Sequence[str], groups: Array, *, y: Array, predicted: Array) -> GroupAudit:
    """The audit of a regression, in the target's unit."""
    errors = predicted - y
    parts = [(name, errors[groups == number]) for number, name in enumerate(names)]
    members = [
        _Member(name, len(part), {"mae": (_mean(np.abs(part)), len(part)), "bias": (_mean(part), len(part))})
        for name, part in parts
        if len(part)
    ]
    return _audit(attribute, members, _ratio_of_means)


def audited(attribute: str, coded: tuple[Sequence[str], Array], rows: Rows, predicted: Array) -> GroupAudit:
    """The audit that fits the task of a split; ``coded`` is what `columns.group_column` found."""
    names, groups = coded
    if rows.task == "binary":
        return audit_classes(attribute, names, groups, y=rows.y, predicted=predicted)
    if rows.task == "multiclass":
        return audit_hits(attribute, names, groups, correct=rows.y == predicted)
    return audit_values(attribute, names, groups, y=rows.y, predicted=predicted)


def _rates(cells: Array) -> dict[GroupFigure, tuple[Interval, float]]:
    (right_negative, false_positive), (false_negative, hits) = cells.astype(np.float64).tolist()
    rows = right_negative + false_positive + false_negative + hits
    shares: dict[GroupFigure, tuple[float, float]] = {
        "selection_rate": (hits + false_positive, rows),
        "base_rate": (hits + false_negative, rows),
        "true_positive_rate": (hits, hits + false_negative),
        "false_positive_rate": (false_positive, false_positive + right_negative),
        "positive_predictive_value": (hits, hits + false_positive),
        "accuracy": (hits + right_negative, rows),
    }
    return {name: (wilson(top, bottom), bottom) for name, (top, bottom) in shares.items() if bottom}


def _mean(values: Array) -> Interval:
    value = float(values.mean())
    half = NORMAL_975 * float(values.std() / np.sqrt(max(len(values) - 1, 1)))
    return Interval(value=value, low=value - half, high=value + half)


def _audit(attribute: str, members: Sequence[_Member], ratio_of: Callable[..., Interval | None]) -> GroupAudit:
    shown = [member for member in members if member.rows >= SMALLEST_GROUP]
    few = [member.rows for member in members if member.rows < SMALLEST_GROUP]
    gaps: dict[GroupFigure, GroupGap] = {}
    for name in get_args(GroupFigure):
        measured = [(member.figures[name], member.name) for member in shown if name in member.figures]
        if len(measured) >= 2:
            ordered = sorted(measured, key=lambda item: (item[0][0].value, item[1]))
            gaps[name] = _gap(ordered[0], ordered[-1], ratio_of)
    selection = gaps["selection_rate"].ratio if "selection_rate" in gaps else None
    return GroupAudit(
        attribute=attribute,
        groups=tuple(
            GroupRow(name=member.name, rows=member.rows, figures={name: found[0] for name, found in member.figures.items()})
            for member in shown
        ),
        gaps=gaps,
        four_fifths=None if selection is None else selection.value >= FOUR_FIFTHS,
        hidden_groups=len(few),
        hidden_rows=sum(few),
    )


def _gap(least: tuple[tuple[Interval, float], str], most: tuple[tuple[Interval, float], str], ratio_of: Callable[..., Any]) -> GroupGap:
    low, high = least[0][0], most[0][0]
    value = _rounded(high.value - low.value)
    down, up = np.hypot(high.value - high.low, low.high - low.value), np.hypot(high.high - high.value, low.value - low.low)
    return GroupGap(
        highest=most[1],
        lowest=least[1],
        difference=Interval(value=value, low=value - float(down), high=value + float(up)),
        ratio=ratio_of(least[0], most[0]),
    )


def _ratio_of_shares(least: tuple[Interval, float], most: tuple[Interval, float]) -> Interval | None:
    """Where nobody of the lower group counts, the bounds are those of the shares."""
    low, high = least[0], most[0]
    if not high.value:
        return None
    if not low.value:
        return Interval(value=0.0, low=0.0, high=low.high / max(high.low, low.high))
    return _by_logarithm(_rounded(low.value / high.value), sum((1 - share.value) / (share.value * rows) for share, rows in (least, most)))


def _ratio_of_means(least: tuple[Interval, float], most: tuple[Interval, float]) -> Interval | None:
    """Of errors only: a bias may be 0 or have either sign."""
    low, high = least[0], most[0]
    if low.low < 0 or not low.value:
        return None
    return _by_logarithm(
        _rounded(low.value / high.value), sum(((mean.high - mean.value) / NORMAL_975 / mean.value) ** 2 for mean in (low, high))
    )


def _rounded(value: float) -> float:
    """Twelve digits: 6 of 10 against 9 of 12 is exactly four fifths, and 0.6 / 0.75 in floating point is less."""
    return float(f"{value:.12g}")


def _by_logarithm(value: float, variance: float) -> Interval:
    reach = float(np.exp(NORMAL_975 * np.sqrt(variance)))
    return Interval(value=value, low=value / reach, high=value * reach)
