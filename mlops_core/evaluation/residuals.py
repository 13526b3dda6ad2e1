"""What a regression gets wrong, as sums: moments, quantiles, tenths by prediction, a histogram.  No row, and nothing about fewer than ten.

found = residuals(y, predicted)
found.bins[9].mean          # predicted less measured among the tenth with the greatest predictions
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_core.contracts.findings import SMALLEST_GROUP, ResidualBin, Residuals

Array = np.ndarray[Any, Any]
_SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_TENTHS = 10
_CELLS = 41


def residuals(y: Array, predicted: Array) -> Residuals:
    """Predicted less measured, for at least one row."""
    errors = predicted - y
    rows = len(errors)
    kept = [share for share in _SHARES if min(share, 1 - share) * rows >= SMALLEST_GROUP or (share == 0.5 and rows >= SMALLEST_GROUP)]
    edges, counts, hidden = _histogram(errors)
    return Residuals(
        mean=float(errors.mean()),
        deviation=float(errors.std()),
        quantiles=tuple((share, float(np.quantile(errors, share))) for share in kept),
        bins=_tenths(predicted, errors),
        edges=edges,
        counts=counts,
        hidden_rows=hidden,
    )


def _tenths(predicted: Array, errors: Array) -> tuple[ResidualBin, ...]:
    """Equal predictions share a bin, so bins may be fewer and of unequal size."""
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, _TENTHS + 1)[1:-1]))
    place = np.searchsorted(edges, predicted, side="left")
    found = []
    for number in range(len(edges) + 1):
        inside = place == number
        if inside.sum() < SMALLEST_GROUP:
            continue
        values, part = predicted[inside], errors[inside]
        found.append(
            ResidualBin(
                low=float(values.min()), high=float(values.max()), rows=len(part),
                mean=float(part.mean()), absolute=float(np.abs(part).mean()), deviation=float(part.std()),
            )
        )  # fmt: skip
    return tuple(found)


def _histogram(errors: Array) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    """Equal widths between the 0.5 % quantiles of both sides; the outer cells hold what lies beyond."""
    reach = float(np.quantile(np.abs(errors), 0.99))
    if reach == 0 or len(errors) < SMALLEST_GROUP:
        return (), (), 0
    edges = np.linspace(-reach, reach, _CELLS + 1)
    counts = np.bincount(np.clip(np.searchsorted(edges, errors, side="right") - 1, 0, _CELLS - 1), minlength=_CELLS)
    few = (counts > 0) & (counts < SMALLEST_GROUP)
    return tuple(edges.tolist()), tuple(np.where(few, 0, counts).tolist()), int(counts[few].sum())
