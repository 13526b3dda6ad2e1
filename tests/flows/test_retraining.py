"""New data and a schedule start runs on the deployed platform, by S3's own event and the schedule's own target; only better models win."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlops_core.adapters.shell import session_of_shell
from mlops_core.adapters.upload_s3 import upload
from mlops_core.cli import seed
from mlops_core.contracts.model import ModelRecord
from mlops_core.contracts.run import RunState
from mlops_core.local.aws.journal import used
from mlops_core.runs import models, policy, retrain
from mlops_core.runs.page import results
from tests.flows.conftest import until, write
from tests.flows.test_line import Line, wait_for

pytestmark = pytest.mark.flow
REPOSITORY, MODEL, DATASET = seed.LOCAL_REPOSITORY, "again", "again"
ASKED = b'retrain:\n  on_data: true\n  schedule: "rate(1 minute)"\n  cool_down_hours: 0\n'


@dataclass(frozen=True)
class Champion:
    """A champion whose data change after it, in a repository that asks for retraining."""

    line: Line
    folder: Path
    first: RunState

    def now(self) -> ModelRecord:
        """The champion."""
        found = models.champion(self.line.platform.ports(), MODEL)
        assert found
        return found

    def brings(self, seed_: int, noise: float, *, shift: float) -> None:
        """Somebody adds data under the champion's file name."""
        path = write(self.folder, "flowers.csv", flowers(seed_, noise, shift))
        upload(self.line.platform.session(), path, bucket=self.line.platform.bucket, dataset=DATASET)

    def next_run(self, after: set[str]) -> RunState:
        """The run that somebody's data or the schedule started, once it is closed."""
        run = wait_for(lambda: next(iter(self.runs() - after), None), seconds=60)
        return until(self.line.platform, str(run), lambda state: state.outcome is not None and bool(state.history_path))

    def runs(self) -> set[str]:
        """Runs of the model that nobody asked for, by their issues."""
        issues: list[dict[str, Any]] = self.line.platform.github_call("GET", f"/repos/{REPOSITORY}/issues?state=all&per_page=100")
        mine = [item["number"] for item in issues if item["title"].startswith(f"Train {MODEL} again")]
        found: set[str] = set()
        for number in mine:
            bodies = "\n".join(self.line.comments(REPOSITORY, number))
            found |= {word for word in bodies.replace("`", " ").replace("\\", "").replace(":", " ").split() if word.startswith(f"{MODEL}-")}
        return {word for word in found if word.count("-") == 2 and word.rpartition("-")[2].startswith("g")}


def flowers(seed_: int, noise: float, shift: float) -> bytes:
    """240 flowers whose class is told by two measures, a share of them mislabelled; a shift of 2 makes one class look like the next."""
    chance = random.Random(seed_)
    lines = ["length,width,region,species"]
    for number in range(240):
        kind = number % 3
        told = chance.randrange(3) if chance.random() < noise else kind
        length, width = chance.gauss(4.0 + 2 * kind + shift, 0.4), chance.gauss(3.0 - kind - shift / 2, 0.4)
        lines.append(f"{length:.3f},{width:.3f},{chance.choice(['north', 'south'])},{('setosa', 'versicolor', 'virginica')[told]}")
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module")
def champion(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Champion:
    folder = tmp_path_factory.mktemp("data")
    line = Line.of(platform, folder, flowers(1, 0.05, 0.0), dataset=DATASET)
    return Champion(line, folder, line.served(REPOSITORY, MODEL))


def asks(champion: Champion, text: bytes) -> None:
    """What the repository's policy says of retraining from now on; everything else stays."""

    def build(reader: Callable[[str], bytes | None]) -> dict[str, bytes | None]:
        return {policy.PATH: (reader(policy.PATH) or b"").partition(b"\nretrain:")[0].rstrip(b"\n") + b"\n" + text}

    champion.line.platform.ports().repository.commit(REPOSITORY, "Change the policy", build)


def test_data_are_not_answered_unless_the_policy_asks(champion: Champion) -> None:
    champion.brings(2, 0.0, shift=2.0)
    lambdas = session_of_shell().client("lambda")
    answer = lambdas.invoke(FunctionName="mlops-agent-retraining", Payload=b'{"action": "tick"}')
    assert json.loads(answer["Payload"].read())["models"][MODEL] == "not asked for"
    assert champion.runs() == set()


def test_data_that_changed_replace_the_champion_and_worse_ones_do_not(champion: Champion) -> None:
    asks(champion, ASKED)
    champion.brings(3, 0.0, shift=2.0)
    better = champion.next_run(set())
    assert (better.trigger, better.outcome, better.champion) == ("data", "succeeded", True), better.reason
    looked = results(champion.line.platform.ports(), str(better.evaluation_uri))
    assert looked
    assert (looked.champion_version, set(looked.champion)) == ("1.0.0", set(looked.metrics))
    assert better.approved_by.startswith(f"{policy.PATH}@")
    assert champion.now().version == better.model_version == "1.0.1"
    answer = champion.line.platform.ports().endpoints.invoke(
        f"mlops-{MODEL}", json.dumps({"instances": [{"length": 4.0, "width": 3.0, "region": "north"}]}).encode()
    )
    assert answer.attributes.split("/")[1] == "1.0.1"
    champion.brings(4, 0.3, shift=2.0)
    worse = champion.next_run({better.run_id})
    assert (worse.trigger, worse.outcome, worse.champion) == ("data", "refused", False)
    assert champion.now().version == "1.0.1"


def test_the_schedule_finds_newer_data_that_no_event_brought(champion: Champion) -> None:
    asks(champion, ASKED.replace(b"on_data: true", b"on_data: false"))
    before = champion.runs()
    champion.brings(5, 0.0, shift=0.0)
    ports = champion.line.platform.ports()
    row = ports.ledger.get(retrain.WATCHED, f"MODEL#{MODEL}") or {}
    ports.ledger.put(retrain.WATCHED, f"MODEL#{MODEL}", {**row, "at": "2026-01-01T00:00:00Z"})
    wait_for(lambda: retrain.terms_of(ports, MODEL).idle_seconds > 60, seconds=90)
    scheduler = session_of_shell().client("scheduler")
    schedule = scheduler.get_schedule(Name="mlops-retrain")
    assert schedule["State"] == "ENABLED"
    scheduler.create_schedule(
        Name="mlops-retrain-now",
        ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={name: schedule["Target"][name] for name in ("Arn", "RoleArn", "Input")},
    )
    state = champion.next_run(before)
    journal = champion.line.platform.places.state / "aws" / "journal.jsonl"
    assert ("mlops-retrain", "lambda:InvokeFunction") in used(journal)
    assert (state.trigger, state.outcome, champion.now().version) == ("schedule", "succeeded", "1.0.2"), state.reason
    asks(champion, b"")
