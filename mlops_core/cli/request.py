"""Flags of `mlops run` → one training request.

request = build(arguments, dataset="s3://…", test_dataset=None, task="binary")
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mlops_core.algorithms import catalogue
from mlops_core.contracts.request import (
    CLASSIFICATION_METRICS,
    DEFAULT_METRIC,
    REGRESSION_METRICS,
    Derived,
    Duplicates,
    Encoding,
    InstanceType,
    Language,
    MissingValues,
    OutlierRule,
    Outliers,
    RareClasses,
    Scaling,
    Selection,
    Task,
    TrainingRequest,
)
from mlops_core.errors import InvalidRequest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mlops_core.features.source import Source

FLAGS = {
    "language": "--language", "model_name": "--name", "task": "--task", "algorithm": "--algorithm", "dataset": "--data",
    "test_dataset": "--test", "dataset_version": "--data-version", "target": "--target", "positive_label": "--positive",
    "split": "--split", "time_column": "--time-column", "split_gap": "--split", "group_column": "--split",
    "validation_share": "--validation-share", "test_share": "--test-share", "drop_columns": "--drop", "missing_values": "--missing",
    "missing_constant": "--missing-constant", "outliers": "--outliers", "outlier_rule": "--outlier-rule", "rare_share": "--rare",
    "duplicates": "--duplicates", "rare_classes": "--rare-classes", "encoding": "--encoding", "scaling": "--scaling",
    "date_parts": "--date-parts", "derived": "--derive", "selection": "--select", "keep_features": "--keep-features",
    "protected_attributes": "--protected", "metric": "--metric", "threshold": "--threshold", "hyperparameters": "--param",
    "seed": "--seed", "instance_type": "--instance", "max_runtime_minutes": "--minutes", "max_cost_usd": "--max-cost",
    "max_retrains": "--retrains", "promotion": "--hold", "endpoint": "--deploy",
}  # fmt: skip
"""Every field of a request and the flag that gives it."""
MOST_COLUMNS = 20
MOST_CLASSES = 20
_FORM_ACT = " Edit the issue and label it again."
"""What a form's refusal ends with, and what nobody at a command line can do."""
_SPLIT = re.compile(r"(?P<how>random|stratified|time)(?::(?P<gap>[0-9]{1,9}))?\Z|group:(?P<group>.+)\Z")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that describe a request."""
    add = parser.add_argument
    add("--data", type=Path, metavar="FILE", help="CSV (plain or .gz) or Parquet file, up to 8 GB")
    add("--target", metavar="COLUMN", help="the column to predict")
    add("--test", type=Path, metavar="FILE", help="a test file of the same columns (otherwise a share is held back)")
    add("--data-version", metavar="vX.Y.Z", help="refuse when the file is another version of the data set than this one")
    add("--task", choices=get_args(Task), help="default: read off the target column")
    add("--algorithm", choices=("auto", *catalogue.ENTRIES), default="auto")
    add("--metric", choices=(*CLASSIFICATION_METRICS, *REGRESSION_METRICS), help="what the judge looks at")
    add("--threshold", type=float, metavar="X", help="least (for errors: greatest) accepted value; default: better than the baseline")
    add("--positive", metavar="LABEL", help="the positive class; on a target of many classes: this one against the rest")
    add("--split", default=None, metavar="HOW", help="random | stratified | time[:GAP in rows] | group:COLUMN")
    add("--time-column", metavar="COLUMN", help="orders the rows of a split by time; default: the file's order")
    add("--validation-share", type=float, default=0.16, metavar="SHARE", help="rows that choose and judge the model; default: 0.16")
    add("--test-share", type=float, default=0.2, metavar="SHARE", help="rows held back for the final test; default: 0.2")
    add("--drop", default="", metavar="A,B", help="columns to leave out")
    add("--protected", default="", metavar="A,B", help="columns whose groups the report compares")
    add("--duplicates", choices=get_args(Duplicates), default="keep")
    add("--rare-classes", choices=get_args(RareClasses), default="keep", help="what happens to classes with fewer than 10 rows")
    add("--missing", choices=get_args(MissingValues), default="median")
    add("--missing-constant", type=float, default=0.0, metavar="X", help="what --missing constant fills in")
    add("--outliers", choices=get_args(Outliers), default="none", help="numbers beyond the fences of the training rows")
    add("--outlier-rule", choices=get_args(OutlierRule), default="iqr")
    add("--rare", type=float, default=0.0, metavar="SHARE", help="rarer categories become one")
    add("--encoding", choices=get_args(Encoding), default="one_hot", help="how text becomes numbers")
    add("--scaling", choices=get_args(Scaling), default="none")
    add("--date-parts", action="store_true", help="add year, month, day, weekday and hour of each date column")
    add(
        "--derive",
        action="append",
        default=[],
        metavar="'A / B'",
        help="ratio (A / B), product (A * B) or cross (A & B); may be repeated",
    )
    add("--select", choices=get_args(Selection), default="none", help="feature selection")
    add("--keep-features", type=int, metavar="N", help="features that --select importance keeps")
    add("--param", action="append", default=[], metavar="K=V", help="a hyperparameter; may be repeated")
    add("--seed", type=int, default=42)
    add("--name", metavar="NAME", help="the model's name; default: from the file's name")
    add("--instance", choices=(*get_args(InstanceType), "auto"), default="auto")
    add("--minutes", type=int, default=60, metavar="N", help="longest run time of each job")
    add("--max-cost", type=float, metavar="USD", help="most that the jobs may cost: they get as much time as it buys")
    add("--retrains", type=int, default=0, choices=range(4), help="rounds an operator may ask for by /retrain")
    add("--hold", action="store_true", help="keep the accepted model in the registry; release nothing")
    add("--deploy", action=argparse.BooleanOptionalAction, default=True, help="serve the accepted model")
    add("--language", choices=get_args(Language), default="en")


def split_of(arguments: argparse.Namespace, task: Task) -> dict[str, object]:
    """The split as the request names it; `InvalidRequest` when ``--split`` is none of the four."""
    if not arguments.split:
        return {"split": "random" if task == "regression" else "stratified"}
    found = _SPLIT.match(arguments.split)
    if found is None or (found["gap"] and found["how"] != "time"):
        allowed = "random, stratified, time, time:GAP (rows), group:COLUMN"
        raise InvalidRequest(f"--split cannot be {arguments.split!r}; allowed: {allowed}.", remedy="Choose one of them.")
    if found["group"]:
        return {"split": "group", "group_column": found["group"]}
    return {"split": found["how"], "split_gap": int(found["gap"] or 0)}


def derived_of(arguments: argparse.Namespace) -> tuple[Derived, ...]:
    """The derived features; `InvalidRequest` names the one that is written in another way."""
    from mlops_core.intake.form import by_name
    from mlops_core.intake.problems import Problem
    from mlops_core.intake.values import read

    if not arguments.derive:
        return ()
    found = read(by_name("derived"), "\n".join(arguments.derive), bucket="")
    if isinstance(found, Problem):
        said = found.text("en").replace(_FORM_ACT, "")
        raise InvalidRequest(f"--derive: {said}", remedy="Write 'A / B', 'A * B' or 'A & B'.", code=found.code)
    return tuple(one for one in found if isinstance(one, Derived)) if isinstance(found, tuple) else ()


def listed(text: str) -> tuple[str, ...]:
    """Column names between commas."""
    return tuple(name for name in text.split(",") if name)


def model_name(arguments: argparse.Namespace) -> str:
    """The model's name: as given, or made of the data file's (lower case, digits and hyphens, at most 40)."""
    if arguments.name:
        return str(arguments.name)
    stem = (
        arguments.data.name.split(".")[0]
        if arguments.data.name.split(".")[0] not in {"data", "train"}
        else arguments.data.resolve().parent.name
    )
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40].strip("-") or "model"


def build(arguments: argparse.Namespace, *, dataset: str, test_dataset: str | None, task: Task) -> TrainingRequest:
    """The checked request; `InvalidRequest` names the flag, its value and what is allowed."""
    values: dict[str, Any] = {
        "model_name": model_name(arguments),
        "task": task,
        "algorithm": arguments.algorithm,
        "dataset": dataset,
        "test_dataset": test_dataset,
        "dataset_version": arguments.data_version,
        "target": arguments.target,
        "positive_label": arguments.positive,
        **split_of(arguments, task),
        "time_column": arguments.time_column,
        "validation_share": arguments.validation_share,
        "test_share": arguments.test_share,
        "drop_columns": listed(arguments.drop),
        "protected_attributes": listed(arguments.protected),
        "missing_values": arguments.missing,
        "missing_constant": arguments.missing_constant,
        "outliers": arguments.outliers,
        "outlier_rule": arguments.outlier_rule,
        "rare_share": arguments.rare,
        "duplicates": arguments.duplicates,
        "rare_classes": arguments.rare_classes,
        "encoding": arguments.encoding,
        "scaling": arguments.scaling,
        "date_parts": arguments.date_parts,
        "derived": derived_of(arguments),
        "selection": arguments.select,
        "keep_features": arguments.keep_features,
        "metric": arguments.metric or DEFAULT_METRIC[task],
        "threshold": arguments.threshold,
        "hyperparameters": parameters(arguments.algorithm, arguments.param),
        "seed": arguments.seed,
        "instance_type": arguments.instance,
        "max_runtime_minutes": arguments.minutes,
        "max_retrains": arguments.retrains,
        "max_cost_usd": arguments.max_cost,
        "promotion": "none" if arguments.hold else "auto",
        "endpoint": arguments.deploy,
        "language": arguments.language,
    }
    try:
        return TrainingRequest(**values)
    except ValidationError as error:
        raise InvalidRequest(" ".join(map(_problem, error.errors())), remedy="See `mlops run --help`.") from error


def with_answer(body: str, field: str, answer: str) -> str:
    """A form with another answer in one field, which is added when the form leaves it out."""
    from mlops_core.intake.form import FIELDS

    heading = f"### {next(one.label for one in FIELDS if one.name == field)}"
    lines = body.replace("\r\n", "\n").split("\n")
    if heading not in lines:
        return f"{body.rstrip()}\n\n{heading}\n\n{answer}\n"
    begin = lines.index(heading) + 1
    end = next((place for place in range(begin, len(lines)) if lines[place].startswith("### ")), len(lines))
    return "\n".join([*lines[:begin], "", answer, "", *lines[end:]])


def refuse_what_the_form_would(request: TrainingRequest) -> None:
    """`InvalidRequest` lists everything that the suite would answer on the issue."""
    from mlops_core.intake.body import parse_body
    from mlops_core.intake.problems import RequestRefused
    from mlops_core.intake.render import render_body

    try:
        parse_body(render_body(request), bucket=request.dataset.split("/")[2])
    except RequestRefused as refused:
        lines = [line.replace(_FORM_ACT, "") for line in refused.lines("en")]
        raise InvalidRequest("\n  ".join(["the request cannot work:", *lines]), remedy="See `mlops run --help`.") from refused


def _problem(found: ErrorDetails) -> str:
    """One problem of a request as a sentence that names the flag where one field is at fault."""
    said = found["msg"].removeprefix("Value error, ").rstrip(".")
    field = ".".join(map(str, found["loc"]))
    return f"{FLAGS.get(field, field)} cannot be {found['input']!r}: {said}." if field else f"{said}."


def parameters(algorithm: str, given: list[str]) -> dict[str, int | float | str]:
    """Typed hyperparameters of repeated ``--param name=value``; with ``auto`` the name must be known to a method that takes it."""
    found: dict[str, int | float | str] = {}
    for item in given:
        name, equals, text = item.partition("=")
        entries = [catalogue.entry(algorithm)] if algorithm != "auto" else list(catalogue.ENTRIES.values())
        known = next((one.hyperparameters[name] for one in entries if name in one.hyperparameters), None)
        if not equals or known is None:
            close = catalogue.suggest(algorithm, name)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(entries[0].hyperparameters)}."
            raise InvalidRequest(f"--param {item!r} is not NAME=VALUE of a known hyperparameter; {hint}", code="E-PARSE-021")
        if name in found:
            raise InvalidRequest(f"--param {name} was given twice.", remedy="Give it once.")
        found[name] = known.check(text)
    return found


def columns_of(path: Path) -> list[str]:
    """The columns of a data file as the data job will name them; `InvalidRequest` when it is no table."""
    with _source(path) as (_, source):
        return list(source.names)


def refuse_unknown_columns(arguments: argparse.Namespace, columns: list[str]) -> None:
    """`InvalidRequest` names every column that a flag names and the file does not have, with those it has."""
    asked = [("--target", arguments.target), ("--time-column", arguments.time_column)]
    asked += [("--drop", name) for name in listed(arguments.drop)] + [("--protected", name) for name in listed(arguments.protected)]
    asked += [("--derive", side) for one in derived_of(arguments) for side in (one.left, one.right)]
    if (arguments.split or "").startswith("group:"):
        asked.append(("--split", arguments.split.removeprefix("group:")))
    unknown = [f"{flag} {name!r}" for flag, name in asked if name is not None and name not in columns]
    if unknown:
        more = f" and {len(columns) - MOST_COLUMNS} more" if len(columns) > MOST_COLUMNS else ""
        raise InvalidRequest(
            f"the file has no column for {', '.join(unknown)}; it has {', '.join(columns[:MOST_COLUMNS])}{more}.",
            remedy="Name columns of its first line.",
            code="E-DATA-TARGET",
        )
    if arguments.target in listed(arguments.drop):
        raise InvalidRequest(f"--drop names the target {arguments.target!r}.", remedy="Drop other columns only.")


def infer_task(path: Path, target: str, positive: str | None) -> Task:
    """The task that a target column suggests.

    Two values (or a positive label) make it binary; text or at most 20 whole numbers multiclass; other numbers regression.
    """
    from mlops_core.features.typing import MISSING, identifier, literal

    column = f"(case when trim({identifier(target)}) not in ({', '.join(map(literal, MISSING))}) then trim({identifier(target)}) end)"
    numeric = f"try_cast({column} as double)"
    asked = f"count(distinct {column}), count({column}) - count({numeric}), bool_or({numeric} % 1 <> 0)"
    with _source(path, whole=True) as (connection, source):
        distinct, words, fraction = connection.execute(f"select {asked} from {source.table}").fetchall()[0]  # noqa: S608
    if positive is not None or distinct == 2:
        return "binary"
    return "regression" if not words and (fraction or distinct > MOST_CLASSES) else "multiclass"


@contextmanager
def _source(path: Path, *, whole: bool = False) -> Iterator[tuple[DuckDBPyConnection, Source]]:
    import duckdb

    from mlops_core.features.source import read_error, recognise, repaired

    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as scratch:
        source = recognise(path, connection, Path(scratch))
        try:
            yield connection, repaired(source, path, Path(scratch)) if whole and source.irregular else source
        except duckdb.Error as error:
            raise read_error(error, path) from error
