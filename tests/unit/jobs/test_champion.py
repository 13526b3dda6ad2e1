"""The champion is measured on the challenger's rows, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from mlops_core.contracts.dataset import FeatureSpec, NumericColumn
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.model import Manifest
from mlops_core.errors import Refused
from mlops_core.jobs.archive import write_archive
from mlops_core.jobs.contract import JobFolder
from mlops_core.jobs.evaluation import run
from tests.unit.evaluation.prepared import graph_of, prepare, spec_of

ZERO = "0" * 64


def package(folder: JobFolder, spec: FeatureSpec, *, graph: bytes | None = None, named: str = "") -> None:
    """A champion's package as the job gets it."""
    content = graph_of(spec) if graph is None else graph
    manifest = Manifest.model_validate(
        {
            "model_name": "income", "version": "1.4.0", "run_id": "income-0", "task": spec.task, "algorithm": "xgboost", "seed": 1,
            "hyperparameters": {}, "columns": (), "labels": spec.labels, "target": spec.target, "metrics": {},
            "files": {"model.onnx": named or hashlib.sha256(content).hexdigest()}, "weights_digest": ZERO, "dataset_uri": "",
            "dataset_version": "", "dataset_digest": ZERO, "spec_digest": ZERO, "code_commit": "", "issue_url": "", "image": "",
            "libraries": {}, "licences": {}, "parity_rows": 1, "parity_max_delta": 0.0,
        }
    )  # fmt: skip
    members = {"model.onnx": content, "spec.json": spec.model_dump_json().encode(), "manifest.json": manifest.model_dump_json().encode()}
    (folder.base / "processing" / "input" / "champion").mkdir()
    (folder.base / "processing" / "input" / "champion" / "model.tar.gz").write_bytes(write_archive(members))


def results(folder: JobFolder) -> EvaluationResults:
    """What the job wrote."""
    assert run(folder) == 0
    return EvaluationResults.model_validate_json((folder.base / "processing" / "output" / "evaluation" / "results.json").read_bytes())


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_an_equal_champion_gets_the_figures_of_the_challenger(tmp_path: Path, task: Any) -> None:
    folder = prepare(tmp_path, task)
    package(folder, spec_of(task))
    found = results(folder)
    assert found.champion_version == "1.4.0"
    assert {name: item.value for name, item in found.champion.items()} == {name: item.value for name, item in found.metrics.items()}


def test_another_preparation_of_the_champion_is_its_own(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    package(folder, spec_of("binary", fill=80.0))
    found = results(folder)
    assert found.champion["roc_auc"].value != found.metrics["roc_auc"].value


@pytest.mark.parametrize(
    "changes",
    [
        {"numeric": (NumericColumn(name="income", type="int64", fill=1.0),)},
        {"numeric": (NumericColumn(name="sex", type="float64", fill=1.0),), "categorical": ()},
        {"labels": ("no", "yes")},
        {"target": "another"},
    ],
    ids=["column not there", "column of another type", "other classes", "another target"],
)
def test_a_champion_that_answers_another_question_is_not_measured(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = prepare(tmp_path)
    package(folder, spec_of("binary").model_copy(update=changes), graph=graph_of(spec_of("binary")))
    found = results(folder)
    assert (found.champion, found.champion_version) == ({}, "")


def test_a_champion_without_numbers_is_not_measured(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    package(folder, spec_of("binary"), graph=graph_of(spec_of("binary"), broken=True))
    assert results(folder).champion == {}


def test_a_graph_that_the_manifest_does_not_name_is_refused(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    package(folder, spec_of("binary"), named=ZERO)
    with pytest.raises(Refused, match="not the one that its manifest names"):
        run(folder)


def test_a_look_without_a_champion_says_nothing_of_one(tmp_path: Path) -> None:
    found = results(prepare(tmp_path))
    assert (found.champion, found.champion_version) == ({}, "")
