"""The data job: one raw file (and perhaps a test file) to typed splits, fitted features, a specification and a profile.

    mlops-job data         # reads and writes what contracts/dataset.py says

Everything runs in DuckDB under ``memory_limit_mb``; what does not fit is spilled into the job's own scratch folder.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig, DataProfile, FeatureSpec, Finding
from mlops_core.errors import InvalidRequest
from mlops_core.features.fit import fit, with_moments
from mlops_core.features.load import DIGEST, ROW, Column, Layout, infer, load, require_columns
from mlops_core.features.profile import profile
from mlops_core.features.source import Source, recognise
from mlops_core.features.split import Shares, make_cuts, parted
from mlops_core.features.sql import feature_columns, target_sql
from mlops_core.features.typing import identifier, literal
from mlops_core.jobs.contract import JobFolder, log, write_message
from mlops_core.jobs.data_checks import check_test_labels, choose_labels, findings_of, judge_columns
from mlops_core.jobs.traps import Prepared, traps

LEAST_ROWS = 20
PARTS = ("train", "validation", "test")


@dataclass
class Preparation:
    """The state of one preparation as it moves through the steps."""

    config: DataJobConfig
    connection: Any
    out: Path
    columns: list[Column] = field(default_factory=list)
    rows_read: int = 0
    duplicates: int = 0
    without_target: int = 0
    left_out: int = 0
    findings: list[Finding] = field(default_factory=list)

    def one(self, sql: str) -> Any:
        """The first value of a query."""
        return self.connection.execute(sql).fetchone()[0]

    @property
    def kept(self) -> list[Column]:
        """The columns that the request did not drop, the target included."""
        return [column for column in self.columns if column.name not in self.config.drop_columns]

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
        work = Preparation(config, connection, folder.output("prepared"))
        source = _load(work, raw)
        log(f"read {work.rows_read:,} rows, {len(work.columns)} columns")
        _drop_duplicates(work)
        labels = _labels(work)
        if test:
            _load_test(work, test, source)
        _split(work, labels)
        profiles = _profiles(work)
        spec = fit(connection, "train", profiles, config=config, labels=labels)
        _write_features(work, spec)
        work.findings += traps(Prepared(connection, config, profiles, out=work.out, duplicates=work.duplicates))
        _write_profile(work, spec, profiles, digests=(_sha256(raw), _sha256(test) if test else None), started=started)
        log(f"processor seconds: {time.process_time() - processor:.3f}")
    finally:
        connection.close()


def _connect(config: DataJobConfig, scratch: Path) -> Any:
    import duckdb

    settings: dict[str, Any] = {
        "memory_limit": f"{config.memory_limit_mb}MB", "threads": config.threads, "temp_directory": str(scratch),
        "autoinstall_known_extensions": False, "autoload_known_extensions": False,
    }  # fmt: skip
    return duckdb.connect(":memory:", config=settings)


def _load(work: Preparation, raw: Path) -> Source:
    config = work.config
    source = recognise(raw, work.connection)
    require_columns(source.names, [config.target], "target")
    require_columns(source.names, config.drop_columns, "dropped")
    if config.target in config.drop_columns:
        raise InvalidRequest(f"the target {config.target!r} is also among the columns to drop.", code="E-DATA-008")
    reserved = [name for name in source.names if name.casefold() in {ROW, DIGEST, "mlops_part"}]
    if reserved:
        raise InvalidRequest(
            f"the column name {reserved[0]!r} is kept for our own use.", remedy="Rename it in the file.", code="E-DATA-008"
        )
    work.columns = infer(work.connection, source, raw)
    work.rows_read = work.columns[0].rows
    if source.renamed:
        work.findings.append(Finding(code="W-DATA-011", columns=source.renamed))
    if len(work.kept) < 2:
        raise InvalidRequest("no column is left to learn from.", remedy="Drop fewer columns.", code="E-DATA-009")
    load(work.connection, source, raw, table="data", layout=_layout(work))
    rows = work.one("select count(*) from data")
    work.without_target = work.rows_read - rows
    if rows < LEAST_ROWS:
        raise InvalidRequest(
            f"{rows} rows hold a target value; at least {LEAST_ROWS} are needed to train and to check.",
            remedy="Upload more rows.",
            code="E-DATA-010",
        )
    return source


def _layout(work: Preparation) -> Layout:
    return Layout(work.kept, work.config.target, work.config.task == "regression", work.config.seed)


def _drop_duplicates(work: Preparation) -> None:
    work.duplicates = work.one(f"select count(*) - count(distinct {DIGEST}) from data")
    if work.duplicates and work.config.duplicates == "drop":
        work.connection.execute(f"delete from data where {ROW} not in (select min({ROW}) from data group by {DIGEST})")


def _labels(work: Preparation) -> tuple[str, ...]:
    target = identifier(work.config.target)
    if work.config.task == "regression":
        if work.one(f"select count(distinct {target}) from data") < 2:
            raise InvalidRequest(f"the target {work.config.target!r} holds a single value.", code="E-DATA-012")
        return ()
    counts = work.connection.execute(f"select {target}, count(*) from data group by 1 order by 1").fetchall()
    return choose_labels(dict(counts), work.config)


def _load_test(work: Preparation, path: Path, train: Source) -> None:
    source = recognise(path, work.connection)
    require_columns(source.names, train.names, "test file's")
    extra = [name for name in source.names if name not in train.names]
    if extra:
        raise InvalidRequest(f"the test file has a column {extra[0][:80]!r} that the training file lacks.", code="E-DATA-014")
    load(work.connection, source, path, table="given", layout=_layout(work))
    rows = work.one("select count(*) from given")
    if not rows:
        raise InvalidRequest("no row of the test file holds a target value.", code="E-DATA-015")
    if work.config.task != "regression":
        check_test_labels(work.connection, work.config)
    shared = work.one(f"select count(*) from given where {DIGEST} in (select {DIGEST} from data)")
    if shared:
        work.findings.append(Finding(code="W-DATA-012", values={"rows": shared, "of": rows}))


def _split(work: Preparation, labels: tuple[str, ...]) -> None:
    """Write the three typed splits and leave views of the same names; the loaded tables go."""
    config, run_sql = work.config, work.connection.execute
    share = Shares(config.validation_share, 0.0 if config.has_test_file else config.test_share)
    make_cuts(work.connection, share, by=work.stratum)
    names = [column.name for column in work.kept]
    query = parted(work.stratum, names)
    unseen = "true"
    if config.task == "multiclass" or (labels and not work.stratum):
        target = identifier(config.target)
        unseen = f"{target} in (select {target} from ({query}) where mlops_part = 'train')"
    complete = " and ".join(f"{identifier(name)} is not null" for name in names) if config.missing_values == "drop" else "true"
    for part in PARTS:
        rule = complete if part == "train" else unseen
        given = part == "test" and config.has_test_file
        selected = f"select * exclude (mlops_part) from ({query}) where mlops_part = '{part}' and {rule}"
        if given:
            selected = f"select {ROW}, {', '.join(identifier(name) for name in names)} from given"
        _copy(work, selected, f"{part}/data.parquet", view=part)
    rows = sum(work.one(f"select count(*) from {part}") for part in PARTS[: 2 if config.has_test_file else 3])
    work.left_out = work.one("select count(*) from data") - rows
    if work.one("select count(*) from train") < LEAST_ROWS // 2 or not work.one("select count(*) from validation"):
        raise InvalidRequest(
            "too few rows are left to train and to validate.", remedy="Upload more rows or fill missing values.", code="E-DATA-010"
        )
    run_sql("drop table data")
    run_sql("drop table if exists given")


def _copy(work: Preparation, query: str, name: str, *, view: str = "") -> None:
    path = work.out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    work.connection.execute(f"copy ({query}) to {literal(str(path))} (format parquet, compression zstd, row_group_size 122880)")
    if view:
        work.connection.execute(f"create view {view} as select * from read_parquet({literal(str(path))})")


def _profiles(work: Preparation) -> list[ColumnProfile]:
    config = work.config
    features = [column for column in work.kept if column.name != config.target]
    found = [profile(work.connection, "train", name=column.name, kind=column.type, limit=config.one_hot_limit) for column in features]
    judged = judge_columns(work.connection, with_moments(work.connection, "train", found), config)
    if all(item.dropped for item in judged):
        raise InvalidRequest(
            "every column is constant, empty, an identifier or a copy of the target: nothing to learn from.", code="E-DATA-009"
        )
    return judged


def _write_features(work: Preparation, spec: FeatureSpec) -> None:
    listed = ", ".join(f"{expression} as {name}" for expression, name in feature_columns(spec))
    for part in ("train", "validation"):
        _copy(work, f"select {ROW}, {listed}, {target_sql(spec)} as y from {part}", f"features/{part}.parquet")


def _write_profile(
    work: Preparation, spec: FeatureSpec, profiles: Sequence[ColumnProfile], *, digests: tuple[str, str | None], started: float
) -> None:
    config = work.config
    rows = {part: work.one(f"select count(*) from {part}") for part in PARTS}
    shares: dict[str, float] = {}
    if spec.labels:
        counted = work.connection.execute(
            f"select cast(y as bigint), count(*) from (select {target_sql(spec)} as y from train) group by 1"
        ).fetchall()
        shares = {spec.labels[index]: number / rows["train"] for index, number in sorted(counted)}
    dropped = [ColumnProfile(name=item.name, type=item.type, rows=item.rows, missing=item.missing, distinct=0, dropped="requested")
               for item in work.columns if item.name in config.drop_columns]  # fmt: skip
    counts = {"without_target": work.without_target, "duplicates": work.duplicates, "left_out": work.left_out}
    found = [*work.findings, *findings_of(config, work.kept, profiles, counts=counts, shares=shares)]
    findings = tuple(sorted(found, key=lambda finding: finding.code))
    written = DataProfile(
        raw_digest=digests[0], test_digest=digests[1], rows_read=work.rows_read, duplicate_rows=work.duplicates,
        dropped_rows=work.rows_read - sum(rows[part] for part in PARTS[: 2 if config.has_test_file else 3]), rows=rows,
        columns=(*profiles, *dropped), class_shares=shares, findings=findings, seconds=round(time.monotonic() - started, 3),
        feature_count=len(feature_columns(spec)), spec_digest=digest(spec),
    )  # fmt: skip
    write_message(work.out / "spec.json", spec)
    write_message(work.out / "profile.json", written)
    log(f"train {rows['train']:,}, validation {rows['validation']:,}, test {rows['test']:,} rows; {written.feature_count} features")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
