"""Champions are trained again when data arrive or a schedule is due, if the policy asks, and replaced only by better ones."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mlops_core.agents import retraining
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Interval
from mlops_core.errors import NotFound, Unavailable
from mlops_core.facts import ProcessingJob
from mlops_core.intake.body import parse_body
from mlops_core.runs import models, retrain
from tests.unit.mcp_server import world as w
from tests.unit.stepfunctions.walker import Walker

ASKED = b"retrain:\n  on_data: true\n  schedule: 'rate(7 days)'\n  cool_down_hours: 24\n"
NEW = "s3://lake/datasets/adult/raw/0123456789abcdef/train.csv.gz"


@pytest.fixture
def walker() -> Walker:
    """A champion whose repository asks for both triggers, an hour after its run."""
    walker = Walker(w.world(), auc=[0.92])
    walker.memory.repository.files[w.REPOSITORY] = {".github/mlops.yml": ASKED}
    assert walker.run(walker.start(hyperparameters={"max_depth": 6}, max_retrains=1)).status == "SUCCEEDED"
    later(walker, hours=1)
    return walker


def later(walker: Walker, **passed: float) -> None:
    """Time passes."""
    walker.memory.clock.moment += timedelta(**passed)


def policy(walker: Walker, text: bytes) -> None:
    """What the default branch says from now on."""
    walker.memory.repository.commit(w.REPOSITORY, "Change the policy", lambda _: {".github/mlops.yml": text})


def arrives(walker: Walker, uri: str = NEW, body: bytes = b"age,income\n2,no\n") -> str:
    """A file arrives, and S3 tells the agent; what became of the model."""
    walker.memory.objects.write(uri, body)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    event = {"action": "arrived", "bucket": bucket, "object_key": key}
    return str(walker.line.act("retraining", retraining.ACTIONS, event)["models"].get("income", "nothing"))


def ticks(walker: Walker) -> str:
    """The schedule looks; what became of the model."""
    return str(walker.line.act("retraining", retraining.ACTIONS, {"action": "tick"})["models"].get("income", "nothing"))


def champion(walker: Walker) -> Any:
    """The champion."""
    return models.champion(walker.memory.ports, "income")


def finished(walker: Walker, run: str, auc: float) -> RunState:
    """The run walked to its end, measured so."""
    walker.auc = [*walker.auc[: walker._looks], auc]
    walker.run(run)
    return walker.line.state(run)


def test_new_data_start_a_run_on_an_issue_of_its_own_with_the_champions_request(walker: Walker) -> None:
    run = arrives(walker)
    state = walker.line.state(run)
    assert (state.trigger, state.request.dataset, state.issue) == ("data", NEW, 8)
    assert (state.request.max_retrains, state.request.algorithm, state.request.hyperparameters) == (0, "xgboost", {"max_depth": 6})
    assert state.approved_by.startswith(".github/mlops.yml@")
    issue = walker.memory.repository.issues[w.REPOSITORY, 8]
    assert issue.title == "Train income again: new data (train.csv.gz)"
    parsed = parse_body(issue.body, bucket="lake")
    assert (parsed.request, parsed.body_digest) == (state.request, state.body_digest)


def test_a_better_challenger_replaces_the_champion_and_an_equal_one_does_not(walker: Walker) -> None:
    equal = finished(walker, arrives(walker), 0.92)
    assert (equal.outcome, champion(walker).version) == ("refused", "1.0.0")
    assert "champion margin" in equal.reason
    later(walker, hours=25)
    better = finished(walker, arrives(walker, NEW, b"age,income\n3,yes\n"), 0.95)
    assert better.outcome == "succeeded", better.reason
    assert (better.outcome, better.model_version, champion(walker).version) == ("succeeded", "1.0.1", "1.0.1")
    assert walker.memory.endpoints.endpoints["mlops-income"].config_name.startswith("mlops-income-1-0-1-")


def test_the_champion_is_compared_on_the_challengers_rows_where_it_was_measured_there(
    walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = w.results

    def measured(run_id: str, split: str, auc: float = 0.92) -> EvaluationResults:
        there = {"champion": {"roc_auc": Interval(value=0.97, low=0.96, high=0.98)}, "champion_version": "1.0.0"}
        return plain(run_id, split, auc).model_copy(update=there)

    monkeypatch.setattr(w, "results", measured)
    lost = finished(walker, arrives(walker), 0.95)
    assert (lost.outcome, lost.reason) == ("refused", "champion margin: roc_auc is 0.95 and must be more than 0.97.")
    job = walker.memory.jobs.asked[f"mlops-{lost.run_id}-eval-r0"]
    assert isinstance(job, ProcessingJob)
    assert {name: uri for name, uri, _ in job.inputs}["champion"] == "s3://lake/models/income/1.0.0/model.tar.gz"


def test_a_champion_that_learned_from_these_rows_is_compared_by_its_record(walker: Walker) -> None:
    issue = walker.memory.repository.issues[w.REPOSITORY, 7]
    walker.memory.repository.issues[w.REPOSITORY, 7] = replace(issue, state="open", labels=("mlops:train",))
    run = walker.start(hyperparameters={"max_depth": 6}, max_retrains=1, seed=3)
    walker.run(run)
    job = walker.memory.jobs.asked[f"mlops-{run}-eval-r0"]
    assert isinstance(job, ProcessingJob)
    assert "champion" not in {name for name, _, _ in job.inputs}


def test_a_person_may_release_an_equal_model(walker: Walker) -> None:
    issue = walker.memory.repository.issues[w.REPOSITORY, 7]
    walker.memory.repository.issues[w.REPOSITORY, 7] = replace(issue, state="open", labels=("mlops:train",))
    run = walker.start(hyperparameters={"max_depth": 6}, max_retrains=1, seed=3)
    assert walker.run(run).status == "SUCCEEDED"
    assert champion(walker).version == "1.0.1"


def test_a_cool_down_keeps_two_runs_apart(walker: Walker) -> None:
    first = arrives(walker)
    assert arrives(walker, NEW, b"age,income\n4,no\n") == "cooling down"
    later(walker, hours=23.9)
    assert arrives(walker, NEW, b"age,income\n5,no\n") == "cooling down"
    later(walker, hours=0.2)
    assert arrives(walker, NEW, b"age,income\n6,no\n") not in {first, "cooling down"}


@pytest.mark.parametrize("text", [b"", b"minimum:\n  roc_auc: 0.5\n", b"retrain:\n  schedule: 'rate(7 days)'\n"])
def test_data_start_nothing_unless_the_policy_asks(walker: Walker, text: bytes) -> None:
    policy(walker, text)
    assert arrives(walker) == "not asked for"
    assert (w.REPOSITORY, 8) not in walker.memory.repository.issues


@pytest.mark.parametrize(
    "uri",
    [
        "s3://lake/datasets/adult/raw/0123456789abcdef/test.csv.gz",
        "s3://lake/datasets/other/raw/0123456789abcdef/train.csv.gz",
        "s3://lake/datasets/adult/versions/v1.0.0/train.csv.gz",
        "s3://lake/datasets/adult/raw/a%20b/train.csv.gz",
        "s3://elsewhere/datasets/adult/raw/0123456789abcdef/train.csv.gz",
    ],
)
def test_other_files_start_nothing(walker: Walker, uri: str) -> None:
    assert arrives(walker, uri) == "nothing"


def test_a_schedule_is_due_after_its_period_and_only_with_newer_data(walker: Walker) -> None:
    assert ticks(walker) == "not due"
    later(walker, days=7)
    assert ticks(walker) == "nothing newer"
    walker.memory.objects.write(NEW, b"age,income\n2,no\n")
    walker.memory.objects.write("s3://lake/datasets/adult/raw/0123456789abcdef/test.csv.gz", b"age,income\n9,no\n")
    run = ticks(walker)
    assert (walker.line.state(run).trigger, walker.line.state(run).request.dataset) == ("schedule", NEW)
    assert finished(walker, run, 0.95).outcome == "succeeded"
    assert champion(walker).version == "1.0.1"


def test_data_that_made_no_better_model_are_not_tried_again(walker: Walker) -> None:
    later(walker, days=7)
    walker.memory.objects.write(NEW, b"age,income\n2,no\n")
    assert finished(walker, ticks(walker), 0.9).outcome == "refused"
    assert ticks(walker) == "not due"
    later(walker, days=8)
    assert ticks(walker) == "nothing newer"


def test_the_newest_file_is_found_in_a_folder_of_thousands(walker: Walker) -> None:
    later(walker, days=8)
    for number in range(1100):
        walker.memory.objects.write(f"s3://lake/datasets/adult/raw/{number:04}/train.csv.gz", b"age,income\n2,no\n")
        later(walker, seconds=1)
    assert walker.line.state(ticks(walker)).request.dataset == "s3://lake/datasets/adult/raw/1099/train.csv.gz"


def test_a_model_without_a_champion_is_not_watched() -> None:
    walker = Walker(w.world())
    walker.memory.repository.files[w.REPOSITORY] = {".github/mlops.yml": ASKED}
    assert arrives(walker) == ticks(walker) == "nothing"
    with pytest.raises(NotFound, match="no champion"):
        retrain.terms_of(walker.memory.ports, "income")


def test_one_bad_policy_is_told_and_hides_no_other_model(walker: Walker, caplog: pytest.LogCaptureFixture) -> None:
    policy(walker, b"retrain: maybe\n")
    with caplog.at_level(logging.ERROR):
        assert arrives(walker) == "E-POLICY"
    assert "a model was not trained again" in caplog.text


def test_what_may_succeed_later_gives_the_cool_down_back_and_is_raised(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> int:
        raise Unavailable("GitHub does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(walker.memory.repository, "open_issue", unreachable)
        with pytest.raises(Unavailable):
            arrives(walker)
    assert arrives(walker).startswith("income-")
