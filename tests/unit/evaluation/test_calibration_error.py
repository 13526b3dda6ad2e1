"""The interval of the calibration error: it holds the figure always, the true error about 19 times in 20."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_core.evaluation.calibration import bin_sums
from mlops_core.evaluation.ranking import keys_of
from mlops_core.evaluation.resampling import Resampling


@pytest.mark.parametrize(("rows", "slope", "truth"), [(300, 1.0, 0.0), (3000, 1.0, 0.0), (300, 0.6, 0.1), (3000, 0.6, 0.1)])
def test_it_holds_the_figure_always_and_the_truth_nearly_so(rows: int, slope: float, truth: float) -> None:
    generator = np.random.default_rng(7)
    held, trials = 0, 100
    for trial in range(trials):
        scores = generator.random(rows)
        keys = keys_of(scores, generator.random(rows) < 0.5 + slope * (scores - 0.5))
        keys.sort()
        found = Resampling(trial, 200).of_bins(bin_sums(keys, 10)).interval
        assert 0 <= found.low <= found.value <= found.high
        held += found.low <= truth <= found.high
    assert held >= 0.88 * trials
