"""Types and counts over all rows of a file."""

# ruff: noqa: S608  the queries are the tests' own
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mlops_core.features import readings
from mlops_core.features.load import Column, Layout, Table, load
from mlops_core.features.source import recognise


@pytest.fixture
def connection() -> Iterator[Any]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def _loaded(connection: Any, folder: Path, values: list[str], *, header: str = "x,y") -> Table:
    path = folder / "data.csv"
    path.write_text(f"{header}\n" + "".join(f"{value},{'ab'[place % 2]}\n" for place, value in enumerate(values)))
    source = recognise(path, connection, folder)
    return load(connection, source, path, Layout(source.names, "y", False, 42), out=folder / "out.parquet")


def _column(connection: Any, folder: Path, values: list[str]) -> tuple[Column, list[object]]:
    table = _loaded(connection, folder, values)
    return table.columns[0], [row[0] for row in connection.execute(f"select x from {table.query} order by __row").fetchall()]


def test_a_type_is_told_from_all_rows_and_not_from_the_first_ones(connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "SAMPLE_ROWS", 10)
    cases = {
        "int64": ["7"] * 200,
        "float64": ["7"] * 150 + ["7.5"] * 50,
        "string": ["7"] * 150 + ["seven"] * 50,
    }
    for kind, values in cases.items():
        column, found = _column(connection, tmp_path, values)
        assert (column.type, column.missing, column.misfits) == (kind, 0, 0)
        assert found[-1] == {"int64": 7, "float64": 7.5, "string": "seven"}[kind]
    column, _ = _column(connection, tmp_path, ["seven"] + ["7"] * 199)
    assert (column.type, column.misfits) == ("float64", 1)


def test_whole_numbers_with_a_hole_become_float64(connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "SAMPLE_ROWS", 10)
    column, found = _column(connection, tmp_path, ["7"] * 99 + ["?"])
    assert (column.type, column.missing, found[-2:]) == ("float64", 1, [7.0, None])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["+5", "007", "-3", "12"], [5, 7, -3, 12]),
        (["9007199254740993", "1"], [9007199254740993, 1]),
        ([" 5 ", "6"], [5, 6]),
    ],
)
def test_whole_numbers_are_read_as_written(connection: Any, tmp_path: Path, values: list[str], expected: list[int]) -> None:
    column, found = _column(connection, tmp_path, values * 30)
    assert (column.type, found[: len(expected)]) == ("int64", expected)


@pytest.mark.parametrize(("wrong"), ["0x1F", "1_000", "inf", "1e400", "1,5", "x"])
def test_text_among_numbers_is_a_misfit_and_counted(connection: Any, tmp_path: Path, wrong: str) -> None:
    """abuse row 82: mixed types."""
    column, found = _column(connection, tmp_path, ["1.5"] * 199 + [f'"{wrong}"'])
    assert (column.type, column.missing, column.misfits, found[-1]) == ("float64", 0, 1, None)


def test_words_for_missing_are_missing_and_no_misfits(connection: Any, tmp_path: Path) -> None:
    words = ["?", "NA", "N/A", "null", "NULL", "None", "nan", "-", "--", ".", "", " ", "#N/A", "unknown", "missing"]
    column, _ = _column(connection, tmp_path, ["1.5"] * 20 + words)
    assert (column.type, column.missing, column.misfits) == ("float64", len(words), 0)


def test_iso_dates_become_seconds_and_days_that_do_not_exist_are_misfits(connection: Any, tmp_path: Path) -> None:
    """abuse row 82: dates like 1900-02-29."""
    column, found = _column(connection, tmp_path, ["2024-01-31"] * 150 + ["2024/02/01T10:00:00+02:00"] * 150 + ["1900-02-29"])
    assert (column.type, column.misfits) == ("datetime", 1)
    assert [found[0], found[-2], found[-1]] == [1706659200.0, 1706774400.0, None]


@pytest.mark.parametrize(
    ("values", "style", "first"),
    [
        (['"1,5"', '"2,25"'], "comma", 1.5),
        (['"1,234.50"', "7"], "thousands", 1234.5),
        (['"1,234"', "7"], "thousands", 1234),
        (['"$1,234"', "7"], "thousands", 1234),
    ],
)
def test_other_notations_are_read_and_named(connection: Any, tmp_path: Path, values: list[str], style: str, first: float) -> None:
    """abuse row 82: thousands separators and locale decimals."""
    column, found = _column(connection, tmp_path, values * 30)
    assert (column.notation.style, found[0]) == (style, first)
    assert column.marked == (30 if "$" in values[0] else 0)


def test_the_digest_does_not_depend_on_the_dress_of_a_row(connection: Any, tmp_path: Path) -> None:
    def digests(text: str) -> list[int]:
        path = tmp_path / "d.csv"
        path.write_text(text)
        source = recognise(path, connection, tmp_path)
        table = load(connection, source, path, Layout(source.names, "y", False, 42), out=tmp_path / "o.parquet")
        return [row[0] for row in connection.execute(f"select __digest from {table.query} order by __row").fetchall()]

    plain = "x,t,y\n" + "1.5,u,a\n2.5,v,b\n" * 3
    assert digests(plain) == digests("x;t;y\n" + "1,5;u;a\n2,5;v;b\n" * 3)
    assert digests(plain) == digests(plain.replace(",", " , "))
    assert digests(plain) == digests("x,t,y,\n" + "1.5,u,a,\n2.5,v,b,\n" * 3)
    assert len(set(digests(plain))) == 2


def test_duplicate_and_formula_names_stay_names(connection: Any, tmp_path: Path) -> None:
    """abuse row 83: duplicate, empty and formula headers."""
    path = tmp_path / "data.csv"
    path.write_text("=cmd(),,x,x,y\n" + "1,2,3,4,a\n2,3,4,5,b\n" * 3)
    source = recognise(path, connection, tmp_path)
    assert source.names == ("=cmd()", "column_2", "x", "x_2", "y")
    assert source.renamed == ("column_2", "x_2")
    table = load(connection, source, path, Layout(source.names, "y", False, 42), out=tmp_path / "out.parquet")
    assert [column.name for column in table.columns] == list(source.names)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["net\namount", "net\u2028amount"])
def test_a_name_over_two_lines_costs_no_row(connection: Any, tmp_path: Path, name: str, ending: str) -> None:
    path = tmp_path / "data.csv"
    rows = "".join(f"{place},{'ab'[place % 2]}{ending}" for place in range(40))
    path.write_bytes(f'"{name}",y{ending}{rows}'.encode())
    source = recognise(path, connection, tmp_path)
    table = load(connection, source, path, Layout(source.names, "y", False, 42), out=tmp_path / "out.parquet")
    assert (source.names, table.rows, table.columns[0].type) == ((name, "y"), 40, "int64")
