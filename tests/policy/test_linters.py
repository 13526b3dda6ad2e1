"""The linters of the trade over workflows, actions, forms and scripts: no finding."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_core.intake.form import TARGETS
from tests.policy.workflows import ACTIONS, ROOT, WORKFLOWS, name_of, steps


def tool(name: str) -> str:
    """The program beside this interpreter or on the path."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str | Path, text: str | None = None) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, input=text, cwd=ROOT, check=False, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_zizmor_finds_nothing_in_workflows_and_actions() -> None:
    places = [".github", "action.yml", "actions", "examples/caller"]
    assert run(tool("zizmor"), "--offline", "--no-progress", "-q", "--strict-collection", "--persona=auditor", *places) == ""


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", ACTIONS),
        ("vendor.github-issue-forms", [ROOT / target for target in TARGETS]),
    ],
)
def test_workflows_actions_and_forms_keep_their_schema(schema: str, files: list[Path]) -> None:
    assert run(tool("check-jsonschema"), "--builtin-schema", schema, *files) == ""


@pytest.mark.parametrize("path", WORKFLOWS + ACTIONS, ids=name_of)
def test_shellcheck_finds_nothing_in_the_scripts(path: Path) -> None:
    for step in steps(path):
        if "run" in step:
            assert run(tool("shellcheck"), "--shell=bash", "-", text=step["run"]) == ""
