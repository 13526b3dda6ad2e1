"""The data job: one raw file (and perhaps a test file) to typed splits, fitted features, a specification and a profile.

    mlops-job data         # reads and writes what contracts/dataset.py says

Everything runs in DuckDB under ``memory_limit_mb``; what does not fit is spilled into the job's own scratch folder.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlops_core.algorithms.gains import gains
from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import ColumnProfile, ColumnQuality, DataJobConfig, DataProfile, FeatureDocs, FeatureSpec, Finding
from mlops_core.contracts.relations import Relations
from mlops_core.errors import InvalidRequest
from mlops_core.features.categories import FOLD, FOLDS
from mlops_core.features.fit import Fitted, fit
from mlops_core.features.load import DIGEST, MISFITS, PARQUET, ROW, Column, Layout, Table, load, require_columns
from mlops_core.features.profile import listed_sql, profiles, quality
from mlops_core.features.readings import NUMERIC_SHARE, Reading
from mlops_core.features.relations import related
from mlops_core.features.repeats import REPEATS, find_repeats
from mlops_core.features.source import recognise
from mlops_core.features.spelling import fold_sql, spellings, with_spellings
from mlops_core.features.split import Plan, decide
from mlops_core.features.sql import feature_columns, target_sql
from mlops_core.features.typing import identifier, literal
from mlops_core.jobs.contract import JobFolder, log, write_message
from mlops_core.jobs.data_checks import check_parts, check_test_labels, choose_labels, findings_of, judge_columns, rare_classes
from mlops_core.jobs.outliers import drop_outliers
from mlops_core.jobs.pins import pins
from mlops_core.jobs.quality import inspect, publish
from mlops_core.jobs.reading import date_findings, file_quality, reading_findings, value_findings
from mlops_core.jobs.traps import Prepared, traps

LEAST_ROWS = 20
LEAST_MEMORY_MB = 256
ENGINE_SHARE = 0.5
"""What the engine may take of the memory limit; the rest is for the interpreter and the values of one column at a time."""
PARTS = ("train", "validation", "test")


@dataclass
class Preparation:
    """The state of one preparation as it moves through the steps."""

    config: DataJobConfig
    connection: Any
    out: Path
    scratch: Path
    tables: list[Table] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    quality: list[ColumnQuality] = field(default_factory=list)
    folds: dict[str, dict[str, str]] = field(default_factory=dict)
    rows_read: int = 0
    duplicates: int = 0
    without_target: int = 0
    left_out: int = 0
    rare: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def one(self, sql: str) -> Any:
        """The first value of a query."""
        return self.connection.execute(sql).fetchone()[0]

    @property
    def kept(self) -> list[Column]:
        """The columns of the splits: the target, what the request did not drop, and what it dropped from the features alone."""
        return [column for column in self.columns if column.name not in self.left_out_columns]

    @property
    def left_out_columns(self) -> frozenset[str]:
        """The columns that no split holds."""
        return frozenset(self.config.drop_columns) - frozenset(self.config.audit_columns)

    @property
    def stratum(self) -> str | None:
        """The column to stratify by: the target of a classification, unless a random split was asked for."""
        return self.config.target if self.config.split == "stratified" and self.config.task != "regression" else None


def run(folder: JobFolder) -> None:
    """Prepare the data; `InvalidRequest` (E-DATA-…) says what is wrong with the file or the recipe."""
    started, processor = time.monotonic(), time.process_time()
    config = folder.config(DataJobConfig)
    raw = folder.only_file("raw")
    test = folder.only_file("test") if config.has_test_file else None
    connection = _connect(config, folder.scratch)
    try:
        work = Preparation(config, connection, folder.output("prepared"), folder.scratch)
        _load(work, raw)
        log(f"read {work.rows_read:,} rows, {len(work.columns)} columns")
        _look(work)
        labels = _labels(work)
        if test:
            _load_test(work, test)
        _split(work, labels)
        if config.outliers == "drop":
            plain = [item.name for item in work.kept if item.type not in {"string", "datetime"} and item.name != config.target]
            work.findings += drop_outliers(connection, config, plain, work.out)
        profiled = _profiles(work)
        fitted = fit(connection, "train", profiled, config=config, labels=labels, gains=gains)
        fitted = replace(fitted, spec=with_spellings(fitted.spec, work.folds))
        spec = fitted.spec
        work.findings += fitted.findings
        _write_features(work, fitted)
        looked = Prepared(connection, config, profiled, out=work.out, duplicates=work.duplicates)
        work.findings += traps(looked)
        relations = related(connection, looked.train, profiled, config=config, labels=labels)
        gate = inspect(connection, config, spec, profiles=profiled, scratch=folder.scratch)
        work.findings += gate.findings
        written = _write_profile(work, spec, profiled, relations=relations, started=started)
        publish(work.out, gate, profile=written, spec=spec, config=config)
        log(f"processor seconds: {time.process_time() - processor:.3f}")
    finally:
        connection.close()


def _connect(config: DataJobConfig, scratch: Path) -> Any:
    import duckdb

    settings: dict[str, Any] = {
        "memory_limit": f"{max(LEAST_MEMORY_MB, int(config.memory_limit_mb * ENGINE_SHARE))}MB", "threads": config.threads,
        "temp_directory": str(scratch), "autoinstall_known_extensions": False, "autoload_known_extensions": False,
    }  # fmt: skip
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("set enable_progress_bar = false")
    return connection


def _load(work: Preparation, raw: Path) -> None:
    """Read the file into typed rows on disk, which the view ``data`` shows."""
    config = work.config
    source = recognise(raw, work.connection, work.scratch)
    require_columns(source.names, [config.target], "target")
    require_columns(source.names, config.drop_columns, "dropped")
    for role, name in (("time", config.time_column), ("group", config.group_column)):
        require_columns(source.names, [name] if name else [], role)
    if config.target in config.drop_columns:
        raise InvalidRequest(f"the target {config.target!r} is also among the columns to drop.", code="E-DATA-008")
    reserved = [name for name in source.names if name.casefold() in {ROW, DIGEST, MISFITS, FOLD, "mlops_part", "file_row_number"}]
    if reserved:
        raise InvalidRequest(
            f"the column name {reserved[0]!r} is kept for our own use.", remedy="Rename it in the file.", code="E-DATA-008"
        )
    table = load(work.connection, source, raw, _layout(work, source.names), out=work.scratch / "data.parquet")
    empty_ends = {column.name for column in table.columns if column.name in source.unnamed and column.missing == column.rows}
    work.tables.append(table)
    work.columns = [column for column in table.columns if column.name not in empty_ends]
    renamed = tuple(name for name in source.renamed if name not in empty_ends)
    if renamed:
        work.findings.append(Finding(code="W-DATA-011", columns=renamed))
    work.rows_read = table.rows
    if len(work.kept) < 2:
        raise InvalidRequest("no column is left to learn from.", remedy="Drop fewer columns.", code="E-DATA-009")
    work.findings += reading_findings(table, [column.name for column in work.kept])
    _check_target(work)
    _show(work)


def _check_target(work: Preparation) -> None:
    """`InvalidRequest` E-DATA-010 (too few rows with a target) or E-DATA-017 (over 1 % of a numeric target are no numbers)."""
    target = next(column for column in work.columns if column.name == work.config.target)
    rows = work.one(f"select count({identifier(target.name)}) from {work.tables[0].query}")
    work.without_target = work.rows_read - rows
    if rows < LEAST_ROWS:
        raise InvalidRequest(
            f"{rows} {'row holds' if rows == 1 else 'rows hold'} a target value; at least {LEAST_ROWS} are needed to train and to check.",
            remedy="Upload more rows.",
            code="E-DATA-010",
        )
    wrong = work.rows_read - target.missing - rows if work.config.task == "regression" else 0
    if wrong > (1 - NUMERIC_SHARE) * (rows + wrong):
        raise InvalidRequest(
            f"{wrong:,} values of the target {target.name!r} are no numbers, of {rows + wrong:,}.",
            remedy="Correct them, or choose a classification task.",
            code="E-DATA-017",
        )


def _layout(work: Preparation, names: Sequence[str]) -> Layout:
    config = work.config
    return Layout(names, config.target, config.task == "regression", config.seed, dropped=work.left_out_columns)


def _is_text(work: Preparation, column: Column) -> bool:
    return _layout(work, ()).text(column.name, Reading(column.type))


def _show(work: Preparation) -> None:
    """The view ``data``: rows with a target, spellings brought together; without repeated rows and rare classes where those are dropped."""
    run_sql = work.connection.execute
    present = f"(select * from {work.tables[0].query} where {identifier(work.config.target)} is not null)"
    find_repeats(work.connection, present, work.config.target)
    work.duplicates = work.one(f"select coalesce(sum(n - 1), 0)::bigint from {REPEATS}")
    text = [column.name for column in work.kept if _is_text(work, column)]
    work.folds = spellings(work.connection, work.tables[0].query, text)
    once = f"where {DIGEST} not in (select digest from {REPEATS}) or {ROW} in (select first from {REPEATS})"
    once = once if work.duplicates and work.config.duplicates == "drop" else ""
    shown = f"select {ROW}, {DIGEST}, {_columns(work)} from {present} {once}"
    run_sql(f"create view data as {shown}")
    work.rare = rare_classes(work.connection, work.config)
    if work.rare:
        run_sql(f"create or replace view data as select * from ({shown}) where {_not_rare(work, work.config.target)}")
        work.findings.append(Finding(code="W-DATA-034", columns=(work.config.target,), values=dict(list(work.rare.items())[:20])))


def _not_rare(work: Preparation, column: str) -> str:
    """The rule that leaves out the rows of rare classes, by a column that holds the answers as they are written."""
    fold = work.folds.get(work.config.target)
    answer = fold_sql(column, fold) if fold else identifier(column)
    return f"{answer} not in ({', '.join(map(literal, work.rare))})" if work.rare else "true"


def _columns(work: Preparation) -> str:
    """The kept columns as SQL, spellings brought together."""
    named = [(column.name, work.folds.get(column.name)) for column in work.kept]
    return ", ".join(f"{fold_sql(name, fold)} as {identifier(name)}" if fold else identifier(name) for name, fold in named)


def _look(work: Preparation) -> None:
    """Quality of all rows, and what it and the repeated rows give to warn of."""
    stored = [replace(item, type="string") if _is_text(work, item) else item for item in work.columns]
    work.quality = [
        item.model_copy(update={"spellings": _respelt(work, item.name)}) for item in quality(work.connection, work.tables[0].query, stored)
    ]
    kept = {column.name for column in work.kept}
    work.findings += value_findings([item for item in work.quality if item.name in kept], work.folds, work.config.target)
    text = [column.name for column in work.kept if column.type == "string" and column.name != work.config.target]
    work.findings += date_findings(work.connection, "data", text)
    if work.config.task != "regression":
        rows, groups = work.connection.execute(
            f"""select coalesce(sum(n), 0)::bigint, count(*)
            from (select sum(n) as n from {REPEATS} where {_not_rare(work, "answer")} group by digest having count(*) > 1)"""
        ).fetchone()
        if groups:
            work.findings.append(Finding(code="W-DATA-033", columns=(work.config.target,), values={"rows": rows, "groups": groups}))


def _respelt(work: Preparation, name: str) -> int:
    """Values that another spelling replaced, and labels that lost the blanks around them."""
    padded = next(column.padded for column in work.columns if column.name == name)
    if name not in work.folds:
        return padded
    old = ", ".join(literal(text) for text in work.folds[name])
    return padded + int(work.one(f"select count(*) from {work.tables[0].query} where {identifier(name)} in ({old})"))


def _labels(work: Preparation) -> tuple[str, ...]:
    target = identifier(work.config.target)
    if work.config.task == "regression":
        if work.one(f"select count(distinct {target}) from data") < 2:
            raise InvalidRequest(f"the target {work.config.target!r} holds a single value.", code="E-DATA-012")
        return ()
    counts = work.connection.execute(f"select {target}, count(*) from data group by 1 order by 1").fetchall()
    return choose_labels(dict(counts), work.config)


def _load_test(work: Preparation, path: Path) -> None:
    source = recognise(path, work.connection, work.scratch)
    names = [column.name for column in work.columns]
    require_columns(source.names, names, "test file's")
    extra = [name for name in source.names if name not in work.tables[0].readings]
    if extra:
        raise InvalidRequest(f"the test file has a column {extra[0][:80]!r} that the training file lacks.", code="E-DATA-014")
    readings = {column.name: Reading(column.type, column.notation) for column in work.columns}
    layout = replace(_layout(work, names), readings=readings)
    table = load(work.connection, source, path, layout, out=work.scratch / "given.parquet")
    work.tables.append(table)
    target = identifier(work.config.target)
    there = f"{target} is not null and {_not_rare(work, work.config.target)}"
    work.connection.execute(f"create view given as select {ROW}, {DIGEST}, {_columns(work)} from {table.query} where {there}")
    rows = work.one("select count(*) from given")
    if not rows:
        raise InvalidRequest("no row of the test file holds a target value.", code="E-DATA-015")
    if work.config.task != "regression":
        check_test_labels(work.connection, work.config)
    shared = work.one(f"select count(*) from given where ({DIGEST}, {target}) in (select ({DIGEST}, {target}) from data)")
    if shared:
        work.findings.append(Finding(code="W-DATA-012", values={"rows": shared, "of": rows}))


def _plan(work: Preparation) -> Plan:
    config = work.config
    by = {"time": config.time_column, "group": config.group_column}.get(config.split, work.stratum)
    if config.split == "group" and not by:
        raise InvalidRequest("a split by group needs a group column.", remedy="Name one.", code="E-DATA-018")
    test = 0.0 if config.has_test_file else config.test_share
    return Plan(config.split, config.validation_share, test, by=by, gap=config.split_gap, seed=config.seed)


def _split(work: Preparation, labels: tuple[str, ...]) -> None:
    """Write the three typed splits and leave views of the same names."""
    config = work.config
    rule = decide(work.connection, _plan(work))
    facts = {item.name: item for item in work.quality}
    names = ", ".join(listed_sql(facts[column.name], work.folds.get(column.name, {})) for column in work.kept)
    work.connection.execute(f"create view parted as select data.*, {rule.part} as mlops_part from data {rule.join}")
    folded = f", cast({DIGEST} % {FOLDS} as utinyint) as {FOLD}" if config.encoding == "target" else ""
    unseen = _seen_labels(work) if config.task == "multiclass" or (labels and not work.stratum) else "true"
    filled = " and ".join(f"{identifier(column.name)} is not null" for column in work.kept if column.name not in config.audit_columns)
    complete = filled if config.missing_values == "drop" else "true"
    for part in PARTS:
        chosen = f"from parted where mlops_part = '{part}' and {complete if part == 'train' else unseen}"
        if part == "test" and config.has_test_file:
            chosen, names = "from given", ", ".join(identifier(column.name) for column in work.kept)
        _copy(work, f"select {ROW}, {names}{folded} {chosen}", f"{part}/data.parquet", view=part)
    rows = sum(work.one(f"select count(*) from {part}") for part in _parts_of_raw(config))
    work.left_out = work.one("select count(*) from data") - rows - rule.in_gap - rule.without_time
    if rule.in_gap or rule.without_time:
        values = {"gap": rule.in_gap, "without_time": rule.without_time}
        work.findings.append(Finding(code="W-DATA-032", columns=(config.time_column,) if config.time_column else (), values=values))
    check_parts(work.connection, config, gap=rule.in_gap)
    for view in ("parted", "data", *(["given"] if config.has_test_file else [])):
        work.connection.execute(f"drop view {view}")


def _seen_labels(work: Preparation) -> str:
    """The rule that keeps rows whose class training has seen: nothing could be learnt about another."""
    target = identifier(work.config.target)
    seen = work.connection.execute(f"select distinct {target} from parted where mlops_part = 'train' order by 1").fetchall()
    return f"{target} in ({', '.join(literal(value) for (value,) in seen)})" if seen else "false"


def _copy(work: Preparation, query: str, name: str, *, view: str = "") -> None:
    path = work.out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    work.connection.execute(f"copy ({query}) to {literal(str(path))} ({PARQUET})")
    if view:
        work.connection.execute(f"create view {view} as select * from read_parquet({literal(str(path))})")


def _profiles(work: Preparation) -> list[ColumnProfile]:
    config = work.config
    features = [column for column in work.kept if column.name != config.target]
    found = profiles(work.connection, "train", features, limit=config.one_hot_limit)
    judged = judge_columns(work.connection, found, config)
    judged = [item.model_copy(update={"dropped": "requested"}) if item.name in config.audit_columns else item for item in judged]
    if all(item.dropped for item in judged):
        raise InvalidRequest(
            "every column is constant, empty, an identifier or a copy of the target: nothing to learn from.", code="E-DATA-009"
        )
    return judged


def _write_features(work: Preparation, fitted: Fitted) -> None:
    spec = fitted.spec
    for part, columns in (("train", fitted.training), ("validation", feature_columns(spec))):
        listed = ", ".join(f"{expression} as {name}" for expression, name in columns)
        _copy(work, f"select {ROW}, {listed}, {target_sql(spec)} as y from {part}", f"features/{part}.parquet")
    rows = work.one("select count(*) from train")
    write_message(work.out / "features.json", FeatureDocs(spec_digest=digest(spec), rows=rows, features=fitted.docs))


def _write_profile(
    work: Preparation, spec: FeatureSpec, profiled: Sequence[ColumnProfile], *, relations: Relations, started: float
) -> DataProfile:
    import duckdb

    config = work.config
    digests = [table.source.examined.digest for table in work.tables]
    rows = {part: work.one(f"select count(*) from {part}") for part in PARTS}
    shares: dict[str, float] = {}
    if spec.labels:
        counted = work.connection.execute(
            f"select cast(y as bigint), count(*) from (select {target_sql(spec)} as y from train) group by 1"
        ).fetchall()
        shares = {spec.labels[index]: number / rows["train"] for index, number in sorted(counted)}
    dropped = [ColumnProfile(name=item.name, type=item.type, rows=item.rows, missing=item.missing, distinct=0, dropped="requested")
               for item in work.columns if item.name in work.left_out_columns]  # fmt: skip
    counts = {"without_target": work.without_target, "duplicates": work.duplicates, "left_out": work.left_out}
    found = [*work.findings, *findings_of(config, work.kept, profiled, counts=counts, shares=shares)]
    findings = tuple(sorted(found, key=lambda finding: finding.code))
    write_message(work.out / "spec.json", spec)
    written = DataProfile(
        raw_digest=digests[0], test_digest=digests[1] if config.has_test_file else None, rows_read=work.rows_read,
        duplicate_rows=work.duplicates, dropped_rows=work.rows_read - sum(rows[part] for part in _parts_of_raw(config)), rows=rows,
        columns=(*profiled, *dropped), class_shares=shares, findings=findings, seconds=round(time.monotonic() - started, 3),
        feature_count=len(feature_columns(spec)), spec_digest=digest(spec), all_columns=tuple(work.quality),
        file=file_quality(work.tables[0].source), config_digest=digest(config), engine=f"duckdb {duckdb.__version__}",
        files=pins(work.out), relations=relations,
    )  # fmt: skip
    write_message(work.out / "profile.json", written)
    log(f"train {rows['train']:,}, validation {rows['validation']:,}, test {rows['test']:,} rows; {written.feature_count} features")
    return written


def _parts_of_raw(config: DataJobConfig) -> tuple[str, ...]:
    """The splits that come from the raw file."""
    return PARTS[: 2 if config.has_test_file else 3]
