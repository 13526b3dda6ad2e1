"""`mlops evaluate`: every figure of a table that holds answers and known truths, whoever made the answers."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.cli.console import Console, plain
from mlops_core.cli.scored_table import answers_table, class_columns, columns_of, readable
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.contracts.verdict import Interval
from mlops_core.errors import EnvironmentBroken, InvalidRequest, NotFound

if TYPE_CHECKING:
    from mlops_core.evaluation.answers import AnswerFigures, Answers, Group
    from mlops_core.evaluation.intervals import Estimate
    from mlops_core.evaluation.scored import Part, Scored, ScoredFigures

HELP = "Measure a table of answers and known truths (CSV or Parquet; classes or numbers): figures with intervals, groups, worst slices."
EXAMPLE = (
    "  # two classes, from the probability of one of them, or from decisions that somebody made\n"
    "  mlops evaluate scored.csv --target churned --score probability --positive yes\n"
    "  mlops evaluate scored.parquet --target defaulted --score p --group sex --group region --json figures.json\n"
    "  mlops evaluate decided.csv --target repaid --predicted-class granted --positive yes --group sex\n"
    "\n"
    "  # several classes, from a probability for each (columns p_Adelie, p_Gentoo …), or from the predicted class\n"
    "  mlops evaluate penguins.csv --target species --class-scores 'p_*' --group island\n"
    "  mlops evaluate flowers.csv --target kind --class-scores setosa=first --class-scores virginica=second\n"
    "  mlops evaluate penguins.csv --target species --predicted-class answer\n"
    "\n"
    "  # numbers\n"
    "  mlops evaluate houses.parquet --target price --predicted-value estimate --group region"
)
_MOST_SLICES = 5
_FIRST = ("roc_auc", "average_precision", "accuracy", "precision", "recall", "f1", "rmse", "mae", "r2")
_OF_GROUPS = {
    "binary": ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy"),
    "multiclass": ("accuracy", "balanced_accuracy", "f1", "roc_auc"),
    "regression": ("mae", "bias", "rmse", "r2"),
}
_OF_CLASSES = ("precision", "recall", "f1", "roc_auc")
_LOSSES = {"brier": "Brier score", "absolute_error": "absolute error", "error": "share of wrong answers"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="CSV (plain or .gz) or Parquet, one row per answer")
    add("--target", required=True, metavar="COLUMN", help="the known truth: a class, a number, or true and false (yes and no, 1 and 0)")
    answers = parser.add_argument_group("the answers, one of these").add_mutually_exclusive_group(required=True)
    answers.add_argument("--score", metavar="COLUMN", help="two classes: the probability of the positive one, 0 to 1")
    answers.add_argument(
        "--class-scores",
        action="append",
        metavar="CLASS=COLUMN",
        help="several classes: the probability of this class; repeated for each, or once with * in the place of the class (p_*)",
    )
    answers.add_argument("--predicted-class", metavar="COLUMN", help="the class that was decided on, without probabilities")
    answers.add_argument("--predicted-value", metavar="COLUMN", help="numbers: the predicted value")
    add("--positive", metavar="VALUE", help="two classes: the value of the target (and of --predicted-class) that counts as positive")
    add("--group", action="append", default=[], metavar="COLUMN", help="break down by this column's values; may be repeated")
    add("--threshold", type=float, help="with --score: scores from here on count as positive; default: 0.5")
    add("--seed", type=int, default=42, help="the same seed gives the same intervals; default: %(default)s")
    add("--resamples", type=int, default=1000, help="resamples of the bootstrap intervals; default: %(default)s")
    add("--json", type=Path, metavar="FILE", help="also write all of it as JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Measure, print the tables, and write the JSON file where one was asked for."""
    _check(arguments)
    try:
        document = _scored(arguments) if arguments.score else _answered(arguments)
    except ImportError as error:
        raise EnvironmentBroken(f"this command needs the package {error.name}.", remedy="Install `mlops-actions[work]`.") from error
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for line in lines(document, arguments.file.name):
        console.say(plain(line))
    return 0


def _scored(arguments: argparse.Namespace) -> dict[str, Any]:
    """Two classes with a score."""
    from mlops_core.evaluation.resampling import Resampling
    from mlops_core.evaluation.scored import Scored, evaluate_scored

    threshold = 0.5 if arguments.threshold is None else arguments.threshold
    scored = Scored(arguments.score, arguments.target, by=tuple(dict.fromkeys(arguments.group)), threshold=threshold)
    with tempfile.TemporaryDirectory(prefix="mlops-evaluate-") as scratch:
        table = readable(arguments.file, scored, arguments.positive, Path(scratch))
        return told(evaluate_scored(table, scored, resampling=Resampling(arguments.seed, arguments.resamples)), scored)


def _answered(arguments: argparse.Namespace) -> dict[str, Any]:
    """Several classes, decisions or numbers."""
    from mlops_core.evaluation.answers import Answers, evaluate_answers
    from mlops_core.evaluation.resampling import Resampling

    by = tuple(dict.fromkeys(arguments.group))
    others = {arguments.target, *by}
    there = [name for name in columns_of(arguments.file) if name not in others] if arguments.class_scores else []
    scores = class_columns(arguments.class_scores, there) if arguments.class_scores else {}
    asked = Answers(arguments.target, scores, arguments.predicted_class or "", arguments.predicted_value or "", arguments.positive, by)
    with tempfile.TemporaryDirectory(prefix="mlops-evaluate-") as scratch:
        table = answers_table(arguments.file, asked, Path(scratch))
        return answered(evaluate_answers(table, asked, resampling=Resampling(arguments.seed, arguments.resamples)), asked)


def _check(arguments: argparse.Namespace) -> None:
    if not arguments.file.is_file():
        raise NotFound(f"there is no file {arguments.file}.", remedy="Check the path.")
    for name, value, low, high in (("threshold", arguments.threshold, 0, 1), ("resamples", arguments.resamples, 10, 100_000)):
        if value is not None and not low <= value <= high:
            raise InvalidRequest(f"--{name} cannot be {value:g}; allowed: {low:,} to {high:,}.", remedy="Correct it.")
    if arguments.seed < 0:
        raise InvalidRequest(f"--seed cannot be {arguments.seed}; allowed: whole numbers from 0.", remedy="Correct it.")
    if arguments.threshold is not None and not arguments.score:
        raise InvalidRequest("--threshold cuts a score, and --score is not given.", remedy="Leave it out, or give --score.")
    if arguments.positive is not None and not (arguments.score or arguments.predicted_class):
        raise InvalidRequest(
            "--positive belongs to two classes: --score or --predicted-class.", remedy="Leave it out, or give one of the two."
        )


def told(found: ScoredFigures, scored: Scored) -> dict[str, Any]:
    """Everything that is shown, for programs: groups and slices under ten rows are counted and left out."""
    return {
        "task": "binary",
        "rows": found.whole.rows,
        "positive": int(found.whole.cells[1].sum()),
        "threshold": scored.threshold,
        "confusion": found.whole.cells.tolist(),
        "figures": _figures(found.whole.figures),
        "by": {
            column: {value: _part(part) for value, part in parts.items() if part.rows >= SMALLEST_GROUP}
            for column, parts in found.by.items()
        },
        "groups": [audit.model_dump(mode="json") for audit in found.audits],
        "slices": found.slices.model_dump(mode="json"),
        "calibration": found.calibration.model_dump(mode="json"),
    }


def answered(found: AnswerFigures, asked: Answers) -> dict[str, Any]:
    """The same of several classes, of decisions and of numbers."""
    document: dict[str, Any] = {"task": found.task, "target": asked.target, "rows": found.rows}
    if found.task != "regression":
        document |= {"classes": found.labels, "confusion": found.confusion}
    if found.task == "multiclass":
        document |= {"per_class": found.per_class, "hidden_classes": found.hidden_classes}
    if found.task == "binary":
        document["positive"] = sum(found.confusion[1])
    document |= {
        "figures": _figures(found.figures),
        "by": {column: {value: _part(part) for value, part in parts.items()} for column, parts in found.by.items()},
        "groups": [audit.model_dump(mode="json") for audit in found.audits],
        "slices": found.slices.model_dump(mode="json"),
    }
    if found.seen is not None and found.seen.residuals is not None:
        document |= {"left_out": found.seen.left_out, "residuals": found.seen.residuals.model_dump(mode="json")}
    elif found.seen is not None:
        document["calibration"] = [table.model_dump(mode="json") for table in found.seen.curves.calibration]
    return document


def _part(part: Part | Group) -> dict[str, Any]:
    return {"rows": part.rows, "figures": _figures(part.figures)}


def _figures(figures: Mapping[Any, Estimate]) -> dict[str, Any]:
    order = sorted(figures, key=lambda name: (name not in _FIRST, _FIRST.index(name) if name in _FIRST else 0))
    return {name: {**figures[name].interval.model_dump(), "method": figures[name].method} for name in order}


def lines(document: dict[str, Any], name: str) -> Iterator[str]:
    """The tables for a terminal."""
    yield f"{name}: {document['rows']:,} rows, {_about(document)}"
    yield ""
    yield f"{'figure':<26}{'value':>12}   {'95 % interval':<26}how"
    for figure, found in document["figures"].items():
        yield f"{figure:<26}{_number(found['value']):>12}   {_ends(found):<26}{found['method']}"
    if document.get("left_out"):
        yield f"  mape leaves out {document['left_out']['mape']:,} rows whose target is 0"
    if document.get("per_class"):
        yield ""
        yield from _class_lines(document)
    for audit in document["groups"]:
        yield ""
        yield from _group_lines(audit, document["by"][audit["attribute"]], document["task"])
    if document["slices"]["columns"]:
        yield ""
        yield from _slice_lines(document["slices"])


def _about(document: dict[str, Any]) -> str:
    rows = document["rows"]
    if document["task"] == "multiclass":
        return f"{len(document['classes'])} classes"
    if document["task"] == "regression":
        return f"errors in the unit of {document['target']}"
    positive = document["positive"]
    threshold = f", threshold {document['threshold']:g}" if "threshold" in document else ""
    return f"{positive:,} of them positive ({100 * positive / rows:.1f} %){threshold}"


def _number(value: float) -> str:
    """As it fits its column: the squared errors of house prices have ten digits."""
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.1f}" if abs(value) < 1e7 else f"{value:.4e}"


def _ends(found: dict[str, Any]) -> str:
    return f"{_number(found['low'])} – {_number(found['high'])}"


def _class_lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"{'class':<34}{'rows':>10}" + "".join(f"{name:>12}" for name in _OF_CLASSES)
    for label, figures in document["per_class"].items():
        cells = "".join(f"{figures[name]:>12.4f}" if name in figures else f"{'–':>12}" for name in _OF_CLASSES)
        yield f"  {label[:30]:<32}{int(figures['rows']):>10,}{cells}"
    if document["hidden_classes"]:
        yield f"  {document['hidden_classes']} with fewer than {SMALLEST_GROUP} rows not shown"


def _group_lines(audit: dict[str, Any], parts: dict[str, Any], task: str) -> Iterator[str]:
    shown = (*(["roc_auc"] if task == "binary" and _some(parts, "roc_auc") else []), *_OF_GROUPS[task])
    yield f"{'by ' + audit['attribute'][:30]:<34}{'rows':>10}" + "".join(f"{name:>{_width(name)}}" for name in shown)
    for group in audit["groups"]:
        figures = {**parts[group["name"]]["figures"], **group["figures"]}
        yield f"  {group['name'][:30]:<32}{group['rows']:>10,}" + "".join(_cell(figures.get(name), _width(name)) for name in shown)
    if audit["hidden_groups"]:
        yield f"  {audit['hidden_groups']} with fewer than {SMALLEST_GROUP} rows ({audit['hidden_rows']:,} together) not shown"
    if audit["four_fifths"] is not None:
        gap = audit["gaps"]["selection_rate"]
        ratio = Interval.model_validate(gap["ratio"])
        met = "met" if audit["four_fifths"] else "not met"
        times = f"{ratio.value:.3f} times as often as {gap['highest']} ({_ends(gap['ratio'])})"
        yield f"  four-fifths rule {met}: {gap['lowest']} is named positive {times}"


def _some(parts: dict[str, Any], figure: str) -> bool:
    return any(figure in part["figures"] for part in parts.values())


def _width(name: str) -> int:
    return max(12, len(name) + 2)


def _cell(found: dict[str, Any] | None, width: int) -> str:
    return f"{_number(found['value']) if found else '–':>{width}}"


def _slice_lines(slices: dict[str, Any]) -> Iterator[str]:
    if not slices["found"]:
        yield f"no slice of {slices['least_rows']} rows or more is significantly worse ({slices['tested']:,} tested)"
        return
    title = f"worst slices ({_LOSSES[slices['loss']]})"
    yield f"{title:<58}{'rows':>10}{'here':>12}{'elsewhere':>12}"
    for item in slices["found"][:_MOST_SLICES]:
        where = " and ".join(f"{part['column']} = {'(missing)' if part['missing'] else part['category']}" for part in item["conditions"])
        yield f"  {where[:54]:<56}{item['rows']:>10,}{_number(item['loss']['value']):>12}{_number(item['rest']):>12}"
