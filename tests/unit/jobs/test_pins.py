"""What training and evaluation read is what the data job wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_core.jobs.pins import hold, pins
from tests.unit.jobs import job_files as jobs


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> jobs.Outcome:
    return jobs.prepare(tmp_path_factory.mktemp("data"), jobs.csv(jobs.people(200)))


def test_every_file_that_is_read_later_is_pinned(prepared: jobs.Outcome) -> None:
    there = {path.relative_to(prepared.prepared).as_posix() for path in prepared.prepared.rglob("*.parquet")} | {"spec.json"}
    assert set(prepared.profile.files) == there
    assert prepared.profile.files == pins(prepared.prepared)
    hold(prepared.prepared)


def _copied(prepared: jobs.Outcome, to: Path) -> Path:
    for path in prepared.prepared.rglob("*"):
        if path.is_file():
            (to / path.relative_to(prepared.prepared)).parent.mkdir(parents=True, exist_ok=True)
            (to / path.relative_to(prepared.prepared)).write_bytes(path.read_bytes())
    return to


@pytest.mark.parametrize("name", ["features/train.parquet", "features/validation.parquet", "spec.json"])
def test_training_stops_at_a_prepared_file_with_other_bytes(prepared: jobs.Outcome, tmp_path: Path, name: str) -> None:
    """abuse row 64: changed between validation and training"""
    folder = _copied(prepared, tmp_path / "prepared")
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    stopped = jobs.train(tmp_path / "train", folder)
    assert stopped.code != 0
    assert stopped.message["code"] == "E-DATA-CHANGED"
    assert name in stopped.message["headline"]


def test_evaluation_stops_at_a_split_with_other_bytes(prepared: jobs.Outcome, tmp_path: Path) -> None:
    """abuse row 64"""
    trained = jobs.train(tmp_path / "train", prepared.prepared, n_estimators="2")
    inputs = tmp_path / "look" / "processing" / "input"
    folder = _copied(prepared, inputs / "prepared")
    (folder / "validation" / "data.parquet").write_bytes((folder / "test" / "data.parquet").read_bytes())
    (inputs / "model").mkdir()
    (inputs / "model" / "model.tar.gz").write_bytes(jobs.training_archives(trained.base)[0])
    (inputs / "config").mkdir()
    config = {"run_id": "r", "model_name": "people", "task": "binary", "metric": "accuracy", "split": "validation"}
    (inputs / "config" / "config.json").write_text(json.dumps(config))
    assert jobs.run("evaluation", tmp_path / "look").message["code"] == "E-DATA-CHANGED"


def test_a_folder_of_an_older_data_job_has_nothing_to_hold(prepared: jobs.Outcome, tmp_path: Path) -> None:
    folder = _copied(prepared, tmp_path)
    profile = json.loads((folder / "profile.json").read_text()) | {"files": {}}
    (folder / "profile.json").write_text(json.dumps(profile))
    (folder / "spec.json").write_text("{}")
    hold(folder)
    (folder / "profile.json").unlink()
    hold(folder)
