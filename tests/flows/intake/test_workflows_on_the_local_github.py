"""The public workflows called by the example caller on the local GitHub: who is let in, what is answered, what never starts."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from github import Auth, Github  # noqa: TID251 - PyGithub is the independent client
from github.Repository import Repository  # noqa: TID251

from mlops_core.cli.suite import export
from mlops_core.local.github.admin import Admin
from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.process import LocalGithub
from tests.unit.intake.bodies import BUCKET, body

ROOT = Path(__file__).resolve().parents[3]
CALLER = ROOT / "examples" / "caller"
ZEROS = "0" * 40
PEOPLE = {"alice": "admin", "wendy": "write", "tina": "triage", "rita": "read"}
VARIABLES = {
    "MLOPS_AWS_REGION": "eu-west-1",
    "MLOPS_TRAIN_ROLE_ARN": "arn:aws:iam::111122223333:role/mlops-train",
    "MLOPS_OPERATE_ROLE_ARN": "arn:aws:iam::111122223333:role/mlops-operate",
    "MLOPS_BUCKET": BUCKET,
    "MLOPS_TABLE": "mlops-ledger",
    "MLOPS_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:111122223333:stateMachine:mlops-pipeline",
}

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


class World:
    """A local GitHub with the example caller and people of every permission."""

    def __init__(self, server: LocalGithub) -> None:
        self._server = server
        self._admin = Admin(server.url, server.config.admin_token)
        for login in PEOPLE:
            self._admin.create_person(login)
        files = {path.relative_to(CALLER).as_posix(): path.read_bytes() for path in CALLER.rglob("*") if path.is_file()}
        self._admin.create_repository("alice", "models", files=files)
        for login, role in PEOPLE.items():
            self._admin.set_permission("alice/models", login, role)
        self._admin.set_variables("alice/models", VARIABLES)
        self._tokens = {login: self._admin.create_token(login) for login in PEOPLE}

    def repository(self, login: str) -> Repository:
        pauses: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0}
        return Github(auth=Auth.Token(self._tokens[login]), base_url=self._server.api_url, retry=None, **pauses).get_repo("alice/models")

    def labelled(self, login: str, text: str) -> int:
        """An issue of rita's with a label that ``login`` set; its number, once the workflow it started has ended."""
        count = self._completed()
        issue = self.repository("rita").create_issue('"; touch /tmp/canary #', body=text)
        self.repository(login).get_issue(issue.number).add_to_labels("mlops:train")
        self._wait(count + 1)
        return issue.number

    def commented(self, login: str, number: int, text: str) -> None:
        """A comment, once the workflow it started has ended."""
        count = self._completed()
        self.repository(login).get_issue(number).create_comment(text)
        self._wait(count + 1)

    def last_run(self) -> tuple[str, dict[str, str]]:
        """Conclusion of the newest run and of its jobs by name."""
        run = self.repository("alice").get_workflow_runs()[0]
        return str(run.conclusion), {job.name: str(job.conclusion) for job in run.jobs()}

    def answers(self, number: int) -> list[str]:
        """Comments by others than people."""
        return [item.body for item in self.repository("alice").get_issue(number).get_comments() if item.user.login not in PEOPLE]

    def _completed(self) -> int:
        return sum(run.status == "completed" for run in self.repository("alice").get_workflow_runs())

    def _wait(self, count: int) -> None:
        deadline = time.monotonic() + 90
        while self._completed() < count:
            assert time.monotonic() < deadline, "the workflow did not end"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, act: str, cache: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("github")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    suite = {f"OWNER/mlops@{ZEROS}": export(ROOT, folder / "suite")}
    # Nothing listens on port 9: a job that got as far as AWS fails there and shows it.
    environment = {"MLOPS_ACTIONS_CACHE": str(cache), "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    config = GithubConfig(port=port, state=folder / "state", admin_token="admin", act=act, actions=suite, runner_environment=environment)
    server = LocalGithub(config)
    server.start()
    try:
        server.wait_healthy()
        yield World(server)
    finally:
        server.stop()


def test_a_complete_issue_of_somebody_who_may_start_reaches_the_job_with_credentials(world: World) -> None:
    number = world.labelled("wendy", body())
    _, jobs = world.last_run()
    assert any(name.endswith("intake") and conclusion == "success" for name, conclusion in jobs.items()), jobs
    assert any(name.endswith("start") and conclusion == "failure" for name, conclusion in jobs.items()), jobs
    assert not any("E-PARSE" in answer for answer in world.answers(number))


def test_a_stranger_is_answered_once_and_no_job_with_credentials_runs_abuse_row_30(world: World) -> None:
    number = world.labelled("tina", body())
    conclusion, jobs = world.last_run()
    assert conclusion == "success"
    assert not any(name.endswith("start") and result == "success" for name, result in jobs.items()), jobs
    (answer,) = world.answers(number)
    assert "write, maintain or admin" in answer


def test_a_refused_issue_is_answered_with_what_to_change_abuse_rows_1_28(world: World) -> None:
    number = world.labelled("wendy", body(metric="@everyone closes #1", dataset="s3://elsewhere/datasets/a/x.csv"))
    conclusion, jobs = world.last_run()
    assert conclusion == "failure"
    assert not any(name.endswith("start") and result in {"success", "failure"} for name, result in jobs.items()), jobs
    (answer,) = world.answers(number)
    assert "E-PARSE-017" in answer
    assert "@everyone" not in answer.partition("``````text")[0]


def test_an_outsiders_command_is_ignored_and_starts_no_job_with_credentials_abuse_row_33(world: World) -> None:
    number = world.repository("rita").create_issue("t", body="b").number
    world.commented("tina", number, "/retrain max_depth=8")
    conclusion, jobs = world.last_run()
    assert conclusion == "success"
    assert not any(name.endswith("answer") and result in {"success", "failure"} for name, result in jobs.items()), jobs
    assert world.answers(number) == []


def test_a_wrong_command_of_somebody_who_may_give_one_is_answered_abuse_row_37(world: World) -> None:
    number = world.repository("rita").create_issue("t", body="b").number
    world.commented("wendy", number, "/retrain max_dept=8")
    (answer,) = world.answers(number)
    assert "max" in answer
    assert world.last_run()[0] == "failure"
