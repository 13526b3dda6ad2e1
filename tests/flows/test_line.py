"""The whole line on the real local platform: form → … → history, by each way in, and every kind of end."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_core.adapters.shell import session_of_shell
from mlops_core.adapters.upload_s3 import upload
from mlops_core.cli import seed
from mlops_core.cli.follow import wait_for_run
from mlops_core.cli.history import check_chains, read
from mlops_core.cli.platform import Platform
from mlops_core.contracts.request import TrainingRequest
from mlops_core.contracts.run import RunState
from mlops_core.intake.render import render_body
from tests.flows.conftest import until, write

pytestmark = pytest.mark.flow


@dataclass
class Line:
    """What the tests do as a person would."""

    platform: Platform
    uri: str

    @classmethod
    def of(cls, platform: Platform, folder: Path, content: bytes, *, dataset: str) -> Line:
        """The line for a table that somebody added as ``flowers.csv``."""
        path = write(folder, "flowers.csv", content)
        return cls(platform, upload(platform.session(), path, bucket=platform.bucket, dataset=dataset))

    def ask(self, repository: str, name: str, **changes: Any) -> int:
        """Open an issue through the form; its number."""
        asked = {"model_name": name, "task": "multiclass", "algorithm": "random_forest", "dataset": self.uri, "target": "species"}
        quick = {"metric": "accuracy", "hyperparameters": {"n_estimators": 20}, "endpoint": False}
        request = TrainingRequest.model_validate({**asked, **quick, **changes})
        return self.platform.open_issue(repository, f"train {name}", render_body(request))

    def run_of(self, repository: str, issue: int) -> str:
        """The id of the run that answers."""
        return wait_for_run(self.platform.ports(), repository, issue, refused=lambda: self.platform.refusal(repository, issue))

    def closed(self, run_id: str) -> RunState:
        """The state of a run whose record is committed."""
        return until(self.platform, run_id, lambda state: state.outcome is not None and bool(state.history_path))

    def served(self, repository: str, name: str) -> RunState:
        """The run of a model that was asked for, accepted and deployed."""
        issue = self.ask(repository, name, endpoint=True)
        self.platform.label(repository, issue)
        state = self.closed(self.run_of(repository, issue))
        assert (state.outcome, state.champion) == ("succeeded", True), state.reason
        return state

    def comments(self, repository: str, issue: int) -> list[str]:
        """Bodies of an issue's comments."""
        return [str(item["body"]) for item in self.platform.github_call("GET", f"/repos/{repository}/issues/{issue}/comments")]

    def issue(self, repository: str, issue: int) -> dict[str, Any]:
        """The issue as GitHub shows it."""
        found: dict[str, Any] = self.platform.github_call("GET", f"/repos/{repository}/issues/{issue}")
        return found

    def labels(self, repository: str, issue: int) -> set[str]:
        """The issue's labels."""
        return {item["name"] for item in self.issue(repository, issue)["labels"]}


@pytest.fixture(scope="module")
def line(platform: Platform, flowers: Callable[[int], bytes], tmp_path_factory: pytest.TempPathFactory) -> Line:
    return Line.of(platform, tmp_path_factory.mktemp("data"), flowers(1), dataset="flowers")


def test_a_labelled_issue_becomes_a_served_watched_and_recorded_model_by_webhook(line: Line) -> None:
    repository = seed.LOCAL_REPOSITORY
    issue = line.ask(repository, "flowers", endpoint=True, language="ja")
    line.platform.label(repository, issue)
    state = line.closed(line.run_of(repository, issue))
    assert (state.outcome, state.champion, state.model_version) == ("succeeded", True, "1.0.0"), state.reason
    assert all(phase.status == "done" for phase in state.phases)
    pages = line.comments(repository, issue)
    assert len(pages) == 1
    assert f"<!-- mlops:run:{state.run_id} -->" in pages[0]
    wait_for(lambda: line.issue(repository, issue)["state"] == "closed")
    assert "mlops:done" in line.labels(repository, issue)
    answer = line.platform.ports().endpoints.invoke(
        state.endpoint, json.dumps({"instances": [{"length": 4.0, "width": 3.0, "region": "north"}]}).encode()
    )
    assert answer.status == 200
    assert json.loads(answer.body)["predictions"][0]["label"] == "setosa"
    pointer = json.loads(line.platform.ports().repository.read(repository, "mlops/models/flowers/production.json") or b"{}")
    assert (pointer["version"], pointer["run_id"]) == ("1.0.0", state.run_id)
    assert set(line.platform.ports().watch.alarms("mlops-flowers").values()) <= {"OK", "INSUFFICIENT_DATA"}


def test_the_callers_workflow_starts_the_same_line_and_never_waits_for_it(line: Line) -> None:
    repository = seed.EXAMPLE_REPOSITORY
    issue = line.ask(repository, "by-workflow")
    line.platform.label(repository, issue)
    state = line.closed(line.run_of(repository, issue))
    assert state.outcome == "succeeded", state.reason
    runs = line.platform.github_call("GET", f"/repos/{repository}/actions/runs")["workflow_runs"]
    # The label that the end sets starts the caller once more, and its condition skips that run.
    assert "success" in {run["conclusion"] for run in runs if run["name"] == "on-issue-labeled"}


def test_what_is_trained_on_a_table_of_ones_own_is_judged_by_the_documented_defaults(line: Line) -> None:
    address = "/repos/{}/contents/.github/mlops.yml"
    assert line.platform.github_call("GET", address.format(seed.EXAMPLE_REPOSITORY))["size"] > 0
    with pytest.raises(urllib.error.HTTPError, match="404"):
        line.platform.github_call("GET", address.format(seed.LOCAL_REPOSITORY))


def test_polling_finds_a_labelled_issue_and_two_more_ways_start_nothing_new(line: Line) -> None:
    repository = seed.POLLED_REPOSITORY
    issue = line.ask(repository, "by-polling")
    line.platform.label(repository, issue)
    poll(line)
    run_id = line.run_of(repository, issue)
    poll(line)
    assert line.closed(run_id).outcome == "succeeded"
    line.platform.github_call("PATCH", f"/repos/{repository}/issues/{issue}", {"state": "open"}, login=seed.APPROVES)
    line.platform.label(repository, issue)
    poll(line)
    records = [
        record
        for folder in line.platform.clones()
        for record in read(folder)
        if record.run.issue == issue and record.run.repository == repository
    ]
    assert [record.run.run_id for record in records] in ([], [run_id])
    assert line.platform.ports().ledger.get(f"RUN#{run_id[:-1]}1", "STATE") is None


def test_below_the_threshold_the_run_waits_and_only_a_writer_can_answer_it(line: Line) -> None:
    repository = seed.LOCAL_REPOSITORY
    issue = line.ask(repository, "picky", threshold=1.0, hyperparameters={"n_estimators": 1, "max_depth": 1}, max_retrains=1)
    line.platform.label(repository, issue)
    run_id = line.run_of(repository, issue)
    until(line.platform, run_id, lambda state: state.verdict is not None and state.verdict.decision == "retrain")
    comment(line, repository, issue, "/retrain n_estimators=60", login="rei")
    comment(line, repository, issue, "/retrain n_estimator=60", login=seed.APPROVES)
    comment(line, repository, issue, "/retrain n_estimators=60 max_depth=12", login=seed.APPROVES)
    state = line.closed(run_id)
    assert [item.number for item in state.rounds] == [0, 1]
    assert {change.name: (change.before, change.after) for change in state.rounds[1].changes} == {
        "n_estimators": (1, 60),
        "max_depth": (1, 12),
    }
    assert state.rounds[1].asked_by == seed.APPROVES
    pages = "\n".join(line.comments(repository, issue))
    assert "n_estimators" in pages
    assert state.outcome in {"succeeded", "refused"}


def test_a_run_that_fails_says_why_on_the_issue_and_the_next_label_starts_the_next_generation(line: Line) -> None:
    repository = seed.LOCAL_REPOSITORY
    issue = line.ask(repository, "no-such-column", target="petals")
    line.platform.label(repository, issue)
    first = line.closed(line.run_of(repository, issue))
    assert first.outcome == "failed"
    assert "petals" in first.reason
    wait_for(lambda: "mlops:failed" in line.labels(repository, issue))
    assert "petals" in line.comments(repository, issue)[0]
    line.platform.label(repository, issue)
    second = f"{first.run_id.rpartition('-g')[0]}-g1"
    assert line.closed(second).generation == 1


def test_an_execution_stopped_by_hand_is_closed_as_aborted(line: Line) -> None:
    repository = seed.LOCAL_REPOSITORY
    issue = line.ask(repository, "stopped")
    line.platform.label(repository, issue)
    run_id = line.run_of(repository, issue)
    running = until(line.platform, run_id, lambda state: bool(state.execution_arn) and state.phases[0].status != "waiting")
    line.platform.ports().machines.stop(running.execution_arn, error="Stopped", cause="by hand")
    state = line.closed(run_id)
    assert state.outcome == "aborted"
    wait_for(lambda: "mlops:failed" in line.labels(repository, issue))


def test_a_request_with_problems_is_answered_with_all_of_them_and_starts_nothing(line: Line) -> None:
    repository = seed.LOCAL_REPOSITORY
    issue = line.platform.open_issue(repository, "train", "### Model name\n\n../../x\n\n### Nonsense\n\n1\n")
    line.platform.label(repository, issue)
    said = wait_for(lambda: line.platform.refusal(repository, issue))
    assert said
    text = line.comments(repository, issue)[0]
    assert "E-PARSE-" in text
    assert "Nonsense" in text
    assert line.platform.ports().ledger.get(f"ISSUE#{repository}#{issue}", "LIVE") is None


def test_a_label_set_by_somebody_who_may_not_write_starts_nothing(line: Line) -> None:
    repository = seed.LOCAL_REPOSITORY
    issue = line.ask(repository, "by-a-triager")
    line.platform.github_call("POST", f"/repos/{repository}/issues/{issue}/labels", {"labels": ["mlops:train"]}, login="tom")
    wait_for(lambda: line.comments(repository, issue))
    assert line.platform.ports().ledger.get(f"ISSUE#{repository}#{issue}", "LIVE") is None


def test_a_forged_webhook_is_refused_before_it_is_read(line: Line) -> None:
    url = f"{line.platform.supervisor.aws.endpoint}/_aws/execute-api/{line.platform.outputs['WebhookApiId']}/$default/webhook"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        post(line, url, b"{}", {"X-Hub-Signature-256": "sha256=" + "0" * 64, "X-GitHub-Event": "issues", "X-GitHub-Delivery": "d"})


def test_every_records_digest_is_in_the_next_one(line: Line) -> None:
    folders = line.platform.clones()
    assert sum(1 for folder in folders for _ in read(folder)) >= 5
    for folder in folders:
        check_chains(folder)
        assert_index(folder)


def assert_index(folder: Path) -> None:
    """The index names exactly the records there are."""
    for index in (folder / "training_history").glob("*/index.json"):
        named = json.dumps(json.loads(index.read_text()))
        assert all(path.stem in named for path in index.parent.glob("*.json") if path.name != "index.json")


def poll(line: Line) -> None:
    """What the schedule does every five minutes."""
    line.platform.session()
    answer = session_of_shell().client("lambda").invoke(FunctionName="mlops-agent-issue", Payload=b'{"action": "poll"}')
    assert "FunctionError" not in answer, answer["Payload"].read()


def comment(line: Line, repository: str, issue: int, body: str, *, login: str) -> None:
    """A comment by a person."""
    line.platform.github_call("POST", f"/repos/{repository}/issues/{issue}/comments", {"body": body}, login=login)


def post(line: Line, url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST that trusts the local CA."""
    import ssl
    import urllib.request

    trust = ssl.create_default_context(cafile=str(line.platform.supervisor.aws.ca_bundle))
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=20, context=trust) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content


def wait_for(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first truthy answer."""
    import time

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.3)
    pytest.fail("nothing came")
