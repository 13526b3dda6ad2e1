"""Reports of three data sets for the pictures in the docs: the jobs run as programs, without a platform, and the judge speaks.

made = pages(folder, data=Path("../shared/data"))     # {"adult": Pages(report, quality, features), …}; sets that are missing are left out
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_core.contracts.dataset import DataProfile
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Policy, VerdictInput
from mlops_core.jobs.archive import write_archive
from mlops_core.judging import judge
from mlops_core.local.places import project_root
from mlops_core.reporting.judged import with_verdict
from mlops_core.reporting.messages.wording import warned
from mlops_core.reporting.siblings import with_links
from tests.browser.chromium import Scheme
from tests.unit.jobs.job_files import Outcome, prepare, run, train
from tests.unit.reporting import states

EXAMPLES = project_root() / "examples" / "data"


@dataclass(frozen=True)
class DataSet:
    """One table with what is asked of it; ``language`` is that of its pages, ``width`` and ``scheme`` how they are looked at."""

    name: str
    task: str
    target: str
    metric: str
    threshold: float
    method: str
    language: str = "en"
    width: int = 1280
    scheme: Scheme = "light"
    protected: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)


SETS = (
    DataSet("adult", "binary", "income", "roc_auc", 0.92, "xgboost", protected=("sex", "race"), config={"positive_label": ">50K"}),
    DataSet("california_housing", "regression", "median_house_value", "rmse", 48_000, "xgboost", scheme="dark"),
    DataSet("penguins", "multiclass", "species", "accuracy", 0.95, "random_forest", language="ja", width=390, protected=("sex",)),
)


@dataclass(frozen=True)
class Pages:
    """The pages of one data set as files."""

    asked: DataSet
    report: Path
    quality: Path
    features: Path


def pages(folder: Path, *, data: Path) -> dict[str, Pages]:
    """Prepare, train and evaluate every set that is there."""
    return {asked.name.replace("_", "-"): made for asked in SETS if (made := _made(asked, folder / asked.name, data)) is not None}


def _made(asked: DataSet, base: Path, data: Path) -> Pages | None:
    files = _files(asked, data)
    if files is None:
        return None
    raw, test = files
    settings = {"task": asked.task, "target": asked.target, "memory_limit_mb": 2048, "threads": 2, **asked.config}
    prepared = _done(prepare(base / "data", raw, test=test, **settings)).prepared
    shape = {"mlops_algorithm": asked.method, "mlops_task": asked.task, "mlops_metric": asked.metric, "n_estimators": "200"}
    _done(train(base / "train", prepared, **shape))
    return published(asked, base, prepared)


def published(asked: DataSet, base: Path, prepared: Path) -> Pages:
    """The pages as a run publishes them: the report of the test split with the verdict on the validation split, beside the others."""
    validation, looked = (_evaluated(asked, base, prepared, split) for split in ("validation", "test"))
    folder = base / f"pages-{asked.language}"
    folder.mkdir()
    found = {name: (prepared / f"{name}.{asked.language}.html").read_bytes() for name in ("quality", "features")}
    state = _judged(asked, EvaluationResults.model_validate_json((validation / "results.json").read_text()), prepared)
    found = {"report": with_verdict((looked / "report.html").read_text(), state).encode()} | found
    for name, page in found.items():
        (folder / f"{name}.html").write_bytes(with_links(page, name, list(found), language=state.request.language))
    return Pages(asked, *(folder / f"{name}.html" for name in found))


def _judged(asked: DataSet, results: EvaluationResults, prepared: Path) -> RunState:
    """A run with what the judge says of the figures, and the warnings of its data."""
    figures = VerdictInput(
        task=results.task, metric=results.metric, split="validation", rows=results.rows, metrics=results.metrics, baseline=results.baseline,
        threshold=asked.threshold, max_retrains=0,
    )  # fmt: skip
    profile = DataProfile.model_validate_json((prepared / "profile.json").read_text())
    request = states.request(model_name=results.run_id.rsplit("-", 2)[0], language=asked.language)
    warnings = tuple(warned(request.language, finding) for finding in (*profile.findings, *results.findings))
    return states.state(request=request, verdict=judge(figures, Policy()), warnings=warnings, test_evaluation_uri=states.request().dataset)


def _files(asked: DataSet, data: Path) -> tuple[bytes, bytes | None] | None:
    if asked.name == "adult":
        return (EXAMPLES / "census-income-train.csv.gz").read_bytes(), (EXAMPLES / "census-income-test.csv.gz").read_bytes()
    path = data / asked.name / "data.csv"
    return (path.read_bytes(), None) if path.is_file() else None


def _evaluated(asked: DataSet, base: Path, prepared: Path, split: str) -> Path:
    look = base / f"look-{asked.language}-{split}"
    inputs = look / "processing" / "input"
    for name in ("config", "model"):
        (inputs / name).mkdir(parents=True)
    (inputs / "prepared").symlink_to(prepared)
    model = base / "train" / "model"
    files = {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}
    (inputs / "model" / "model.tar.gz").write_bytes(write_archive(files))
    name = asked.name.replace("_", "-")
    config = {
        "run_id": f"{name}-1a2b3c4d-g0", "model_name": name, "task": asked.task, "metric": asked.metric, "split": split,
        "language": asked.language, "protected": asked.protected,
    }  # fmt: skip
    (inputs / "config" / "config.json").write_text(json.dumps(config))
    return _done(run("evaluation", look)).base / "processing" / "output" / "evaluation"


def _done(outcome: Outcome) -> Outcome:
    assert outcome.code == 0, outcome.message
    return outcome
