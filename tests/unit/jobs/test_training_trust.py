"""What the training job prints and leaves can be trusted: metrics, secrets, numbers, and a model that survives a kill."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from mlops_core import journal
from mlops_core.adapters.jobs_sagemaker import metric_definitions
from mlops_core.algorithms.fitting import FitTask, Fitted
from mlops_core.contracts.request import Task
from mlops_core.contracts.training import TrainingReport
from mlops_core.contracts.verdict import Policy, VerdictInput
from mlops_core.errors import Refused
from mlops_core.jobs.contract import JobFolder, log, read_message
from mlops_core.jobs.main import main
from mlops_core.judging import judge
from mlops_core.local.aws.sagemaker.metrics import LogMetrics
from tests.unit.jobs import job_files as jobs

METHODS: list[tuple[str, Task]] = [
    ("xgboost", "binary"), ("random_forest", "multiclass"), ("logistic_regression", "multiclass"), ("linear_regression", "regression"),
]  # fmt: skip


def read(*lines: str) -> dict[str, float]:
    """What the local SageMaker makes of log lines with the product's definitions."""
    metrics = LogMetrics(metric_definitions(("validation:roc_auc", "validation:rmse", "train:logloss")), lambda *_: None)
    metrics.read([(1, line) for line in lines])
    return {item["MetricName"]: item["Value"] for item in metrics.latest()}


def prepared(folder: Path, task: Task, rows: int = 300) -> Path:
    """A prepared folder for a task."""
    table = jobs.people(rows, classes=3 if task == "multiclass" else 2)
    if task == "regression":
        table = [table[0], *([*row[:3], str(float(row[0]) * 1000)] for row in table[1:])]
    return jobs.prepare(folder, jobs.csv(table), task=task).prepared


def test_a_metric_is_a_line_of_its_own_and_its_last_value_counts_abuse_row_73() -> None:
    """Abuse row 73: text inside another line is no metric; abuse row 72: named twice, the last value counts."""
    assert read("#metric validation:roc_auc=0.5;", "#metric validation:roc_auc=0.75;") == {"validation:roc_auc": 0.75}
    fakes = ["column '#metric validation:roc_auc=1;' is constant", " #metric validation:roc_auc=1;", "x#metric validation:rmse=0;"]
    assert read("#metric validation:roc_auc=0.5;", *fakes) == {"validation:roc_auc": 0.5}


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-inf", "", "0.9 0.8", "1e999", "0x1"])
def test_what_is_no_number_is_no_metric_abuse_row_72(value: str) -> None:
    assert read(f"#metric validation:roc_auc={value};") == {}


def test_text_of_the_data_cannot_begin_a_log_line_abuse_row_73(capsys: pytest.CaptureFixture[str]) -> None:
    log("column 'a\n#metric validation:roc_auc=1;\r\n#metric validation:rmse=0;\x1b[2K'")
    (line,) = capsys.readouterr().out.splitlines()
    assert line == r"column 'a\n#metric validation:roc_auc=1;\r\n#metric validation:rmse=0;\x1b[2K'"
    assert read(line) == {}


def test_an_unforeseen_error_cannot_print_a_metric_and_shows_no_secret_abuse_row_73(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: JobFolder) -> None:
        raise ValueError("boom\n#metric validation:roc_auc=1;\nkey wJalrXUtnFEMIK7MDENGbPxRfiCY and AKIAIOSFODNN7EXAMPLE")

    monkeypatch.setattr("mlops_core.jobs.training.run", broken)
    secret = "wJalrXUtnFEMIK7MDENGbPxRfiCY"
    try:
        assert main(["train"], {"SAGEMAKER_BASE_DIR": str(tmp_path), "AWS_SECRET_ACCESS_KEY": secret}) == 1
    finally:
        journal.forget()
    told = capsys.readouterr()
    written = (tmp_path / "output" / "failure").read_text()
    for text in (told.out, told.err, written):
        assert secret not in text
        assert "AKIAIOSFODNN7EXAMPLE" not in text
        assert read(*text.splitlines()) == {}
    assert "***" in written


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_model_without_numbers_is_a_failed_training_abuse_row_72(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: float) -> None:
    def broken(task: FitTask) -> Fitted:
        scores = np.full((task.validation.rows, 1), 0.5)
        scores[3] = wrong
        return Fitted(scores=scores, weights_digest="0" * 64, nodes=list)

    monkeypatch.setattr("mlops_core.algorithms.xgboost.fit", broken)
    done = jobs.train(tmp_path / "train", prepared(tmp_path / "data", "binary"))
    assert (done.code, done.message["code"]) == (7, "E-TRAIN-006")
    assert "for 1 of" in done.message["headline"]
    assert not (tmp_path / "train" / "model" / "model.onnx").exists()


def test_the_judge_never_accepts_what_was_not_measured_abuse_row_72() -> None:
    plain: dict[str, Any] = {
        "task": "binary", "metric": "roc_auc", "split": "validation", "rows": 100, "baseline": {"roc_auc": 0.5},
        "metrics": {"roc_auc": {"value": 0.9, "low": 0.8, "high": 0.95}},
    }  # fmt: skip
    assert judge(VerdictInput.model_validate(plain), Policy()).decision == "accept"
    with pytest.raises(Refused, match="was not measured"):
        judge(VerdictInput.model_validate(plain | {"metrics": {}}), Policy())
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            VerdictInput.model_validate(plain | {"metrics": {"roc_auc": {"value": wrong, "low": 0.8, "high": 0.95}}})


@pytest.mark.parametrize(("method", "task"), METHODS)
def test_the_last_metrics_are_those_of_the_model_that_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str, task: Task
) -> None:
    folder = prepared(tmp_path / "data", task)
    capsys.readouterr()
    base = tmp_path / "train"
    assert jobs.train(base, folder, mlops_algorithm=method).code == 0
    report = read_message(base / "model" / "training.json", TrainingReport)
    lines = capsys.readouterr().out.splitlines()
    names = tuple(f"validation:{name}" for name in report.validation_metrics)
    metrics = LogMetrics(metric_definitions(names), lambda *_: None)
    metrics.read([(1, line) for line in lines])
    last = {item["MetricName"].partition(":")[2]: item["Value"] for item in metrics.latest()}
    assert last == {name: pytest.approx(value, rel=1e-5) for name, value in report.validation_metrics.items()}
    assert report.rounds >= 1
    assert report.learning_curve.keys() & {"round", "rows"}
    assert any(name.startswith("train:") for name in report.learning_curve)


def test_balanced_classes_are_in_the_report_by_label(tmp_path: Path) -> None:
    done = jobs.train(tmp_path / "train", prepared(tmp_path / "data", "binary"), class_weight="balanced")
    report = read_message(done.base / "model" / "training.json", TrainingReport)
    assert set(report.class_weights) == {"no", "yes"}
    assert report.class_weights["yes"] > report.class_weights["no"]


def test_a_killed_training_goes_on_and_leaves_the_same_bytes(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "data", "binary", rows=1500)
    whole, broken = (_job(tmp_path / name, folder) for name in ("whole", "broken"))
    subprocess.run(_COMMAND, env=_environment(whole), check=True, capture_output=True)
    (broken / "checkpoints").mkdir()
    job = subprocess.Popen(_COMMAND, env=_environment(broken), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (broken / "checkpoints" / "xgboost.json").exists() and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    job.send_signal(signal.SIGKILL)
    assert job.wait(10) == -signal.SIGKILL
    assert not (broken / "model" / "model.onnx").exists()
    subprocess.run(_COMMAND, env=_environment(broken), check=True, capture_output=True)
    assert read_message(broken / "model" / "training.json", TrainingReport).resumed_round >= 20
    assert _bytes(broken) == _bytes(whole)


_COMMAND = [sys.executable, "-m", "mlops_core.jobs.main", "train"]


def _environment(base: Path) -> dict[str, str]:
    return os.environ | {"SAGEMAKER_BASE_DIR": str(base)}


def _job(base: Path, folder: Path) -> Path:
    (base / "input" / "config").mkdir(parents=True)
    (base / "input" / "data").mkdir(parents=True)
    (base / "input" / "data" / "prepared").symlink_to(folder)
    given = {"mlops_algorithm": "xgboost", "n_estimators": "200", "max_depth": "4", "mlops_checkpoint_seconds": "0"}
    (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps(given))
    (base / "input" / "config" / "resourceconfig.json").write_text(json.dumps({"num_cpus": 1}))
    return base


def _bytes(base: Path) -> dict[str, str]:
    names = ("model/model.onnx", "model/native/xgboost.json", "model/spec.json", "output/data/predictions.parquet")
    return {name: hashlib.sha256((base / name).read_bytes()).hexdigest() for name in names}
