"""Figures that should make a person look twice: one answer for every row, and scores that are too good.

    traps(seen, split="validation", labels=("no", "yes"))      # [Finding W-EVAL-002 …]

Too good is an accuracy or an area under the curve above 0.9999 on 300 rows or more (by the rule of three a perfect figure on n rows proves
only an error below 3 / n), or an R2 above 0.9999 on 30 rows or more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlops_core.contracts.dataset import Finding
from mlops_core.contracts.findings import MeasureName
from mlops_core.evaluation.look import Look

TOO_GOOD = 0.9999
LEAST_ROWS: dict[MeasureName, int] = {"accuracy": 300, "roc_auc": 300, "r2": 30}


def traps(seen: Look, *, split: str, labels: Sequence[str]) -> list[Finding]:
    """W-EVAL-001 (one class), W-EVAL-002 (too good, the best metric) and W-EVAL-003 (one number)."""
    found = _too_good(seen, split)
    same = bool((seen.predicted == seen.predicted[0]).all())
    if same and len(labels) > 1:
        values: dict[str, str | int | float] = {
            "split": split, "rows": seen.rows, "label": labels[int(seen.predicted[0])][:80], "classes": len(labels),
        }  # fmt: skip
        found.append(Finding(code="W-EVAL-001", values=values))
    elif same and seen.rows > 1:
        found.append(Finding(code="W-EVAL-003", values={"split": split, "rows": seen.rows}))
    return sorted(found, key=lambda item: item.code)


def _too_good(seen: Look, split: str) -> list[Finding]:
    for name, least in LEAST_ROWS.items():
        value = float(seen.metrics[name].interval.value) if name in seen.metrics else np.nan
        if value > TOO_GOOD and seen.rows >= least:
            values: dict[str, str | int | float] = {"metric": name, "score": round(value, 6), "split": split, "rows": seen.rows}
            return [Finding(code="W-EVAL-002", values=values)]
    return []
