"""The job with credentials ends with the start: nothing on a runner waits for training."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

from mlops_core.facts import ExecutionFacts
from tests.unit.entrypoints.test_start_steps import approved_runner, run_start, world

ENTRYPOINTS = Path(__file__).resolve().parents[3] / "mlops_core" / "entrypoints"


def test_the_job_ends_although_the_execution_runs_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """abuse row 57: a session that expires later meets nobody who still polls."""
    memory = world()
    looked: list[str] = []

    def describe(execution_arn: str) -> ExecutionFacts:
        looked.append(execution_arn)
        return memory.machines.executions[execution_arn]

    monkeypatch.setattr(memory.machines, "describe", describe)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"the job waits {seconds} s"))
    outputs = run_start(approved_runner(tmp_path), memory, monkeypatch)
    assert memory.machines.executions[outputs["execution-arn"]].status == "RUNNING"
    assert len(looked) <= 1


def test_no_entry_point_sleeps_or_describes_executions() -> None:
    """abuse row 57: waiting needs one of these calls; only the identity token is asked for again, after seconds."""
    found = {
        (path.stem, node.attr)
        for path in ENTRYPOINTS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"sleep", "describe", "describe_execution", "get_waiter"}
    }
    assert found <= {("oidc", "sleep")}
