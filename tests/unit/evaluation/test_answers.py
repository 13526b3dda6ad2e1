"""Tables of several classes, of decisions and of numbers: every figure against scikit-learn, tied and saturated scores among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as oracle

from mlops_core.errors import InvalidRequest, JobFailed
from mlops_core.evaluation.answers import Answers, evaluate_answers
from mlops_core.evaluation.resampling import Resampling

LABELS = ("ant", "bee", "cow")
SCORES = {"cow": "p_cow", "ant": "p_ant", "bee": "p_bee"}
ROWS = 900
EXACT = 1e-9


def _table(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def _classes(rows: int = ROWS) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Targets and probabilities: tied to tenths, every third row saturated, right or wrong."""
    chance = np.random.default_rng(5)
    y = chance.integers(0, 3, rows)
    raw = chance.multinomial(10, np.where(np.eye(3)[y] > 0, 0.5, 0.25)) / 10
    raw[::3] = np.eye(3)[np.where(chance.random(rows) < 0.8, y, (y + 1) % 3)][::3]
    return y, raw


def _measured(path: Path, asked: Answers) -> Any:
    return evaluate_answers(path, asked, resampling=Resampling(42, 50))


def _of(found: dict[Any, Any]) -> dict[str, float]:
    return {name: estimate.interval.value for name, estimate in found.items()}


def _expected(y: Any, raw: Any) -> dict[str, float]:
    """What scikit-learn says of several classes."""
    predicted, one = raw.argmax(axis=1), np.eye(3)[y]
    macro = {"average": "macro", "zero_division": 0}
    there = {
        "accuracy": oracle.accuracy_score(y, predicted),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, predicted),
        "precision": oracle.precision_score(y, predicted, **macro),
        "recall": oracle.recall_score(y, predicted, **macro),
        "f1": oracle.f1_score(y, predicted, **macro),
        "f1_weighted": oracle.f1_score(y, predicted, average="weighted"),
        "mcc": oracle.matthews_corrcoef(y, predicted),
    }
    return there | {
        "roc_auc": oracle.roc_auc_score(y, raw, multi_class="ovr", average="macro"),
        "roc_auc_weighted": oracle.roc_auc_score(y, raw, multi_class="ovr", average="weighted"),
        "average_precision": oracle.average_precision_score(one, raw, average="macro"),
        "log_loss": oracle.log_loss(y, raw),
        "brier": float(((raw - one) ** 2).sum(axis=1).mean()),
    }


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    y, raw = _classes()
    place = np.where(np.arange(ROWS) < 9, "tiny", np.where(np.arange(ROWS) % 2, "north", "south"))
    named = {f"p_{label}": raw[:, index] for index, label in enumerate(LABELS)}
    said = np.array(LABELS)[raw.argmax(axis=1)]
    return _table(tmp_path / "scored.parquet", kind=np.array(LABELS)[y], said=said, place=place, **named)


def test_several_classes_are_measured_as_scikit_learn_measures_them(classes: Path) -> None:
    found = _measured(classes, Answers("kind", scores=SCORES, by=("place",)))
    expected = _expected(*_classes())
    assert {name: _of(found.figures)[name] for name in expected} == pytest.approx(expected, abs=EXACT)
    assert (found.labels, np.array(found.confusion).sum(), found.hidden_classes) == (LABELS, ROWS, 0)
    y, raw = _classes()
    assert found.per_class["bee"]["roc_auc"] == pytest.approx(oracle.roc_auc_score(y == 1, raw[:, 1]), abs=EXACT)


def test_groups_hold_the_figures_of_their_own_rows_and_small_ones_are_not_shown(classes: Path) -> None:
    found = _measured(classes, Answers("kind", scores=SCORES, by=("place",)))
    inside = (np.arange(ROWS) >= 9) & (np.arange(ROWS) % 2 == 1)
    y, raw = _classes()
    expected = _expected(y[inside], raw[inside])
    north = found.by["place"]["north"]
    assert {name: _of(north.figures)[name] for name in expected} == pytest.approx(expected, abs=EXACT)
    assert (north.rows, set(found.by["place"])) == (int(inside.sum()), {"north", "south"})
    assert (found.audits[0].hidden_groups, found.audits[0].hidden_rows) == (1, 9)


def test_decisions_give_the_same_figures_as_their_probabilities_and_no_area(classes: Path) -> None:
    scored = _of(_measured(classes, Answers("kind", scores=SCORES)).figures)
    decided = _measured(classes, Answers("kind", decided="said", by=("place",)))
    assert _of(decided.figures) == {name: scored[name] for name in decided.figures}
    assert {"accuracy", "f1", "mcc"} <= set(decided.figures)
    assert {"roc_auc", "log_loss", "brier", "ece"}.isdisjoint({*decided.figures, *decided.by["place"]["north"].figures})
    assert decided.slices.loss == "error"


def test_decisions_between_two_classes_compare_the_groups_by_their_rates(tmp_path: Path) -> None:
    sex, right = ["f"] * 50 + ["m"] * 50, ["no"] * 30 + ["yes"] * 20
    said = ["no"] * 40 + ["yes"] * 10 + ["maybe"] * 10 + ["yes"] * 40
    path = _table(tmp_path / "decided.parquet", repaid=right * 2, granted=said, sex=sex)
    found = _measured(path, Answers("repaid", decided="granted", positive="yes", by=("sex",)))
    assert found.confusion == ((40, 20), (10, 30))
    assert _of(found.figures)["precision"] == pytest.approx(0.6)
    ratio = found.audits[0].gaps["selection_rate"].ratio
    assert (found.audits[0].four_fifths, ratio and ratio.value) == (False, pytest.approx(0.25))


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_numbers_are_measured_as_scikit_learn_measures_them(tmp_path: Path, scale: float) -> None:
    chance = np.random.default_rng(8)
    # Tied targets and predictions, rows that are hit exactly, and targets of 0.
    y = np.round(chance.normal(size=ROWS), 1) * scale
    predicted = np.where(chance.random(ROWS) < 0.3, y, np.round(y + scale * chance.normal(size=ROWS), 1))
    path = _table(tmp_path / "numbers.parquet", y=y, guess=predicted, place=np.where(np.arange(ROWS) % 2, "a", "b"))
    found = _measured(path, Answers("y", value="guess", by=("place",)))
    for figures, kept in ((found.figures, np.full(ROWS, True)), (found.by["place"]["a"].figures, np.arange(ROWS) % 2 == 1)):
        true, said = y[kept], predicted[kept]
        expected = {
            "mse": oracle.mean_squared_error(true, said),
            "rmse": oracle.root_mean_squared_error(true, said),
            "mae": oracle.mean_absolute_error(true, said),
            "median_ae": oracle.median_absolute_error(true, said),
            "r2": oracle.r2_score(true, said),
            "explained_variance": oracle.explained_variance_score(true, said),
            "mape": oracle.mean_absolute_percentage_error(true[true != 0], said[true != 0]),
        }
        assert {name: _of(figures)[name] for name in expected} == pytest.approx(expected, rel=EXACT)
    assert found.seen is not None
    assert found.seen.left_out == {"mape": int((y == 0).sum())}
    assert [group.name for group in found.audits[0].groups] == ["a", "b"]


def test_the_worst_slice_of_each_task_is_found(tmp_path: Path) -> None:
    place = np.array(["a", "b", "c"])[np.arange(ROWS) % 3]
    y = np.arange(ROWS) / 7
    numbers = _table(tmp_path / "n.parquet", y=y, guess=y + np.where(place == "b", 5.0, 0.1) * (1 + y % 1), place=place)
    words = np.array(LABELS)[np.arange(ROWS) % 7 % 3]
    said = np.where((place == "b") & (np.arange(ROWS) % 2 == 0), "cow", words)
    decided = _table(tmp_path / "d.parquet", kind=words, said=said, place=place)
    for path, asked in ((numbers, Answers("y", value="guess", by=("place",))), (decided, Answers("kind", decided="said", by=("place",)))):
        worst = _measured(path, asked).slices.found[0]
        assert (worst.conditions[0].category, worst.rows) == ("b", ROWS // 3)
        assert worst.figures


@pytest.mark.parametrize(
    ("columns", "asked", "code", "said"),
    [
        ({"kind": ["ant", "dog"]}, Answers("kind", scores=SCORES), "E-EVAL-009", "holds 'dog', a class without a column"),
        ({"p_ant": [0.9, 0.9]}, Answers("kind", scores=SCORES), "E-EVAL-009", "scores of 2 of 2 rows do not add up to 1"),
        ({"p_ant": [0.2, None]}, Answers("kind", scores=SCORES), "E-EVAL-003", "no finite score for 1 of 2 rows"),
        ({"kind": ["ant", None]}, Answers("kind", scores=SCORES), "E-EVAL-005", "target is missing on 1 of 2 rows"),
        ({"said": ["ant", None]}, Answers("kind", decided="said"), "E-EVAL-009", "predicted class is missing on 1 of 2 rows"),
        ({"said": ["0", "1"]}, Answers("kind", decided="said"), "E-EVAL-009", "no class of 'said' ('0' …) is one of 'kind' ('ant' …)"),
        ({"guess": [1.0, None]}, Answers("y", value="guess"), "E-EVAL-003", "no finite score for 1 of 2 rows"),
        ({"y": [1.0, None]}, Answers("y", value="guess"), "E-EVAL-005", "target is missing on 1 of 2 rows"),
        ({}, Answers("y", value="guess", by=("plaice",)), "E-EVAL-009", "no column 'plaice'"),
    ],
)
def test_what_cannot_be_measured_says_why(tmp_path: Path, columns: dict[str, Any], asked: Answers, code: str, said: str) -> None:
    whole: dict[str, Any] = {"kind": ["ant", "bee"], "said": ["ant", "ant"], "p_ant": [0.2, 0.1], "p_bee": [0.3, 0.4], "p_cow": [0.5, 0.5]}
    path = _table(tmp_path / "t.parquet", **{**whole, "y": [1.0, 2.0], "guess": [1.0, 2.0], **columns})
    with pytest.raises((InvalidRequest, JobFailed), match=said.replace("(", r"\(").replace(")", r"\)")) as caught:
        _measured(path, asked)
    assert caught.value.code == code


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    path = _table(tmp_path / "t.parquet", kind=pa.array([], pa.string()), said=pa.array([], pa.string()))
    with pytest.raises(JobFailed, match="holds no rows"):
        _measured(path, Answers("kind", decided="said"))
