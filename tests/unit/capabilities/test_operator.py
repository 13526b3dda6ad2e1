"""The operator's answer: checked, claimed once, shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.capabilities.issue import start_run
from mlops_core.capabilities.retraining import answer_operator
from mlops_core.contracts.approval import RetrainCommand
from mlops_core.contracts.changes import PhaseChange, RunChanges, Text
from mlops_core.contracts.request import Scalar
from mlops_core.runs.progress import record_progress
from mlops_core.runs.shared import park_operator
from mlops_core.runs.state import read_run
from tests.unit.mcp_server import world as w


def waiting(**changes: object) -> tuple[MemoryPorts, str]:
    """A run that waits after round 0."""
    memory = w.world()
    run = start_run(memory.ports, w.approved(algorithm="xgboost", **changes)).run_id
    memory.machines.waiting.add("t0")
    assert park_operator(memory.ports, run, 0, "t0") == {"waiting": True}
    return memory, run


def command(comment: int = 1, **parameters: Scalar) -> RetrainCommand:
    """`/retrain` by somebody with write access."""
    return RetrainCommand(
        repository=w.REPOSITORY, issue=7, given_by="wataru", comment_id=comment, parameters=parameters or {"max_depth": 8}, path="webhook"
    )


def test_an_answer_starts_the_next_round_with_a_before_and_after_table() -> None:
    memory, run = waiting(hyperparameters={"max_depth": 4})
    answer = answer_operator(memory.ports, command(max_depth=8, n_estimators=300))
    assert (answer.accepted, answer.round, answer.text) == (True, 1, "max_depth: 4 → 8; n_estimators: 400 → 300")
    assert read_run(memory.ports, run).round == 1


def test_an_answered_phase_does_not_say_that_it_waits() -> None:
    memory, run = waiting()
    told = PhaseChange(name="validation", status="running", detail=Text(key="detail.asks", values={"round": 0}))
    record_progress(memory.ports, run, RunChanges(phase=told))
    assert "/retrain" in read_run(memory.ports, run).phases[2].detail
    answer_operator(memory.ports, command())
    phase = read_run(memory.ports, run).phases[2]
    assert (phase.name, phase.status, phase.detail) == ("validation", "waiting", "")


@pytest.mark.parametrize(("parameters", "said"), [({"max_dept": 8}, "ハイパーパラメータ"), ({"max_depth": 6}, "何も変わりません")])
def test_a_japanese_run_answers_in_japanese(parameters: dict[str, Scalar], said: str) -> None:
    memory, _ = waiting(language="ja", hyperparameters={"max_depth": 6})
    answer = answer_operator(memory.ports, command(1, **parameters))
    assert (answer.accepted, answer.language) == (False, "ja")
    assert said in answer.text


def test_a_value_reads_back_to_itself_however_small_it_is() -> None:
    memory, run = waiting()
    assert answer_operator(memory.ports, command(learning_rate=0.0012345678901234567)).accepted
    assert read_run(memory.ports, run).rounds[1].changes[0].after == 0.0012345678901234567


def test_abuse_row_44_of_three_at_once_one_wins_and_the_others_hear_which_round_runs() -> None:
    memory, run = waiting()
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda number: answer_operator(memory.ports, command(number)), range(1, 4)))
    assert sorted(answer.accepted for answer in answers) == [False, False, True]
    assert all("lready running as round 1" in answer.text for answer in answers if not answer.accepted)
    assert len(memory.machines.answers) == 1
    assert len(read_run(memory.ports, run).rounds) == 2


def test_the_same_comment_twice_has_one_effect_and_one_answer() -> None:
    memory, run = waiting()
    assert answer_operator(memory.ports, command()).accepted
    assert answer_operator(memory.ports, command()).accepted
    assert len(read_run(memory.ports, run).rounds) == 2


def test_an_unknown_key_gets_a_suggestion_and_changes_nothing() -> None:
    memory, run = waiting()
    answer = answer_operator(memory.ports, command(max_dept=8))
    assert not answer.accepted
    assert "max_depth" in answer.text
    assert read_run(memory.ports, run).rounds == ()
    assert "t0" in memory.machines.waiting


@pytest.mark.parametrize("value", [0, 17, 1.5, "x"])
def test_a_value_out_of_range_is_refused(value: Scalar) -> None:
    memory, _ = waiting()
    assert "allowed" in answer_operator(memory.ports, command(max_depth=value)).text


def test_a_value_that_the_task_has_no_use_for_is_refused() -> None:
    memory, run = waiting(task="regression", metric="rmse", positive_label=None)
    answer = answer_operator(memory.ports, command(class_weight="balanced"))
    assert not answer.accepted
    assert "class_weight = balanced does nothing for regression" in answer.text
    assert read_run(memory.ports, run).round == 0


def test_a_parameter_of_another_method_is_refused() -> None:
    memory, _ = waiting()
    assert not answer_operator(memory.ports, command(min_samples_leaf=3)).accepted


def test_rounds_are_counted() -> None:
    memory, run = waiting(max_retrains=1)
    assert answer_operator(memory.ports, command()).accepted
    memory.machines.waiting.add("t1")
    park_operator(memory.ports, run, 1, "t1")
    assert "all 1 retrains" in answer_operator(memory.ports, command(2, max_depth=9)).text.lower()


def test_nobody_waiting_and_no_run_are_told_apart() -> None:
    memory = w.world()
    assert "no run is live" in answer_operator(memory.ports, command()).text.lower()
    start_run(memory.ports, w.approved())
    assert "does not wait" in answer_operator(memory.ports, command()).text


def test_an_expired_wait_is_told() -> None:
    memory, _ = waiting()
    memory.machines.waiting.clear()
    assert "has passed" in answer_operator(memory.ports, command()).text


def test_the_token_of_a_new_wait_replaces_the_answered_one_and_a_late_repeat_does_not() -> None:
    memory, run = waiting()
    answer_operator(memory.ports, command())
    assert park_operator(memory.ports, run, 0, "t0") == {"waiting": False}
    assert park_operator(memory.ports, run, 1, "t1") == {"waiting": True}
