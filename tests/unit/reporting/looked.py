"""A look at a split with every part filled, for the pages: no job runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mlops_core.contracts.dataset import ColumnProfile, DataProfile, Finding
from mlops_core.contracts.evaluation import EvaluationJobConfig, EvaluationResults
from mlops_core.contracts.request import Language, Task
from mlops_core.contracts.training import TrainingReport
from mlops_core.reporting.report import Subject, render_report

LABELS: dict[Task, tuple[str, ...]] = {"binary": ("no", "はい"), "multiclass": ("a", "b<i>", "=cmd()"), "regression": ()}
METRIC: dict[Task, str] = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}
ROWS = 400
HIDDEN = {"hidden_groups": 1, "hidden_rows": 7}


def spread(value: float, width: float = 0.02) -> dict[str, float]:
    return {"value": value, "low": value - width, "high": value + width}


def curve(name: str, power: float) -> dict[str, Any]:
    xs = [step / 20 for step in range(21)]
    return {"name": name, "x": xs, "y": [x**power for x in xs]}


def arrays(task: Task) -> tuple[Any, Any]:
    """Targets and scores."""
    chance = np.random.default_rng(5)
    if task == "regression":
        y = chance.normal(50, 10, ROWS)
        return y, y + chance.normal(0, 4, ROWS)
    y = chance.integers(0, max(2, len(LABELS[task])), ROWS).astype(float)
    if task == "multiclass":
        raw = chance.random((ROWS, 3))
        return y, raw / raw.sum(axis=1, keepdims=True)
    return y, 1 / (1 + np.exp(-chance.normal(3 * y - 1.5, 1.5)))


def results(task: Task = "binary", **changes: Any) -> EvaluationResults:
    """Figures of every kind."""
    made: dict[str, Any] = {
        "run_id": "people-1a2b3c4d-g0", "task": task, "metric": METRIC[task], "split": "test", "rows": ROWS, "labels": LABELS[task],
        "metrics": {METRIC[task]: spread(0.91 if task != "regression" else 4.2)}, "baseline": {METRIC[task]: 0.5},
        "baseline_rule": "mean" if task == "regression" else "majority_class", "interval_methods": {METRIC[task]: "bootstrap"},
        "model_digest": "ab" * 32, "seconds": 1.5,
        "learning_curve": {"rows": (20, 40, 80), "train:log_loss": (0.2, 0.22, 0.24), "validation:log_loss": (0.6, 0.5, 0.42)},
        "importance": {
            "metric": METRIC[task], "base": 0.91, "rows": 300, "repeats": 5, "seed": 42,
            "inputs": [{"column": "age", "value": 0.2, "deviation": 0.01}, {"column": "=cmd()", "value": -0.001, "deviation": 0.002}],
        },
        "slices": {
            "loss": "absolute_error" if task == "regression" else "brier", "mean": 0.2, "least_rows": 50, "columns": 3, "tested": 41,
            "found": [
                slice_of([{"column": "city <b>", "category": "Oslo"}, {"column": "age", "low": 30.0, "high": 45.0}], 0.4),
                slice_of([{"column": "age", "low": 60.0}], 0.3),
                slice_of([{"column": "income", "missing": True}], 0.25),
            ],
        },
    }  # fmt: skip
    made |= regression_parts() if task == "regression" else class_parts(task)
    return EvaluationResults.model_validate(made | changes)


def slice_of(conditions: list[dict[str, Any]], loss: float) -> dict[str, Any]:
    figures = {"loss": spread(loss), "rest": 0.2, "effect": 0.4, "p_value": 1e-6, "q_value": 1e-4}
    return {"conditions": conditions, "rows": 70, "share": 0.175, **figures, "metric": spread(0.8)}


def class_parts(task: Task) -> dict[str, Any]:
    labels = LABELS[task]
    names = labels if task == "multiclass" else labels[1:]
    bins = [
        {"low": at / 4, "high": (at + 1) / 4, "rows": 100, "score": at / 4 + 0.1, "rate": spread(at / 4 + 0.15, 0.05)} for at in range(4)
    ]
    selection = {"f": spread(0.11), "m": spread(0.3)}
    rows = [{"name": name, "rows": 150, "figures": {"selection_rate": rate, "accuracy": spread(0.8)}} for name, rate in selection.items()]
    gap = {"highest": "m", "lowest": "f", "difference": spread(0.19), "ratio": spread(0.37)}
    return {
        "confusion": [[100 if row == column else 10 for column in range(len(labels))] for row in range(len(labels))],
        "roc": [curve(name, 0.3) for name in names],
        "precision_recall": [curve(name, 0.5) for name in names],
        "calibration": [{"name": name, "bins": bins, "ece": 0.031, "hidden_bins": 1} for name in names],
        "per_class": {label: {"rows": 110.0, "precision": 0.8, "recall": 0.9, "f1": 0.85} for label in labels},
        "measures": {
            "log_loss": {**spread(0.31), "method": "normal", "baseline": 0.69},
            "mcc": {**spread(0.6), "method": "delta", "baseline": 0.0},
            "average_precision": {**spread(0.7), "method": "delta", "baseline": 0.4},
        },
        "groups": [
            {"attribute": "sex", "groups": rows, "gaps": {"selection_rate": gap}, "four_fifths": False, **HIDDEN}
        ],
        "protected_absent": ["race"],
    }  # fmt: skip


def regression_parts() -> dict[str, Any]:
    bins = [
        {"low": 10.0 * at, "high": 10.0 * at + 10, "rows": 40, "mean": math.sin(at), "absolute": 3.0, "deviation": 4.0} for at in range(10)
    ]
    return {
        "residuals": {"mean": 0.1, "deviation": 4.0, "bins": bins},
        "measures": {"median_ae": {**spread(3.1), "method": "order", "baseline": 9.0}, "mse": {**spread(17.6, 1), "method": "normal"}},
    }


def profile(**changes: Any) -> DataProfile:
    """A small profile with one finding."""
    columns = (ColumnProfile(name="age", type="int64", rows=256, missing=2, distinct=60, mean=48.0, edges=(30.0,), shares=(0.5, 0.5)),)
    made: dict[str, Any] = {
        "raw_digest": "ab" * 32, "rows_read": 2000, "duplicate_rows": 3, "dropped_rows": 0,
        "rows": {"train": 1280, "validation": 320, "test": 400},
        "columns": columns, "seconds": 1, "feature_count": 3, "spec_digest": "cd" * 32,
        "findings": (Finding(code="W-DATA-001", values={"rows": 3, "action": "keep"}),),
    }  # fmt: skip
    return DataProfile(**(made | changes))


def subject(task: Task = "binary", language: Language = "en", **changes: Any) -> Subject:
    """What a report is about."""
    looked = results(task, **changes)
    config = EvaluationJobConfig(
        run_id=looked.run_id, model_name="people", task=task, metric=looked.metric, split="test", language=language
    )  # fmt: skip
    training = TrainingReport(
        algorithm="xgboost", task=task, seed=42, hyperparameters={"max_depth": 6}, rows=1280, features=3, threads=2,
        weights_digest="12" * 32, onnx_digest="ab" * 32, seconds=2.0, export_seconds=0.1, validation_metrics={}, libraries={},
    )  # fmt: skip
    return Subject(config, looked, profile(), training, "target | <b>")


def page(task: Task = "binary", language: Language = "en", **changes: Any) -> str:
    """The rendered report."""
    return render_report(subject(task, language, **changes), *arrays(task))
