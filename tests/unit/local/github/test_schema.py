"""What a busy platform asks again and again is found by an index: it costs the same after a thousand runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_core.local.github import database

PACKAGE = Path(database.__file__).parent
ASKED = [
    "select * from deliveries where state = 'pending' and next_at <= ? order by id limit 1",
    "select * from deliveries where hook = ? order by id desc limit 100",
    "select * from runs where status = 'queued' order by id limit 1",
    "select * from runs where status != 'completed'",
    "select id from runs where repository = ? and status != 'completed'",
    "select count(*) from runs where repository = ? and path = ?",
    "select * from comments where issue = ? and updated_at >= ? order by id",
    "select count(*) from comments where issue = ?",
    "select * from issue_events where issue = ? order by id",
    "select * from edits where issue = ? order by id desc",
    "select * from events where repository = ? order by id desc limit ?",
    "select * from tokens where digest = ?",
    "select * from issues where repository = ? and number = ?",
]


@pytest.mark.parametrize("query", ASKED)
def test_a_question_reads_its_own_rows_alone(query: str, tmp_path: Path) -> None:
    assert any(query in path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py")), "the package asks this no more"
    opened = database.Database(tmp_path / "github.sqlite")
    (step, *_) = opened.rows(f"explain query plan {query}", *["0"] * query.count("?"))
    opened.close()
    assert "INDEX" in step["detail"], step["detail"]
