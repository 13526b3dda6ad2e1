"""Least squares over rows that come in pieces, as exact as a factorisation of all rows at once.

    standard = standardise(pieces)                    # mean and deviation of every feature, one pass
    triangle = factor(pieces, standard, target)       # QR of [1, standardised features, standardised target], one pass
    fit = solve(triangle, rows=rows)                  # weights of the standardised features

The rows are folded into one triangle by Householder QR, piece by piece (tall-skinny QR: Demmel, Grigori, Hoemmen and Langou 2012): the
condition number is not squared as it is by normal equations, and memory holds one piece and one triangle of (features + 2)².  Columns that
say the same share their weight (least norm, singular values).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mlops_core.algorithms.fitting import Array, FeatureTable

RANK_CUT = 1.2e-7
"""Directions whose singular value is smaller than this share of the largest hold rounding only: features are single precision."""
PIECE_VALUES = 1 << 23
KEPT_BYTES = 3 << 29
Pieces = Callable[[], Iterable[tuple[Array, Array]]]
"""Each call is one pass over (features, target)."""


@dataclass(frozen=True)
class Standard:
    """Means and deviations: of the features [F], of the target; a constant feature has the deviation 0 and no weight."""

    rows: int
    mean: Array
    scale: Array
    target_mean: float
    target_scale: float

    def features(self, matrix: Array) -> Array:
        """Standardised features, float64; constant ones are 0."""
        return (matrix.astype(np.float64) - self.mean) * self.inverse

    @property
    def inverse(self) -> Array:
        """1 / deviation, 0 for a constant feature."""
        return np.divide(1.0, self.scale, out=np.zeros_like(self.scale), where=self.scale > 0)


def piece_rows(width: int) -> int:
    """Rows of a piece: at most 65,536, and 64 MiB of doubles."""
    return max(256, min(65_536, PIECE_VALUES // max(1, width)))


def pieces_of(table: FeatureTable) -> Pieces:
    """Passes over a table; what fits into 1.5 GiB as single precision is read once."""
    width = max(1, len(table.names))
    if table.rows * width * 4 > KEPT_BYTES:
        return lambda: table.batches(piece_rows(width))
    kept = list(table.batches(piece_rows(width)))
    return lambda: kept


def standardise(pieces: Pieces) -> Standard:
    """Means and population deviations in one pass; pieces are merged by the formula of Chan, Golub and LeVeque (1979)."""
    rows, mean, squares = 0, np.zeros(0), np.zeros(0)
    for matrix, target in pieces():
        both = np.column_stack([matrix, target]).astype(np.float64, copy=False)
        if not rows:
            mean, squares = np.zeros(both.shape[1]), np.zeros(both.shape[1])
        own = both.mean(axis=0)
        delta, total = own - mean, rows + len(both)
        squares += ((both - own) ** 2).sum(axis=0) + delta**2 * (rows * len(both) / total)
        mean, rows = mean + delta * (len(both) / total), total
    scale = np.sqrt(squares / max(1, rows))
    # Equal values may leave a deviation of their own rounding: it is no spread.
    scale[scale <= np.abs(mean) * 1e-12] = 0.0
    return Standard(rows, mean[:-1], scale[:-1], float(mean[-1]), float(scale[-1]))


class Triangle:
    """The upper triangle of the QR factorisation of all rows added so far."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._triangle = np.zeros((0, width))
        self._waiting: list[Array] = []

    def add(self, block: Array) -> None:
        """Fold rows in; small blocks wait for each other, so that the triangle itself is not factorised again too often."""
        self._waiting.append(block)
        if sum(len(item) for item in self._waiting) >= 2 * self.width:
            self._fold()

    def _fold(self) -> None:
        if self._waiting:
            self._triangle = np.asarray(np.linalg.qr(np.vstack([self._triangle, *self._waiting]), mode="r"))
            self._waiting = []

    def square(self) -> Array:
        """The triangle [width, width]; rows that are missing (fewer rows than columns) are 0."""
        self._fold()
        whole = np.zeros((self.width, self.width))
        whole[: len(self._triangle)] = self._triangle
        return whole


def factor(pieces: Pieces, standard: Standard) -> Array:
    """The triangle of [1, standardised features, standardised target]."""
    triangle = Triangle(len(standard.mean) + 2)
    for matrix, target in pieces():
        own = (target - standard.target_mean) / (standard.target_scale or 1.0)
        triangle.add(np.column_stack([np.ones(len(target)), standard.features(matrix), own]))
    return triangle.square()


@dataclass(frozen=True)
class Line:
    """A solution in standardised terms: ``score = constant + features @ weights``; ``steps`` of the solver, 1 when it is direct."""

    weights: Array
    constant: float
    steps: int = 1
    converged: bool = True


def solve(triangle: Array, *, rows: int, alpha: float = 0.0, l1_ratio: float = 0.0) -> Line:
    """Minimise |y - c - Xw|²/2N + alpha·(l1_ratio·|w|₁ + (1 - l1_ratio)·|w|²/2).

    ``alpha`` 0 is least squares, ``l1_ratio`` 0 ridge (Hoerl and Kennard 1970), both by singular values; else the elastic net (Zou and
    Hastie 2005) by scikit-learn's coordinate descent on the triangle, which has the same solution as on the rows.
    """
    if alpha > 0 and l1_ratio > 0:
        weights, steps, converged = _elastic_net(triangle, rows=rows, alpha=alpha, l1_ratio=l1_ratio)
    else:
        weights, steps, converged = _by_singular_values(triangle, rows * alpha), 1, True
    constant = (triangle[0, -1] - triangle[0, 1:-1] @ weights) / triangle[0, 0] if triangle[0, 0] else 0.0
    return Line(weights, float(constant), steps, converged)


def _by_singular_values(triangle: Array, penalty: float) -> Array:
    left, values, right = np.linalg.svd(triangle[1:-1, 1:-1])
    kept = values > RANK_CUT * values[:1].max(initial=0.0)
    factors = np.divide(values, values**2 + penalty, out=np.zeros_like(values), where=kept)
    return np.asarray(right.T @ (factors * (left.T @ triangle[1:-1, -1])))


def _elastic_net(triangle: Array, *, rows: int, alpha: float, l1_ratio: float) -> tuple[Array, int, bool]:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNet

    width = len(triangle) - 2
    # The library divides the squares by the rows it sees, which here are the triangle's.
    net = ElasticNet(alpha=alpha * rows / width, l1_ratio=l1_ratio, fit_intercept=False, max_iter=20_000, tol=1e-8)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ConvergenceWarning)
        net.fit(triangle[1:-1, 1:-1], triangle[1:-1, -1])
    return np.asarray(net.coef_, dtype=np.float64), int(net.n_iter_), not told


def sliced(matrix: Array, target: Array) -> Pieces:
    """Passes over rows in memory, in pieces."""
    step = piece_rows(matrix.shape[1])

    def passes() -> Iterator[tuple[Array, Array]]:
        for start in range(0, len(target), step):
            yield matrix[start : start + step], target[start : start + step]

    return passes
