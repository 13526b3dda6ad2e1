"""What the data job refuses and what it warns of: labels, columns that teach nothing, findings with stable codes.

W-DATA codes: 001 duplicate rows · 002 rows without target left out · 003 constant column dropped · 004 empty column dropped ·
005 identifier (text: dropped, whole numbers: kept) · 006 copy of the target dropped · 007 text in a numeric column taken as missing ·
008 at least half of a column missing · 009 more categories than the limit · 010 rare class · 011 column names made unique ·
012 test rows that are also in the training file · 013 whole numbers above 2^24, rounded to float32 · 014 rows left out of a split ·
034 rows of rare classes left out.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig, Finding
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.errors import InvalidRequest
from mlops_core.features.categories import CODE_LIMIT
from mlops_core.features.load import Column
from mlops_core.features.typing import count_sql, identifier, literal

CLASS_LIMIT = 1000
LEAST_TRAINING = 10
COPY_SHARE = 0.999
IDENTIFIER_SHARE = 0.95
IDENTIFIER_LEAST = 20
"""Different texts that a column needs to count as an identifier."""
_REASON_CODES = {"constant": "W-DATA-003", "empty": "W-DATA-004", "identifier": "W-DATA-005", "target copy": "W-DATA-006"}


def choose_labels(counts: Mapping[str, int], config: DataJobConfig) -> tuple[str, ...]:
    """The classes in ascending order, for a binary task (negative, positive); `InvalidRequest` when there is nothing to tell apart."""
    found = sorted(counts)
    if len(found) < 2:
        raise InvalidRequest(
            f"the target {config.target!r} holds a single class {found[0][:80]!r}.", remedy="Choose another target.", code="E-DATA-012"
        )
    if config.task == "multiclass":
        if len(found) > CLASS_LIMIT:
            raise InvalidRequest(
                f"the target {config.target!r} holds {len(found):,} classes; at most {CLASS_LIMIT:,} are learnt.",
                remedy="Choose the task regression, or another target.", code="E-DATA-013",
            )  # fmt: skip
        _check_sizes(counts, config)
        return tuple(found)
    positive = config.positive_label
    if positive is None:
        if len(found) > 2:
            raise InvalidRequest(
                f"the target {config.target!r} holds {len(found):,} classes, a binary task needs two: {_some(found)}.",
                remedy="Name the positive label (it is then told from the rest) or choose the task multiclass.", code="E-DATA-011",
            )  # fmt: skip
        _check_sizes(counts, config)
        return (found[0], found[1])
    if positive not in counts:
        close = difflib.get_close_matches(positive, found, n=3, cutoff=0.5)
        raise InvalidRequest(
            f"the positive label {positive[:80]!r} is not among the values of {config.target!r}: {_some(found)}.",
            remedy=f"Did you mean {', '.join(close)}?" if close else "Name one of them.", code="E-DATA-011",
        )  # fmt: skip
    _check_sizes(counts, config)
    return (next(label for label in found if label != positive) if len(found) == 2 else f"not {positive}", positive)


def _check_sizes(counts: Mapping[str, int], config: DataJobConfig) -> None:
    """`InvalidRequest` (E-DATA-CLASSES) unless two classes have two rows or more: one row can be learnt or asked, never both."""
    sizes = list(counts.values())
    if config.task == "binary" and config.positive_label is not None and config.positive_label in counts:
        sizes = [counts[config.positive_label], sum(sizes) - counts[config.positive_label]]
    if sum(size > 1 for size in sizes) < 2:
        single = sum(size == 1 for size in sizes)
        raise InvalidRequest(
            f"{single:,} of the {len(sizes):,} classes of {config.target!r} have a single row; two classes need two rows or more.",
            remedy="Choose another target (is this one an identifier?), or upload more rows of each class.", code="E-DATA-CLASSES",
        )  # fmt: skip


def rare_classes(connection: Any, config: DataJobConfig) -> dict[str, int]:
    """Classes of ``data`` that the recipe leaves out, with their rows; `InvalidRequest` (E-DATA-CLASSES) when too few would stay."""
    if config.task != "multiclass" or config.rare_classes == "keep":
        return {}
    sizes = connection.execute(f"select {identifier(config.target)}, count(*) from data group by 1 order by 1").fetchall()
    rare = {label: rows for label, rows in sizes if rows < SMALLEST_GROUP}
    if rare and len(sizes) - len(rare) < 2:
        raise InvalidRequest(
            f"{len(rare):,} of the {len(sizes):,} classes of {config.target!r} have fewer than {SMALLEST_GROUP} rows and are to be left"
            " out; two classes must stay.",
            remedy="Keep rare classes, or upload more rows of them.", code="E-DATA-CLASSES",
        )  # fmt: skip
    return rare


def check_test_labels(connection: Any, config: DataJobConfig) -> None:
    """`InvalidRequest` (E-DATA-016) when the test file holds classes that the training file never shows."""
    target = identifier(config.target)
    rows = connection.execute(
        f"select distinct {target} from given where {target} not in (select {target} from data) order by 1"
    ).fetchall()
    if rows:
        known = [row[0] for row in connection.execute(f"select distinct {target} from data order by 1").fetchall()]
        unknown = [row[0] for row in rows]
        raise InvalidRequest(
            f"the test file has target values that the training file lacks: {_some(unknown)}; known are {_some(known)}.",
            remedy="Write the labels alike in both files.", code="E-DATA-016",
        )  # fmt: skip


def answer_sql(config: DataJobConfig) -> str:
    """What a model is to tell apart: the target, or whether it is the positive label."""
    target = identifier(config.target)
    return f"{target} = {literal(config.positive_label)}" if config.task == "binary" and config.positive_label is not None else target


def check_parts(connection: Any, config: DataJobConfig, *, gap: int) -> None:
    """`InvalidRequest` when the split leaves too few rows (E-DATA-010) or a single answer to learn from (E-DATA-012)."""
    rows, answers = connection.execute(f"select count(*), count(distinct {answer_sql(config)}) from train").fetchone()
    validation = connection.execute("select count(*) from validation").fetchone()[0]
    if rows < LEAST_TRAINING or not validation:
        causes = {
            "Choose a smaller gap, or upload more rows.": gap,
            "Fill missing values instead of dropping their rows, or upload more rows.": config.missing_values == "drop",
        }
        raise InvalidRequest(
            f"the split leaves {rows:,} rows to train on and {validation:,} to validate with; {LEAST_TRAINING} and 1 are needed.",
            remedy=next((remedy for remedy, there in causes.items() if there), "Upload more rows, or choose another split."),
            code="E-DATA-010",
        )
    if answers < 2:
        raise InvalidRequest(
            f"the target {config.target!r} holds a single value in the {rows:,} training rows of this split.",
            remedy="Choose another split, or bring rows of each value for every part.", code="E-DATA-012",
        )  # fmt: skip


def judge_columns(connection: Any, profiles: Sequence[ColumnProfile], config: DataJobConfig) -> list[ColumnProfile]:
    """The profiles with ``dropped`` set where a column cannot teach: empty, constant, an identifier in text, a copy of the target."""
    copies = _copies(connection, profiles, config)
    return [item.model_copy(update={"dropped": _reason(item, copies, config)}) for item in profiles]


def findings_of(
    config: DataJobConfig,
    columns: Sequence[Column],
    profiles: Sequence[ColumnProfile],
    *,
    counts: Mapping[str, int],
    shares: Mapping[str, float],
) -> list[Finding]:
    """Every warning that counts and profiles give."""
    found = []
    if counts["duplicates"]:
        found.append(Finding(code="W-DATA-001", values={"rows": counts["duplicates"], "action": config.duplicates}))
    if counts["without_target"]:
        found.append(Finding(code="W-DATA-002", columns=(config.target,), values={"rows": counts["without_target"]}))
    for item in profiles:
        found.extend(_column_findings(item, config))
    misfits = {column.name: column.misfits for column in columns if column.misfits and column.name != config.target}
    found.extend(Finding(code="W-DATA-007", columns=(name,), values={"values": count}) for name, count in misfits.items())
    train = profiles[0].rows
    rare = {label: round(share * train) for label, share in shares.items() if share * train < SMALLEST_GROUP}
    if rare:
        found.append(Finding(code="W-DATA-010", columns=(config.target,), values=dict(sorted(rare.items())[:20])))
    if counts["left_out"]:
        found.append(Finding(code="W-DATA-014", values={"rows": counts["left_out"], "rule": config.missing_values}))
    return found


def _column_findings(item: ColumnProfile, config: DataJobConfig) -> list[Finding]:
    column = (item.name,)
    if item.dropped:
        code = _REASON_CODES.get(item.dropped)
        return [Finding(code=code, columns=column, values={"dropped": 1})] if code else []
    found = []
    if item.type == "int64" and item.distinct == item.rows:
        found.append(Finding(code="W-DATA-005", columns=column, values={"dropped": 0, "distinct": item.distinct}))
    if item.missing * 2 >= item.rows:
        found.append(Finding(code="W-DATA-008", columns=column, values={"missing": item.missing, "rows": item.rows}))
    limit = config.one_hot_limit if config.encoding == "one_hot" else CODE_LIMIT
    if item.type == "string" and item.distinct > limit:
        found.append(Finding(code="W-DATA-009", columns=column, values={"categories": item.distinct, "kept": limit}))
    if item.type == "int64" and max(abs(item.minimum or 0), abs(item.maximum or 0)) > 2**24:
        found.append(Finding(code="W-DATA-013", columns=column, values={"maximum": item.maximum or 0.0, "minimum": item.minimum or 0.0}))
    return found


def _reason(item: ColumnProfile, copies: set[str], config: DataJobConfig) -> str:
    filled = item.rows - item.missing
    if not filled:
        return "empty"
    if item.distinct == 1 and (not item.missing or item.type != "string"):
        return "constant"
    if item.name in copies:
        return "target copy"
    if item.type == "string" and item.distinct > min(config.one_hot_limit, IDENTIFIER_LEAST) and item.distinct >= IDENTIFIER_SHARE * filled:
        return "identifier"
    return ""


def _copies(connection: Any, profiles: Sequence[ColumnProfile], config: DataJobConfig) -> set[str]:
    """Columns equal to the target on at least 99.9 % of the training rows."""
    target = identifier(config.target)
    text = config.task != "regression"
    # A copy of classes has no more values than there can be classes, but for the few rows where it may differ.
    names = [
        item.name for item in profiles if (item.distinct <= CLASS_LIMIT + (1 - COPY_SHARE) * item.rows if text else item.type != "string")
    ]
    if not names:
        return set()
    equal = ", ".join(count_sql(f"{f'cast({identifier(name)} as varchar)' if text else identifier(name)} = {target}") for name in names)
    rows, *counts = connection.execute(f"select count(*), {equal} from train").fetchone()
    return {name for name, count in zip(names, counts, strict=True) if count >= COPY_SHARE * rows}


def _some(values: Sequence[str]) -> str:
    shown = ", ".join(repr(value[:40]) for value in values[:8])
    return shown + (", …" if len(values) > 8 else "")
