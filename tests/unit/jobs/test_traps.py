"""The data job on tables with a trap: what it warns of, refuses or drops, and that honest tables raise no alarm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.jobs import job_files as jobs

N = 900


def _table(**columns: object) -> bytes:
    """Columns of N values as CSV."""
    rows = zip(*(list(np.asarray(values).astype(str)) for values in columns.values()), strict=True)
    return jobs.csv([list(columns), *(list(row) for row in rows)])


def _codes(done: jobs.Outcome) -> list[str]:
    assert done.code == 0, done.message
    return [item.code for item in done.profile.findings]


def _noise(seed: int, size: int = N) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(size=size).round(9)


@pytest.fixture
def label() -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return np.where(_noise(1) > 0, "yes", "no")


def test_an_honest_table_raises_no_alarm(tmp_path: Path, label: np.ndarray[tuple[int], np.dtype[np.str_]]) -> None:
    signal = _noise(1) + _noise(2)
    done = jobs.prepare(tmp_path, _table(signal=signal, city=np.tile(["Oslo", "Bergen", "Molde"], N // 3), y=label))
    assert _codes(done) == []


def test_a_copy_is_taken_out_and_a_near_copy_stays_and_is_named(tmp_path: Path, label: np.ndarray[tuple[int], np.dtype[np.str_]]) -> None:
    """abuse row 85"""
    coded = np.where(label == "yes", "churned", "stayed")
    done = jobs.prepare(tmp_path, _table(noise=_noise(2), same=label, coded=coded, y=label))
    assert _codes(done) == ["W-DATA-006", "W-LEAK-001"]
    assert done.finding("W-DATA-006")["columns"] == ("same",)
    assert done.finding("W-LEAK-001") == {"columns": ("coded",), "metric": "accuracy", "score": 1.0, "rows": done.profile.rows["train"]}
    assert [item.name for item in done.spec.categorical] == ["coded"]


def test_parts_of_the_sum_are_named_before_training(tmp_path: Path) -> None:
    """abuse row 85: bike sharing's casual + registered = cnt"""
    generator = np.random.default_rng(4)
    casual, registered = generator.integers(0, 99, N), generator.integers(0, 400, N)
    raw = _table(hour=generator.integers(0, 24, N), casual=casual, registered=registered, cnt=casual + registered)
    done = jobs.prepare(tmp_path, raw, task="regression", target="cnt", split="random")
    assert done.finding("W-LEAK-002")["columns"] == ("registered", "casual")


def test_rows_that_drift_in_time_and_are_split_at_random_are_called_a_leak(tmp_path: Path) -> None:
    """What elec2 shows: the neighbours in time of a test row are among the training rows."""
    size = 2000
    generator = np.random.default_rng(5)
    level = np.cumsum(generator.normal(size=size))
    price = (level + generator.normal(0, 0.2, size)).round(3)
    rising = np.where(np.sin(level * 2) + generator.normal(0, 0.2, size) > 0, "UP", "DOWN")
    raw = jobs.csv([["day", "price", "y"], *([str(k // 4), str(p), str(r)] for k, (p, r) in enumerate(zip(price, rising, strict=True)))])
    found = jobs.prepare(tmp_path / "random", raw).finding("W-LEAK-004")
    assert found["columns"] == ("day",)
    assert found["drifting"] == "price"
    assert found["random"] - found["in_time"] > 0.05
    assert "W-LEAK-004" not in _codes(jobs.prepare(tmp_path / "time", raw, split="time"))


def test_rows_that_repeat_others_are_weighed_by_two_splits(tmp_path: Path) -> None:
    """What wine quality shows: a row and its copy on both sides of a split by row."""
    once = [[str(a), str(b), str(c)] for a, b, c in zip(_noise(1, 300), _noise(2, 300), _noise(3, 300), strict=True)]
    done = jobs.prepare(tmp_path, jobs.csv([["a", "b", "cnt"], *once, *once, *once]), task="regression", target="cnt", split="random")
    found = done.finding("W-LEAK-003")
    assert found["rows"] == 600
    assert found["apart"] > 0.5 > found["together"]


def test_copies_that_differ_in_their_identifier_are_found_on_both_sides(
    tmp_path: Path, label: np.ndarray[tuple[int], np.dtype[np.str_]]
) -> None:
    """abuse row 85: train/test overlap"""
    raw = _table(key=np.arange(N) * 7, a=np.resize(_noise(1, 450), N), b=np.resize(_noise(2, 450), N), y=np.resize(label[:450], N))
    found = jobs.prepare(tmp_path, raw).finding("W-LEAK-006")
    assert found["share"] > 0.3


def test_a_test_file_from_another_time_is_told_by_its_shift(tmp_path: Path) -> None:
    """Bike sharing from 2011 to 2012: PSI of the target above 0.2."""
    train = _table(x=_noise(1), cnt=(_noise(1) * 10 + _noise(2)).round(2))
    test = _table(x=_noise(3), cnt=(_noise(3) * 10 + 8 + _noise(4)).round(2))
    done = jobs.prepare(tmp_path, train, test=test, task="regression", target="cnt", split="random")
    assert done.finding("W-SHIFT-002")["columns"] == ("cnt",)
    assert done.finding("W-SHIFT-002")["split"] == "test"
    assert "W-SHIFT-001" not in _codes(done)


@pytest.mark.parametrize(
    ("task", "values", "code"),
    [
        ("binary", ["yes"] * 60, "E-DATA-012"),
        ("regression", ["3.5"] * 60, "E-DATA-012"),
        ("multiclass", [f"id{index}" for index in range(60)], "E-DATA-CLASSES"),
        ("binary", ["no"] * 59 + ["yes"], "E-DATA-CLASSES"),
    ],
)
def test_a_target_that_cannot_be_learnt_and_checked_is_refused(tmp_path: Path, task: str, values: list[str], code: str) -> None:
    """abuse row 84: constant, single class, one row per class"""
    done = jobs.prepare(tmp_path, jobs.csv([["x", "y"], *([str(index), value] for index, value in enumerate(values))]), task=task)
    assert done.message["code"] == code


@pytest.mark.parametrize(
    ("values", "recipe"),
    [
        (["no"] * 70 + ["yes"] * 30, {}),
        (["no"] * 40 + ["maybe"] * 30 + ["yes"] * 30, {"positive_label": "yes"}),
        (["1.5"] * 70 + ["2.5"] * 30, {"task": "regression"}),
    ],
)
def test_a_split_that_leaves_one_answer_to_learn_is_refused(tmp_path: Path, values: list[str], recipe: dict[str, Any]) -> None:
    """abuse row 84: single class"""
    table = [["x", "y"], *([str(index * 7 % 50), value] for index, value in enumerate(values))]
    done = jobs.prepare(tmp_path, jobs.csv(table), split="time", **recipe)
    assert done.message["code"] == "E-DATA-012"
    assert "64 training rows" in done.message["headline"]


@pytest.mark.parametrize(
    ("recipe", "remedy"), [({"split": "time", "split_gap": 40}, "smaller gap"), ({"missing_values": "drop"}, "instead of dropping")]
)
def test_a_part_without_rows_says_what_took_them(tmp_path: Path, recipe: dict[str, Any], remedy: str) -> None:
    table = [["x", "hole", "y"], *([str(index), "" if index % 20 else "1", "ab"[index % 3 % 2]] for index in range(100))]
    message = jobs.prepare(tmp_path, jobs.csv(table), **recipe).message
    assert message["code"] == "E-DATA-010"
    assert remedy in message["remedy"]


def test_a_class_of_one_row_beside_others_is_trained_on_and_named(tmp_path: Path) -> None:
    """abuse row 84"""
    values = ["a"] * 60 + ["b"] * 60 + ["c"]
    done = jobs.prepare(
        tmp_path, jobs.csv([["x", "y"], *([str(index * 7 % 50), value] for index, value in enumerate(values))]), task="multiclass"
    )
    assert done.finding("W-DATA-010")["c"] == 1


def test_an_empty_column_is_dropped_and_a_table_of_repeats_is_refused(tmp_path: Path) -> None:
    """abuse row 84: all-missing column, all rows duplicate"""
    table = [["x", "empty", "y"], *([str(index % 50), "", "ab"[index % 2]] for index in range(300))]
    done = jobs.prepare(tmp_path / "empty", jobs.csv(table))
    assert done.finding("W-DATA-004")["columns"] == ("empty",)
    repeats = [["x", "y"], *([str(index % 3), "ab"[index % 3 % 2]] for index in range(300))]
    refused = jobs.prepare(tmp_path / "repeats", jobs.csv(repeats))
    assert refused.message["code"] == "E-DATA-010"


def test_a_text_that_names_every_row_is_an_identifier_in_a_small_table_too(tmp_path: Path) -> None:
    table = jobs.people(60)
    named = [["month", *table[0]], *([f"{1949 + place // 12}-{place % 12 + 1:02}", *row] for place, row in enumerate(table[1:]))]
    done = jobs.prepare(tmp_path, jobs.csv(named))
    assert {item.name: item.dropped for item in done.profile.columns if item.dropped} == {"month": "identifier"}
    assert done.finding("W-DATA-005")["columns"] == ("month",)
