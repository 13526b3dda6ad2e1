"""Quality that `mlops run` reaches on public tables, each as a user would start it.

adult comes from ``examples/data`` with its official test file; california housing and penguins are read from a folder of data sets
(``FOLDER/NAME/data.csv``) and skipped, by name, where they are missing.  Without a test file the line holds 20 % out: shuffled for a
number, stratified for a class.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.line import started
from mlops_core.local.places import project_root

SECONDS = 900


@dataclass(frozen=True)
class Case:
    """One run: its flags and the figures it must reach on the test split, as (metric, least, greatest)."""

    name: str
    data: str
    flags: tuple[str, ...]
    wanted: tuple[tuple[str, float | None, float | None], ...]
    test: str = ""


ADULT = ("--target", "income", "--positive", ">50K", "--task", "binary", "--metric", "roc_auc")
CASES = (
    Case(
        "adult, XGBoost", "census-income-train.csv.gz", (*ADULT, "--algorithm", "xgboost"),
        (("accuracy", 0.868, None), ("roc_auc", 0.923, None)), "census-income-test.csv.gz",
    ),
    Case(
        "adult, random forest", "census-income-train.csv.gz", (*ADULT, "--algorithm", "random_forest"),
        (("roc_auc", 0.895, None), ("accuracy", 0.845, None)), "census-income-test.csv.gz",
    ),
    Case(
        "california housing, XGBoost", "california_housing/data.csv",
        ("--target", "median_house_value", "--task", "regression", "--metric", "rmse", "--algorithm", "xgboost"),
        (("rmse", None, 48_000), ("r2", 0.83, None)),
    ),
    Case(
        "penguins, random forest", "penguins/data.csv",
        ("--target", "species", "--task", "multiclass", "--metric", "accuracy", "--algorithm", "random_forest"),
        (("accuracy", 0.96, None),),
    ),
)  # fmt: skip


def measure(data: Path) -> Iterator[Figure]:
    """Run every case on one platform; a case that does not end with a model is a figure that missed its bar."""
    with started(), tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(CASES):
            base = project_root() / "examples" / "data" if case.test else data
            if not (base / case.data).exists():
                sys.stderr.write(f"skipped: {case.name} ({base / case.data} is missing)\n")
                continue
            yield from _figures(case, run(case, base, Path(folder) / f"{number}.json"))


def run(case: Case, base: Path, out: Path) -> dict[str, Any]:
    """One `mlops run --json`; its document."""
    test = ("--test", str(base / case.test)) if case.test else ()
    command = ["run", "--data", str(base / case.data), *test, *case.flags, "--no-deploy", "--name", f"bar-{out.stem}", "--json", str(out)]
    program = [sys.executable, "-m", "mlops_core.cli.main", *command]
    done = subprocess.run(program, capture_output=True, text=True, timeout=SECONDS, check=False)
    if not out.exists():
        raise SystemExit(f"{case.name} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    document: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return document


def _figures(case: Case, document: dict[str, Any]) -> Iterator[Figure]:
    found = document["metrics"]["test"] or document["metrics"]["validation"]
    split = "test" if document["metrics"]["test"] else "validation"
    for metric, least, greatest in case.wanted:
        value = found[metric]
        note = f"{value['low']:.5g} to {value['high']:.5g}, {document['rows'][split]:,} {split} rows, {document['outcome']}"
        yield Figure(f"{case.name}: {metric}", value["value"], at_least=least, at_most=greatest, note=note)
    yield Figure(f"{case.name}: run", document["timings"]["run"], "s")
