"""The data job on small files: what it types, splits, fits, reports and refuses."""

# ruff: noqa: S608  the queries are the tests' own
from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_core.features.sql import feature_names
from tests.unit.jobs import job_files as jobs


def _rows(outcome: jobs.Outcome, part: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pq.read_table(outcome.prepared / part / "data.parquet").to_pylist()
    return found


def test_a_plain_csv_becomes_typed_splits_at_the_stated_shares(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people(500)))
    assert done.code == 0
    assert sum(done.profile.rows.values()) == 500
    assert done.profile.rows["test"] == pytest.approx(100, abs=2)
    assert done.profile.rows["validation"] == pytest.approx(80, abs=2)
    assert [(item.name, item.type) for item in done.spec.numeric] == [("age", "int64"), ("income", "float64")]
    assert done.spec.categorical[0].categories[0] in {"Oslo", "Bergen", "Molde"}
    assert done.spec.labels == ("no", "yes")
    shares = [sum(row["y"] == "yes" for row in _rows(done, part)) / len(_rows(done, part)) for part in ("train", "validation", "test")]
    assert max(shares) - min(shares) < 0.03


@pytest.mark.parametrize("split", ["stratified", "random", "time"])
def test_the_shares_of_the_splits_are_those_asked_for(tmp_path: Path, split: str) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people(500)), split=split, validation_share=0.3, test_share=0.05)
    assert [done.profile.rows[part] for part in ("train", "validation", "test")] == pytest.approx([325, 150, 25], abs=2)


def _with_rare_classes(rows: int = 300) -> list[list[str]]:
    """A table whose classes no and yes share most rows; rare has nine, single one, enough ten."""
    table = jobs.people(rows)
    for label, places in (("rare", range(1, 10)), ("single", range(20, 21)), ("enough", range(30, 40))):
        for place in places:
            table[place][-1] = label
    return table


def test_the_rows_of_rare_classes_are_left_out_when_asked_and_said(tmp_path: Path) -> None:
    table = _with_rare_classes()
    done = jobs.prepare(tmp_path, jobs.csv(table), test=jobs.csv(table[:60]), task="multiclass", rare_classes="drop")
    assert done.code == 0, done.message
    assert done.spec.labels == ("enough", "no", "yes")
    assert done.finding("W-DATA-034") == {"rare": 9, "single": 1, "columns": ("y",)}
    assert sum(done.profile.rows[part] for part in ("train", "validation")) == 290
    assert {row["y"] for row in _rows(done, "test")} <= {"enough", "no", "yes"}
    kept = jobs.prepare(tmp_path / "kept", jobs.csv(table), task="multiclass")
    assert kept.spec.labels == ("enough", "no", "rare", "single", "yes")


def test_rows_that_are_left_out_contradict_nobody(tmp_path: Path) -> None:
    table = jobs.people(300)
    table += [[*row[:3], label] for row, label in zip(table[1:5], ("odd", "odd", "ODD", "odd"), strict=True)]
    kept = jobs.prepare(tmp_path / "kept", jobs.csv(table), task="multiclass")
    assert kept.finding("W-DATA-033")["groups"] == 4
    done = jobs.prepare(tmp_path, jobs.csv(table), task="multiclass", rare_classes="drop")
    assert done.finding("W-DATA-034")["odd"] == 4
    assert "W-DATA-033" not in {item.code for item in done.profile.findings}


def test_rare_classes_are_counted_after_repeated_rows_are_dropped(tmp_path: Path) -> None:
    table = [*jobs.people(300), *([["30", "5", "Oslo", "again"]] * 20)]
    done = jobs.prepare(tmp_path, jobs.csv(table), task="multiclass", rare_classes="drop", duplicates="drop")
    assert done.spec.labels == ("no", "yes")
    assert done.finding("W-DATA-034")["again"] == 1


def test_leaving_out_all_classes_but_one_is_refused(tmp_path: Path) -> None:
    table = [
        [*row[:-1], f"class {number % 40}" if number > 100 else row[-1] if number == 0 else "no"]
        for number, row in enumerate(jobs.people(300))
    ]
    done = jobs.prepare(tmp_path, jobs.csv(table), task="multiclass", rare_classes="drop")
    assert (done.code, done.message["code"]) == (2, "E-DATA-CLASSES")
    assert "40 of the 41 classes" in done.message["headline"]


def test_features_hold_no_missing_value_and_the_class_index(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people()))
    table = pq.read_table(done.prepared / "features" / "train.parquet")
    assert table.column_names == ["__row", *[f"f{index}" for index in range(len(feature_names(done.spec)))], "y"]
    assert sum(column.null_count for column in table.columns) == 0
    assert set(table.column("y").to_pylist()) == {0.0, 1.0}


@pytest.mark.parametrize("kind", ["gz", "parquet", "semicolon", "bom_crlf", "blanks", "quoted"])
def test_the_same_table_in_another_dress_gives_the_same_specification(tmp_path: Path, kind: str) -> None:
    table = jobs.people()
    plain = jobs.csv(table)
    if kind == "parquet":
        path = tmp_path / "made.parquet"
        text = tmp_path / "made.csv"
        text.write_bytes(plain)
        duckdb.execute(f"copy (select * from read_csv('{text}', nullstr=['', '?'])) to '{path}'")
        raw = path.read_bytes()
    else:
        quoted = "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in table).encode()
        dressed = {
            "gz": gzip.compress(plain), "semicolon": jobs.csv(table, ";"), "bom_crlf": b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n"),
            "blanks": jobs.csv(table, ", "), "quoted": quoted,
        }  # fmt: skip
        raw = dressed[kind]
    first = jobs.prepare(tmp_path / "a", plain)
    second = jobs.prepare(tmp_path / "b", raw)
    assert second.code == 0, second.message
    assert (second.spec, second.profile.rows) == (first.spec, first.profile.rows) or kind == "parquet"
    assert [item.name for item in second.spec.numeric] == ["age", "income"]


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    raw = jobs.csv(jobs.people())
    first, second = (jobs.prepare(tmp_path / name, raw, threads=threads, scaling="standard") for name, threads in (("a", 1), ("b", 2)))
    for name in ("spec.json", "train/data.parquet", "features/train.parquet", "validation/data.parquet"):
        assert (first.prepared / name).read_bytes() == (second.prepared / name).read_bytes(), name


def test_another_seed_gives_another_split(tmp_path: Path) -> None:
    raw = jobs.csv(jobs.people())
    first, second = (jobs.prepare(tmp_path / str(seed), raw, seed=seed) for seed in (1, 2))
    assert _rows(first, "test") != _rows(second, "test")


def test_equal_rows_never_sit_in_two_parts(tmp_path: Path) -> None:
    table = jobs.people(100)
    done = jobs.prepare(tmp_path, jobs.csv(table + table[1:] + table[1:]))
    seen: dict[tuple[object, ...], set[str]] = {}
    for part in ("train", "validation", "test"):
        for row in _rows(done, part):
            seen.setdefault(tuple(value for name, value in row.items() if name != "__row"), set()).add(part)
    assert all(len(parts) == 1 for parts in seen.values())
    assert done.finding("W-DATA-001")["rows"] >= 200


def test_duplicates_are_dropped_when_asked_and_the_first_row_stays(tmp_path: Path) -> None:
    table = jobs.people(60)
    unique = len({tuple(row) for row in table[1:]})
    done = jobs.prepare(tmp_path, jobs.csv(table + table[1:]), duplicates="drop")
    assert sum(done.profile.rows.values()) == unique
    assert done.profile.duplicate_rows == 120 - unique
    numbers = {row["__row"] for part in done.profile.rows for row in _rows(done, part)}
    assert max(int(str(number)) for number in numbers) <= 60


def test_statistics_come_from_training_rows_only(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people()), missing_values="mean", scaling="standard")
    values = [float(str(row["income"])) for row in _rows(done, "train") if row["income"] is not None]
    assert done.spec.numeric[1].fill == pytest.approx(sum(values) / len(values), rel=1e-12)
    ages = [int(str(row["age"])) for row in _rows(done, "train")]
    assert done.spec.numeric[0].mean == pytest.approx(sum(ages) / len(ages), rel=1e-12)


@pytest.mark.parametrize(("rule", "filled"), [("median", 3.0), ("mean", 33.0), ("mode", 1.0)])
def test_the_fill_is_what_the_rule_says(tmp_path: Path, rule: str, filled: float) -> None:
    values = ["1", "1", "", "3", "5", "155"] * 30
    table = [["x", "k", "y"]] + [[value, str(index), "ab"[index % 2]] for index, value in enumerate(values)]
    done = jobs.prepare(tmp_path, jobs.csv(table), missing_values=rule, split="random", validation_share=0.01, test_share=0.0)
    assert done.spec.numeric[0].fill == pytest.approx(filled, rel=0.05)


def test_rows_with_holes_leave_training_only_when_drop_is_asked(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people(300)), missing_values="drop")
    assert all(row["income"] is not None and row["city"] is not None for row in _rows(done, "train"))
    assert any(row["income"] is None for row in _rows(done, "test"))
    assert done.finding("W-DATA-014")["rows"] > 20


def test_a_dropped_column_that_is_audited_stays_in_the_splits_and_out_of_the_features(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people(300)), drop_columns=["city", "age"], audit_columns=["city"])
    assert all("city" in row and "age" not in row for row in _rows(done, "test"))
    assert feature_names(done.spec) == ["income"]
    assert {item.name: item.dropped for item in done.profile.columns} == {"income": "", "city": "requested", "age": "requested"}


def test_a_positive_label_is_told_from_all_other_classes(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people(300, classes=3)), positive_label="yes")
    assert done.spec.labels == ("not yes", "yes")
    labels = {row["y"] for row in _rows(done, "train")}
    assert labels == {"no", "yes", "maybe"}


def test_a_given_test_file_is_the_test_split(tmp_path: Path) -> None:
    table = jobs.people(300)
    done = jobs.prepare(tmp_path, jobs.csv(table[:241]), test=jobs.csv([table[0][::-1], *[row[::-1] for row in table[241:]]]))
    assert done.profile.rows["test"] == 60
    assert done.profile.rows["train"] + done.profile.rows["validation"] == 240
    assert done.profile.test_digest != done.profile.raw_digest
    assert {row["city"] for row in _rows(done, "test")} <= {"Oslo", "Bergen", "Molde", None}


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"target": "yy"}, "E-DATA-007", "Did you mean y"),
        ({"drop_columns": ["citty"]}, "E-DATA-007", "Did you mean city"),
        ({"drop_columns": ["y"]}, "E-DATA-008", "target"),
        ({"drop_columns": ["age", "income", "city"]}, "E-DATA-009", "no column"),
        ({"positive_label": "Yes"}, "E-DATA-011", "Did you mean yes"),
        ({"task": "regression"}, "E-DATA-010", "0 rows"),
        ({"target": "income"}, "E-DATA-011", "classes"),
    ],
)
def test_a_recipe_that_does_not_fit_the_file_is_refused_with_the_next_act(
    tmp_path: Path, change: dict[str, Any], code: str, says: str
) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people()), **change)
    assert (done.code, done.message["code"]) == (2, code)
    assert says in done.message["headline"] + done.message["remedy"]
    assert len((tmp_path / "output" / "message").read_bytes()) <= 1024


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "E-DATA-001"),
        (b"PK\x03\x04zip", "E-DATA-002"),
        (b"\n\n", "E-DATA-003"),
        (b"a,y\n", "E-DATA-010"),
        (b"a,y\n1,no\n", "E-DATA-010"),
        (b"a,y\n" + b"1,no\n2,yes\n" * 30 + b"3\n" * 4, "E-DATA-006"),
        (b"a,y\n" + b"1,no\n2,yes\n" * 30 + b"3,no,4\n" * 4, "E-DATA-006"),
        (b"a,y\n" + b"1,no\n2,yes\n" * 30 + b'3,"no\n', "E-DATA-006"),
        (b"a,y\n" + b"1,no\n2,yes\n" * 30 + b"3,\x81\xfe\n", "E-DATA-006"),
        (b"a,y\n" + b"1,no\n2,no\n" * 30, "E-DATA-012"),
        (b"a,y\n" + b"1,\n2,?\n" * 30, "E-DATA-010"),
        (b"a,__row,y\n" + b"1,2,no\n2,3,yes\n" * 30, "E-DATA-008"),
        (b"a,file_row_number,y\n" + b"1,2,no\n2,3,yes\n" * 30, "E-DATA-008"),
        (b"PAR1" + b"cut off on its way" * 30, "E-DATA-006"),
        (b"a,b,y\n" + b"".join(f"1,id{i},{'ny'[i % 2]}\n".encode() for i in range(300)), "E-DATA-009"),
    ],
)
def test_a_file_that_cannot_be_learnt_from_is_refused(tmp_path: Path, raw: bytes, code: str) -> None:
    done = jobs.prepare(tmp_path, raw)
    assert (done.code, done.message["code"]) == (2, code)


def test_a_ragged_row_is_named_by_its_line(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, b"a,y\n1,no\n2,yes,3\n")
    assert "line 3" in done.message["headline"]


@pytest.mark.parametrize(
    ("header", "row", "code"),
    [
        ("age,income,city", "1,2,Oslo", "E-DATA-007"),
        ("age,income,city,y,z", "1,2,Oslo,no,1", "E-DATA-014"),
        ("age,income,city,y", "1,2,Oslo,No.", "E-DATA-016"),
    ],
)
def test_a_test_file_must_have_the_same_columns_and_labels(tmp_path: Path, header: str, row: str, code: str) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people()), test=f"{header}\n{row}\n".encode())
    assert (done.code, done.message["code"]) == (2, code)


def test_columns_that_teach_nothing_are_left_out_and_named(tmp_path: Path) -> None:
    table = jobs.people(300)
    extra = [["constant", "empty", "key", "copy", "serial"]]
    extra += [["1", "", f"id-{index:05}", row[3], str(index)] for index, row in enumerate(table[1:])]
    done = jobs.prepare(tmp_path, jobs.csv([more + row for more, row in zip(extra, table, strict=True)]))
    dropped = {item.name: item.dropped for item in done.profile.columns if item.dropped}
    assert dropped == {"constant": "constant", "empty": "empty", "key": "identifier", "copy": "target copy"}
    found = [(item.code, item.columns[0]) for item in done.profile.findings if item.code.startswith("W-DATA")]
    wanted = [("W-DATA-003", "constant"), ("W-DATA-004", "empty"), ("W-DATA-005", "key"), ("W-DATA-005", "serial"), ("W-DATA-006", "copy")]
    assert found == wanted
    assert "serial" in [item.name for item in done.spec.numeric]


def test_a_stray_word_in_a_numeric_column_is_missing_and_counted(tmp_path: Path) -> None:
    table = jobs.people(300)
    table[-1][0] = "see note"
    done = jobs.prepare(tmp_path, jobs.csv(table))
    assert done.spec.numeric[0].type == "float64"
    assert done.finding("W-DATA-007") == {"values": 1, "columns": ("age",)}


def test_double_and_empty_names_are_made_unique(tmp_path: Path) -> None:
    table = jobs.people()
    done = jobs.prepare(tmp_path, jobs.csv([["age", "", "age", "y"], *table[1:]]))
    assert [item.name for item in done.profile.columns] == ["age", "column_2", "age_2"]
    assert done.finding("W-DATA-011")["columns"] == ("column_2", "age_2")


def test_rows_without_a_target_are_counted_and_left_out(tmp_path: Path) -> None:
    table = jobs.people(300)
    for row in table[1:11]:
        row[3] = ""
    done = jobs.prepare(tmp_path, jobs.csv(table))
    assert sum(done.profile.rows.values()) == 290
    assert done.finding("W-DATA-002")["rows"] == 10


def test_a_class_of_one_row_is_trained_on(tmp_path: Path) -> None:
    table = [*jobs.people(300), ["30", "5", "Oslo", "rare"]]
    done = jobs.prepare(tmp_path, jobs.csv(table), task="multiclass")
    assert done.spec.labels == ("no", "rare", "yes")
    assert "rare" in {row["y"] for row in _rows(done, "train")}
    assert done.finding("W-DATA-010")["rare"] == 1


def test_categories_beyond_the_limit_give_zeros_and_a_warning(tmp_path: Path) -> None:
    table = [["city", "k", "y"]] + [[f"c{index % 9}", str(index), "ab"[index % 2]] for index in range(200)]
    done = jobs.prepare(tmp_path, jobs.csv(table), one_hot_limit=4)
    assert len(done.spec.categorical[0].categories) == 4
    assert done.finding("W-DATA-009") == {"categories": 9, "kept": 4, "columns": ("city",)}


def test_parquet_moments_and_booleans_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    duckdb.execute(
        "copy (select timestamp '2020-01-01' + to_days(i::int) as at, i % 2 = 0 as flag, i * 1.5::decimal(9,1) as d, i % 3 as y "
        f"from range(90) t(i)) to '{path}'"
    )
    done = jobs.prepare(tmp_path / "job", path.read_bytes(), task="multiclass")
    assert done.code == 0, done.message
    assert [(item.name, item.type) for item in done.spec.numeric] == [("at", "float64"), ("d", "float64")]
    assert {item.name: item.type for item in done.profile.columns}["at"] == "datetime"
    assert done.spec.categorical[0].categories in {("true", "false"), ("false", "true")}


def test_infinities_of_a_parquet_column_are_missing_and_it_stays_one_of_numbers(tmp_path: Path) -> None:
    rows = range(200)
    ratios = [(float("inf"), float("-inf"), float("nan"))[index % 3] if index % 5 == 0 else index * 7919 % 97 / 7 for index in rows]
    table = pa.table(
        {"ratio": ratios, "size": [index % 11 for index in rows], "y": ["no" if index * 7919 % 97 < 50 else "yes" for index in rows]}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    done = jobs.prepare(tmp_path / "job", (tmp_path / "t.parquet").read_bytes(), name="t.parquet")
    (ratio,) = (column for column in done.profile.all_columns if column.name == "ratio")
    assert (ratio.type, ratio.missing, ratio.misfits) == ("float64", 40, 0)


def test_a_nested_parquet_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [[1], [2]], "y": ["a", "b"]}), path)
    assert jobs.prepare(tmp_path / "job", path.read_bytes()).message["code"] == "E-DATA-005"


def test_the_profile_is_a_reference_for_drift(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, jobs.csv(jobs.people(500)))
    income = next(item for item in done.profile.columns if item.name == "income")
    assert len(income.edges) == 9
    assert sum(income.shares) == pytest.approx(1)
    assert all(share == pytest.approx(0.1, abs=0.02) for share in income.shares)
    city = next(item for item in done.profile.columns if item.name == "city")
    assert sum(share for _, share in city.categories) == pytest.approx(1)
    assert not (tmp_path / "scratch").exists()
