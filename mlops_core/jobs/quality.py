"""The quality gate: what must hold of the prepared splits before anything is trained.

    found = inspect(connection, config, spec, profiles=profiles, scratch=folder.scratch)
    publish(out, found, profile=profile, spec=spec, config=config)

Finds E-QUALITY-001 where training on the splits would be wrong: the job still writes everything, so that people can read why, and the data
agent ends the run.  Writes quality.json, expectations.json and the pages quality and features in English and Japanese.

Needs the views ``train``, ``validation`` and ``test``.  Every check is SQL over all rows of a split, in pieces of 100 columns.  Schema
checks stop, statistical ones warn (W-QUALITY-…); a share counts as missed from `LEAST_ROWS` rows on, so that one row of a small split
is no alarm.  The expectation suite is written always and carried out when ``config.suite`` is ``run``
(docs/decisions/0011-data-quality-suite.md).
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig, DataProfile, FeatureDocs, FeatureSpec, Finding
from mlops_core.contracts.quality import Check, CheckName, Miss, PartName, QualityReport
from mlops_core.contracts.request import Language
from mlops_core.contracts.stops import GATE
from mlops_core.features.load import ROW
from mlops_core.features.sql import double
from mlops_core.features.typing import count_sql, identifier, literal
from mlops_core.jobs import suite
from mlops_core.jobs.contract import log, write_message
from mlops_core.jobs.shifts import stability

PARTS: tuple[PartName, ...] = get_args(PartName)
LEAST_ROWS = 5
MISSING_MORE = 0.1
OUT_OF_RANGE = 0.01
UNKNOWN = 0.05
MOST_CATEGORIES = 100_000
_CHUNK = 100
_CODES: dict[CheckName, str] = {"missing_share": "W-QUALITY-001", "in_range": "W-QUALITY-002", "known_categories": "W-QUALITY-003"}
_MOST_NAMED = 20


@dataclass(frozen=True)
class Gate:
    """One inspection: the columns that are features, by name, and the views they are looked at in."""

    connection: Any
    config: DataJobConfig
    spec: FeatureSpec
    columns: Sequence[ColumnProfile]

    def one(self, sql: str) -> tuple[Any, ...]:
        """The first row of a query."""
        found: tuple[Any, ...] = self.connection.execute(sql).fetchone()
        return found

    def described(self, part: PartName) -> list[tuple[str, str]]:
        """Column names and types of a split, the row number apart."""
        found = self.connection.execute(f"describe select * from {part}").fetchall()
        return [(name, kind) for name, kind, *_ in found if name != ROW]


def inspect(
    connection: Any, config: DataJobConfig, spec: FeatureSpec, *, profiles: Sequence[ColumnProfile], scratch: Path
) -> QualityReport:
    """Ask every check; findings E-QUALITY-001 name the columns that stop.  `InvalidRequest` (E-QUALITY-002): the suite cannot run here."""
    started = time.monotonic()
    gate = Gate(connection, config, spec, [item for item in profiles if not item.dropped and item.name != config.target])
    checks: list[Check] = []
    for part in PARTS:
        rows = gate.one(f"select count(*) from {part}")[0]
        if rows:
            checks += _asked(gate, part, rows)
    stops = [_stop(check) for check in checks if check.missed and check.stops]
    expectations = suite.expectations(config, spec, gate.columns)
    ran = suite.written(expectations)
    findings = [*stops, *(_finding(check) for check in checks if check.missed and check.kind == "statistic")]
    # What lacks a column or has it as another type can be held against nothing more.
    if config.suite == "run" and not stops:
        ran = suite.carried_out(expectations, connection, seed=config.seed, names=_names(gate), scratch=scratch)
        findings += suite.findings(ran)
    shifts = [] if stops else stability(connection, gate.columns, parts=PARTS[1:])
    seconds = round(time.monotonic() - started, 3)
    log(f"quality gate: {len(checks)} checks on all rows, {len(findings)} findings, {seconds:.1f} s")
    return QualityReport(
        spec_digest=digest(spec), checks=tuple(checks), suite=ran, shifts=tuple(shifts), findings=tuple(findings), seconds=seconds
    )


def _names(gate: Gate) -> list[str]:
    return [*(item.name for item in gate.columns), gate.config.target]


def _asked(gate: Gate, part: PartName, rows: int) -> list[Check]:
    schema = _columns_alike(gate, part, rows)
    if schema.missed:
        return [schema]
    counts = _counted(gate, part)
    filled, outside, unknown = counts.filled, counts.outside, counts.unknown
    checks = [schema, *_target(gate, part, rows), _column_filled(gate, part, rows, filled), _missing_share(gate, part, rows, filled)]
    ranged = [item for item in gate.columns if item.name in outside]
    texts = [item for item in gate.columns if item.name in unknown]
    if part != "train" and ranged:
        misses = _beyond(ranged, outside, filled, limit=OUT_OF_RANGE)
        checks.append(Check(name="in_range", kind="statistic", part=part, rows=rows, columns=len(ranged), missed=misses))
    if part != "train" and texts:
        misses = _beyond(texts, unknown, filled, limit=UNKNOWN)
        checks.append(Check(name="known_categories", kind="statistic", part=part, rows=rows, columns=len(texts), missed=misses))
    return checks


def _columns_alike(gate: Gate, part: PartName, rows: int) -> Check:
    """Same names and types in the same order as the training split."""
    wanted, there = gate.described("train"), gate.described(part)
    odd = [name for name, _ in {*wanted} ^ {*there}] or ([there[0][0]] if wanted != there else [])
    missed = tuple(Miss(column=name, count=rows, share=1.0) for name in sorted(set(odd)))
    return Check(name="columns_alike", kind="schema", part=part, rows=rows, columns=len(wanted), missed=missed, stops=True)


def _target(gate: Gate, part: PartName, rows: int) -> list[Check]:
    """No empty target; of a classification no class that training does not know."""
    target = identifier(gate.config.target)
    empty = rows - gate.one(f"select count({target}) from {part}")[0]
    checks = [_of_target("target_filled", gate, part, rows, empty)]
    # A binary task against "not X" knows no list of its other classes.
    if gate.spec.labels and f"not {gate.config.positive_label}" not in gate.spec.labels:
        known = ", ".join(literal(label) for label in gate.spec.labels)
        strange = gate.one(f"select count(*) from {part} where {target} is not null and {target} not in ({known})")[0]
        checks.append(_of_target("target_known", gate, part, rows, strange))
    return checks


def _of_target(name: CheckName, gate: Gate, part: PartName, rows: int, count: int) -> Check:
    missed = (Miss(column=gate.config.target, count=count, share=count / rows),) if count else ()
    return Check(name=name, kind="schema", part=part, rows=rows, columns=1, missed=missed, stops=True)


def _column_filled(gate: Gate, part: PartName, rows: int, filled: dict[str, int]) -> Check:
    """A column with values in training that is empty here: it stops where the file was given, and warns where our own split made it."""
    missed = tuple(
        Miss(column=item.name, count=rows, share=1.0, expected=item.missing / item.rows)
        for item in gate.columns
        if rows >= LEAST_ROWS and not filled[item.name] and item.missing < item.rows / 2
    )
    stops = part == "test" and gate.config.has_test_file
    return Check(name="column_filled", kind="schema", part=part, rows=rows, columns=len(gate.columns), missed=missed, stops=stops)


def _missing_share(gate: Gate, part: PartName, rows: int, filled: dict[str, int]) -> Check:
    """At least ten points more of a column are missing than in training."""
    missed = []
    for item in gate.columns:
        count = rows - filled[item.name]
        expected = item.missing / item.rows
        if count - expected * rows >= LEAST_ROWS and count / rows - expected > MISSING_MORE:
            missed.append(Miss(column=item.name, count=count, share=count / rows, expected=expected))
    return Check(name="missing_share", kind="statistic", part=part, rows=rows, columns=len(gate.columns), missed=tuple(missed))


def _beyond(columns: Sequence[ColumnProfile], counts: dict[str, int], filled: dict[str, int], *, limit: float) -> tuple[Miss, ...]:
    """Columns of which more than ``limit`` of the filled values, and at least five, are counted."""
    found = []
    for item in columns:
        count, rows = counts[item.name], filled[item.name]
        if count >= LEAST_ROWS and count > limit * rows:
            found.append(Miss(column=item.name, count=count, share=count / rows, expected=limit))
    return tuple(found)


@dataclass(frozen=True)
class Counts:
    """Per column of one split: values that are there, beyond the training range, and unknown to training (as far as that is asked)."""

    filled: dict[str, int]
    outside: dict[str, int]
    unknown: dict[str, int]


def _counted(gate: Gate, part: PartName) -> Counts:
    """One scan for everything; text columns whose categories the profile does not list whole are asked one by one."""
    asked = {("filled", item.name): f"count({identifier(item.name)})" for item in gate.columns}
    if part != "train":
        asked |= {("outside", item.name): _beyond_sql(item) for item in gate.columns if item.minimum is not None}
        asked |= {("unknown", item.name): _unlisted_sql(item) for item in gate.columns if _listed(item)}
    found: dict[str, dict[str, int]] = {"filled": {}, "outside": {}, "unknown": {}}
    keys = list(asked)
    for start in range(0, len(keys), _CHUNK):
        piece = keys[start : start + _CHUNK]
        values = gate.one(f"select {', '.join(asked[key] for key in piece)} from {part}")
        for (kind, name), value in zip(piece, values, strict=True):
            found[kind][name] = int(value)
    if part != "train":
        found["unknown"] |= {item.name: _unseen(gate, part, item) for item in gate.columns if _many(item)}
    return Counts(found["filled"], found["outside"], found["unknown"])


def _beyond_sql(item: ColumnProfile) -> str:
    value = f"cast({identifier(item.name)} as double)"
    least, greatest = double(item.minimum or 0.0), double(item.maximum or 0.0)
    return count_sql(f"{value} < {least} or {value} > {greatest}")


def _listed(item: ColumnProfile) -> bool:
    return item.type == "string" and 0 < item.distinct == len(item.categories)


def _many(item: ColumnProfile) -> bool:
    return item.type == "string" and len(item.categories) < item.distinct <= MOST_CATEGORIES


def _unlisted_sql(item: ColumnProfile) -> str:
    listed = ", ".join(literal(value) for value, _ in item.categories)
    return count_sql(f"{identifier(item.name)} not in ({listed})")


def _unseen(gate: Gate, part: PartName, item: ColumnProfile) -> int:
    """Text values that no training row holds."""
    column = identifier(item.name)
    known = f"select distinct {column} from train where {column} is not null"
    return int(gate.one(f"select count(*) from {part} where {column} is not null and {column} not in ({known})")[0])


def _stop(check: Check) -> Finding:
    columns = tuple(miss.column for miss in check.missed[:_MOST_NAMED])
    values: dict[str, str | int | float] = {
        "split": check.part, "check": check.name, "count": check.missed[0].count, "rows": check.rows,
    }  # fmt: skip
    return Finding(code=GATE, columns=columns, values=values)


def _finding(check: Check) -> Finding:
    worst = max(check.missed, key=lambda miss: miss.share - miss.expected)
    values: dict[str, str | int | float] = {
        "split": check.part, "count": worst.count, "share": round(100 * worst.share, 1), "expected": round(100 * worst.expected, 1),
    }  # fmt: skip
    return Finding(code=_CODES[check.name], columns=tuple(miss.column for miss in check.missed[:_MOST_NAMED]), values=values)


def publish(out: Path, found: QualityReport, *, profile: DataProfile, spec: FeatureSpec, config: DataJobConfig) -> None:
    """Write the report, the suite and the pages for people in both languages (a prepared version serves runs of either)."""
    from mlops_core.reporting.features import render_features
    from mlops_core.reporting.quality import render_quality

    write_message(out / "quality.json", found)
    document = suite.expectations(config, spec, [item for item in profile.columns if not item.dropped and item.name != config.target])
    (out / "expectations.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    described = out / "features.json"
    docs = FeatureDocs.model_validate_json(described.read_bytes()) if described.is_file() else None
    for language in get_args(Language):
        (out / f"quality.{language}.html").write_text(render_quality(profile, found, config=config, language=language), encoding="utf-8")
        if docs is not None:
            page = render_features(docs, spec, profile=profile, config=config, language=language)
            (out / f"features.{language}.html").write_text(page, encoding="utf-8")
