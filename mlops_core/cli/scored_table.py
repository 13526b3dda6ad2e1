"""Tables of answers as `mlops evaluate` takes them: CSV or Parquet, the columns that are asked for as Parquet with clear types.

types = columns_of(path)                                    # {"won": "VARCHAR", "p": "DOUBLE"}
place = readable(path, Scored("p", "won"), "yes", scratch)  # two classes
place = answers_table(path, asked, scratch)                 # several classes, decisions, numbers
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.errors import InvalidRequest

if TYPE_CHECKING:
    from mlops_core.evaluation.answers import Answers
    from mlops_core.evaluation.scored import Scored


def columns_of(path: Path) -> dict[str, str]:
    """The columns of a table and their types (of a CSV all text: a reader that guesses takes yes and no for truth values, and 01 for 1)."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        try:
            described = connection.execute(f"describe select * from {_source(path)}").fetchall()  # noqa: S608
        except duckdb.Error as error:
            reason = str(error).splitlines()[0][:300]
            raise InvalidRequest(f"{path.name} is no table that can be read: {reason}", code="E-EVAL-009") from error
    return {name: str(kind) for name, kind, *_ in described}


def columns_there(types: Mapping[str, str], names: Iterable[str]) -> None:
    """`InvalidRequest` (E-EVAL-009) for the first name that is no column."""
    for name in names:
        if name not in types:
            known = ", ".join(types)[:300]
            raise InvalidRequest(f"the table has no column {name[:80]!r}.", remedy=f"Choose among {known}.", code="E-EVAL-009")


def class_columns(asked: Sequence[str], there: Sequence[str]) -> dict[str, str]:
    """Class -> its column of probabilities, from ``CLASS=COLUMN`` and from names with ``*`` in the place of the class.

    `InvalidRequest` (E-EVAL-009) for what is neither, for a pattern that no column matches, and for less than two classes.
    """
    found: dict[str, str] = {}
    for text in asked:
        label, given, column = text.partition("=")
        before, star, after = text.partition("*")
        if given and label and column:
            found[label] = column
        elif star:
            matching = [name for name in there if name.startswith(before) and name.endswith(after) and len(name) >= len(text)]
            found |= {name[len(before) : len(name) - len(after)]: name for name in matching}
        else:
            raise InvalidRequest(
                f"--class-scores cannot be {text[:80]!r}.",
                remedy="Write CLASS=COLUMN once for every class, or a name with * in the place of the class, such as p_*.",
                code="E-EVAL-009",
            )
    if len(found) < 2:
        raise InvalidRequest(
            f"--class-scores {' '.join(asked)[:80]} names {len(found)} columns; several classes have two or more.",
            remedy=f"Choose among {', '.join(there)[:300]}.",
            code="E-EVAL-009",
        )
    columns_there(dict.fromkeys(there, ""), found.values())
    return found


def readable(path: Path, scored: Scored, positive: str | None, scratch: Path) -> Path:
    """A table of two classes with a score: a Parquet file with a truth value or number as target is read where it lies.

    `InvalidRequest` (E-EVAL-009) for columns that are not there, a target of words without ``positive``, scores that are no numbers,
    and for a file that is no table.  Words that say yes and no are read without ``positive``.
    """
    from mlops_core.features.typing import identifier, literal

    types = columns_of(path)
    columns_there(types, (scored.score, scored.label, *scored.by))
    if positive is None and _is_parquet(path) and types[scored.label] != "VARCHAR":
        return path
    target = identifier(scored.label)
    told_as = f"cast({target} as boolean)" if positive is None else f"cast({target} as varchar) = {literal(positive)}"
    listed = {scored.score: f"cast({identifier(scored.score)} as double)", scored.label: told_as}
    listed |= {name: identifier(name) for name in scored.by if name not in listed}
    place = _copied(path, listed, scratch, remedy="The score is a number from 0 to 1; a target of words needs --positive VALUE.")
    if positive is not None:
        _some_are(place, scored.label, target, positive)
    return place


def answers_table(path: Path, asked: Answers, scratch: Path) -> Path:
    """A table of several classes, of decisions or of numbers; classes and what is broken down by become text, the rest numbers."""
    from mlops_core.features.typing import identifier, literal

    answers = [asked.value] if asked.value else list(asked.scores.values())
    numbers = [*answers, asked.target] if asked.value else answers
    words = [*([] if asked.value else [asked.target]), *([asked.decided] if asked.decided else []), *asked.by]
    columns_there(columns_of(path), (asked.target, *answers, *words))
    listed = {name: f"cast({identifier(name)} as varchar)" for name in words}
    listed |= {name: f"cast({identifier(name)} as double)" for name in numbers}
    remedy = "Target and --predicted-value are numbers." if asked.value else "The scores are numbers from 0 to 1."
    place = _copied(path, listed, scratch, remedy=remedy)
    if asked.positive is not None:
        _some_are(place, asked.target, f"{identifier(asked.target)} = {literal(asked.positive)}", asked.positive)
    return place


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as opened:
        return opened.read(4) == b"PAR1"


def _source(path: Path) -> str:
    from mlops_core.features.typing import literal

    return f"read_parquet({literal(str(path))})" if _is_parquet(path) else f"read_csv({literal(str(path))}, all_varchar = true)"


def _copied(path: Path, listed: Mapping[str, str], scratch: Path, *, remedy: str) -> Path:
    """Expressions by column as a Parquet file."""
    import duckdb

    from mlops_core.features.typing import identifier, literal

    place = scratch / "scored.parquet"
    told = ", ".join(f"{expression} as {identifier(name)}" for name, expression in listed.items())
    with duckdb.connect(":memory:") as connection:
        try:
            connection.execute(f"copy (select {told} from {_source(path)}) to {literal(str(place))} (format parquet)")  # noqa: S608
        except duckdb.Error as error:
            said = str(error).splitlines()
            reason = next((text for text in said if "onvert" in text and "'" in text), said[0])[:300].rstrip(". ")
            raise InvalidRequest(
                f"{path.name} cannot be read as scores and answers: {reason}.", remedy=remedy, code="E-EVAL-009"
            ) from error
    return place


def _some_are(place: Path, target: str, condition: str, positive: str) -> None:
    """`InvalidRequest` (E-EVAL-009) where no row meets a condition on the target."""
    import duckdb

    from mlops_core.features.typing import literal

    with duckdb.connect(":memory:") as connection:
        found = connection.execute(f"select count(*) from read_parquet({literal(str(place))}) where {condition}").fetchone()  # noqa: S608
    if not found or not found[0]:
        raise InvalidRequest(
            f"no row's target {target!r} is {positive[:80]!r}.",
            remedy="Write --positive as it stands in the file.",
            code="E-EVAL-009",
        )
