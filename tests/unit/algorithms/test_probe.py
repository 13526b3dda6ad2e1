"""The probe: the same rows split in time, at random and by row, with the same figures in every run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.algorithms.probe import Probe, Score


def _features(path: Path, x: np.ndarray[tuple[int], np.dtype[np.float64]], y: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Path:
    """A feature file whose row numbers are not in order."""
    numbers = np.random.default_rng(1).permutation(len(x)) + 1
    columns = {"__row": numbers, "f0": x[numbers - 1].astype(np.float32), "y": y[numbers - 1]}
    pq.write_table(pa.table(columns), path)
    return path


def test_rows_come_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    x = np.arange(50, dtype=np.float64)
    probe = Probe.read(_features(tmp_path / "train.parquet", x, x * 2), task="regression", order=np.arange(50, 0, -2))
    assert probe.y.tolist() == (x[::-1][::2] * 2).tolist()
    assert probe.x[:, 0].tolist() == x[::-1][::2].tolist()


def test_what_holds_at_random_and_not_in_time_shows_in_the_figures_twice_alike(tmp_path: Path) -> None:
    size = 600
    x = np.arange(size, dtype=np.float64)
    probe = Probe.read(_features(tmp_path / "train.parquet", x, np.floor(x / 60) % 3), task="multiclass", order=np.arange(1, size + 1))
    assert probe.at_random().value > 0.9
    assert probe.in_time().value < 0.6
    assert probe.in_time() == probe.in_time()
    assert probe.in_time().rows == 180


def test_equal_rows_stay_together_at_random_and_fall_apart_by_row(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    x, y = np.tile(generator.normal(size=60), 10), np.tile(generator.normal(size=60), 10)
    probe = Probe.read(_features(tmp_path / "train.parquet", x, y), task="regression", order=np.arange(1, 601))
    assert probe.by_row().value > 0.3 > probe.at_random().value


def test_the_standard_errors_are_those_of_the_books() -> None:
    assert Score("accuracy", 0.8, 400).error == pytest.approx(0.02)
    assert Score("r2", 0.64, 400).error == pytest.approx(2 * 0.8 * 0.36 / 20)
