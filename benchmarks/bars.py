"""Quality that `mlops run` reaches on public tables, each as a user would start it, and the traps it must name.

adult comes from ``examples/data`` with its official test file; the other sets are read from a folder (``FOLDER/NAME/data.csv``) or made by
`benchmarks.tables`, and skipped, by name, where they are missing.  Without a test file the line holds 20 % out: shuffled for a number,
stratified for a class.  A case of several seeds is judged by the mean of its runs.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.line import started
from benchmarks.tables import table
from mlops_core.local.places import project_root

SECONDS = 900


@dataclass(frozen=True)
class Case:
    """Some runs: the flags, the figures they must reach on the test split as (metric, least, greatest), the warnings they must give.

    ``warned`` holds (code, column or nothing); ``seconds`` bounds the run.
    """

    name: str
    data: str
    flags: str
    wanted: tuple[tuple[str, float | None, float | None], ...] = ()
    test: str = ""
    seeds: tuple[int, ...] = (42,)
    warned: tuple[tuple[str, str], ...] = ()
    seconds: float | None = None


FIVE = (1, 2, 3, 4, 5)
ADULT = "--target income --positive >50K --task binary --metric roc_auc --algorithm"
HOUSES = "--target median_house_value --task regression --metric rmse --algorithm"
TITANIC = "--target Survived --task binary --metric roc_auc --drop PassengerId,Name,Ticket --algorithm"
TELCO = "--target Churn --task binary --positive Yes --metric roc_auc --drop customerID --algorithm"
WINE = "--target quality --task regression --metric mae --duplicates drop --algorithm"
PENGUINS = "--target species --task multiclass --metric accuracy --algorithm"
KDD = "--target label --duplicates drop"
BIKE = "--target cnt --task regression --metric r2 --algorithm xgboost --drop instant,dteday"
ELEC = "--target class --task binary --positive UP --metric accuracy --algorithm xgboost"
CANCER = "--target target --task binary --positive benign --metric roc_auc --algorithm"
KINDS = "--target target --task multiclass --metric accuracy --algorithm"
_CANCER = (("accuracy", 0.93, None), ("roc_auc", 0.975, None))
_TITANIC = (("accuracy", 0.79, None), ("roc_auc", 0.83, None))
_TELCO = (("roc_auc", 0.81, None), ("accuracy", 0.775, None))
_WINE = (("mae", None, 0.57), ("r2", 0.32, None))
WINE_WARNS = (("W-DATA-001", ""), ("W-LEAK-003", ""))
TRAIN, TEST = "census-income-train.csv.gz", "census-income-test.csv.gz"

CASES = (
    Case("adult, XGBoost", TRAIN, f"{ADULT} xgboost", (("accuracy", 0.868, None), ("roc_auc", 0.923, None)), TEST),
    Case("adult, random forest", TRAIN, f"{ADULT} random_forest", (("accuracy", 0.845, None), ("roc_auc", 0.895, None)), TEST),
    Case("california housing, XGBoost", "california_housing", f"{HOUSES} xgboost", (("rmse", None, 48_000), ("r2", 0.83, None))),
    Case(
        "california housing, forest", "california_housing", f"{HOUSES} random_forest",
        (("rmse", None, 50_500), ("r2", 0.81, None)), seeds=FIVE,
    ),
    Case("california housing, linear", "california_housing", f"{HOUSES} linear_regression", (("rmse", None, 71_000),)),
    Case("titanic, XGBoost", "titanic", f"{TITANIC} xgboost", _TITANIC, seeds=FIVE),
    Case("titanic, random forest", "titanic", f"{TITANIC} random_forest --param max_features=third", _TITANIC, seeds=FIVE),
    Case("telco churn, XGBoost", "telco_churn", f"{TELCO} xgboost", _TELCO),
    Case("telco churn, random forest", "telco_churn", f"{TELCO} random_forest", _TELCO),
    Case("telco churn, logistic", "telco_churn", f"{TELCO} logistic_regression", _TELCO),
    Case("white wine, XGBoost", "wine_quality", f"{WINE} xgboost", _WINE, seeds=FIVE),
    Case("white wine, random forest", "wine_quality", f"{WINE} random_forest", _WINE),
    Case("penguins, XGBoost", "penguins", f"{PENGUINS} xgboost", (("accuracy", 0.96, None),)),
    Case("penguins, random forest", "penguins", f"{PENGUINS} random_forest", (("accuracy", 0.96, None),)),
    Case(
        "kdd99, XGBoost, normal or not", "kdd99_10pct", f"{KDD} --task binary --positive normal. --metric roc_auc --algorithm xgboost",
        (("accuracy", 0.999, None), ("roc_auc", 0.9999, None)), seconds=120,
    ),
    Case(
        "kdd99, random forest, classes of ten rows and more", "kdd99_10pct",
        f"{KDD} --task multiclass --rare-classes drop --metric accuracy --algorithm random_forest",
        (("accuracy", 0.998, None), ("f1", 0.8, None)),
    ),
    Case("breast cancer, logistic", "breast_cancer", f"{CANCER} logistic_regression", _CANCER, seeds=FIVE),
    Case("breast cancer, XGBoost", "breast_cancer", f"{CANCER} xgboost", _CANCER, seeds=FIVE),
    Case("breast cancer, random forest", "breast_cancer", f"{CANCER} random_forest", _CANCER, seeds=FIVE),
    Case("iris, random forest", "iris", f"{KINDS} random_forest", (("accuracy", 0.9, None),), seeds=FIVE),
    Case("wine cultivars, random forest", "wine", f"{KINDS} random_forest", (("accuracy", 0.95, None),), seeds=FIVE),
    Case("digits, XGBoost", "digits", f"{KINDS} xgboost", (("accuracy", 0.955, None),)),
    Case("digits, random forest", "digits", f"{KINDS} random_forest", (("accuracy", 0.955, None),)),
    Case("trap: wine's duplicates", "wine_quality", "--target quality --task regression --algorithm xgboost", warned=WINE_WARNS),
    Case("trap: bike, casual + registered", "bike_sharing", BIKE, warned=(("W-LEAK-002", "casual"), ("W-LEAK-002", "registered"))),
    Case(
        "trap: bike, 2011 to 2012", "bike 2011", f"{BIKE},casual,registered",
        (("r2", None, 0.75),), "bike 2012", warned=(("W-SHIFT-002", "cnt"),),
    ),
    # The date is the order of the rows; as a feature it takes 12 points of accuracy from the later ones.
    Case(
        "trap: elec2, first 70 % to last 30 %", "elec2 first", f"{ELEC} --drop date",
        (("accuracy", 0.68, None), ("accuracy", None, 0.853)), "elec2 last",
    ),
    Case("trap: elec2, split at random", "elec2", f"{ELEC} --split random", warned=(("W-LEAK-004", ""),)),
)  # fmt: skip


def measure(data: Path, only: str = "") -> Iterator[Figure]:
    """Run every case (or those whose name holds ``only``) on one platform; a case that ends without a model misses its bars."""
    with started(), tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(case for case in CASES if only in case.name):
            files = [_file(name, data, Path(folder)) for name in (case.data, case.test) if name]
            if None in files:
                sys.stderr.write(f"skipped: {case.name} ({case.data} is missing below {data})\n")
                continue
            yield from _figures(case, [run(case, seed, files, Path(folder) / f"{number}-{seed}.json") for seed in case.seeds])


def _file(name: str, data: Path, folder: Path) -> Path | None:
    own = project_root() / "examples" / "data" / name
    return own if own.exists() else table(name, data=data, out=folder)


def run(case: Case, seed: int, files: list[Path | None], out: Path) -> dict[str, Any]:
    """One `mlops run --json`; its document."""
    test = ("--test", str(files[1])) if case.test else ()
    flags = (*case.flags.split(" "), "--seed", str(seed), "--no-deploy", "--name", f"bar-{out.stem}", "--json", str(out))
    program = [sys.executable, "-m", "mlops_core.cli.main", "run", "--data", str(files[0]), *test, *flags]
    done = subprocess.run(program, capture_output=True, text=True, timeout=SECONDS, check=False)
    if not out.exists():
        raise SystemExit(f"{case.name} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    document: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return document


def _figures(case: Case, documents: list[dict[str, Any]]) -> Iterator[Figure]:
    last = documents[-1]
    split = "test" if last["metrics"]["test"] else "validation"
    for metric, least, greatest in case.wanted:
        values = [document["metrics"][split][metric] for document in documents]
        seen = f"{values[-1]['low']:.5g} to {values[-1]['high']:.5g}" if len(values) == 1 else f"mean of {len(values)} seeds"
        note = f"{seen}, {last['rows'][split]:,} {split} rows, {last['outcome']}"
        mean = statistics.fmean(value["value"] for value in values)
        yield Figure(f"{case.name}: {metric}", mean, at_least=least, at_most=greatest, note=note)
    for code, column in case.warned:
        told = [warning for warning in last["warnings"] if warning["code"] == code and column in warning["text"]]
        yield Figure(
            f"{case.name}: {code} {column}".rstrip(),
            len(told),
            at_least=1,
            note=", ".join(sorted({one["code"] for one in last["warnings"]})),
        )
    yield Figure(f"{case.name}: run", statistics.median(one["timings"]["run"] for one in documents), "s", at_most=case.seconds)
