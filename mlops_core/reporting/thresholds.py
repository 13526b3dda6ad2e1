"""What a binary model would give at other thresholds than the one that serves, as rows of a table.

rows = threshold_rows(results)      # none for other tasks, or where a look has measured none
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.verdict import Interval
from mlops_core.reporting.figures import figure
from mlops_core.reporting.pages import share

SERVED = 0.5


@dataclass(frozen=True)
class ThresholdRow:
    """One threshold: how many rows it calls positive, and what that gives, as text: a figure and what stands below it.

    ``served`` marks the threshold of the model.
    """

    threshold: str
    selected: tuple[str, str]
    precision: tuple[str, str]
    recall: tuple[str, str]
    f1: str
    false_rate: str
    served: bool


def threshold_rows(results: EvaluationResults) -> list[ThresholdRow]:
    """A row per threshold."""
    return [
        ThresholdRow(
            threshold=f"{point.threshold:g}",
            selected=(f"{point.rows:,}", share(point.share)),
            precision=_apart(point.precision),
            recall=_apart(point.recall),
            f1=figure(point.f1),
            false_rate=figure(point.false_positive_rate),
            served=point.threshold == SERVED,
        )
        for point in results.thresholds
    ]


def _apart(found: Interval) -> tuple[str, str]:
    return figure(found.value), f"{figure(found.low)}–{figure(found.high)}"
