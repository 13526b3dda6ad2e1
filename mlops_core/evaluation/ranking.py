"""Areas under the ROC and the precision-recall curve with their variances, from one sort of packed keys.

    keys = keys_of(scores, positive)           # uint64: the score's 64 bits and the class, lossless
    ranked = rank(keys)                        # sorts in place, then one walk over the distinct scores
    ranked.area.value, ranked.precision.value  # ROC AUC and average precision, exact: ties count half
    ranked.points                              # operating points for both curves

A float64 in 0 … 1 has its two highest bits clear and sorts like its bits: shifted left by two it leaves room for the class, so nothing
is rounded and saturated scores stay apart from their neighbours.  The walk yields the Mann-Whitney statistic (Hanley and McNeil 1982),
DeLong's two sums of squares (DeLong, DeLong and Clarke-Pearson 1988) and, for the average precision, every row's influence (the
infinitesimal jackknife, Efron 1982).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BLOCK = 1 << 12
"""Rows of a step of the walk: its arrays stay in the cache, and a scalar product of this length never goes to several threads."""
_SHIFT, _ONE, _TAIL = np.uint64(2), np.uint64(1), np.uint64(3)


@dataclass(frozen=True)
class Deviated:
    """A figure and its standard error."""

    value: float
    deviation: float


@dataclass(frozen=True)
class Points:
    """Operating points by rising threshold: ``hits[k]`` positive and ``alarms[k]`` negative rows score ``thresholds[k]`` or more."""

    thresholds: Array
    hits: Array
    alarms: Array


@dataclass(frozen=True)
class Ranking:
    """The figures of one set of rows; ``area`` and ``precision`` are absent when a class is missing."""

    positives: int
    negatives: int
    area: Deviated | None = None
    precision: Deviated | None = None
    points: Points | None = None


def keys_of(scores: Array, positive: Array) -> Array:
    """Packed keys of scores in 0 … 1 (float64) and classes (bool or uint8 0 and 1); -0.0 becomes 0.0."""
    bits: Array = (scores + 0.0).view(np.uint64)
    np.left_shift(bits, _SHIFT, out=bits)
    return np.bitwise_or(bits, positive, out=bits)


def scores_of(keys: Array) -> Array:
    """The scores in packed keys."""
    found: Array = np.right_shift(keys, _SHIFT).view(np.float64)
    return found


def distinct(keys: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Of sorted keys, block by block and ascending: the first key, positive and negative rows (float64) of every distinct score.

    A run of equal scores is never cut: one that leaves its block is counted by binary search, so memory does not grow with it.
    """
    start = 0
    while start < len(keys):
        stop = min(start + BLOCK, len(keys))
        lowest = keys[stop - 1] & ~_TAIL
        first, end = np.searchsorted(keys, lowest), np.searchsorted(keys, lowest | _TAIL, side="right")
        if end == stop:
            yield _counted(keys[start:stop])
        else:
            if first > start:
                yield _counted(keys[start:first])
            split = np.searchsorted(keys, lowest | _ONE)
            yield keys[first : first + 1], np.array([float(end - split)]), np.array([float(split - first)])
        start = int(end)


def _counted(block: Array) -> tuple[Array, Array, Array]:
    positive = (block & _ONE).astype(np.float64)
    bits = block >> _SHIFT
    last = np.empty(len(block), dtype=bool)
    np.not_equal(bits[1:], bits[:-1], out=last[:-1])
    last[-1] = True
    if last.all():
        return block, positive, 1.0 - positive
    ends = np.flatnonzero(last)
    hits = np.diff(np.cumsum(positive)[ends], prepend=0.0)
    return block[ends], hits, np.diff(ends, prepend=-1) - hits


@dataclass
class _Walk:
    """Running sums of the walk; one call per block of distinct scores."""

    positives: float
    negatives: float
    steps: int
    hits_below: float = 0.0
    alarms_below: float = 0.0
    inverse: float = 0.0
    weighted: float = 0.0
    mark: float = -1.0
    sums: Array = field(default_factory=lambda: np.zeros(7))
    kept: list[tuple[Array, Array, Array]] = field(default_factory=list)

    def add(self, keys: Array, hits: Array, alarms: Array) -> None:
        """Take in a block."""
        hits_below, alarms_below = np.cumsum(hits), np.cumsum(alarms)
        hits_end, alarms_end = float(hits_below[-1]), float(alarms_below[-1])
        hits_below -= hits
        hits_below += self.hits_below
        alarms_below -= alarms
        alarms_below += self.alarms_below
        beaten = alarms_below + 0.5 * alarms
        lost = 1.0 - beaten / self.negatives
        misled = hits_below + 0.5 * hits
        misled /= self.positives
        above, false = self.positives - hits_below, self.negatives - alarms_below
        share = 1.0 / (above + false)
        precision = above * share
        share *= hits
        inverse = np.cumsum(share)
        share *= precision
        weighted = np.cumsum(share)
        weighted += self.weighted
        pull = precision + inverse
        pull -= weighted
        pull += self.inverse
        self.sums += [
            hits @ beaten, (hits * lost) @ lost, (alarms * misled) @ misled, hits @ precision,
            hits @ pull, (hits * pull) @ pull, (alarms * weighted) @ weighted,
        ]  # fmt: skip
        if self.steps:
            self._keep(keys, above, false)
        self.hits_below += hits_end
        self.alarms_below += alarms_end
        self.inverse += float(inverse[-1])
        self.weighted = float(weighted[-1])

    def _keep(self, keys: Array, above: Array, false: Array) -> None:
        """Points where the curve has gone one step along the ROC curve or one step of recall."""
        recall = above / self.positives
        marks = np.floor((recall + false / self.negatives) * self.steps) + np.floor(recall * self.steps)
        chosen = np.flatnonzero(np.diff(marks, prepend=self.mark))
        self.mark = float(marks[-1])
        if len(chosen):
            self.kept.append((scores_of(keys[chosen]), above[chosen], false[chosen]))


def rank(keys: Array, *, steps: int = 0) -> Ranking:
    """Sort the keys in place and walk over them; ``steps`` is the resolution of the operating points (0: none)."""
    keys.sort()
    positives = sum(int((keys[start : start + BLOCK] & _ONE).sum()) for start in range(0, len(keys), BLOCK))
    negatives = len(keys) - positives
    if not positives or not negatives:
        return Ranking(positives, negatives)
    walk = _Walk(float(positives), float(negatives), steps)
    for block in distinct(keys):
        walk.add(*block)
    points = Points(*(np.concatenate(parts) for parts in zip(*walk.kept, strict=True))) if walk.kept else None
    return Ranking(positives, negatives, _area(walk), _precision(walk), points)


def _area(walk: _Walk) -> Deviated:
    beaten, lost, misled = walk.sums[:3]
    value = float(beaten / walk.positives / walk.negatives)
    spread = sum(
        max(0.0, squares / rows - (1 - value) ** 2) / max(rows - 1, 1.0)
        for squares, rows in ((lost, walk.positives), (misled, walk.negatives))
    )
    return Deviated(value, float(np.sqrt(spread)))


def _precision(walk: _Walk) -> Deviated:
    total, pull, squared, false = walk.sums[3:]
    value = float(total / walk.positives)
    spread = squared - 2 * value * pull + value * value * walk.positives + false
    return Deviated(value, float(np.sqrt(max(0.0, spread)) / walk.positives))


def roc_points(ranking: Ranking) -> tuple[Array, Array] | None:
    """False and true positive rates from (0, 0) to (1, 1) at the operating points."""
    if ranking.points is None:
        return None
    x = np.concatenate([ranking.points.alarms, [0.0]])[::-1] / ranking.negatives
    y = np.concatenate([ranking.points.hits, [0.0]])[::-1] / ranking.positives
    return x, y


def precision_points(ranking: Ranking) -> tuple[Array, Array] | None:
    """Recall and precision at the operating points by rising recall; the curve starts at recall 0 with its first precision."""
    if ranking.points is None:
        return None
    hits, alarms = ranking.points.hits[::-1], ranking.points.alarms[::-1]
    precision = hits / (hits + alarms)
    return np.concatenate([[0.0], hits / ranking.positives]), np.concatenate([precision[:1], precision])


@dataclass(frozen=True)
class Influence:
    """ROC AUC and average precision, and what every row adds to each: ``rows[k].mean()`` is 0, its mean square over N the variance."""

    values: tuple[float, float]
    rows: tuple[Array, Array]


def ranks_of(scores: Array) -> Array:
    """For every row the rank of its score among the distinct scores, ascending from 0."""
    found: Array = np.unique(scores, return_inverse=True)[1]
    return found


def influence_of(positive: Array, scores: Array) -> Influence:
    """Row by row what `rank` sums up, for figures that combine several curves; both classes must occur."""
    ranks = ranks_of(scores)
    size = int(ranks.max()) + 1
    hits = np.bincount(ranks[positive], minlength=size).astype(np.float64)
    alarms = np.bincount(ranks[~positive], minlength=size).astype(np.float64)
    positives, negatives, rows = hits.sum(), alarms.sum(), len(ranks)
    beaten = (np.cumsum(alarms) - 0.5 * alarms) / negatives
    beating = (positives - np.cumsum(hits) + 0.5 * hits) / positives
    area = float((hits * beaten).sum() / positives)
    above = positives - np.cumsum(hits) + hits
    share = 1.0 / (above + negatives - np.cumsum(alarms) + alarms)
    precision = above * share
    average = float((hits * precision).sum() / positives)
    inverse, weighted = np.cumsum(hits * share), np.cumsum(hits * share * precision)
    by_area = np.where(positive, (beaten[ranks] - area) * rows / positives, (beating[ranks] - area) * rows / negatives)
    gain = np.where(positive, (precision - average + inverse)[ranks], 0.0) - weighted[ranks]
    return Influence((area, average), (by_area, gain * rows / positives))
