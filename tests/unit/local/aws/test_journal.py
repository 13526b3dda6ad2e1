"""The journal keeps decisions in order and survives a cut."""

from __future__ import annotations

import time
from pathlib import Path

from mlops_core.local.aws.journal import Decision, Journal, read, used


def test_decisions_come_back_by_role_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.record("arn:aws:sts::000000000000:assumed-role/agent/session", "s3:GetObject", "arn:aws:s3:::b/k", allowed=True)
    journal.record("sns.amazonaws.com", "lambda:InvokeFunction", "arn", allowed=False)
    journal.close()
    journal.record("late", "a", "b", allowed=True)
    decisions = list(read(tmp_path / "journal.jsonl"))
    assert decisions == [
        Decision("agent", "s3:GetObject", "arn:aws:s3:::b/k", allowed=True),
        Decision("sns.amazonaws.com", "lambda:InvokeFunction", "arn", allowed=False),
    ]
    assert used(tmp_path / "journal.jsonl") == {("agent", "s3:GetObject")}


def test_decisions_reach_the_file_within_a_second_without_closing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.record("key/AKIA", "s3:ListBucket", "arn", allowed=True)
    deadline = time.monotonic() + 2
    while not list(read(tmp_path / "journal.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(list(read(tmp_path / "journal.jsonl"))) == 1
    journal.close()


def test_a_line_cut_by_a_crash_is_skipped_and_no_file_is_no_decision(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert list(read(path)) == []
    path.write_text('{"role": "a", "action": "b", "resource": "c", "allowed": true}\n{"role": "a", "act')
    assert len(list(read(path))) == 1
