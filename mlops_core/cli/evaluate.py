"""`mlops evaluate`: every figure of a table that holds scores and known answers, whoever made the scores."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.cli.console import Console, plain
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.contracts.verdict import Interval
from mlops_core.errors import EnvironmentBroken, InvalidRequest, NotFound

if TYPE_CHECKING:
    from mlops_core.evaluation.scored import Part, Scored, ScoredFigures

HELP = "Measure a table of scores and known answers (CSV or Parquet, two classes): figures with intervals, groups and worst slices."
EXAMPLE = (
    "  mlops evaluate scored.csv --target churned --score probability --positive yes\n"
    "  mlops evaluate scored.parquet --target defaulted --score p --group sex --group region --json figures.json"
)
_MOST_SLICES = 5
_FIRST = ("roc_auc", "average_precision", "accuracy", "precision", "recall", "f1")
_OF_GROUPS = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="CSV (plain or .gz) or Parquet, one row per answer")
    add("--target", required=True, metavar="COLUMN", help="the known answer: true and false, yes and no, 1 and 0, or any with --positive")
    add("--score", required=True, metavar="COLUMN", help="the probability of the positive class, 0 to 1")
    add("--positive", metavar="VALUE", help="the value of the target that counts as positive")
    add("--group", action="append", default=[], metavar="COLUMN", help="break down by this column's values; may be repeated")
    add("--threshold", type=float, default=0.5, help="scores from here on count as positive; default: %(default)s")
    add("--seed", type=int, default=42, help="the same seed gives the same intervals; default: %(default)s")
    add("--resamples", type=int, default=1000, help="resamples of the bootstrap intervals; default: %(default)s")
    add("--json", type=Path, metavar="FILE", help="also write all of it as JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Measure, print the tables, and write the JSON file where one was asked for."""
    _check(arguments)
    try:
        from mlops_core.evaluation.resampling import Resampling
        from mlops_core.evaluation.scored import Scored, evaluate_scored
    except ImportError as error:
        raise EnvironmentBroken(f"this command needs the package {error.name}.", remedy="Install `mlops-actions[work]`.") from error
    scored = Scored(arguments.score, arguments.target, by=tuple(dict.fromkeys(arguments.group)), threshold=arguments.threshold)
    with tempfile.TemporaryDirectory(prefix="mlops-evaluate-") as scratch:
        table = readable(arguments.file, scored, arguments.positive, Path(scratch))
        found = evaluate_scored(table, scored, resampling=Resampling(arguments.seed, arguments.resamples))
    document = told(found, scored)
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for line in lines(document, arguments.file.name):
        console.say(plain(line))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if not arguments.file.is_file():
        raise NotFound(f"there is no file {arguments.file}.", remedy="Check the path.")
    for name, value, low, high in (("threshold", arguments.threshold, 0, 1), ("resamples", arguments.resamples, 10, 100_000)):
        if not low <= value <= high:
            raise InvalidRequest(f"--{name} cannot be {value:g}; allowed: {low:,} to {high:,}.", remedy="Correct it.")
    if arguments.seed < 0:
        raise InvalidRequest(f"--seed cannot be {arguments.seed}; allowed: whole numbers from 0.", remedy="Correct it.")


def readable(path: Path, scored: Scored, positive: str | None, scratch: Path) -> Path:
    """The columns that are asked for as Parquet: a Parquet file with a truth value or number as target is read where it lies.

    `InvalidRequest` (E-EVAL-009) for columns that are not there, a target of words without ``positive``, scores that are no numbers,
    and for a file that is no table.  Words that say yes and no are read without ``positive``.
    """
    import duckdb

    from mlops_core.features.typing import identifier, literal

    with path.open("rb") as opened:
        is_parquet = opened.read(4) == b"PAR1"
    # As text: a reader that guesses takes yes and no for truth values, and 01 for 1.
    source = f"read_parquet({literal(str(path))})" if is_parquet else f"read_csv({literal(str(path))}, all_varchar = true)"
    with duckdb.connect(":memory:") as connection:
        try:
            types = {name: str(kind) for name, kind, *_ in connection.execute(f"describe select * from {source}").fetchall()}  # noqa: S608
        except duckdb.Error as error:
            reason = str(error).splitlines()[0][:300]
            raise InvalidRequest(f"{path.name} is no table that can be read: {reason}", code="E-EVAL-009") from error
        _columns_there(types, scored)
        if is_parquet and positive is None and types[scored.label] != "VARCHAR":
            return path
        target = identifier(scored.label)
        told_as = f"cast({target} as boolean)" if positive is None else f"cast({target} as varchar) = {literal(positive)}"
        listed = [f"cast({identifier(scored.score)} as double) as {identifier(scored.score)}", f"{told_as} as {target}"]
        listed += [identifier(name) for name in scored.by if name not in {scored.score, scored.label}]
        place = scratch / "scored.parquet"
        try:
            connection.execute(f"copy (select {', '.join(listed)} from {source}) to {literal(str(place))} (format parquet)")  # noqa: S608
        except duckdb.Error as error:
            said = str(error).splitlines()
            reason = next((text for text in said if "onvert" in text and "'" in text), said[0])[:300].rstrip(". ")
            raise InvalidRequest(
                f"{path.name} cannot be read as scores and answers: {reason}.",
                remedy="The score is a number from 0 to 1; a target of words needs --positive VALUE.",
                code="E-EVAL-009",
            ) from error
        _is_there(connection, place, scored, positive)
    return place


def _columns_there(types: dict[str, str], scored: Scored) -> None:
    for name in (scored.score, scored.label, *scored.by):
        if name not in types:
            known = ", ".join(types)[:300]
            raise InvalidRequest(f"the table has no column {name[:80]!r}.", remedy=f"Choose among {known}.", code="E-EVAL-009")


def _is_there(connection: Any, place: Path, scored: Scored, positive: str | None) -> None:
    from mlops_core.features.typing import identifier, literal

    asked = f"select count(*) from read_parquet({literal(str(place))}) where {identifier(scored.label)}"  # noqa: S608
    if positive is not None and not connection.execute(asked).fetchone()[0]:
        raise InvalidRequest(
            f"no row's target {scored.label!r} is {positive[:80]!r}.",
            remedy="Write --positive as it stands in the file.",
            code="E-EVAL-009",
        )


def told(found: ScoredFigures, scored: Scored) -> dict[str, Any]:
    """Everything that is shown, for programs: groups and slices under ten rows are counted and left out."""
    return {
        "rows": found.whole.rows,
        "positive": int(found.whole.cells[1].sum()),
        "threshold": scored.threshold,
        "confusion": found.whole.cells.tolist(),
        "figures": _figures(found.whole),
        "by": {
            column: {value: {"rows": part.rows, "figures": _figures(part)} for value, part in parts.items() if part.rows >= SMALLEST_GROUP}
            for column, parts in found.by.items()
        },
        "groups": [audit.model_dump(mode="json") for audit in found.audits],
        "slices": found.slices.model_dump(mode="json"),
        "calibration": found.calibration.model_dump(mode="json"),
    }


def _figures(part: Part) -> dict[str, Any]:
    order = sorted(part.figures, key=lambda name: (name not in _FIRST, _FIRST.index(name) if name in _FIRST else 0))
    return {name: {**part.figures[name].interval.model_dump(), "method": part.figures[name].method} for name in order}


def lines(document: dict[str, Any], name: str) -> Iterator[str]:
    """The tables for a terminal."""
    rows, positive = document["rows"], document["positive"]
    yield f"{name}: {rows:,} rows, {positive:,} of them positive ({100 * positive / rows:.1f} %), threshold {document['threshold']:g}"
    yield ""
    yield f"{'figure':<26}{'value':>10}   95 % interval         how"
    for figure, found in document["figures"].items():
        yield f"{figure:<26}{found['value']:>10.4f}   {_ends(found):<20}  {found['method']}"
    for audit in document["groups"]:
        yield ""
        yield from _group_lines(audit, document["by"][audit["attribute"]])
    if document["slices"]["columns"]:
        yield ""
        yield from _slice_lines(document["slices"])


def _ends(found: dict[str, Any]) -> str:
    return f"{found['low']:.4f} – {found['high']:.4f}"


def _group_lines(audit: dict[str, Any], parts: dict[str, Any]) -> Iterator[str]:
    yield f"{'by ' + audit['attribute'][:30]:<34}{'rows':>10}{'roc_auc':>10}" + "".join(f"{name:>21}" for name in _OF_GROUPS)
    for group in audit["groups"]:
        area = parts[group["name"]]["figures"].get("roc_auc")
        cells = "".join(_cell(group["figures"].get(name), 21) for name in _OF_GROUPS)
        yield f"  {group['name'][:30]:<32}{group['rows']:>10,}{_cell(area, 10)}{cells}"
    if audit["hidden_groups"]:
        yield f"  {audit['hidden_groups']} with fewer than {SMALLEST_GROUP} rows ({audit['hidden_rows']:,} together) not shown"
    if audit["four_fifths"] is not None:
        gap = audit["gaps"]["selection_rate"]
        ratio = Interval.model_validate(gap["ratio"])
        met = "met" if audit["four_fifths"] else "not met"
        times = f"{ratio.value:.3f} times as often as {gap['highest']} ({_ends(gap['ratio'])})"
        yield f"  four-fifths rule {met}: {gap['lowest']} is named positive {times}"


def _cell(found: dict[str, Any] | None, width: int) -> str:
    return f"{found['value']:>{width}.4f}" if found else f"{'–':>{width}}"


def _slice_lines(slices: dict[str, Any]) -> Iterator[str]:
    if not slices["found"]:
        yield f"no slice of {slices['least_rows']} rows or more is significantly worse ({slices['tested']:,} tested)"
        return
    yield f"{'worst slices (Brier score)':<58}{'rows':>10}{'here':>10}{'elsewhere':>12}"
    for item in slices["found"][:_MOST_SLICES]:
        where = " and ".join(f"{part['column']} = {'(missing)' if part['missing'] else part['category']}" for part in item["conditions"])
        yield f"  {where[:54]:<56}{item['rows']:>10,}{item['loss']['value']:>10.4f}{item['rest']:>12.4f}"
