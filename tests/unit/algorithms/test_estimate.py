"""Predicted memory and time: light to import, sane in direction, and within a factor of two of what was measured."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.estimate import predicted, workload
from mlops_core.algorithms.catalogue import ENTRIES, TREES
from mlops_core.algorithms.estimate import Workload, estimate_data, estimate_training
from mlops_core.errors import InvalidRequest

ADULT = Workload(rows=48_842, numeric=6, text=8, task="binary", features=105)
TABLE = Path(__file__).resolve().parents[3] / "benchmarks" / "estimate.tsv"


def test_estimating_imports_no_learning_library() -> None:
    program = (
        "import sys, mlops_core.algorithms.estimate; "
        "print(sorted({'numpy','duckdb','xgboost','sklearn','pyarrow','onnx','scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("method", sorted(ENTRIES))
def test_more_rows_trees_and_columns_cost_more(method: str) -> None:
    base = estimate_training(ADULT, method, {})
    others = [
        estimate_training(replace(ADULT, rows=ADULT.rows * 4), method, {}),
        estimate_training(replace(ADULT, features=900), method, {}),
        *([estimate_training(ADULT, method, {"n_estimators": 1000})] if method in TREES else []),
    ]
    for other in others:
        assert other.seconds > base.seconds
        assert other.memory_bytes > base.memory_bytes
    assert (estimate_training(replace(ADULT, threads=8), method, {}).seconds < base.seconds) == (method in TREES)


def test_the_data_job_stays_near_its_memory_limit() -> None:
    huge = replace(ADULT, rows=10**9, memory_limit_mb=2048)
    assert 2.0e9 < estimate_data(huge).memory_bytes < 2.4e9


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        estimate_training(ADULT, "svm", {})


def test_features_are_guessed_before_there_is_a_profile() -> None:
    assert replace(ADULT, features=None).width == 6 + 8 * 12


def test_every_measured_run_is_within_a_factor_of_two() -> None:
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    off = []
    for row in rows:
        given = {"n_estimators": int(row["trees"])} if row["trees"] else {}
        estimate = predicted(row["method"], workload(row), given)
        ratios = (estimate.seconds / float(row["seconds"]), estimate.memory_bytes / 1e6 / float(row["MB"]))
        if not all(0.5 <= ratio <= 2 for ratio in ratios):
            off.append((row["set"], row["method"], *ratios))
    assert off == []
    assert {row["method"] for row in rows} == {"data", *ENTRIES}
    sets = {role: {row["set"] for row in rows if row["role"] == role} for role in ("fitted", "held out")}
    assert len(sets["fitted"]) >= 2
    assert len(sets["held out"]) >= 3
