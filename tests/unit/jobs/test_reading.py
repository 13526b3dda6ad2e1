"""What the data job says about files as they come: repairs, notations, spellings, odd values; splits by time and by group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.unit.jobs import job_files as jobs


def _part(outcome: jobs.Outcome, part: str, column: str) -> list[object]:
    found: list[object] = pq.read_table(outcome.prepared / part / "data.parquet").column(column).to_pylist()
    return found


def test_an_irregular_file_is_repaired_and_every_repair_is_said(tmp_path: Path) -> None:
    """abuse row 81: NUL bytes are stripped, counted and reported; UTF-16 with a byte order mark is read."""
    table = jobs.people(300)
    table[5][2] = "Os\0lo"
    rows = jobs.csv([*table[:100], table[0], ["1", "2"], *table[100:]], ";").decode()
    raw = ("# export of 2024-01-31, by crm\n" + rows.replace(".", ",") + "Total;;;\n").encode("utf-16")
    done = jobs.prepare(tmp_path, raw)
    assert done.code == 0, done.message
    codes = {item.code: dict(item.values) for item in done.profile.findings}
    assert codes["W-DATA-020"] == {"encoding": "utf-16-le"}
    assert {code: codes[code]["count"] for code in ("W-DATA-021", "W-DATA-022", "W-DATA-024", "W-DATA-025")} == {
        "W-DATA-021": 1, "W-DATA-022": 1, "W-DATA-024": 1, "W-DATA-025": 1,
    }  # fmt: skip
    assert codes["W-DATA-023"] == {"rows": 1, "lines": "103"}
    assert codes["W-DATA-026"] == {"notation": "comma"}
    file = done.profile.file
    assert (file.encoding, file.separator, file.nul, file.ragged, file.rewritten) == ("utf-16-le", ";", 1, 1, True)
    assert sum(done.profile.rows.values()) == 300


def test_the_quality_of_all_rows_holds_counts_and_no_row(tmp_path: Path) -> None:
    """abuse row 82: mixed types and money marks are counted."""
    table = jobs.people(300)
    for row in table[1:31]:
        row[1] = "$" + row[1] if row[1] else ""
    for row in table[40:44]:
        row[0] = "9999"
    table[50][0] = "see note"
    done = jobs.prepare(tmp_path, jobs.csv(table), drop_columns=["city"])
    found = {item.name: item for item in done.profile.all_columns}
    assert (found["age"].misfits, found["age"].far, found["age"].codes) == (1, 4, ((9999.0, 4),))
    assert found["income"].currency == done.finding("W-DATA-027")["values"] > 20
    assert sum(found["income"].counts) == 300 - found["income"].missing
    assert set(found) == {"age", "income", "city", "y"}
    assert done.finding("W-DATA-031")["codes"] == "9999 (4)"
    assert (done.profile.engine[:6], len(done.profile.config_digest)) == ("duckdb", 64)


def test_labels_and_categories_in_several_spellings_are_one(tmp_path: Path) -> None:
    table = jobs.people(300)
    for row in table[1:40]:
        row[2], row[3] = row[2].upper(), f" {row[3].upper()}"
    done = jobs.prepare(tmp_path, jobs.csv(table))
    assert done.spec.labels == ("no", "yes")
    assert set(_part(done, "train", "city")) == {"Oslo", "Bergen", "Molde", None}
    assert {item.columns[0] for item in done.profile.findings if item.code == "W-DATA-029"} == {"city", "y"}
    assert ("OSLO", "Oslo") in done.spec.categorical[0].spellings


def test_equal_inputs_with_different_labels_are_counted(tmp_path: Path) -> None:
    table = jobs.people(200)
    done = jobs.prepare(tmp_path, jobs.csv([*table, ["20", "1,5".replace(",", "."), "Oslo", "yes"], ["20", "1.5", "Oslo", "no"]]))
    assert done.finding("W-DATA-033")["groups"] == 1


def test_dates_in_several_formats_are_kept_as_text_and_said(tmp_path: Path) -> None:
    table = [["seen", "x", "y"]] + [
        [f"{index % 28 + 1:02}/01/2024" if index % 2 else f"2024-01-{index % 28 + 1:02}", str(index), "ab"[index % 2]]
        for index in range(120)
    ]
    done = jobs.prepare(tmp_path, jobs.csv(table))
    assert done.finding("W-DATA-028") == {"formats": 2, "share": 1.0, "columns": ("seen",)}


def test_a_split_by_time_leaves_the_gap_out_and_says_so(tmp_path: Path) -> None:
    table = [["at", "x", "y"]] + [
        [f"2024-{1 + index // 28:02}-{1 + index % 28:02}", str(index % 7), "ab"[index % 2]] for index in range(300)
    ]
    done = jobs.prepare(tmp_path, jobs.csv([table[0], *table[:0:-1]]), split="time", time_column="at", split_gap=3)
    train, validation, test = (_part(done, part, "at") for part in ("train", "validation", "test"))
    assert max(map(str, train)) < min(map(str, validation))
    assert max(map(str, validation)) < min(map(str, test))
    assert done.finding("W-DATA-032") == {"gap": 6, "without_time": 0, "columns": ("at",)}
    assert sum(done.profile.rows.values()) == 294


def test_a_split_by_group_keeps_groups_whole(tmp_path: Path) -> None:
    table = [["who", "x", "y"]] + [[f"p{index // 6}", str(index % 11), "ab"[index % 2]] for index in range(300)]
    done = jobs.prepare(tmp_path, jobs.csv(table), split="group", group_column="who")
    parts = [set(_part(done, part, "who")) for part in ("train", "validation", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 50


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"task": "regression", "target": "x"}, "E-DATA-017"),
        ({"split": "group"}, "E-DATA-018"),
        ({"split": "time", "time_column": "when"}, "E-DATA-007"),
    ],
)
def test_a_split_or_target_that_the_file_cannot_give_is_refused(tmp_path: Path, change: dict[str, Any], code: str) -> None:
    """abuse row 82: refused above the threshold where the request says that the column is numeric."""
    table = [["k", "x", "y"]] + [[str(index % 9), "many" if index % 20 == 0 else str(index), "ab"[index % 2]] for index in range(100)]
    done = jobs.prepare(tmp_path, jobs.csv(table), **change)
    assert (done.code, done.message["code"]) == (2, code)
