"""`mlops evaluate`: the figures of any scored table, as people type it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sklearn import metrics as oracle

from mlops_core.cli.main import main


def _rows() -> list[tuple[float, str, str]]:
    chance = random.Random(3)
    found = []
    for number in range(1200):
        score, group = round(chance.random(), 2), "tiny" if number < 9 else chance.choice(["north", "south", "01"])
        right = score if group != "south" else 1 - score
        found.append((score, "yes" if chance.random() < right else "no", group))
    return found


ROWS = _rows()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "scored.csv"
    path.write_text("\n".join(["p;won;place", *(f"{score};{won};{place}" for score, won, place in ROWS)]), encoding="utf-8")
    return path


def _asked(table: Path, *more: str) -> int:
    return main(["evaluate", str(table), "--target", "won", "--score", "p", "--resamples", "50", *more])


def test_the_figures_are_those_of_scikit_learn(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = table.with_suffix(".json")
    assert _asked(table, "--positive", "yes", "--group", "place", "--json", str(place)) == 0
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    y, scores = [won == "yes" for _, won, _ in ROWS], [score for score, _, _ in ROWS]
    assert found["figures"]["roc_auc"]["value"] == pytest.approx(oracle.roc_auc_score(y, scores), abs=1e-12)
    assert found["figures"]["average_precision"]["value"] == pytest.approx(oracle.average_precision_score(y, scores), abs=1e-12)
    assert (found["rows"], found["positive"]) == (1200, sum(y))
    assert set(found["by"]["place"]) == {"north", "south", "01"}
    shown = capsys.readouterr().out
    assert "1,200 rows" in shown
    assert "place = south" in shown.partition("worst slices")[2]
    assert "1 with fewer than 10 rows (9 together) not shown" in shown
    assert "tiny" not in shown


def test_parquet_and_plain_yes_and_no_need_no_positive_value(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _asked(table) == 0
    first = capsys.readouterr().out.partition("\n")[2]
    place = table.with_suffix(".parquet")
    asked = "select p::double as p, won = 'yes' as won, place from read_csv(?, delim = ';', all_varchar = true)"
    duckdb.execute(f"copy ({asked}) to '{place}' (format parquet)", [str(table)])
    assert _asked(place) == 0
    assert capsys.readouterr().out.partition("\n")[2] == first


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--positive", "ja"), 2, "no row's target 'won' is 'ja'"),
        (("--group", "plaice"), 2, "Choose among p, won, place"),
        (("--target", "place"), 2, "needs --positive VALUE"),
        (("--threshold", "2"), 2, "--threshold cannot be 2"),
        (("--score", "place", "--positive", "yes"), 2, "Could not convert"),
    ],
)
def test_what_cannot_be_measured_says_what_to_do(
    table: Path, more: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _asked(table, *more) == code
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_or_no_table_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _asked(tmp_path / "none.csv") == 5
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing")
    assert _asked(broken) == 2
    assert "no table that can be read" in capsys.readouterr().err


def test_the_terminal_is_not_moved_by_names_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "scored.csv"
    path.write_text("p,won,place\n" + "0.4,1,\x1b[2Jx\n0.6,0,b\n" * 40, encoding="utf-8")
    assert _asked(path, "--group", "place") == 0
    assert "\x1b" not in capsys.readouterr().out
