"""The quality gate: what stops, what warns, what is no alarm; and the expectation suite that it writes."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest

from mlops_core.contracts.dataset import CategoricalColumn, ColumnProfile, DataJobConfig, DataProfile, FeatureSpec, NumericColumn
from mlops_core.contracts.quality import CheckName, QualityReport
from mlops_core.errors import InvalidRequest
from mlops_core.jobs import quality, suite
from mlops_core.jobs.shifts import stability
from tests.unit.jobs.job_files import prepare

ROWS = 200
COLUMNS = (
    ColumnProfile(
        name="age", type="int64", rows=ROWS, missing=0, distinct=50, minimum=20, maximum=69, quantiles=(20.0, 22, 32, 44, 57, 67, 69)
    ),
    ColumnProfile(
        name='ci"ty', type="string", rows=ROWS, missing=20, distinct=3, categories=(("Oslo", 0.4), ("Bergen", 0.3), ("Molde", 0.3))
    ),
)
SPEC = FeatureSpec(
    task="binary", target="won", numeric=(NumericColumn(name="age", type="int64", fill=44.0),),
    categorical=(CategoricalColumn(name='ci"ty', fill="Oslo", categories=("Bergen", "Molde", "Oslo")),), labels=("no", "yes"),
    missing_values="median", scaling="none",
)  # fmt: skip
AGE, CITY, WON = "20 + i % 50", "case when i % 10 = 0 then null else ['Oslo', 'Bergen', 'Molde'][1 + i % 3] end", "['no', 'yes'][1 + i % 2]"


@pytest.fixture
def connection() -> Iterator[Any]:
    with duckdb.connect() as made:
        yield made


def split(connection: Any, part: str, *, rows: int = ROWS, age: str = AGE, city: str = CITY, won: str = WON) -> None:
    connection.execute(
        f'create or replace table {part} as select i as __row, cast({age} as bigint) as age, {city} as "ci""ty", {won} as won '  # noqa: S608
        f"from range({rows}) as t(i)"
    )


def splits(connection: Any, **changes: str) -> None:
    split(connection, "train")
    split(connection, "validation", rows=100)
    split(connection, "test", rows=100, **changes)


def gate(connection: Any, tmp_path: Path, **config: Any) -> QualityReport:
    settings = DataJobConfig(**({"task": "binary", "target": "won"} | config))
    return quality.inspect(connection, settings, SPEC, profiles=COLUMNS, scratch=tmp_path)


def missed(report: QualityReport, name: CheckName) -> list[tuple[str, int]]:
    return [(miss.column, miss.count) for check in report.checks if check.name == name for miss in check.missed]


def test_alike_splits_pass_every_check_and_each_says_what_it_saw(connection: Any, tmp_path: Path) -> None:
    splits(connection)
    report = gate(connection, tmp_path)
    assert [check for check in report.checks if check.missed] == []
    assert report.findings == ()
    assert {(check.part, check.rows) for check in report.checks} == {("train", ROWS), ("validation", 100), ("test", 100)}
    assert {check.name for check in report.checks if check.part == "test"} == set(get_args(CheckName))


def stops(report: QualityReport) -> list[tuple[Any, ...]]:
    """What stops the run: the check and the columns of each."""
    return [(item.values["check"], *item.columns) for item in report.findings if item.code == "E-QUALITY-001"]


def test_a_row_without_a_target_stops(connection: Any, tmp_path: Path) -> None:
    splits(connection, won=f"case when i = 3 then null else {WON} end")
    report = gate(connection, tmp_path)
    assert stops(report) == [("target_filled", "won")]
    assert report.findings[0].values == {"split": "test", "check": "target_filled", "count": 1, "rows": 100}


def test_what_stops_is_not_held_against_a_suite(connection: Any, tmp_path: Path) -> None:
    splits(connection)
    connection.execute("alter table test rename age to years")
    report = gate(connection, tmp_path, suite="run")
    assert stops(report) == [("columns_alike", "age", "years")]
    assert (report.suite.executed, report.shifts) == (False, ())


def test_a_class_that_training_does_not_know_stops_unless_the_task_is_one_against_the_rest(connection: Any, tmp_path: Path) -> None:
    splits(connection, won="case when i = 3 then 'perhaps' else 'yes' end")
    assert stops(gate(connection, tmp_path)) == [("target_known", "won")]
    spec = SPEC.model_copy(update={"labels": ("not yes", "yes")})
    config = DataJobConfig(task="binary", target="won", positive_label="yes")
    assert quality.inspect(connection, config, spec, profiles=COLUMNS, scratch=tmp_path).checks


def test_other_types_stop(connection: Any, tmp_path: Path) -> None:
    splits(connection)
    connection.execute("alter table test alter age type double")
    assert stops(gate(connection, tmp_path)) == [("columns_alike", "age")]


def test_an_empty_column_stops_in_a_given_file_and_warns_in_a_split_of_ours(connection: Any, tmp_path: Path) -> None:
    splits(connection, age="null")
    assert stops(gate(connection, tmp_path, has_test_file=True)) == [("column_filled", "age")]
    report = gate(connection, tmp_path)
    assert missed(report, "column_filled") == [("age", 100)]
    assert [finding.code for finding in report.findings] == ["W-QUALITY-001"]


def test_values_unlike_training_warn_with_columns_and_shares(connection: Any, tmp_path: Path) -> None:
    splits(
        connection, age="case when i < 6 then 99 else 30 end", city="case when i < 50 then null when i < 60 then 'Paris' else 'Oslo' end"
    )
    report = gate(connection, tmp_path)
    assert [(finding.code, finding.columns) for finding in report.findings] == [
        ("W-QUALITY-001", ('ci"ty',)),
        ("W-QUALITY-002", ("age",)),
        ("W-QUALITY-003", ('ci"ty',)),
    ]
    assert dict(report.findings[0].values) == {"split": "test", "count": 50, "share": 50.0, "expected": 10.0}
    assert dict(report.findings[2].values) == {"split": "test", "count": 10, "share": 20.0, "expected": 5.0}


def test_a_few_rows_are_no_alarm(connection: Any, tmp_path: Path) -> None:
    splits(connection)
    split(connection, "test", rows=20, age="case when i < 4 then 99 else 30 end", city="case when i < 4 then 'Paris' else 'Oslo' end")
    assert gate(connection, tmp_path).findings == ()


def test_a_test_split_without_rows_is_not_asked(connection: Any, tmp_path: Path) -> None:
    splits(connection)
    split(connection, "test", rows=0)
    assert {check.part for check in gate(connection, tmp_path).checks} == {"train", "validation"}


def test_a_thousand_columns_are_asked_in_pieces(connection: Any, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(1000)]
    for part in ("train", "validation", "test"):
        connection.execute(f"create table {part} as select {', '.join(f'i as {name}' for name in names)}, 'yes' as won from range(20) t(i)")  # noqa: S608
    columns = [ColumnProfile(name=name, type="int64", rows=20, missing=0, distinct=20, minimum=0, maximum=19) for name in names]
    config = DataJobConfig(task="binary", target="won")
    report = quality.inspect(connection, config, SPEC, profiles=columns, scratch=tmp_path)
    assert max(check.columns for check in report.checks) == 1001
    assert report.findings == ()


def test_the_stability_index_counts_all_rows_in_the_profile_s_cells(connection: Any, tmp_path: Path) -> None:
    splits(connection)
    split(connection, "validation", rows=600)
    split(connection, "test", rows=600, age="case when i < 540 then 25 else 60 end")
    columns = [COLUMNS[0].model_copy(update={"edges": (29.0, 49.0), "shares": (0.2, 0.4, 0.4)}), COLUMNS[1]]
    found = {(item.column, item.part): item.psi for item in stability(connection, columns, parts=["validation", "test"])}
    cells = ((0.2, 0.9), (0.4, 0.0), (0.4, 0.1))
    assert found["age", "test"] > sum((now - then) * math.log(now / then) for then, now in cells if now)
    assert found["age", "validation"] == pytest.approx(0, abs=1e-9)
    assert found['ci"ty', "test"] < 0.05
    assert {item.column for item in gate(connection, tmp_path).shifts} == {'ci"ty'}


def test_a_small_split_has_no_stability_index(connection: Any, tmp_path: Path) -> None:
    splits(connection)
    assert gate(connection, tmp_path).shifts == ()


def test_the_suite_holds_schema_as_critical_and_statistics_as_warnings() -> None:
    document = suite.expectations(DataJobConfig(task="binary", target="won"), SPEC, COLUMNS)
    critical = [rule["type"] for rule in document["expectations"] if rule["severity"] == "critical"]
    assert critical == [
        "expect_table_columns_to_match_set",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_in_set",
    ]
    between = next(rule for rule in document["expectations"] if rule["type"] == "expect_column_values_to_be_between")
    assert between["kwargs"] == {"column": "age", "min_value": 20.0, "max_value": 69.0, "mostly": 0.99}
    filled = [
        rule["kwargs"]["mostly"] for rule in document["expectations"] if rule["type"].endswith("not_be_null") and "mostly" in rule["kwargs"]
    ]
    assert filled == [0.9, 0.8]
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_the_suite_knows_no_classes_of_one_against_the_rest() -> None:
    spec = SPEC.model_copy(update={"labels": ("not yes", "yes")})
    document = suite.expectations(DataJobConfig(task="binary", target="won", positive_label="yes"), spec, COLUMNS)
    assert [rule for rule in document["expectations"] if rule["kwargs"].get("value_set") == ["not yes", "yes"]] == []


def test_the_sample_is_the_same_in_every_run_and_never_larger_than_it_may_be(connection: Any) -> None:
    count = "select count(*), sum(__row) from (select i as __row from range(400000) t(i)) where "
    first, again, other = (connection.execute(count + suite.sampled(400_000, seed)).fetchone() for seed in (42, 42, 43))
    assert first == again
    assert first != other
    assert 96_000 < first[0] <= suite.SAMPLE_ROWS
    assert suite.sampled(suite.SAMPLE_ROWS, 42) == "true"


def test_an_image_without_great_expectations_says_what_to_do(connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    splits(connection)
    with pytest.raises(InvalidRequest, match="great-expectations") as caught:
        gate(connection, tmp_path, suite="run")
    assert caught.value.code == "E-QUALITY-002"


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("great_expectations"), reason="great-expectations is not installed (256 MiB, optional)")
def test_great_expectations_loads_the_suite_and_agrees_on_what_is_missed(connection: Any, tmp_path: Path) -> None:
    splits(connection, age="case when i < 20 then 99 else 30 end")
    report = gate(connection, tmp_path, suite="run")
    assert report.suite.executed
    assert report.suite.rows == ROWS + 200
    assert [(item.type, item.column) for item in report.suite.missed] == [("expect_column_values_to_be_between", "age")]
    assert report.suite.passed == report.suite.expectations - 1
    assert "W-QUALITY-004" in {finding.code for finding in report.findings}


def test_report_suite_and_pages_are_written_in_both_languages(connection: Any, tmp_path: Path) -> None:
    splits(connection)
    report = gate(connection, tmp_path)
    profile = DataProfile(
        raw_digest="ab" * 32, rows_read=400, duplicate_rows=0, dropped_rows=0, rows={"train": ROWS, "validation": 100, "test": 100},
        columns=COLUMNS, class_shares={"no": 0.5, "yes": 0.5}, seconds=1.0, feature_count=4, spec_digest="cd" * 32,
    )  # fmt: skip
    quality.publish(tmp_path, report, profile=profile, spec=SPEC, config=DataJobConfig(task="binary", target="won"))
    assert QualityReport.model_validate_json((tmp_path / "quality.json").read_bytes()) == report
    assert len(json.loads((tmp_path / "expectations.json").read_bytes())["expectations"]) == report.suite.expectations
    assert 'lang="en"' in (tmp_path / "quality.en.html").read_text(encoding="utf-8")
    assert 'lang="ja"' in (tmp_path / "quality.ja.html").read_text(encoding="utf-8")


def test_a_job_whose_gate_stops_still_leaves_the_pages_that_show_why(tmp_path: Path) -> None:
    rows = [f"{number},{number % 7},{'yes' if number % 3 else 'no'}" for number in range(60)]
    given = [f"{number},,{'yes' if number % 3 else 'no'}" for number in range(20)]
    raw, test = ("\n".join(["a,b,y", *lines]).encode() for lines in (rows, given))
    done = prepare(tmp_path, raw, test=test)
    assert (done.code, done.finding("E-QUALITY-001")) == (
        0, {"split": "test", "check": "columns_alike", "count": 20, "rows": 20, "columns": ("b",)},
    )  # fmt: skip
    page = (done.prepared / "quality.en.html").read_text(encoding="utf-8")
    assert "the data did not pass the quality gate" in page
    assert "Same columns and types as in training? No: 20 of 20 rows of the test split" in page
    assert (done.prepared / "features.ja.html").is_file()
