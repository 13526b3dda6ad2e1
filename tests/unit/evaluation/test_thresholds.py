"""What other thresholds would give agrees with scikit-learn, and says nothing about fewer than ten rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from mlops_core.evaluation.ranking import keys_of
from mlops_core.evaluation.thresholds import thresholds


def test_every_threshold_agrees_with_scikit_learn_scores_on_the_threshold_included() -> None:
    chance = np.random.default_rng(3)
    positive = chance.random(2000) < 0.3
    scores = np.clip(chance.normal(0.3 + 0.3 * positive, 0.2), 0, 1).round(1)
    points = thresholds(np.sort(keys_of(scores, positive)))
    assert [point.threshold for point in points] == [place / 10 for place in range(1, 10)]
    for point in points:
        called = scores >= point.threshold
        assert point.rows == called.sum()
        assert point.share == pytest.approx(called.mean())
        assert point.precision.value == pytest.approx(precision_score(positive, called))
        assert point.recall.value == pytest.approx(recall_score(positive, called))
        assert point.f1 == pytest.approx(f1_score(positive, called))
        assert point.false_positive_rate == pytest.approx(called[~positive].mean())
        assert point.precision.low < point.precision.value < point.precision.high


def test_a_side_or_a_class_of_fewer_than_ten_rows_is_not_shown() -> None:
    positive = np.arange(100) % 2 == 0
    few_above = np.where(np.arange(100) < 9, 0.95, 0.35)
    assert [point.threshold for point in thresholds(np.sort(keys_of(few_above, positive)))] == []
    assert thresholds(np.sort(keys_of(np.linspace(0, 1, 100), np.arange(100) < 9))) == ()
