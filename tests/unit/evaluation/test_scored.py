"""A table of scored rows: every figure of the whole and of its parts against scikit-learn, to 1e-9."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from mlops_core.contracts.findings import Condition
from mlops_core.errors import MlopsError
from mlops_core.evaluation.resampling import Resampling
from mlops_core.evaluation.scored import MISSING, Scored, ScoredFigures, evaluate_scored
from tests.unit.evaluation.test_figures_against_scikit_learn import scores_of

Array = np.ndarray[Any, Any]
KINDS = ["smooth", "tied", "saturated", "float32"]


def table(kind: str, rows: int = 5000) -> dict[str, Any]:
    y, score = scores_of(kind, rows)
    generator = np.random.default_rng(9)
    group = generator.choice(np.array(["a", "b", "はい"], dtype=object), rows, p=[0.6, 0.3, 0.1])
    segment = generator.integers(0, 7, rows)
    score = np.where((segment == 3) & (generator.random(rows) < 0.4), 1 - score, score)
    return {"score": score, "label": y == 1, "group": group, "segment": segment}


def evaluated(folder: Path, columns: dict[str, Any], by: tuple[str, ...] = ("group", "segment"), row_group: int = 700) -> ScoredFigures:
    path = folder / "scored.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=row_group)
    return evaluate_scored(path, Scored("score", "label", by=by), resampling=Resampling(3, 200))


def expected(y: Array, score: Array) -> dict[str, float]:
    named = score >= 0.5
    return {
        "accuracy": oracle.accuracy_score(y, named),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, named),
        "precision": oracle.precision_score(y, named, zero_division=0),
        "recall": oracle.recall_score(y, named),
        "specificity": oracle.recall_score(y, named, pos_label=0),
        "f1": oracle.f1_score(y, named),
        "mcc": oracle.matthews_corrcoef(y, named),
        "log_loss": oracle.log_loss(y, score),
        "brier": oracle.brier_score_loss(y, score),
        "roc_auc": oracle.roc_auc_score(y, score),
        "average_precision": oracle.average_precision_score(y, score),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_and_every_part_equal_scikit_learn(tmp_path: Path, kind: str) -> None:
    columns = table(kind)
    found = evaluated(tmp_path, columns)
    parts = [(found.whole, np.full(5000, True))]
    parts += [(part, columns["group"] == value) for value, part in found.by["group"].items()]
    parts += [(part, columns["segment"] == int(value)) for value, part in found.by["segment"].items()]
    assert len(parts) == 11
    for part, inside in parts:
        figures = {name: estimate.interval.value for name, estimate in part.figures.items() if name != "ece"}
        assert figures == pytest.approx(expected(columns["label"][inside], columns["score"][inside]), abs=1e-9)
        assert part.rows == inside.sum()
        assert all(each.interval.low <= each.interval.value <= each.interval.high for each in part.figures.values())


@pytest.mark.parametrize("kind", KINDS)
def test_calibration_bins_are_right_closed_as_scikit_learns(tmp_path: Path, kind: str) -> None:
    columns = table(kind)
    found = evaluated(tmp_path, columns, ())
    share, mean = calibration_curve(columns["label"], columns["score"], n_bins=10)
    assert [item.rate.value for item in found.calibration.bins] == pytest.approx(share, abs=1e-12)
    assert [item.score for item in found.calibration.bins] == pytest.approx(mean, abs=1e-12)
    weights = np.array([item.rows for item in found.calibration.bins]) / 5000
    assert found.whole.figures["ece"].interval.value == pytest.approx((weights * np.abs(share - mean)).sum(), abs=1e-12)


def test_row_groups_and_threads_change_nothing(tmp_path: Path) -> None:
    columns = table("tied")
    found = [evaluated(tmp_path, columns, row_group=size).whole.figures for size in (700, 5000)]
    for name, estimate in found[0].items():
        assert estimate.interval.value == pytest.approx(found[1][name].interval.value, abs=1e-13)
    again = evaluated(tmp_path, columns)
    assert again.whole.figures == found[0]


def test_the_segment_that_was_spoiled_is_the_worst_slice(tmp_path: Path) -> None:
    found = evaluated(tmp_path, table("smooth"))
    assert found.slices.found[0].conditions == (Condition(column="segment", category="3"),)
    assert found.slices.found[0].q_value < 1e-9
    assert [audit.attribute for audit in found.audits] == ["group", "segment"]
    assert found.audits[0].gaps["selection_rate"].ratio is not None


def test_missing_values_are_a_group_of_their_own_and_numbers_may_be_labels(tmp_path: Path) -> None:
    columns = table("smooth") | {"label": scores_of("smooth", 5000)[0]}
    columns["group"] = pa.array([None if value == "b" else value for value in columns["group"]])
    found = evaluated(tmp_path, columns, ("group",))
    assert list(found.by["group"]) == ["a", "はい", MISSING]
    assert sum(part.rows for part in found.by["group"].values()) == 5000


def test_a_category_without_rows_and_the_word_for_missing_are_no_parts_of_their_own(tmp_path: Path) -> None:
    columns = table("smooth")
    words = [None if value == "b" else MISSING if value == "a" else value for value in columns["group"]]
    columns["group"] = pa.array(words)
    columns["segment"] = pa.DictionaryArray.from_arrays(pa.array(columns["segment"]), pa.array([str(number) for number in range(9)]))
    found = evaluated(tmp_path, columns)
    assert list(found.by["group"]) == ["はい", MISSING]
    assert found.by["group"][MISSING].rows == sum(word != "はい" for word in words)
    assert list(found.by["segment"]) == [str(number) for number in range(7)]


def test_a_row_group_without_rows_is_passed_over(tmp_path: Path) -> None:
    whole = pa.table(table("smooth"))
    path = tmp_path / "scored.parquet"
    with pq.ParquetWriter(path, whole.schema) as writer:
        for part in (whole.slice(0, 0), whole.slice(0, 2000), whole.slice(0, 0), whole.slice(2000)):
            writer.write_table(part)
    found = evaluate_scored(path, Scored("score", "label", by=("segment",)), resampling=Resampling(3, 200))
    assert found.whole.figures["roc_auc"] == evaluated(tmp_path, table("smooth"), ("segment",)).whole.figures["roc_auc"]


@pytest.mark.parametrize(
    ("change", "by", "code"),
    [
        ({}, ("nothing",), "E-EVAL-009"),
        ({"label": np.full(5000, 2)}, (), "E-EVAL-009"),
        ({"label": np.full(5000, "yes", dtype=object)}, (), "E-EVAL-009"),
        ({"label": pa.array([None] + [True] * 4999)}, (), "E-EVAL-005"),
        ({"score": np.full(5000, np.nan)}, (), "E-EVAL-003"),
        ({"score": np.full(5000, 1.5)}, (), "E-EVAL-004"),
        ({"other": np.arange(5000)}, ("segment", "other"), "E-EVAL-009"),
    ],
)
def test_tables_that_cannot_be_evaluated_are_refused_by_code(
    tmp_path: Path, change: dict[str, Any], by: tuple[str, ...], code: str
) -> None:
    columns = table("smooth") | change
    if "other" in change:
        columns = {name: np.tile(value, 20) for name, value in columns.items()} | {"other": np.arange(100_000)}
    with pytest.raises(MlopsError) as caught:
        evaluated(tmp_path, columns, by, row_group=20_000)
    assert caught.value.code == code


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MlopsError) as caught:
        evaluated(tmp_path, {name: value[:0] for name, value in table("smooth").items()})
    assert caught.value.code == "E-EVAL-001"
