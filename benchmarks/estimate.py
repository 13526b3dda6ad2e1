"""Measure memory and time of the data and training jobs and compare them with `algorithms/estimate.py`.

    python -m benchmarks.estimate --data FOLDER [--only adult,penguins] [--out benchmarks/estimate.tsv]

FOLDER holds one folder per public data set with ``data.csv`` or ``data.csv.gz``.  ``generated`` is made here: 5,000,000 rows, eight
numbers and two texts.  The constants were fitted with an eye on the sets whose ``role`` is ``fitted``; the others changed none, but for
the columns of a forest that predicts numbers, which were fitted on all three sets of that kind.  Every row of the table carries its
workload, so a test computes the prediction again from the formulas as they are.  Every job is its own process below its own base folder;
seconds are the job's own (start-up apart: without imports and process start), memory is the greatest resident set of the process.
Bytecode is kept, as in the images, and one small set runs unmeasured first to write it.  Seconds are the clock's: measure on a machine
that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlops_core.algorithms.estimate import Estimate, Workload, estimate_data, estimate_training

ROWS = 5_000_000
GENERATED = """copy (select (hash(i * 8 + 1) % 1000) / 10.0 as a, (hash(i * 8 + 2) % 100) as b, (hash(i * 8 + 3) % 100000) / 7.0 as c,
    (hash(i * 8 + 4) % 7) as d, (hash(i * 8 + 5) % 1000) / 3.0 as e, (hash(i * 8 + 6) % 50) as f, (hash(i * 8 + 7) % 10000) as g,
    i % 97 as h, 'kind ' || (hash(i * 8) % 12) as k, 'area ' || (hash(i * 5) % 30) as l,
    case when (hash(i * 8 + 1) % 1000) + (hash(i * 8 + 2) % 100) * 5 + hash(i * 3) % 400 > 950 then 'yes' else 'no' end as target
    from range(5000000) t(i)) to '{path}' (header, delimiter ',')"""


@dataclass(frozen=True)
class Case:
    """One data set with what is learnt from it; ``given`` are hyperparameters per method, None leaves a method out."""

    name: str
    task: str
    target: str
    role: str
    positive: str | None = None
    given: Mapping[str, dict[str, int] | None] = field(default_factory=dict)

    @property
    def methods(self) -> list[str]:
        """The methods that learn this task."""
        linear = "linear_regression" if self.task == "regression" else "logistic_regression"
        return [name for name in ("xgboost", "random_forest", linear) if self.given.get(name, {}) is not None]


@dataclass(frozen=True)
class Used:
    """What a job took: greatest resident set in bytes, and processor seconds."""

    peak: float
    processor: float


@dataclass(frozen=True)
class Measured:
    """One job of one set: its phase and method, what it was given, and what it took."""

    case: Case
    method: str
    given: dict[str, int]
    work: Workload
    seconds: float
    used: Used


CASES = (
    Case("wine_quality", "regression", "quality", "held out"),
    Case("compas", "binary", "two_year_recid", "held out"),
    Case("penguins", "multiclass", "species", "fitted"),
    Case("titanic", "binary", "Survived", "fitted"),
    Case("telco_churn", "binary", "Churn", "fitted"),
    Case("bike_sharing", "regression", "cnt", "held out"),
    Case("elec2", "binary", "class", "fitted"),
    Case("california_housing", "regression", "median_house_value", "fitted"),
    Case("adult", "binary", "income", "fitted"),
    Case("kdd99_10pct", "binary", "label", "fitted", "normal.", {"random_forest": {"n_estimators": 50}}),
    Case("generated", "binary", "target", "fitted", None, {"xgboost": {"n_estimators": 30}, "random_forest": {"n_estimators": 2}}),
)
WARMS = next(case for case in CASES if case.name == "penguins")
DATA = "data"
WORK = ("rows", "numeric", "text", "features", "classes", "task", "duplicate_share", "threads")
FIGURES = ("seconds", "predicted_s", "ratio_s", "MB", "predicted_MB", "ratio_MB", "cpu_s")
COLUMNS = ("set", "role", "phase", "method", "trees", *WORK, *FIGURES)


def main() -> int:
    """Measure the chosen sets and write the table; exit code 1 when a figure is off by more than a factor of 2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".tsv"))
    given = parser.parse_args()
    chosen = [case for case in CASES if not given.only or case.name in given.only.split(",")]
    lines = ["\t".join(COLUMNS)]
    off = 0
    with tempfile.TemporaryDirectory() as folder:
        list(measure(WARMS, given.data, Path(folder)))
    for case in chosen:
        with tempfile.TemporaryDirectory() as folder:
            for item in measure(case, given.data, Path(folder)):
                row, ratios = table_row(item)
                lines.append(row)
                print(row, flush=True)
                off += sum(not 0.5 <= ratio <= 2 for ratio in ratios)
    given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(off > 0)


def measure(case: Case, data: Path, folder: Path) -> Iterator[Measured]:
    """The jobs of one set: the data job, then each method."""
    source = _source(case, data, folder)
    base = folder / "data"
    config: dict[str, object] = {"task": case.task, "target": case.target, "positive_label": case.positive}
    _write(base / "processing/input/config/config.json", config)
    (base / "processing/input/raw").mkdir(parents=True)
    (base / "processing/input/raw" / source.name).symlink_to(source)
    used = _run("data", base)
    prepared = base / "processing/output/prepared"
    profile = json.loads((prepared / "profile.json").read_text())
    work = _workload(case, profile)
    yield Measured(case, DATA, {}, work, float(profile["seconds"]), used)
    for method in case.methods:
        base = folder / method
        given = case.given.get(method) or {}
        texts = {"mlops_algorithm": method} | {name: str(value) for name, value in given.items()}
        _write(base / "input/config/hyperparameters.json", dict(texts))
        (base / "input/data").mkdir(parents=True)
        (base / "input/data/prepared").symlink_to(prepared)
        used = _run("train", base)
        report = json.loads((base / "model/training.json").read_text())
        yield Measured(case, method, given, work, report["seconds"] + report["export_seconds"], used)


def predicted(method: str, work: Workload, given: Mapping[str, int]) -> Estimate:
    """What the formulas say of the data job (``data``) or of the training by a method."""
    return estimate_data(work) if method == DATA else estimate_training(work, method, dict(given))


def workload(row: Mapping[str, str]) -> Workload:
    """The workload that a row of the table carries."""
    numbers = {name: int(row[name]) for name in ("rows", "numeric", "text", "features", "classes", "threads")}
    return Workload(task=row["task"], duplicate_share=float(row["duplicate_share"]), **numbers)


def table_row(item: Measured) -> tuple[str, tuple[float, float]]:
    """The row as text, and predicted over measured of seconds and memory."""
    estimate = predicted(item.method, item.work, item.given)
    ratios = (estimate.seconds / max(item.seconds, 1e-3), estimate.memory_bytes / item.used.peak)
    numbers = (
        item.seconds,
        estimate.seconds,
        ratios[0],
        item.used.peak / 1e6,
        estimate.memory_bytes / 1e6,
        ratios[1],
        item.used.processor,
    )
    known = asdict(item.work)
    words = [item.case.name, item.case.role, "data" if item.method == DATA else "training", item.method]
    words += [
        str(item.given.get("n_estimators", "")),
        *(f"{known[name]:.6g}" if name == "duplicate_share" else str(known[name]) for name in WORK),
    ]
    return "\t".join([*words, *(f"{value:.3g}" for value in numbers)]), ratios


def _source(case: Case, data: Path, folder: Path) -> Path:
    if case.name != "generated":
        return next(path for path in (data / case.name / "data.csv", data / case.name / "data.csv.gz") if path.exists())
    import duckdb

    path = folder / "generated.csv"
    duckdb.execute(GENERATED.format(path=path))
    return path


def _workload(case: Case, profile: dict[str, Any]) -> Workload:
    columns, rows = profile["columns"], profile["rows_read"]
    text = sum(column["type"] == "string" for column in columns)
    return Workload(
        rows=rows, numeric=len(columns) - text, text=text, features=profile["feature_count"],
        classes=max(2, len(profile["class_shares"])), task=case.task,
        duplicate_share=profile["duplicate_rows"] / rows, threads=len(os.sched_getaffinity(0)),
    )  # fmt: skip


def _write(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _run(word: str, base: Path) -> Used:
    """Run a job and take its processor seconds from its log."""
    command = [sys.executable, "-m", "mlops_core.jobs.main", word]
    environment = os.environ | {"SAGEMAKER_BASE_DIR": str(base)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with (base / "log").open("w+") as log:
        job = subprocess.Popen(command, env=environment, stdout=log)
        _, status, usage = os.wait4(job.pid, 0)
        job.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        told = [line for line in log if line.startswith("processor seconds: ")]
    if job.returncode:
        raise SystemExit(f"the {word} job ended with {job.returncode}")
    return Used(usage.ru_maxrss * 1024.0, float(told[-1].split()[-1]))


if __name__ == "__main__":
    sys.exit(main())
