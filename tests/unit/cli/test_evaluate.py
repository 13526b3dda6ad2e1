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


FLOWERS = (
    "kind,said,p_red,p_white,p_blue,height,guess,site\n"
    + "red,red,0.7,0.2,0.1,10,11.5,north\nwhite,red,0.5,0.4,0.1,20,18,south\nblue,blue,0,0,1,30,30,north\n" * 40
)


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    path = tmp_path / "flowers.csv"
    path.write_text(FLOWERS, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("more", "first", "figure", "value"),
    [
        (("--target", "kind", "--class-scores", "p_*"), "3 classes", "accuracy", 2 / 3),
        (
            ("--target", "kind", *(word for name in ("red", "white", "blue") for word in ("--class-scores", f"{name}=p_{name}"))),
            "3 classes",
            "roc_auc",
            1.0,
        ),
        (("--target", "kind", "--predicted-class", "said"), "3 classes", "accuracy", 2 / 3),
        (("--target", "kind", "--predicted-class", "said", "--positive", "red"), "40 of them positive (33.3 %)", "precision", 0.5),
        (("--target", "height", "--predicted-value", "guess"), "in the unit of height", "mae", 3.5 / 3),
    ],
)
def test_every_kind_of_answer_is_measured_and_broken_down(
    flowers: Path, more: tuple[str, ...], first: str, figure: str, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    place = flowers.with_suffix(".json")
    asked = ["evaluate", str(flowers), *more, "--group", "site", "--resamples", "50", "--json", str(place)]
    assert main(asked) == 0
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    assert found["figures"][figure]["value"] == pytest.approx(value, abs=1e-12)
    assert {name: part["rows"] for name, part in found["by"]["site"].items()} == {"north": 80, "south": 40}
    shown = capsys.readouterr().out
    assert first in shown.partition("\n")[0]
    assert "by site" in shown


def test_a_csv_and_a_parquet_file_of_the_same_answers_agree(flowers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = flowers.with_suffix(".parquet")
    duckdb.read_csv(str(flowers)).write_parquet(str(place))
    said = []
    for path in (flowers, place):
        assert main(["evaluate", str(path), "--target", "kind", "--class-scores", "p_*", "--group", "height"]) == 0
        said.append(capsys.readouterr().out.partition("\n")[2])
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "one of the arguments --score --class-scores --predicted-class --predicted-value is required"),
        (("--score", "p_red", "--predicted-class", "said"), "not allowed with argument"),
        (("--class-scores", "p_red"), "with * in the place of the class"),
        (("--class-scores", "q_*"), "names 0 columns"),
        (("--class-scores", "red=p_red", "--class-scores", "blue=p_blau"), "no column 'p_blau'"),
        (("--predicted-class", "said", "--threshold", "0.4"), "--threshold cuts a score"),
        (("--predicted-value", "guess", "--positive", "red"), "--positive belongs to two classes"),
        (("--predicted-value", "guess"), "Target and --predicted-value are numbers"),
        (("--predicted-class", "said", "--positive", "green"), "no row's target 'kind' is 'green'"),
    ],
)
def test_answers_that_do_not_fit_together_are_told(
    flowers: Path, more: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["evaluate", str(flowers), "--target", "kind", *more])
    except SystemExit as ended:
        code = int(str(ended.code))
    assert (code, said in capsys.readouterr().err) == (2, True)


def test_large_figures_keep_to_their_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "houses.csv"
    path.write_text("price,guess\n" + "".join(f"{100_000 + 4321 * row},{180_000 + 3999 * row}\n" for row in range(80)))
    assert main(["evaluate", str(path), "--target", "price", "--predicted-value", "guess"]) == 0
    lines = capsys.readouterr().out.splitlines()
    how = next(line for line in lines if line.startswith("figure")).index("how")
    found = [line for line in lines if line.endswith(("bootstrap", "order"))]
    assert {line[how - 1 :].split()[0] for line in found} == {"bootstrap", "order"}
    assert all(line[how - 1] == " " for line in found)
    assert any(line.startswith("mse") and "e+09" in line for line in found)
