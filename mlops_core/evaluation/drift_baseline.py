"""The reference that drift detection needs, from one scored split and the training profile.

edges, shares = score_bins(scores)                  # len(shares) == len(edges) + 1
label_shares(predicted, (">50K", "<=50K"))
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_BINS = 10


def score_bins(scores: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Inner decile edges without repeats, and the share of rows in each bin: bin k holds edges[k-1] < x <= edges[k]."""
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, _BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, scores, side="left"), minlength=len(edges) + 1)
    return tuple(edges.tolist()), tuple((counts / len(scores)).tolist())


def label_shares(predicted: Array, labels: tuple[str, ...]) -> dict[str, float]:
    """The share of every label among the predictions."""
    counts = np.bincount(predicted.astype(np.int64), minlength=len(labels))
    return {label: float(count) / len(predicted) for label, count in zip(labels, counts, strict=True)}
