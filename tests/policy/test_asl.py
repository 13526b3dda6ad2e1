"""Rules that every state machine keeps, read from the files themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import mlops_core.errors as tree
from mlops_core.errors import MlopsError

FOLDER = Path(__file__).parents[2] / "stepfunctions"
MACHINES = sorted(FOLDER.glob("*.asl.json"))
LIMITS = {"pipeline": 12, "job": 12, "deploy": 12}
RETRYABLE = {name for name, item in vars(tree).items() if isinstance(item, type) and issubclass(item, MlopsError) and item.retryable}
OF_LAMBDA = {"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.TooManyRequestsException"}
LONGEST_JOB_MINUTES = 1440
HISTORY_LIMIT = 20_000


def load(path: Path) -> dict[str, Any]:
    """A machine; the one number that the template substitutes becomes a number."""
    definition: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").replace("${OperatorWaitSeconds}", "259200"))
    return definition


@pytest.fixture(params=MACHINES, ids=lambda path: path.name.split(".")[0])
def machine(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param.name.split(".")[0], load(request.param)


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The task states by name."""
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}


def test_a_machine_has_at_most_a_dozen_states(machine: tuple[str, dict[str, Any]]) -> None:
    name, definition = machine
    assert len(definition["States"]) <= LIMITS[name]


def test_every_state_is_explained_by_a_sentence(machine: tuple[str, dict[str, Any]]) -> None:
    _, definition = machine
    comments = [definition["Comment"], *(state["Comment"] for state in definition["States"].values())]
    comments += [rule["Comment"] for state in definition["States"].values() for rule in state.get("Choices", [])]
    assert all(re.match(r"[A-Z].{8,}\.$", text) for text in comments), comments


def test_every_task_and_the_machine_have_literal_time_outs(machine: tuple[str, dict[str, Any]]) -> None:
    _, definition = machine
    assert isinstance(definition["TimeoutSeconds"], int)
    assert all(isinstance(state.get("TimeoutSeconds"), int) for state in tasks(definition).values())


def test_only_errors_that_say_so_are_retried(machine: tuple[str, dict[str, Any]]) -> None:
    _, definition = machine
    for state in tasks(definition).values():
        for rule in state.get("Retry", []):
            assert set(rule["ErrorEquals"]) <= RETRYABLE | OF_LAMBDA
            assert 1 <= rule["MaxAttempts"] <= 8
            assert rule["BackoffRate"] > 1
            assert rule["JitterStrategy"] == "FULL"


def test_every_error_of_a_task_is_caught(machine: tuple[str, dict[str, Any]]) -> None:
    _, definition = machine
    for name, state in tasks(definition).items():
        assert any(rule["ErrorEquals"] == ["States.ALL"] for rule in state["Catch"]), name


def test_every_machine_speaks_jsonata_without_a_query_on_undefined_names(machine: tuple[str, dict[str, Any]]) -> None:
    _, definition = machine
    assert definition["QueryLanguage"] == "JSONata"
    text = json.dumps(definition)
    assigned = {name for state in definition["States"].values() for name in _assigned(state)} | set(re.findall(r"\$(\w+) :=", text))
    used = set(re.findall(r"\$([a-z_]+)\b(?!\()", text)) - {"states"}
    assert used <= assigned


def _assigned(state: dict[str, Any]) -> set[str]:
    rules = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {name for rule in rules for name in rule.get("Assign", {})}


def test_every_next_state_exists_and_every_state_is_reached(machine: tuple[str, dict[str, Any]]) -> None:
    _, definition = machine
    reached = {definition["StartAt"]}
    for state in definition["States"].values():
        reached |= {rule["Next"] for rule in [state, *state.get("Choices", []), *state.get("Catch", [])] if "Next" in rule}
        reached |= {state["Default"]} if "Default" in state else set()
    assert reached == set(definition["States"])


def test_fails_are_named(machine: tuple[str, dict[str, Any]]) -> None:
    _, definition = machine
    assert all(state["Error"] and state["Cause"] for state in definition["States"].values() if state["Type"] == "Fail")


def test_every_substitution_is_given_by_the_template() -> None:
    template = (FOLDER.parent / "cloudformation" / "machines.yaml").read_text(encoding="utf-8")
    asked = {name for path in MACHINES for name in re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8"))}
    given = set(re.findall(r"^        (\w+): !(?:Sub|Ref)", template, re.MULTILINE))
    assert asked <= given


def test_the_longest_allowed_job_stays_below_the_history_limit_of_step_functions() -> None:
    """Step Functions ends an execution at 25,000 events; the number of looks bounds them, however often a wait is ended early."""
    definition = load(FOLDER / "job.asl.json")
    states = definition["States"]
    looks = max(int(found) for found in re.findall(r"\$checks < (\d+)", json.dumps(states["Ended"])))
    # Entered, scheduled, started, ended, exited (a token task is also submitted); each retry is scheduled, started and failed again.
    waiting = 6 + 3 * states["WaitLong"]["Retry"][0]["MaxAttempts"]
    looking = 5 + 3 * states["Describe"]["Retry"][0]["MaxAttempts"]
    assert looks * (waiting + looking + 2) + 30 < HISTORY_LIMIT


def test_a_job_of_the_longest_allowed_time_is_followed_to_its_end() -> None:
    definition = load(FOLDER / "job.asl.json")
    states = definition["States"]
    first, second, last = (int(found) for found in re.findall(r"\$checks < (\d+)", json.dumps(states["Ended"])))
    patience = first * states["WaitBriefly"]["TimeoutSeconds"]
    patience += (second - first) * states["WaitHalfMinute"]["TimeoutSeconds"]
    patience += (last - second) * states["WaitLong"]["TimeoutSeconds"]
    hour = 3600
    assert patience > LONGEST_JOB_MINUTES * 60 + hour
    assert definition["TimeoutSeconds"] > LONGEST_JOB_MINUTES * 60 + hour
    pipeline = load(FOLDER / "pipeline.asl.json")["States"]
    assert pipeline["Experiment"]["TimeoutSeconds"] > definition["TimeoutSeconds"]


def test_nothing_but_the_deploy_machine_asks_the_deployment_agent() -> None:
    assert [path.name for path in MACHINES if "DeploymentAgentArn" in path.read_text(encoding="utf-8")] == ["deploy.asl.json"]
