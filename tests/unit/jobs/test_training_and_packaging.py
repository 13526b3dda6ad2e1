"""From prepared folder to packed model, as the containers run it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.contracts.model import Manifest
from mlops_core.contracts.training import TrainingReport
from mlops_core.features.feeds import feeds_of, feeds_of_rows, session
from mlops_core.jobs.archive import write_archive
from tests.unit.jobs import job_files as jobs


@pytest.fixture(scope="module", params=["xgboost", "random_forest"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[jobs.Outcome, jobs.Outcome]:
    folder = tmp_path_factory.mktemp(request.param)
    prepared = jobs.prepare(folder / "data", jobs.csv(jobs.people(400)))
    return prepared, jobs.train(folder / "train", prepared.prepared, mlops_algorithm=request.param)


def _report(done: jobs.Outcome) -> TrainingReport:
    return TrainingReport.model_validate_json((done.base / "model" / "training.json").read_bytes())


def _package(base: Path, prepared: jobs.Outcome, done: jobs.Outcome, **changed: Any) -> jobs.Outcome:
    inputs = base / "processing" / "input"
    for name in ("config", "training", "evaluation"):
        (inputs / name).mkdir(parents=True)
    (inputs / "prepared").symlink_to(prepared.prepared)
    model, output = jobs.training_archives(done.base)
    (inputs / "training" / "model.tar.gz").write_bytes(changed.pop("model", model))
    (inputs / "training" / "output.tar.gz").write_bytes(changed.pop("output", output))
    results = {
        "run_id": "r", "task": "binary", "metric": "roc_auc", "split": "test", "rows": 80, "metrics": {}, "baseline": {},
        "baseline_rule": "", "model_digest": _report(done).onnx_digest, "seconds": 0.1,
    } | changed  # fmt: skip
    (inputs / "evaluation" / "results.json").write_text(json.dumps(results))
    config = dict.fromkeys(("issue_url", "code_commit", "dataset_uri", "dataset_version", "image"), "")
    (inputs / "config" / "config.json").write_text(json.dumps(config | {"run_id": "r", "model_name": "people", "version": "1.2.3"}))
    return jobs.run("packaging", base)


def _members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive.getmembers()}  # type: ignore[union-attr]


def test_training_writes_what_the_contract_names(trained: tuple[jobs.Outcome, jobs.Outcome]) -> None:
    _, done = trained
    assert done.code == 0, done.message
    report = _report(done)
    assert report.threads == 1
    assert report.seed == 7
    assert report.hyperparameters["n_estimators"] == 12
    assert set(report.validation_metrics) == {"accuracy", "logloss", "roc_auc"}
    assert (done.base / "model" / "native" / "xgboost.json").exists() == (report.algorithm == "xgboost")
    predictions = pq.read_table(done.base / "output" / "data" / "predictions.parquet")
    assert [(field.name, str(field.type)) for field in predictions.schema] == [("__row", "int64"), ("y", "double"), ("score_0", "double")]


def test_labels_follow_the_stated_rule(trained: tuple[jobs.Outcome, jobs.Outcome]) -> None:
    prepared, done = trained
    graph = session((done.base / "model" / "model.onnx").read_bytes())
    score, label = graph.run(["score", "label"], feeds_of(pq.read_table(prepared.prepared / "test" / "data.parquet"), prepared.spec))
    assert score.shape == label.shape
    assert label.dtype == np.int64
    np.testing.assert_array_equal(label, score >= 0.5)


def test_training_twice_gives_the_same_weights_and_graph(trained: tuple[jobs.Outcome, jobs.Outcome], tmp_path: Path) -> None:
    prepared, done = trained
    first = _report(done)
    second = _report(jobs.train(tmp_path, prepared.prepared, mlops_algorithm=first.algorithm))
    assert (second.weights_digest, second.onnx_digest) == (first.weights_digest, first.onnx_digest)


def test_progress_lines_have_the_form_of_the_metric_definitions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared = jobs.prepare(tmp_path / "data", jobs.csv(jobs.people()))
    capsys.readouterr()
    jobs.train(tmp_path / "train", prepared.prepared, n_estimators="90")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("#metric validation:roc_auc=")]
    assert 10 <= len(lines) <= 20
    assert all(0 <= float(line.removeprefix("#metric validation:roc_auc=").removesuffix(";")) <= 1 for line in lines)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"max_dept": "3"}, "E-TRAIN-001"),
        ({"max_depth": "1_0"}, "E-PARSE-020"),
        ({"mlops_algorithm": "svm"}, "E-PARSE-006"),
        ({"mlops_task": "regression"}, "E-TRAIN-004"),
    ],
)
def test_training_refuses_what_the_form_would_refuse(tmp_path: Path, given: dict[str, str], code: str) -> None:
    prepared = jobs.prepare(tmp_path / "data", jobs.csv(jobs.people(100)))
    done = jobs.train(tmp_path / "train", prepared.prepared, **given)
    assert (done.code, done.message["code"]) == (2, code)
    assert (tmp_path / "train" / "output" / "failure").exists()


def test_a_column_named_score_trains_and_scores(tmp_path: Path) -> None:
    table = jobs.people(200)
    prepared = jobs.prepare(tmp_path / "data", jobs.csv([["score", "label", "city", "y"], *table[1:]]))
    done = jobs.train(tmp_path / "train", prepared.prepared)
    assert done.code == 0
    graph = session((done.base / "model" / "model.onnx").read_bytes())
    assert [item.name for item in graph.get_outputs()] == ["score", "label"]
    assert graph.run(["score"], feeds_of_rows([{"score": 30}], prepared.spec))[0].shape == (1, 1)


def test_the_package_holds_graph_manifest_and_smoke_rows_with_their_digests(
    trained: tuple[jobs.Outcome, jobs.Outcome], tmp_path: Path
) -> None:
    done = _package(tmp_path, *trained)
    assert done.code == 0, done.message
    out = tmp_path / "processing" / "output" / "package"
    members = _members(out / "model.tar.gz")
    manifest = Manifest.model_validate_json((out / "manifest.json").read_bytes())
    assert members["manifest.json"] == (out / "manifest.json").read_bytes()
    assert set(members) == {*manifest.files, "manifest.json"}
    assert all(hashlib.sha256(members[name]).hexdigest() == value for name, value in manifest.files.items())
    assert (manifest.version, manifest.parity_rows) == ("1.2.3", trained[0].profile.rows["validation"])
    assert manifest.parity_max_delta <= 1e-5
    assert {column.name: column.required for column in manifest.columns} == {"age": True, "income": False, "city": False}
    assert manifest.licences["onnx"] == "Apache-2.0"


def test_the_package_brings_what_an_image_of_its_own_needs(trained: tuple[jobs.Outcome, jobs.Outcome], tmp_path: Path) -> None:
    assert _package(tmp_path, *trained).code == 0
    out = tmp_path / "processing" / "output" / "package"
    manifest = Manifest.model_validate_json((out / "manifest.json").read_bytes())
    files = {path.name: path.read_bytes() for path in (out / "inference_code").iterdir()}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == manifest.image_files
    lines = [line for line in files["Dockerfile"].decode().splitlines() if line and not line.startswith("#")]
    assert lines[:2] == ["ARG SERVE_IMAGE", "FROM ${SERVE_IMAGE}"]
    assert 'org.opencontainers.image.version="1.2.3"' in lines[2]
    assert "ADD model.tar.gz /opt/ml/model/" in lines
    pins = [line for line in files["requirements.txt"].decode().splitlines() if not line.startswith((" ", "#"))]
    assert pins
    assert all("==" in line for line in pins)
    assert not [line for line in pins if line.startswith(("scikit-learn", "xgboost"))]


def test_a_model_that_answers_every_row_alike_is_not_packaged(trained: tuple[jobs.Outcome, jobs.Outcome], tmp_path: Path) -> None:
    """abuse row 90"""
    prepared, done = trained
    content = (done.base / "output" / "data" / "predictions.parquet").read_bytes()
    table = pq.read_table(io.BytesIO(content))
    same = table.set_column(table.column_names.index("score_0"), "score_0", pa.array(np.full(table.num_rows, 0.25)))
    out = io.BytesIO()
    pq.write_table(same, out)
    refused = _package(tmp_path, prepared, done, output=write_archive({"predictions.parquet": out.getvalue()}))
    assert (refused.code, refused.message["code"]) == (4, "E-PACK-004")
    assert "alike (0.25)" in refused.message["headline"]


def test_smoke_rows_are_made_up_and_answered_by_the_graph(trained: tuple[jobs.Outcome, jobs.Outcome], tmp_path: Path) -> None:
    _package(tmp_path, *trained)
    members = _members(tmp_path / "processing" / "output" / "package" / "model.tar.gz")
    smoke = json.loads(members["smoke.json"])["rows"]
    graph = session(members["model.onnx"])
    data = {tuple(map(str, row)) for row in jobs.people(400)}
    for item in smoke:
        assert graph.run(["score"], feeds_of_rows([item["row"]], trained[0].spec))[0].reshape(-1).tolist() == item["score"]
        assert item["label"] in {"no", "yes"}
        assert (*(str(value) for value in item["row"].values()), item["label"]) not in data


def test_packing_twice_gives_the_same_bytes(trained: tuple[jobs.Outcome, jobs.Outcome], tmp_path: Path) -> None:
    packed = [_package(tmp_path / name, *trained).base / "processing" / "output" / "package" / "model.tar.gz" for name in "ab"]
    assert packed[0].read_bytes() == packed[1].read_bytes()
    with tarfile.open(packed[0]) as archive:
        assert {(item.mtime, item.uid, item.gid, item.uname) for item in archive.getmembers()} == {(0, 0, 0, "")}
        assert archive.getnames() == sorted(archive.getnames())


def test_a_graph_that_disagrees_on_one_row_is_refused(trained: tuple[jobs.Outcome, jobs.Outcome], tmp_path: Path) -> None:
    from mlops_core.jobs.archive import write_archive

    table = pq.read_table(trained[1].base / "output" / "data" / "predictions.parquet")
    scores = table.column("score_0").to_numpy().copy()
    scores[17] += 2e-5
    changed = io.BytesIO()
    pq.write_table(table.set_column(2, "score_0", pa.array(scores)), changed)
    done = _package(tmp_path, *trained, output=write_archive({"predictions.parquet": changed.getvalue()}))
    assert (done.code, done.message["code"]) == (4, "E-PACK-001")
    assert not (tmp_path / "processing" / "output" / "package").exists()


@pytest.mark.parametrize("changed", [{"model_digest": "0" * 64}, {"task": "regression", "metric": "rmse"}])
def test_parts_of_two_runs_are_not_packed_together(
    trained: tuple[jobs.Outcome, jobs.Outcome], tmp_path: Path, changed: dict[str, Any]
) -> None:
    assert _package(tmp_path, *trained, **changed).message["code"] == "E-PACK-003"
