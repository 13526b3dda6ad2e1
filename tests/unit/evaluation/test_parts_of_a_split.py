"""Columns as slices and groups, figures of subsets, floors, and importance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as oracle

from mlops_core.contracts.request import LOWER_IS_BETTER, TASK_METRICS
from mlops_core.evaluation.columns import MISSING, OTHER, group_column, slice_columns
from mlops_core.evaluation.floors import lowest_slices
from mlops_core.evaluation.importance import Shuffling, importance, sampled_rows
from mlops_core.evaluation.resampling import Resampling
from mlops_core.evaluation.slices import Coded, coded_numbers, coded_words
from mlops_core.evaluation.subsets import Rows, rows_of

Array = np.ndarray[Any, Any]


def split(folder: Path, **columns: Any) -> Path:
    path = folder / "data.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=130)
    return path


def test_columns_of_every_type_become_slices(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    path = split(
        tmp_path,
        number=pa.array([None if value > 1.5 else float(value) for value in generator.normal(size=600)], pa.float64()),
        count=pa.array([None, *generator.integers(0, 4, 599).tolist()], pa.int64()),
        text=pa.array([None, *generator.choice(["a", "b"], 599).tolist()]),
        flag=generator.random(600) < 0.5,
    )
    found = {column.name: column for column in slice_columns(path, ("number", "count", "text", "flag", "absent"))}
    assert list(found) == ["number", "count", "text", "flag"]
    assert [len(column.conditions) for column in found.values()] == [6, 5, 3, 3]
    assert all(column.conditions[column.codes[0]].missing for name, column in found.items() if name in {"count", "text"})


def test_groups_keep_their_names_and_rare_ones_share_one(tmp_path: Path) -> None:
    words = np.array([f"g{number % 60:02d}" for number in range(3000)] + ["g00"] * 100)
    named = group_column(split(tmp_path, text=pa.array([*words.tolist(), None])), "text")
    assert named is not None
    names, codes = named
    assert (len(names), names[-2:]) == (52, [OTHER, MISSING])
    assert np.bincount(codes)[names.index("g00")] == 150
    assert np.bincount(codes)[-2:].tolist() == [500, 1]
    ages = group_column(split(tmp_path, age=np.arange(100.0)), "age")
    assert ages is not None
    assert ages[0][:2] == ["≤ 19.8", "19.8 – 39.6"]
    assert group_column(split(tmp_path, age=np.arange(100.0)), "sex") is None


def rows(task: Any, count: int = 1500) -> Rows:
    generator = np.random.default_rng(1)
    if task == "regression":
        y = generator.normal(50, 10, count)
        return Rows(task, y, y + generator.normal(0, 3, count), 0)
    classes = 2 if task == "binary" else 3
    truth = generator.integers(0, classes, count)
    scores = generator.dirichlet(np.ones(classes), count)
    scores[np.arange(count), truth] += 0.5
    scores /= scores.sum(axis=1, keepdims=True)
    return Rows(task, truth, scores[:, 1] if task == "binary" else scores, classes)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_figures_of_a_subset_lie_in_their_intervals_and_equal_single_values(task: Any) -> None:
    part = rows(task).inside(np.arange(1500) % 3 == 0)
    found = part.intervals(Resampling(1, 200))
    assert set(found) >= set(TASK_METRICS[task])
    for name, interval in found.items():
        assert interval.low <= interval.value <= interval.high
        assert part.value(name) == pytest.approx(interval.value, abs=1e-12)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_lowest_slice_is_the_one_a_loop_over_all_slices_finds(task: Any) -> None:
    whole = rows(task)
    generator = np.random.default_rng(2)
    columns = [
        coded_numbers("age", generator.normal(size=1500)),
        coded_words("city", generator.integers(0, 9, 1500), [f"c{number}" for number in range(9)]),
    ]
    predicted = whole.scores if task == "regression" else (whole.scores >= 0.5) if task == "binary" else whole.scores.argmax(axis=1)
    found = lowest_slices(columns, whole, np.asarray(predicted), least=160)
    assert set(found) == set(TASK_METRICS[task])
    for name, lowest in found.items():
        sign = -1 if name in LOWER_IS_BETTER else 1
        values = [whole.inside(mask).value(name) for mask in masks(columns) if mask.sum() >= 160]
        assert lowest.value == pytest.approx(sign * min(sign * value for value in values if value is not None), abs=1e-12)
        assert lowest.rows >= 160


def test_a_slice_without_positive_rows_sets_no_floor_for_ratios_of_them() -> None:
    y = np.concatenate([np.zeros(100), np.tile([0, 1], 100)]).astype(np.int64)
    column = coded_words("city", np.repeat([0, 1], [100, 200]), ["empty", "full"])
    found = lowest_slices([column], Rows("binary", y, 0.2 + 0.6 * y, 2), y == 1, least=50)
    assert all(found[name].conditions[0].category == "full" for name in ("precision", "recall", "f1", "roc_auc"))
    assert found["recall"].value == 1


def masks(columns: list[Coded]) -> list[Array]:
    return [column.codes == code for column in columns for code in range(len(column.conditions))]


def test_an_input_that_decides_is_important_and_noise_is_not() -> None:
    generator = np.random.default_rng(3)
    feeds = {"mlops/in/score": generator.random((800, 1)), "noise": generator.random((800, 1))}
    y = (feeds["mlops/in/score"][:, 0] > 0.5).astype(float)
    sample = Shuffling(lambda given: given["mlops/in/score"], feeds, {"mlops/in/score": "score", "noise": "noise"}, y)
    found = importance(sample, task="binary", metric="roc_auc", classes=2, seed=4)
    assert found is not None
    assert (found.base, [item.column for item in found.inputs]) == (1.0, ["score", "noise"])
    assert found.inputs[0].value == pytest.approx(0.5, abs=0.06)
    assert found.inputs[1].value == 0
    assert importance(sample, task="binary", metric="roc_auc", classes=2, seed=4) == found


def test_importance_by_an_error_is_positive_when_the_input_helps_and_absent_where_nothing_is_measured() -> None:
    x = np.linspace(0, 1, 200).reshape(-1, 1)
    sample = Shuffling(lambda given: given["x"], {"x": x}, {"x": "x"}, x.ravel())
    found = importance(sample, task="regression", metric="rmse", classes=0, seed=1)
    assert found is not None
    assert found.inputs[0].value > 0.3
    single = Shuffling(lambda given: given["x"], {"x": x}, {"x": "x"}, np.ones(200))
    assert importance(single, task="binary", metric="roc_auc", classes=2, seed=1) is None


def test_samples_are_ascending_without_repeats_and_the_same_each_time() -> None:
    found = sampled_rows(1000, most=100, seed=5)
    assert len(np.unique(found)) == 100
    assert np.array_equal(found, np.sort(found))
    assert np.array_equal(found, sampled_rows(1000, most=100, seed=5))
    assert np.array_equal(sampled_rows(50, most=100, seed=5), np.arange(50))


def test_raw_scores_of_any_width_become_rows() -> None:
    y = np.array([0.0, 1.0, 1.0])
    part = rows_of("binary", y, np.array([[0.2], [0.9], [1.0000001]], dtype=np.float32), classes=2)
    assert part.scores.max() == 1
    assert part.value("roc_auc") == oracle.roc_auc_score(y, [0.2, 0.9, 1.0])
