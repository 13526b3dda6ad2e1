"""The evaluation job as a program over its folders."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as oracle

from mlops_core.contracts.evaluation import DriftBaseline, EvaluationResults
from mlops_core.errors import MlopsError
from mlops_core.jobs import main as program
from mlops_core.jobs.archive import read_archive, write_archive
from mlops_core.jobs.contract import JobFolder
from mlops_core.jobs.evaluation import run
from tests.unit.evaluation.prepared import LABELS, graph_of, prepare, spec_of, table_of

PNG = b"\x89PNG\r\n"


def outputs(folder: JobFolder) -> Path:
    return folder.base / "processing" / "output" / "evaluation"


def read(folder: JobFolder) -> EvaluationResults:
    return EvaluationResults.model_validate_json((outputs(folder) / "results.json").read_bytes())


class Page(HTMLParser):
    """Well-formedness and what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.unnamed = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loads += [value for name in ("src", "href") if (value := found.get(name))]
        self.unnamed += found.get("role") == "img" and not found.get("aria-label")
        if tag not in {"meta", "rect", "line", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Closed in itself."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"rect", "line"}:
            assert self.open.pop() == tag


def test_a_binary_split_is_measured_as_the_oracle_does(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    assert run(folder) == 0
    results = read(folder)
    predictions = pq.read_table(outputs(folder) / "predictions.parquet")
    y, score = predictions.column("y").to_numpy(), predictions.column("score_0").to_numpy()
    assert results.rows == 400
    assert results.metrics["roc_auc"].value == pytest.approx(oracle.roc_auc_score(y, score), abs=1e-12)
    assert results.metrics["f1"].value == pytest.approx(oracle.f1_score(y, score >= 0.5), abs=1e-12)
    assert np.array_equal(np.array(results.confusion), oracle.confusion_matrix(y, score >= 0.5))
    assert results.baseline["accuracy"] == pytest.approx((y == 0).mean())
    assert predictions.column("__row").to_pylist() == list(range(1000, 1400))
    assert set(predictions.column("label").to_pylist()) <= set(LABELS["binary"])


@pytest.mark.parametrize(
    ("task", "pictures"),
    [
        ("binary", {"confusion_matrix.png", "roc_curve.png"}),
        ("multiclass", {"confusion_matrix.png", "roc_curve.png"}),
        ("regression", {"residuals.png"}),
    ],
)
def test_every_task_leaves_its_files(tmp_path: Path, task: str, pictures: set[str]) -> None:
    folder = prepare(tmp_path, task)
    run(folder)
    names = {path.name for path in outputs(folder).iterdir()}
    assert names == pictures | {"results.json", "report.html", "drift_baseline.json", "predictions.parquet"}
    assert all((outputs(folder) / name).read_bytes().startswith(PNG) for name in pictures)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_report_is_one_escaped_page_that_loads_nothing(tmp_path: Path, task: str, language: str) -> None:
    folder = prepare(tmp_path, task, language=language)
    run(folder)
    text = (outputs(folder) / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.loads == []
    assert page.unnamed == 0
    assert "<script" not in text
    assert "<b>'" not in text
    assert "target | &lt;b&gt;" in text
    assert "b<i>" not in text
    assert ("評価" in text) == (language == "ja")
    assert "400" in text


def test_no_row_of_the_data_reaches_the_published_files(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    run(folder)
    results = json.loads((outputs(folder) / "results.json").read_text())
    longest = max(
        len(value) for value in [results["score_quantiles"], *(part for curve in results["roc"] for part in (curve["x"], curve["y"]))]
    )
    assert longest <= 200 < results["rows"]


def test_the_drift_baseline_holds_score_bins_and_the_training_reference(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    run(folder)
    baseline = DriftBaseline.model_validate_json((outputs(folder) / "drift_baseline.json").read_bytes())
    assert len(baseline.score_shares) == len(baseline.score_edges) + 1
    assert sum(baseline.score_shares) == pytest.approx(1)
    assert sum(baseline.label_shares.values()) == pytest.approx(1)
    assert baseline.columns[0].edges == (30.0, 60.0)


def test_slices_groups_and_inputs_are_looked_into(tmp_path: Path) -> None:
    folder = prepare(tmp_path, rows=3000, protected=("sex", "shoe size"))
    run(folder)
    found = read(folder)
    predictions = pq.read_table(outputs(folder) / "predictions.parquet")
    score = predictions.column("score_0").to_numpy()
    sex = pq.read_table(folder.input("prepared") / "test" / "data.parquet").column("sex").to_pylist()
    assert found.protected_absent == ("shoe size",)
    assert [(item.code, item.columns) for item in found.findings] == [("W-EVAL-004", ("shoe size",))]
    assert [row.name for row in found.groups[0].groups] == ["f", "m", "other"]
    for row in found.groups[0].groups:
        inside = np.array([value == row.name for value in sex])
        assert row.rows == inside.sum()
        assert row.figures["selection_rate"].value == pytest.approx((score[inside] >= 0.5).mean())
    assert found.importance is not None
    assert (found.importance.metric, found.importance.rows, found.importance.repeats) == ("roc_auc", 2000, 3)
    assert [item.column for item in found.importance.inputs] == ["age", "sex"]
    assert found.importance.inputs[0].value > 0.1 > abs(found.importance.inputs[1].value)
    assert found.slices is not None
    assert found.slices.tested >= 10
    assert all(item.metric is None or item.metric.low <= item.metric.value <= item.metric.high for item in found.slices.found)


@pytest.mark.parametrize(("task", "figure"), [("multiclass", "accuracy"), ("regression", "bias")])
def test_other_tasks_have_groups_slices_and_importance_too(tmp_path: Path, task: str, figure: Any) -> None:
    folder = prepare(tmp_path, task, protected=("sex", "age"))
    run(folder)
    found = read(folder)
    assert [audit.attribute for audit in found.groups] == ["sex", "age"]
    assert all(figure in audit.gaps and audit.four_fifths is None for audit in found.groups)
    assert found.importance is not None
    assert len(found.importance.inputs) == 2
    assert found.slices is not None
    assert found.slices.loss == ("absolute_error" if task == "regression" else "brier")


def test_every_measure_stands_beside_its_interval_method_and_baseline(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    run(folder)
    found = read(folder)
    assert set(found.metrics) < set(found.measures)
    assert {figure.method for figure in found.measures.values()} == {"bootstrap", "normal"}
    assert all(figure.baseline is not None for figure in found.measures.values())
    assert all(found.measures[name].value == interval.value for name, interval in found.metrics.items())


def test_importance_can_be_left_out(tmp_path: Path) -> None:
    folder = prepare(tmp_path, importance_rows=0)
    run(folder)
    assert read(folder).importance is None


def test_two_runs_give_the_same_figures(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        folder = prepare(tmp_path / name)
        run(folder)
        found.append(read(folder).model_copy(update={"seconds": 0.0}))
    assert found[0] == found[1]


def test_zeros_of_the_target_are_counted_out_of_mape(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "regression")
    run(folder)
    assert read(folder).left_out == {"mape": 3}


def replaced(folder: JobFolder, **members: bytes) -> None:
    spec = spec_of("binary")
    whole = {"spec.json": spec.model_dump_json().encode()} | {name.replace("_", "."): content for name, content in members.items()}
    (folder.input("model") / "model.tar.gz").write_bytes(write_archive(whole))


def other_graph(folder: JobFolder) -> None:
    path = folder.input("model") / "model.tar.gz"
    files = read_archive(path, ("spec.json", "training.json"))
    path.write_bytes(write_archive(files | {"model.onnx": graph_of(spec_of("binary", fill=1.0))}))


def other_preparation(folder: JobFolder) -> None:
    (folder.input("prepared") / "spec.json").write_text(spec_of("binary", fill=1.0).model_dump_json())


def unknown_class(folder: JobFolder) -> None:
    table = table_of(spec_of("multiclass"), 50)
    column = table.column("target | <b>").to_pylist()
    changed = table.set_column(2, "target | <b>", [["never seen", *column[1:]]])
    pq.write_table(changed, folder.input("prepared") / "test" / "data.parquet")


def empty_split(folder: JobFolder) -> None:
    pq.write_table(table_of(spec_of("binary"), 50).slice(0, 0), folder.input("prepared") / "test" / "data.parquet")


@pytest.mark.parametrize(
    ("spoil", "task", "code"),
    [
        (lambda folder: (folder.input("model") / "model.tar.gz").unlink(), "binary", "E-PACK-002"),
        (lambda folder: replaced(folder, model_pkl=b"x"), "binary", "E-PACK-002"),
        (replaced, "binary", "E-PACK-002"),
        (other_graph, "binary", "E-EVAL-006"),
        (other_preparation, "binary", "E-EVAL-007"),
        (unknown_class, "multiclass", "E-EVAL-008"),
        (empty_split, "binary", "E-EVAL-001"),
        (lambda folder: (folder.input("prepared") / "test" / "data.parquet").unlink(), "binary", "E-JOB-002"),
        (lambda folder: (folder.input("prepared") / "profile.json").unlink(), "binary", "E-JOB-002"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused_by_code(tmp_path: Path, spoil: Any, task: str, code: str) -> None:
    folder = prepare(tmp_path, task)
    spoil(folder)
    with pytest.raises(MlopsError) as caught:
        run(folder)
    assert caught.value.code == code


def test_a_model_that_scores_no_number_fails_the_job_with_its_reason(tmp_path: Path) -> None:
    prepare(tmp_path, broken=True)
    assert program.main(["evaluation"], {"SAGEMAKER_BASE_DIR": str(tmp_path)}) == 7
    message = json.loads((tmp_path / "output" / "message").read_text())
    assert message["code"] == "E-EVAL-003"
    assert re.search(r"no finite score for 400 of 400 rows", message["headline"])


def test_the_metrics_stand_in_the_log_for_the_platform(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(prepare(tmp_path))
    assert re.search(r"^#metric test:roc_auc=0\.\d+;$", capsys.readouterr().out, flags=re.MULTILINE)


def test_a_split_of_sixteen_thousand_rows_takes_seconds_even_on_a_busy_machine(tmp_path: Path) -> None:
    folder = prepare(tmp_path, rows=16_281, resamples=1000)
    started = time.process_time()
    run(folder)
    assert time.process_time() - started < 12
