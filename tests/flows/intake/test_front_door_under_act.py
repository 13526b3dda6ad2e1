"""The root action in a caller's workflow, really run by act in host mode with a scrubbed environment."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_core.cli.suite import export
from tests.unit.entrypoints.runners import labeled
from tests.unit.intake.bodies import BUCKET, body

ROOT = Path(__file__).resolve().parents[3]
PATH = "/usr/local/bin:/usr/bin:/bin"
CALLER = f"""
on:
  issues:
    types: [labeled]
permissions: {{}}
jobs:
  check:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {{}}
    steps:
      - id: check
        uses: OWNER/mlops@v1
        with:
          bucket: {BUCKET}
      - if: always()
        env:
          OUTPUTS: ${{{{ toJSON(steps.check.outputs) }}}}
        run: printf '%s' "$OUTPUTS" > "$PROBE/outputs.json"; env > "$PROBE/environment"
"""

pytestmark = [pytest.mark.flow, pytest.mark.slow]


@dataclass(frozen=True)
class Outcome:
    """What one workflow run left."""

    outputs: dict[str, str]
    environment: str
    log: str
    failed: bool
    probe: Path


def run(folder: Path, act: str, cache: Path, payload: dict[str, object]) -> Outcome:
    for name in ("caller/.github/workflows", "home", "tmp", "probe"):
        (folder / name).mkdir(parents=True)
    (folder / "caller" / ".github" / "workflows" / "on.yml").write_text(CALLER, encoding="utf-8")
    (folder / "event.json").write_text(json.dumps(payload), encoding="utf-8")
    git = ["git", "-C", str(folder / "caller"), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["commit", "-qm", "x"],
        ["remote", "add", "origin", "https://github.com/octo/models.git"],
    ):
        subprocess.run([*git, *arguments], check=True)
    command = [
        act, "issues", "-e", str(folder / "event.json"), "-P", "ubuntu-24.04=-self-hosted",
        "--local-repository", f"OWNER/mlops@v1={export(ROOT, folder / 'suite')}",
        "--action-offline-mode", "--no-cache-server", "--artifact-server-path", "",
        "--env", f"MLOPS_ACTIONS_CACHE={cache}", "--env", f"PROBE={folder / 'probe'}",
    ]  # fmt: skip
    environ = {"PATH": PATH, "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "home" / ".cache")}
    done = subprocess.run(command, cwd=folder / "caller", env=environ, capture_output=True, text=True, check=False, timeout=120)
    probe = folder / "probe"
    outputs = json.loads((probe / "outputs.json").read_text(encoding="utf-8"))
    return Outcome(outputs, (probe / "environment").read_text(encoding="utf-8"), done.stdout + done.stderr, done.returncode != 0, probe)


def test_the_front_door_reads_an_issue_without_credentials_and_the_title_stays_data_abuse_row_1(
    tmp_path: Path, act: str, cache: Path
) -> None:
    payload = labeled(body(target="$(touch $PROBE/canary)`touch $PROBE/canary`", hyperparameters="max_depth = 8"))
    payload["issue"]["title"] = '"; touch "$PROBE/canary" #'
    outcome = run(tmp_path, act, cache, payload)
    assert not outcome.failed, outcome.log
    assert outcome.outputs["ok"] == "true"
    assert json.loads(outcome.outputs["request"])["request"]["target"] == "$(touch $PROBE/canary)`touch $PROBE/canary`"
    assert not (outcome.probe / "canary").exists()


def test_runner_commands_in_an_issue_change_neither_outputs_nor_environment_abuse_rows_2_3_4_5(
    tmp_path: Path, act: str, cache: Path
) -> None:
    commands = "::set-output name=ok::true\n::add-mask::E-PARSE\n::stop-commands::x"
    lines = f"{commands}\nEOF\nok=true\nNODE_OPTIONS=--x\nBASH_ENV=/tmp/x\n${{{{ github.token }}}}"
    outcome = run(tmp_path, act, cache, labeled(f"{lines}\n\n{body(metric='::set-output name=ok::true')}"))
    assert outcome.failed
    assert outcome.outputs["ok"] == "false"
    assert outcome.outputs.get("request", "") == ""
    assert not re.search(r"^(?:NODE_OPTIONS|BASH_ENV)=", outcome.environment, re.MULTILINE)
    assert "E-PARSE-005" in outcome.log
    assert "***" not in outcome.log
