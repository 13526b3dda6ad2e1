"""Both languages are complete, alike in their placeholders, and every text is used."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import get_args

import pytest

import mlops_core.reporting as package
from mlops_core.contracts.dataset import ColumnType
from mlops_core.contracts.findings import GroupFigure, IntervalMethod, MeasureName
from mlops_core.contracts.quality import CheckName
from mlops_core.contracts.request import CLASSIFICATION_METRICS, REGRESSION_METRICS, Duplicates, MetricName
from mlops_core.contracts.run import PHASES
from mlops_core.contracts.stops import GATE
from mlops_core.contracts.verdict import GroupMeasure, RuleName
from mlops_core.errors import Defect
from mlops_core.explain.table import TABLE
from mlops_core.reporting.messages import CATALOGUES, plain

FOLDER = Path(package.__file__).parent
SECONDARY = (
    *("Pending", "Starting", "LaunchingMLInstances", "PreparingTrainingStack", "Downloading", "DownloadingTrainingImage", "Training"),
    *("InProgress", "Uploading", "Stopping", "Stopped", "Interrupted", "Restarting", "Updating", "Completed", "Failed"),
    *("MaxRuntimeExceeded", "MaxWaitTimeExceeded"),
)
"""`SecondaryStatus` of DescribeTrainingJob and the status of a processing job, as AWS documents them."""
FAMILIES = {
    "headline.": (
        *("serving", "registered", "succeeded", "refused", "gate", "stopped", "unmeasured", "failed", "aborted", "timed_out", "expired"),
    ),
    "phase.": PHASES,
    "status.": ("waiting", "running", "done", "failed", "skipped", "operator"),
    "decision.": ("accept", "retrain", "refuse"),
    "act.": ("accept", "package", "retrain", "refuse"),
    "rule.": get_args(RuleName),
    "measure.": (*get_args(GroupMeasure), *(name for name in get_args(MeasureName) if name not in get_args(MetricName))),
    "group.": get_args(GroupFigure),
    "report.by_": get_args(IntervalMethod),
    "report.loss_": ("brier", "absolute_error"),
    "report.learning_": ("round", "rows"),
    "metric.": (*CLASSIFICATION_METRICS, *REGRESSION_METRICS),
    "baseline.": ("majority_class", "mean"),
    "plot.": ("confusion_matrix", "roc_curve", "residuals"),
    "terminal.": ("waiting", "running", "done", "failed", "skipped"),
    "terminal.head_": (
        *("reason", "validation", "test", "baseline", "verdict", "warning", "more", "endpoint", "issue", "report", "prediction", "pages"),
    ),
    "outcome.": ("succeeded", "refused", "failed", "aborted", "timed_out", "expired", "open"),
    "column.": ("validation", "test"),
    "report.split_": ("train", "validation", "test"),
    "report.method_": ("binary", "multiclass", "regression"),
    "job.": tuple(status.lower() for status in SECONDARY),
    "word.": (*get_args(Duplicates), "flag", "clip", "sum", "product"),
    "method.": ("auto", "random_forest", "logistic_regression", "linear_regression"),
    "alarm.": ("errors", "latency"),
    "retrain.title_": ("data", "schedule"),
    "check.": get_args(CheckName),
    "link.": ("report", "quality", "features"),
    "notation.": ("comma", "thousands"),
    "file.": ("nul", "comments", "headers", "totals", "ragged"),
    "kind.": get_args(ColumnType),
    "dropped.": ("requested", "constant", "empty", "identifier", "target_copy"),
    "features.left_": ("correlation", "importance", "constant"),
    "step.": (
        "ratio",
        "product",
        "cross",
        "date_part",
        "clip",
        "fill",
        "scale_standard",
        "scale_minmax",
        "scale_robust",
        "label",
        "target",
    ),
    "part.": ("train", "validation", "test", "year", "month", "day", "weekday", "hour"),
    "item.": (
        *("repository", "request_digest", "body_digest", "policy", "code", "dataset", "dataset_digest", "algorithm", "hyperparameters"),
        *("seed", "instance", "image", "weights", "spec", "archive", "model_uri", "package", "pointer", "execution"),
    ),
}


def placeholders(text: str) -> list[str]:
    return sorted({name for _, name, _, _ in string.Formatter().parse(text) if name is not None})


def sources() -> str:
    speak = [FOLDER, *(FOLDER.parent / name for name in ("agents", "capabilities", "runs", "cli"))]
    files = [
        path
        for folder in speak
        for path in folder.rglob("*")
        if path.suffix in {".py", ".j2"} and path.stem.partition("_")[0] not in CATALOGUES
    ]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_every_key_exists_in_every_language() -> None:
    english, japanese = CATALOGUES["en"].keys(), CATALOGUES["ja"].keys()
    assert english == japanese


def test_a_key_has_the_same_placeholders_in_every_language() -> None:
    for key, text in CATALOGUES["en"].items():
        assert placeholders(text) == placeholders(CATALOGUES["ja"][key]), key


def test_every_japanese_text_is_japanese_unless_it_is_a_name() -> None:
    names = {f"metric.{name}" for name in ("f1", "roc_auc", "rmse", "mae", "r2", "mape")} | {
        "live.value",
        "cost.row",
        "rule.required",
        "report.roc_area",
        "report.slice_metric",
    }
    japanese = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
    assert [key for key, text in CATALOGUES["ja"].items() if key not in names and not japanese.search(text)] == []


def test_every_key_that_the_code_names_exists_and_every_key_is_named() -> None:
    text = sources()
    literal = set(re.findall(r"""["']([a-z]+\.[a-z0-9_]+)["']""", text)) & (CATALOGUES["en"].keys() | set())
    families = {prefix + name for prefix, names in FAMILIES.items() for name in names}
    # A finding's sentence is chosen by its code (W-DATA-001); a variant has more words (…_kept).
    warned = {f"finding.{code.lower().replace('-', '_')}" for code in TABLE if code.startswith("W-") or code == GATE}
    used = literal | families | {key for key in CATALOGUES["en"] if any(re.fullmatch(f"{known}(_[a-z_]+)?", key) for known in warned)}
    assert warned - CATALOGUES["en"].keys() == set()
    assert families - CATALOGUES["en"].keys() == set()
    assert CATALOGUES["en"].keys() - used == set()
    asked = set(re.findall(r"""(?:\bt\(|plain\(language, )\s*["']([a-z]+\.[a-z0-9_]+)["']""", text))
    assert {key for key in asked - CATALOGUES["en"].keys() if not any(prefix.startswith(key) for prefix in FAMILIES)} == set()


def test_a_sentence_counts_one_and_many_rightly() -> None:
    one, two = (plain("en", "finding.w_data_033", rows=rows, groups=rows // 2) for rows in (2, 4))
    assert one == "2 rows in 1 group have equal inputs and different labels"
    assert two == "4 rows in 2 groups have equal inputs and different labels"
    assert plain("en", "report.warned", count="1") == "1 warning:"


def test_no_sentence_leaves_the_number_to_the_reader() -> None:
    assert [key for catalogue in CATALOGUES.values() for key, text in catalogue.items() if re.search(r"\w\((s|es)\)", text)] == []


def test_an_unknown_key_is_a_defect_that_names_it() -> None:
    with pytest.raises(Defect, match="no\\.such"):
        plain("en", "no.such")
