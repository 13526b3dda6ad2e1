"""Up to three columns whose sum or product is the target: parts of the answer that stand in the table.

    combinations(train)      # [Finding W-LEAK-002: casual, registered], as in the bike sharing data

Regression only.  Least squares on the standardised numeric columns that are never missing, columns added one by one where they explain
most (forward selection); a target explained to R2 > 0.9999 by two or three of them is named.  The same on logarithms, where all values are
above 0, finds products and ratios.  A single column is the business of `near_copies`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlops_core.contracts.dataset import Finding
from mlops_core.features.checks.sample import Array, Rows, scaled

EXPLAINED = 0.9999
MOST_PARTS = 3
MOST_COLUMNS = 200
LEAST_ROWS = 50
_SAME = 1e-9


def combinations(train: Rows) -> list[Finding]:
    """W-LEAK-002 with the columns, for the sum and, when that is none, for the product."""
    if not train.regression or len(train) < LEAST_ROWS:
        return []
    whole = {name: values for name, values in train.columns.items() if name not in train.texts and not np.isnan(values).any()}
    names = list(whole)[:MOST_COLUMNS]
    columns = [whole[name] for name in names]
    for form, (parts, goal) in {"sum": (columns, train.target), "product": _logarithms(columns, train.target)}.items():
        chosen, score = explained_by(parts, goal)
        if len(chosen) > 1 and score > EXPLAINED:
            values: dict[str, str | int | float] = {"form": form, "score": round(score, 6), "rows": len(train)}
            return [Finding(code="W-LEAK-002", columns=tuple(names[index] for index in chosen), values=values)]
    return []


def explained_by(columns: Sequence[Array], target: Array) -> tuple[list[int], float]:
    """The columns that forward selection takes until R2 is above 0.9999 (at most three), and that R2; none for a constant target.

    What is left is orthogonalised by modified Gram-Schmidt, so that each step is one product per column.
    """
    left = _standard(target)
    basis = {index: _standard(column) for index, column in enumerate(columns)}
    chosen: list[int] = []
    score = 0.0
    while left is not None and len(chosen) < MOST_PARTS and score <= EXPLAINED:
        shares = {index: float(column @ left) ** 2 for index, column in basis.items() if column is not None}
        if not shares:
            break
        best = max(shares, key=lambda index: (shares[index], -index))
        direction = basis.pop(best)
        if direction is None:
            break
        chosen.append(best)
        left = left - (direction @ left) * direction
        score = 1.0 - float(left @ left)
        basis = {index: _standard(column - (direction @ column) * direction) for index, column in basis.items() if column is not None}
    return chosen, score


def _standard(values: Array) -> Array | None:
    """Centred and of length 1; None when nothing is left of it."""
    even = scaled(values)
    centred = even - np.mean(even) if len(even) else even
    length = float(np.sqrt(centred @ centred))
    return centred / length if length > _SAME else None


def _logarithms(columns: Sequence[Array], target: Array) -> tuple[list[Array], Array]:
    """The logarithms of the columns above 0; zeros (which explain nothing) in place of the others, and of all when the target is not."""
    if not (target > 0).all():
        return [], np.zeros_like(target)
    return [np.log(column) if (column > 0).all() else np.zeros_like(target) for column in columns], np.log(target)
