"""Events start workflows under act, with the rights that their files ask for and nothing of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from mlops_core.errors import EnvironmentBroken
from mlops_core.local.github.admin import Admin
from mlops_core.local.github.process import LocalGithub

if TYPE_CHECKING:
    from tests.flows.local.github.conftest import Platform

pytestmark = [pytest.mark.flow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

CALLER = """\
name: Train on label
on: {issues: {types: [labeled]}, workflow_dispatch: {inputs: {who: {required: true}}}}
permissions: {}
jobs:
  train:
    if: github.event_name == 'workflow_dispatch' || github.event.label.name == 'mlops:train'
    permissions: {issues: write, id-token: write, contents: read}
    uses: octo/mlops/.github/workflows/train.yml@v1
    secrets: {slack: "${{ secrets.SLACK }}"}
"""
GREEDY = """\
name: Greedy
on: {issues: {types: [closed]}}
permissions: {}
jobs:
  train: {permissions: {issues: write}, uses: octo/mlops/.github/workflows/train.yml@v1}
"""
INJECTED = """\
name: Injected
on: {issue_comment: {types: [created]}}
permissions: {issues: write}
jobs:
  echo:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.event.comment.body }}
"""
TRAIN = """\
name: train
on: {workflow_call: {secrets: {slack: {required: false}}}}
permissions: {}
jobs:
  intake:
    runs-on: ubuntu-latest
    permissions: {issues: write}
    outputs: {digest: "${{ steps.ask.outputs.digest }}"}
    steps:
      - id: ask
        uses: $/actions/intake
        with: {title: "${{ github.event.issue.title }}"}
  start:
    needs: intake
    runs-on: ubuntu-latest
    permissions: {id-token: write}
    steps:
      - name: ask for an identity
        env: {SLACK: "${{ secrets.slack }}", TOKEN: "${{ github.token }}", NUMBER: "${{ github.event.issue.number }}"}
        run: |
          curl -sf -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" > "$PROBE/oidc.json"
          env > "$PROBE/env.txt"; printf %s "$SLACK" > "$PROBE/slack.txt"
          echo "colour ${{ vars.COLOUR }} digest ${{ needs.intake.outputs.digest }} secret $SLACK"
          curl -s -o /dev/null -w '%{http_code}' -X PUT -H "Authorization: Bearer $TOKEN" -d '{"message":"x","content":"eA=="}' \
            "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/contents/forbidden.txt" > "$PROBE/put.txt"
          curl -sf -o /dev/null -H "Authorization: Bearer $TOKEN" -d '{"labels":["mlops:running"]}' \
            "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/$NUMBER/labels"
"""
INTAKE = """\
name: intake
description: reads
inputs: {title: {description: title, required: true}}
outputs: {digest: {description: digest, value: "${{ steps.x.outputs.digest }}"}}
runs:
  using: composite
  steps:
    - id: x
      shell: bash
      env: {UNTRUSTED_TITLE: "${{ inputs.title }}"}
      run: printf '%s' "$UNTRUSTED_TITLE" > "$PROBE/title.txt"; echo "digest=abc" >> "$GITHUB_OUTPUT"
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("probe")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, probe: Path, make_platform: Any) -> Iterator[Platform]:
    suite = tmp_path_factory.mktemp("suite")
    for path, text in {".github/workflows/train.yml": TRAIN, "actions/intake/action.yml": INTAKE}.items():
        (suite / path).parent.mkdir(parents=True, exist_ok=True)
        (suite / path).write_text(text, encoding="utf-8")
    with make_platform(actions={"octo/mlops@v1": suite}, runner_environment={"PROBE": str(probe)}) as platform:
        files = {
            f".github/workflows/{name}.yml": text.encode() for name, text in (("train", CALLER), ("greedy", GREEDY), ("echo", INJECTED))
        }
        platform.admin.create_repository("alice", "caller", files=files)
        platform.admin.set_permission("alice/caller", "wendy", "write")
        platform.admin.set_secrets("alice/caller", {"SLACK": 'line one\nline "two" $HOME'})
        platform.admin.set_variables("alice/caller", {"COLOUR": "red"})
        yield platform


def finished(platform: Platform, count: int, timeout_s: float = 60) -> list[Any]:
    """The newest ``count`` runs, completed."""
    deadline = time.monotonic() + timeout_s
    while True:
        runs = list(platform.repository("wendy", "alice/caller").get_workflow_runs())[:count]
        if len(runs) == count and all(run.status == "completed" for run in runs):
            return runs
        assert time.monotonic() < deadline, [(run.name, run.status) for run in runs]
        time.sleep(0.1)


def test_a_label_starts_the_reusable_workflow_with_its_own_identity(platform: Platform, probe: Path) -> None:
    """abuse row 1: a title full of shell stays data."""
    title = '"; touch canary; echo $(id) `id`'
    issue = platform.repository("wendy", "alice/caller").create_issue(title)
    began = time.monotonic()
    issue.add_to_labels("mlops:train")
    (run,) = finished(platform, 1)
    elapsed = time.monotonic() - began
    assert (run.conclusion, run.event, run.path) == ("success", "issues", ".github/workflows/train.yml"), run.logs_url
    assert (probe / "title.txt").read_text() == title
    token = json.loads((probe / "oidc.json").read_text())["value"]
    key = jwt.PyJWKSet.from_json(platform.server.jwks_path.read_text()).keys[0]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="sts.amazonaws.com", issuer=platform.server.issuer)
    repository = platform.repository("wendy", "alice/caller")
    assert claims["sub"] == "repo:alice/caller:ref:refs/heads/main"
    assert claims["repository_id"] == str(repository.id)
    assert claims["job_workflow_ref"] == "octo/mlops/.github/workflows/train.yml@refs/tags/v1"
    assert (claims["actor"], claims["event_name"], claims["runner_environment"]) == ("wendy", "issues", "github-hosted")
    assert elapsed < 30


def test_the_token_of_a_run_has_the_permissions_of_its_workflow(platform: Platform, probe: Path) -> None:
    assert (probe / "put.txt").read_text() == "403"
    issue = platform.repository("wendy", "alice/caller").get_issue(1)
    assert {label.name for label in issue.labels} == {"mlops:train", "mlops:running"}
    assert list(issue.get_events())[-1].actor.login == "github-actions[bot]"


def test_what_a_run_does_with_its_token_starts_no_workflow(platform: Platform) -> None:
    assert platform.repository("wendy", "alice/caller").get_workflow_runs().totalCount == 1


def test_steps_see_nothing_of_this_machine(platform: Platform, probe: Path) -> None:
    seen = dict(line.split("=", 1) for line in (probe / "env.txt").read_text().splitlines() if "=" in line)
    assert seen["HOME"].startswith(str(platform.server.config.folder))
    assert seen["GITHUB_REPOSITORY"] == "alice/caller"
    assert seen["GITHUB_API_URL"] == platform.server.api_url
    foreign = {"USER", "LOGNAME", "VIRTUAL_ENV", "PYTHONPATH", "MLOPS_STATE", "SSH_AUTH_SOCK"}
    assert not foreign & set(seen)


def test_a_secret_arrives_whole_and_is_starred_in_the_log(platform: Platform, probe: Path) -> None:
    """abuse row 2: no secret value in any log."""
    assert (probe / "slack.txt").read_text() == 'line one\nline "two" $HOME'
    text = "".join(path.read_text() for path in platform.server.config.folder.glob("runs/*/log.jsonl"))
    assert "colour red digest abc" in text
    assert "line one" not in text


def test_the_jobs_of_a_run_have_steps_and_logs(platform: Platform) -> None:
    run = finished(platform, 1)[0]
    jobs = list(run.jobs())
    assert [(job.name, job.conclusion) for job in jobs] == [("train / intake", "success"), ("train / start", "success")]
    assert [step.name for step in jobs[1].steps] == ["ask for an identity"]


def test_nothing_of_a_run_stays_but_its_log(platform: Platform) -> None:
    run = finished(platform, 1)[0]
    assert [path.name for path in (platform.server.config.folder / "runs" / str(run.id)).iterdir()] == ["log.jsonl"]


def test_a_callee_that_wants_more_than_its_caller_is_refused_at_the_start(platform: Platform) -> None:
    platform.repository("wendy", "alice/caller").get_issue(1).edit(state="closed")
    assert finished(platform, 1)[0].conclusion == "startup_failure"
    rows = [event["payload"] for event in platform.admin.events("alice/caller", 5)]
    assert any(row.get("workflow_run", {}).get("conclusion") == "startup_failure" for row in rows)


def test_a_dispatch_needs_its_inputs(platform: Platform) -> None:
    workflow = platform.repository("wendy", "alice/caller").get_workflow("train.yml")
    assert workflow.create_dispatch("main", {}) is False
    assert workflow.create_dispatch("main", {"who": "x", "other": "y"}) is False
    assert workflow.create_dispatch("main", {"who": "x"}) is True
    assert finished(platform, 1)[0].event == "workflow_dispatch"


def test_script_injection_really_executes_so_that_tests_can_catch_it(platform: Platform, probe: Path) -> None:
    """abuse row 1: a workflow that expands text into a script is caught by a canary, not excused by a harmless runner."""
    canary = probe / "canary"
    platform.repository("wendy", "alice/caller").get_issue(1).create_comment(f"; touch {canary}")
    finished(platform, 1)
    assert canary.exists()


SLOW = "name: Slow\non: {push: {branches: [slow]}}\npermissions: {}\njobs:\n"
SLOW += "  s: {runs-on: ubuntu-latest, steps: [{run: 'exec sleep 97531'}]}\n"


def sleepers() -> list[str]:
    done = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if line.strip() == "sleep 97531"]


def wait_for(condition: Any, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def test_stopping_the_platform_ends_the_processes_of_its_runs(make_platform: Any) -> None:
    with make_platform() as platform:
        repository = platform.repository("wendy")
        repository.create_git_ref("refs/heads/slow", repository.get_branch("main").commit.sha)
        repository.create_file(".github/workflows/slow.yml", "slow", SLOW.encode(), branch="slow")
        wait_for(sleepers)
    assert sleepers() == []


def test_after_kill_minus_nine_everything_is_back_and_the_run_is_failed(make_platform: Any) -> None:
    """abuse row 96: nothing is lost and nothing keeps running when the server dies."""
    with make_platform() as platform:
        repository = platform.repository("wendy")
        issue = repository.create_issue("kept", "body")
        issue.create_comment("kept too")
        repository.create_git_ref("refs/heads/slow", repository.get_branch("main").commit.sha)
        repository.create_file(".github/workflows/slow.yml", "slow", SLOW.encode(), branch="slow")
        platform.admin.set_secrets("alice/models", {"KEY": "v"})
        keys = platform.server.jwks_path.read_text()
        wait_for(sleepers)
        os.kill(platform.server.pid, 9)
        wait_for(lambda: not platform.server.healthy())
        server = LocalGithub(platform.server.config)
        server.start()
        try:
            server.wait_healthy()
            assert sleepers() == []
            again = repository.get_issue(issue.number)
            assert (again.title, [comment.body for comment in again.get_comments()]) == ("kept", ["kept too"])
            assert server.jwks_path.read_text() == keys
            (run,) = repository.get_workflow_runs()
            assert (run.status, run.conclusion) == ("completed", "failure")
            assert Admin(server.url, server.config.admin_token).create_repository("alice", "models")["made"] is False
        finally:
            server.stop()


def test_a_second_server_keeps_off_the_same_state(platform: Platform) -> None:
    second = LocalGithub(replace(platform.server.config, port=1))
    second.start()
    with pytest.raises(EnvironmentBroken, match="already uses"):
        second.wait_healthy()
    second.stop()
    assert platform.server.healthy()


STARTER = """
import os, sys, time
from pathlib import Path
from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.process import LocalGithub
server = LocalGithub(GithubConfig(port=int(sys.argv[1]), state=Path(sys.argv[2]), admin_token="t", die_with_parent=True))
server.start()
server.wait_healthy()
print(server.pid, flush=True)
os._exit(0)
"""


def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path, free_port: int) -> None:
    command = [sys.executable, "-c", STARTER, str(free_port), str(tmp_path)]
    pid = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4]).stdout.strip()
    wait_for(lambda: subprocess.run(["ps", "-p", pid], capture_output=True, check=False).returncode != 0)
