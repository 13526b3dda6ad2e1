"""The local platform as a thing of its own: ``kill -9`` of everything at any moment, and what is there again afterwards."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_core.adapters.upload_s3 import upload
from mlops_core.cli import seed
from mlops_core.cli.console import Console
from mlops_core.cli.follow import wait_for_run
from mlops_core.cli.history import check_chains, read
from mlops_core.cli.platform import Platform, attached
from mlops_core.contracts.request import TrainingRequest
from mlops_core.contracts.run import RunState
from mlops_core.intake.render import render_body
from mlops_core.runs import names
from tests.flows.conftest import until

pytestmark = pytest.mark.flow

ROW = json.dumps({"instances": [{"length": 4.0, "width": 3.0, "region": "north"}]}).encode()
REPOSITORY = seed.LOCAL_REPOSITORY


@dataclass
class Story:
    """One platform that is killed and started again; ``told`` is what the second start said."""

    platform: Platform
    uri: str
    served: RunState
    cut: str
    cut_issue: int
    before: dict[str, object]
    told: str


def started() -> tuple[Platform, str]:
    """`mlops local up` in a process of its own, as a person starts it; the platform and what the command said."""
    done = subprocess.run([sys.executable, "-m", "mlops_core.cli.main", "local", "up"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return attached(Console(io.StringIO(), io.StringIO())), done.stderr


def processes_of(state: Path) -> list[int]:
    """Every process whose command line or environment names the state folder, this one excepted."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if f"{state}/".encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def ask(platform: Platform, uri: str, name: str, **changes: object) -> int:
    """Open an issue for a quick model and label it; its number."""
    asked = {"model_name": name, "task": "multiclass", "algorithm": "random_forest", "dataset": uri, "target": "species"}
    request = TrainingRequest.model_validate({**asked, "metric": "accuracy", "hyperparameters": {"n_estimators": 20}, **changes})
    issue = platform.open_issue(REPOSITORY, f"train {name}", render_body(request))
    platform.label(REPOSITORY, issue)
    return issue


def run_of(platform: Platform, issue: int) -> str:
    """The id of the run that answers."""
    return wait_for_run(platform.ports(), REPOSITORY, issue, refused=lambda: platform.refusal(REPOSITORY, issue))


def labels(platform: Platform, issue: int) -> set[str]:
    """The issue's labels."""
    return {item["name"] for item in platform.github_call("GET", f"/repos/{REPOSITORY}/issues/{issue}")["labels"]}


def closed(state: RunState) -> bool:
    """Whether the run has its outcome and its record."""
    return state.outcome is not None and bool(state.history_path)


def facts(platform: Platform, served: RunState, uri: str) -> dict[str, object]:
    """What must be the same before and after."""
    ports = platform.ports()
    packages = ports.registry.packages(names.group("kept"))
    return {
        "object": ports.objects.sha256(uri),
        "package": [(item.arn, item.properties) for item in map(ports.registry.describe, (each.arn for each in packages))],
        "ledger": ports.ledger.get(f"RUN#{served.run_id}", "STATE"),
        "record": ports.repository.read(REPOSITORY, served.history_path),
        "pointer": ports.repository.read(REPOSITORY, "mlops/models/kept/production.json"),
        "issue": platform.github_call("GET", f"/repos/{REPOSITORY}/issues/{served.issue}")["body"],
        "comments": [item["body"] for item in platform.github_call("GET", f"/repos/{REPOSITORY}/issues/{served.issue}/comments")],
        "url": platform.url,
    }


@pytest.fixture(scope="module")
def story(flowers: Callable[[int], bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    before = dict(os.environ)
    state = tmp_path_factory.mktemp("killed")
    os.environ["MLOPS_STATE"] = str(state)
    try:
        first, _ = started()
        table = tmp_path_factory.mktemp("data") / "flowers.csv"
        table.write_bytes(flowers(3))
        told = live_through(first, table, state)
        yield told
        told.platform.supervisor.down()
    finally:
        for pid in processes_of(state):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.environ.clear()
        os.environ.update(before)


def live_through(first: Platform, table: Path, state: Path) -> Story:
    """Serve a model, cut a second run by ``kill -9`` of every process, start again."""
    uri = upload(first.session(), table, bucket=first.bucket, dataset="flowers")
    served = until(first, run_of(first, ask(first, uri, "kept")), closed)
    assert served.outcome == "succeeded", served.reason
    digest = bytes(32)
    signed = first.ports().signer.sign(digest)
    issue = ask(first, uri, "cut", endpoint=False)
    cut = run_of(first, issue)
    until(first, cut, lambda run: any(phase.job for phase in run.phases))
    known = facts(first, served, uri)
    time.sleep(1.0)
    for pid in processes_of(state):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    second, told = started()
    assert second.ports().signer.verify(digest, signed[1])
    return Story(second, uri, served, cut, issue, known, told)


def test_objects_registry_ledger_issues_and_commits_are_back_after_kill_nine(story: Story) -> None:
    assert facts(story.platform, story.served, story.uri) == story.before


def test_the_start_after_a_kill_says_what_may_be_lost(story: Story) -> None:
    assert "logs and metrics may be lost" in story.told


def test_the_endpoint_serves_again_after_kill_nine(story: Story) -> None:
    deadline = time.monotonic() + 60
    ports = story.platform.ports()
    while (found := ports.endpoints.describe(story.served.endpoint)) and found.status != "InService" and time.monotonic() < deadline:
        time.sleep(0.3)
    answer = ports.endpoints.invoke(story.served.endpoint, ROW)
    assert (answer.status, json.loads(answer.body)["predictions"][0]["label"]) == (200, "setosa")


def test_a_run_in_flight_is_closed_as_failed_with_its_reason_and_a_new_label_starts_the_next_generation(story: Story) -> None:
    state = until(story.platform, story.cut, closed)
    assert state.outcome in {"failed", "aborted"}
    assert state.reason
    pages = [item["body"] for item in story.platform.github_call("GET", f"/repos/{REPOSITORY}/issues/{story.cut_issue}/comments")]
    assert len(pages) == 1
    deadline = time.monotonic() + 60
    while "mlops:train" in labels(story.platform, story.cut_issue) and time.monotonic() < deadline:
        time.sleep(0.3)
    story.platform.label(REPOSITORY, story.cut_issue)
    again = until(story.platform, f"{story.cut.rpartition('-g')[0]}-g1", closed)
    assert (again.outcome, again.generation) == ("succeeded", 1), again.reason


def test_the_chain_of_records_is_whole_after_kill_nine(story: Story) -> None:
    folders = story.platform.clones()
    assert {record.run.run_id for folder in folders for record in read(folder)} >= {story.served.run_id, story.cut}
    for folder in folders:
        check_chains(folder)


def test_a_second_start_says_that_the_platform_runs_and_disturbs_nothing(story: Story) -> None:
    from mlops_core.cli.main import main

    pids = [story.platform.supervisor.status_of(name).pid for name in ("aws", "github")]
    assert main(["local", "up"]) == 0
    assert [story.platform.supervisor.status_of(name).pid for name in ("aws", "github")] == pids
    assert main(["local", "status"]) == 0


def test_down_leaves_no_process(story: Story) -> None:
    story.platform.supervisor.down()
    deadline = time.monotonic() + 5
    while processes_of(story.platform.places.state) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(story.platform.places.state) == []
