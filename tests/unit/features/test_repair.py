"""Irregular CSV files: what is repaired and counted, what is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_core.errors import InvalidRequest
from mlops_core.features import repair
from mlops_core.features.encoding import examine
from mlops_core.features.head import irregular, read_head
from mlops_core.features.repair import Repairs, rewrite

ROWS = "".join(f"{number},x{number},{number % 2}\n" for number in range(40))


def _rewritten(folder: Path, raw: bytes) -> tuple[str, Repairs]:
    path = folder / "raw" / "data.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    examined = examine(path, folder)
    repairs = rewrite(examined, read_head(examined, path.name), path, folder / "out.csv")
    return (folder / "out.csv").read_text(), repairs


@pytest.mark.parametrize(
    ("raw", "counted"),
    [
        (ROWS.replace("x3,", "x3\0,"), {"nul": 1}),
        (ROWS.replace(",x", ', "x').replace(",0\n", '",0\n').replace(",1\n", '",1\n'), {}),
        (ROWS.replace("\n", ",\n"), {}),
        (ROWS[:100] + "1,2,3\n4\n" + ROWS[100:] if ROWS[99] == "\n" else "7\n" + ROWS, {"ragged": 1}),
        (ROWS + "Total,,\n", {"totals": 1}),
        (ROWS + "id,name,y\n" + "7,seven,1\n", {"headers": 1}),
        (ROWS.replace("\n", "\r\n"), {}),
    ],
)
def test_a_repair_is_made_and_counted(tmp_path: Path, raw: str, counted: dict[str, int]) -> None:
    text, repairs = _rewritten(tmp_path, b"id,name,y\n" + raw.encode())
    assert text.startswith("id,name,y\n0,x0,0\n1,x1,1\n")
    assert repairs.rows == text.count("\n") - 1
    assert {name: getattr(repairs, name) for name in ("nul", "ragged", "totals", "headers") if getattr(repairs, name)} == counted


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_another_encoding_becomes_utf_8(tmp_path: Path, encoding: str) -> None:
    text, _ = _rewritten(tmp_path, f"id,name,y\n{ROWS}41,Zoë,1\n".encode(encoding))
    assert text == f"id,name,y\n{ROWS}41,Zoë,1\n"


def test_an_unclosed_quote_is_refused_with_line_and_byte(tmp_path: Path) -> None:
    """abuse row 81: an unclosed quote."""
    with pytest.raises(InvalidRequest, match=r"at line 42 \(byte \d+\): a quote is opened and never closed") as refused:
        _rewritten(tmp_path, f'id,name,y\n{ROWS}"41,x,1\n42,y,0\n'.encode())
    offset = len(f"id,name,y\n{ROWS}")
    assert f"byte {offset}" in refused.value.headline


def test_a_line_beyond_the_limit_is_refused_with_its_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """abuse row 81: one enormous line."""
    monkeypatch.setattr(repair, "LINE_LIMIT", 1000)
    with pytest.raises(InvalidRequest, match=r"at line 42 \(byte .*longer than 1,000 bytes"):
        _rewritten(tmp_path, f"id,name,y\n{ROWS}41,{'x' * 2000},1\n".encode())


def test_an_enormous_last_line_is_not_lost_but_looked_at(tmp_path: Path) -> None:
    """abuse row 81: one enormous line, the last one."""
    path = tmp_path / "data.csv"
    path.write_bytes(f"id,name,y\n{ROWS}41,".encode() + b"x" * 13_000_000)
    examined = examine(path, tmp_path)
    assert irregular(examined, read_head(examined, path.name))


def test_text_behind_a_closing_quote_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="text follows a closing quote"):
        _rewritten(tmp_path, f'id,name,y\n{ROWS}41,"x"y,1\n'.encode())


def test_many_rows_of_another_width_are_refused_with_the_first_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="at line 2: 40 rows have more or fewer values than the header's 2"):
        _rewritten(tmp_path, b"id,y\n" + ROWS.encode())


@pytest.mark.parametrize(
    ("top", "separator", "comments"),
    [
        ("a;b,c;y\n1;2;3\n", ";", 0),
        ("a\ty\n1\t2\n", "\t", 0),
        ("# made 2024-01-31, by crm\na,b,y\n1,2,3\n4,5,6\n", ",", 1),
        ("Report\n\na,b,y\n1,2,3\n4,5,6\n", ",", 2),
        ("#chrom,pos,y\n1,2,3\n4,5,6\n", ",", 0),
        ("sep=;\na;y\n1;2\n", ";", 1),
        ("a;y\n1,5;2\n2,5;3\n", ";", 0),
        ("a;b;y\n1,5;2,25;no\n2,5;3,75;yes\n", ";", 0),
        ("# made 2024, by crm\na;b;y\n1,5;2,25;no\n2,5;3,75;yes\n", ";", 1),
        ("Sales in 2024\na;b;y\n1,5;2,25;no\n2,5;3,75;yes\n", ";", 1),
        ('"a,1",y\n1,2\n', ",", 0),
    ],
)
def test_the_head_is_told_from_comments_and_separators(tmp_path: Path, top: str, separator: str, comments: int) -> None:
    path = tmp_path / "data.csv"
    path.write_text(top)
    head = read_head(examine(path, tmp_path), path.name)
    assert (head.separator, head.comments) == (separator, comments)
    assert head.cells[-1] == "y"


def test_a_hundred_thousand_columns_are_refused(tmp_path: Path) -> None:
    """abuse row 83: 100,000 columns."""
    path = tmp_path / "data.csv"
    path.write_text(",".join(f"c{number}" for number in range(100_000)) + "\n")
    with pytest.raises(InvalidRequest, match="100,000 columns; at most 10,000") as refused:
        read_head(examine(path, tmp_path), path.name)
    assert refused.value.code == "E-DATA-004"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(ROWS, False), (ROWS + "Total,,\n", True), (ROWS.replace(",x", ', "x').replace(",0\n", '",0\n'), True), ("1,a, b\n" * 5, False)],
)
def test_only_what_the_engine_would_misread_is_rewritten(tmp_path: Path, raw: str, expected: bool) -> None:
    path = tmp_path / "data.csv"
    path.write_text("id,name,y\n" + raw)
    examined = examine(path, tmp_path)
    assert irregular(examined, read_head(examined, path.name)) is expected
