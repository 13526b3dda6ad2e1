"""Figures that should make a person look twice."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_core.evaluation.look import Look, Training, look
from mlops_core.evaluation.resampling import Resampling
from mlops_core.evaluation.traps import traps

LABELS = ("no", "yes")


def _binary(y: np.ndarray[tuple[int], np.dtype[np.float64]], scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Look:
    return look("binary", y, scores, training=Training(LABELS, (0.5, 0.5)), resampling=Resampling(1, 100))


def test_a_model_that_names_one_class_for_every_row_is_told() -> None:
    y = np.tile([0.0, 1.0], 40)
    found = traps(_binary(y, np.where(y == 1, 0.4, 0.3)), split="validation", labels=LABELS)
    assert [(item.code, item.values) for item in found] == [
        ("W-EVAL-001", {"split": "validation", "rows": 80, "label": "no", "classes": 2}),
    ]


@pytest.mark.parametrize(("rows", "codes"), [(60, []), (400, ["W-EVAL-002"])])
def test_a_perfect_score_is_told_where_the_rows_suffice_to_mean_it(rows: int, codes: list[str]) -> None:
    """abuse row 85: penguins' 60 right rows are no proof of a leak, 400 are worth a look."""
    y = np.tile([0.0, 1.0], rows // 2)
    found = traps(_binary(y, np.where(y == 1, 0.9, 0.1)), split="test", labels=LABELS)
    assert [item.code for item in found] == codes


def test_a_good_but_human_score_is_left_alone() -> None:
    y = np.tile([0.0, 1.0], 500)
    scores = np.where(np.arange(1000) % 20 == 0, 1 - y, y) * 0.8 + 0.1
    assert traps(_binary(y, scores), split="test", labels=LABELS) == []


def test_a_regression_that_knows_the_answer_and_one_that_knows_nothing_are_told() -> None:
    y = np.random.default_rng(2).normal(size=200)
    knows, nothing = (
        look("regression", y, scores, training=Training(mean=0.0), resampling=Resampling(1, 100))
        for scores in (y + 1e-6, np.full(200, 3.0))
    )
    assert [item.code for item in traps(knows, split="test", labels=())] == ["W-EVAL-002"]
    assert [item.code for item in traps(nothing, split="test", labels=())] == ["W-EVAL-003"]
