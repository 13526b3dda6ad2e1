"""What a plain run seldom does, done on the deployed platform by the roles that do it: commands by workflow, the schedule, sweeping up.

The tools are called through the server's aliases, as agents call them: what AWS is asked for is asked by the server's own role.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mlops_core.cli import seed
from mlops_core.cli.platform import Platform
from mlops_core.contracts.dataset import DataJobConfig
from mlops_core.errors import Unavailable
from mlops_core.facts import Variant
from mlops_core.local.aws.journal import used
from mlops_core.mcp_server.client import Client
from mlops_core.runs import names
from tests.flows.conftest import until
from tests.flows.test_line import Line, comment, wait_for
from tests.unit.local.aws.sagemaker.bench import archive

pytestmark = pytest.mark.flow
RUN = "rare-1a2b3c4d-g0"
PACKAGES = 6


@pytest.fixture(scope="module")
def line(platform: Platform, flowers: Callable[[int], bytes], tmp_path_factory: pytest.TempPathFactory) -> Line:
    return Line.of(platform, tmp_path_factory.mktemp("data"), flowers(1), dataset="flowers")


def ask(line: Line, alias: str, tool: str, **arguments: object) -> Any:
    """A tool of the deployed server, by the alias of one agent."""
    line.platform.session()
    return Client(f"mlops-server:{alias}").call(tool, **arguments)


def act(line: Line, alias: str, tool: str, **arguments: object) -> Any:
    """A tool that changes something, under a key of its own."""
    return ask(line, alias, tool, key=f"rare-{uuid.uuid4().hex}", **arguments)


def uri(line: Line, path: str) -> str:
    """An object of the platform's bucket."""
    return f"s3://{line.platform.bucket}/{path}"


def test_a_command_reaches_the_waiting_run_through_the_callers_workflow(line: Line) -> None:
    repository = seed.EXAMPLE_REPOSITORY
    issue = line.ask(repository, "picky-too", threshold=1.0, hyperparameters={"n_estimators": 1, "max_depth": 1}, max_retrains=1)
    line.platform.label(repository, issue)
    run_id = line.run_of(repository, issue)
    until(line.platform, run_id, lambda state: state.verdict is not None and state.verdict.decision == "retrain")
    wait_for(lambda: line.platform.ports().ledger.get(names.operator_key(run_id), "TOKEN"))
    comment(line, repository, issue, "/retrain n_estimators=60 max_depth=12", login=seed.APPROVES)
    state = line.closed(run_id)
    assert [item.number for item in state.rounds] == [0, 1]
    assert state.rounds[1].asked_by == seed.APPROVES


def test_a_label_on_an_issue_whose_run_succeeded_starts_nothing_and_leaves_no_live_run(line: Line) -> None:
    repository = seed.EXAMPLE_REPOSITORY
    issue, run_id = succeeded(line, repository)
    before = finished(line, repository)
    line.platform.github_call("PATCH", f"/repos/{repository}/issues/{issue}", {"state": "open"}, login=seed.APPROVES)
    line.platform.label(repository, issue)
    wait_for(lambda: finished(line, repository) > before)
    assert line.platform.ports().ledger.get(names.issue_key(repository, issue), "LIVE") is None
    assert line.platform.ports().ledger.get(names.run_key(f"{run_id[:-1]}1"), "STATE") is None


def succeeded(line: Line, repository: str) -> tuple[int, str]:
    """An issue that the workflow started and its run's id: one of an earlier test where there is one."""
    for found in line.platform.github_call("GET", f"/repos/{repository}/issues?state=closed"):
        marked = re.search(r"<!-- mlops:run:(\S+) -->", "".join(line.comments(repository, found["number"])))
        if marked and "mlops:done" in line.labels(repository, found["number"]):
            return int(found["number"]), marked[1]
    issue = line.ask(repository, "once")
    line.platform.label(repository, issue)
    state = line.closed(line.run_of(repository, issue))
    assert state.outcome == "succeeded", state.reason
    wait_for(lambda: line.issue(repository, issue)["state"] == "closed")
    return issue, state.run_id


def finished(line: Line, repository: str) -> int:
    """How many workflow runs of the label ended well (the one of a result label is skipped)."""
    runs = line.platform.github_call("GET", f"/repos/{repository}/actions/runs?per_page=100")["workflow_runs"]
    return sum(run["name"] == "on-issue-labeled" and run["conclusion"] == "success" for run in runs)


def test_the_schedule_polls_by_a_role_of_its_own(line: Line) -> None:
    scheduler = line.platform.session().client("scheduler")
    target = scheduler.get_schedule(Name="mlops-poll")["Target"]
    scheduler.create_schedule(
        Name="mlops-poll-now",
        ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={name: target[name] for name in ("Arn", "RoleArn", "Input")},
    )
    assert wait_for(lambda: ("mlops-poll", "lambda:InvokeFunction") in used(line.platform.places.state / "aws" / "journal.jsonl"), 90)


def test_a_repeated_start_adopts_the_job_and_jobs_of_both_kinds_are_stopped(line: Line) -> None:
    training = {
        "run_id": RUN, "job": f"mlops-{RUN}-train-r0", "algorithm": "random_forest", "task": "multiclass", "metric": "accuracy", "seed": 1,
        "hyperparameters": {}, "prepared_uri": uri(line, "datasets/flowers/raw"), "output_uri": uri(line, "models/rare/train"),
        "instance_type": "ml.m5.large", "max_runtime_seconds": 120,
    }  # fmt: skip
    assert act(line, "training", "start_training_job", **training) == {"job": training["job"], "adopted": False}
    assert act(line, "training", "start_training_job", **training) == {"job": training["job"], "adopted": True}
    config = DataJobConfig(task="multiclass", target="species")
    act(
        line, "data", "start_data_job", run_id=RUN, job=f"mlops-{RUN}-data", config=config, raw_uri=line.uri, test_uri=None,
        output_uri=uri(line, "datasets/rare/versions/v1.0.0/x"), instance_type="ml.m5.large", max_runtime_seconds=120,
    )  # fmt: skip
    for kind, job in (("processing", f"mlops-{RUN}-data"), ("training", f"mlops-{RUN}-train-r0")):
        assert act(line, "training", "stop_job", job=job, kind=kind).keys() == {"stopped"}


def test_versions_beyond_the_newest_five_leave_the_registry(line: Line) -> None:
    registry = line.platform.ports().registry
    registry.ensure_group("mlops-rare", "many versions")
    oldest, *_ = (
        registry.register("mlops-rare", model_uri=uri(line, "models/rare/model.tar.gz"), properties={"number": str(number)}, description="")
        for number in range(PACKAGES)
    )
    assert act(line, "packaging", "prune_versions", model_name="rare", keep=5)["removed"] == [oldest]
    assert len(registry.packages("mlops-rare")) == PACKAGES - 1


def test_an_endpoint_that_never_served_is_removed_before_it_is_made_anew(line: Line) -> None:
    ports, broken = line.platform.ports(), uri(line, "models/rare/broken/model.tar.gz")
    ports.objects.write(broken, archive({"nothing": b"to serve"}))
    ports.endpoints.create_model("mlops-rare", model_uri=broken, environment={}, tags={})
    ports.endpoints.create_config("mlops-rare", [Variant("AllTraffic", "mlops-rare", "ml.m5.large")], capture=None, tags={})
    call = {"endpoint": "mlops-rare", "config_name": "mlops-rare"}
    assert act(line, "deployment", "apply_endpoint", **call) == {"action": "created"}
    wait_for(lambda: ask(line, "deployment", "describe_endpoint", endpoint="mlops-rare")["status"] == "Failed")
    with pytest.raises(Unavailable, match="made anew"):
        act(line, "deployment", "apply_endpoint", **call)
    wait_for(lambda: ask(line, "deployment", "describe_endpoint", endpoint="mlops-rare")["status"] == "Missing")


def test_an_endpoint_moves_between_configs_and_old_ones_are_swept(line: Line) -> None:
    found = line.platform.ports().repository.read(seed.LOCAL_REPOSITORY, "mlops/models/flowers/production.json")
    if found is None:
        pytest.skip("it takes the model that tests/flows/test_line.py serves; run that file too")
    pointer = json.loads(found)
    endpoint, version = pointer["endpoint"], pointer["version"]
    serving = ask(line, "deployment", "describe_endpoint", endpoint=endpoint)["config_name"]
    made = [f"mlops-flowers-{version.replace('.', '-')}-{number:08x}" for number in range(6)]
    for name in made:
        act(
            line, "deployment", "create_serving", model_name="flowers", version=version, config_name=name, model_uri=pointer["model_uri"],
            capture=0,
        )  # fmt: skip
    for config in (made[-1], serving):
        assert act(line, "deployment", "apply_endpoint", endpoint=endpoint, config_name=config) == {"action": "updated"}
        wait_for(lambda: ask(line, "deployment", "describe_endpoint", endpoint=endpoint)["status"] == "InService")
        assert ask(line, "deployment", "describe_endpoint", endpoint=endpoint)["config_name"] == config
    assert act(line, "deployment", "delete_endpoint_config", endpoint=endpoint, model_name="flowers")["removed"] == [made[0]]
