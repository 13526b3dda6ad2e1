"""The state of a run under concurrent callers, and how changes merge."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from mlops_core.capabilities.issue import start_run
from mlops_core.contracts.changes import PhaseChange, RunChanges
from mlops_core.contracts.dataset import Finding
from mlops_core.contracts.run import JobUse, PhaseStatus, Round, RunWarning
from mlops_core.errors import NotFound, Stale
from mlops_core.runs.state import applied, change_run, read_run, stamp
from tests.unit.mcp_server import world as w
from tests.unit.reporting.states import verdict

NOW = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 12, 5, 0, tzinfo=UTC)


def test_a_missing_run_is_named() -> None:
    with pytest.raises(NotFound) as caught:
        read_run(w.world().ports, "income-1a2b3c4d-g0")
    assert "income-1a2b3c4d-g0" in str(caught.value)


def test_concurrent_changes_are_all_kept() -> None:
    memory = w.world()
    run = start_run(memory.ports, w.approved()).run_id

    def add(number: int) -> None:
        use = JobUse(job=f"j{number}", phase="data", instance_type="ml.m5.large", billable_seconds=number)
        change_run(memory.ports, run, lambda found: applied(found, RunChanges(jobs=(use,)), NOW))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(12)))
    assert {use.job for use in read_run(memory.ports, run).jobs} == {f"j{number}" for number in range(12)}


def test_a_state_that_never_rests_is_stale() -> None:
    memory = w.world()
    run = start_run(memory.ports, w.approved()).run_id

    def race(found: object) -> object:
        row = memory.ledger.get(f"RUN#{run}", "STATE") or {}
        memory.ledger.put(f"RUN#{run}", "STATE", {**row, "version": int(row["version"] or 0) + 1})
        return getattr(found, "model_copy")(update={"reason": str(row["version"])})  # noqa: B009

    with pytest.raises(Stale):
        change_run(memory.ports, run, race)  # type: ignore[arg-type]


def test_phases_are_stamped_when_they_start_and_end() -> None:
    memory = w.world()
    state = read_run(memory.ports, start_run(memory.ports, w.approved()).run_id)

    def changed(status: PhaseStatus, when: datetime) -> None:
        nonlocal state
        state = applied(state, RunChanges(phase=PhaseChange(name="data", status=status, job="j")), when)

    changed("running", NOW)
    changed("done", LATER)
    phase = state.phases[0]
    assert (phase.started_at, phase.ended_at, phase.job) == (stamp(NOW), stamp(LATER), "j")
    changed("done", datetime(2026, 11, 21, 13, tzinfo=UTC))
    assert state.phases[0].ended_at == stamp(LATER)
    changed("running", datetime(2026, 11, 21, 14, tzinfo=UTC))
    again = state.phases[0]
    assert again.started_at == "2026-11-21T14:00:00.000Z"
    assert again.ended_at is None


def test_lists_do_not_repeat_themselves_and_empty_means_unchanged() -> None:
    memory = w.world()
    state = read_run(memory.ports, start_run(memory.ports, w.approved()).run_id)
    changes = RunChanges(
        warnings=(Finding(code="W-DATA-001", values={"rows": 24, "action": "keep"}),),
        plots=("a.png",),
        live_metrics=(("m", 1.0),),
        rounds=(Round(number=1, asked_by="ana"),),
    )
    twice = applied(applied(state, changes, NOW), changes.model_copy(update={"live_metrics": (("m", 2.0),)}), NOW)
    assert twice.warnings == (RunWarning(code="W-DATA-001", text="24 duplicate rows were kept"),)
    assert (twice.plots, twice.live_metrics, len(twice.rounds)) == (("a.png",), (("m", 2.0),), 1)
    assert applied(twice, RunChanges(), NOW) == twice


def test_a_verdict_belongs_to_the_round_that_it_judges() -> None:
    memory = w.world()
    state = read_run(memory.ports, start_run(memory.ports, w.approved()).run_id)
    rounds = (Round(number=0, asked_by="ana", verdict=verdict("retrain", 0.8)), Round(number=1, asked_by="ana"))
    refused = verdict("refuse", 0.85)
    judged = applied(applied(state, RunChanges(rounds=rounds, round=1), NOW), RunChanges(verdict=refused), NOW)
    assert [item.verdict.decision for item in judged.rounds if item.verdict] == ["retrain", "refuse"]
    assert judged.verdict == refused


def test_a_reason_is_worded_in_the_language_of_the_run() -> None:
    memory = w.world()
    state = read_run(memory.ports, start_run(memory.ports, w.approved(language="ja")).run_id)
    ended = applied(state, RunChanges(outcome="failed", reason="JobFailed: the job ran out of memory. (E-JOB-005)"), NOW)
    assert ended.reason.startswith("ジョブのメモリが不足しました。")
    assert "the job ran out of memory." in ended.reason


def test_the_outcome_stamps_the_end_once() -> None:
    memory = w.world()
    state = read_run(memory.ports, start_run(memory.ports, w.approved()).run_id)
    ended = applied(state, RunChanges(outcome="failed", reason="x"), NOW)
    assert ended.ended_at == stamp(NOW)
    assert applied(ended, RunChanges(reason="y"), LATER).ended_at == stamp(NOW)
