"""Reading and changing the state of a run, safely under concurrent callers.

state = read_run(ports, run_id)
state = change_run(ports, run_id, lambda state: state.model_copy(update={"round": 1}))
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mlops_core.contracts.base import RunId
from mlops_core.contracts.changes import PhaseChange, RunChanges
from mlops_core.contracts.run import PhaseState, Round, RunState
from mlops_core.contracts.verdict import Verdict
from mlops_core.errors import Defect, NotFound, Stale
from mlops_core.ports import Item, Ports
from mlops_core.reporting.messages.wording import explained, said, warned
from mlops_core.runs import names

_TRIES = 8
_MERGED = {"phase", "reason", "rounds", "live_metrics", "plots", "warnings", "jobs"}


def stamp(moment: datetime) -> str:
    """A moment as the contracts spell it, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read_run(ports: Ports, run_id: RunId) -> RunState:
    """The state of a run; NotFound when there is none."""
    return _read(ports, run_id)[0]


def create_run(ports: Ports, state: RunState) -> RunState:
    """Store a new run's state, or return the state an earlier call stored."""
    there = ports.ledger.claim(names.run_key(state.run_id), names.STATE, _row(state, 1))
    return state if there is None else _parsed(there)


def change_run(ports: Ports, run_id: str, change: Callable[[RunState], RunState]) -> RunState:
    """Apply a change on the newest state; repeated when another caller was faster, `Stale` after 8 tries."""
    for attempt in range(_TRIES):
        state, version = _read(ports, run_id)
        changed = change(state)
        if changed == state:
            return state
        try:
            ports.ledger.replace(names.run_key(run_id), names.STATE, _row(changed, version + 1), expected={"version": version})
        except Stale:
            ports.clock.sleep(0.02 * 2**attempt)
            continue
        return changed
    raise Stale(f"the state of run {run_id} kept moving.", remedy="Call again.")


def _read(ports: Ports, run_id: str) -> tuple[RunState, int]:
    row = ports.ledger.get(names.run_key(run_id), names.STATE)
    if row is None:
        raise NotFound(f"there is no run {run_id!r}.", remedy="`mlops history list` shows the runs.")
    version = row.get("version")
    if not isinstance(version, int):
        raise Defect(f"the state of run {run_id} has no version.")
    return _parsed(row), version


def _parsed(row: Item) -> RunState:
    return RunState.model_validate_json(str(row["doc"]))


def _row(state: RunState, version: int) -> Item:
    return {
        "doc": state.model_dump_json(),
        "version": version,
        "status": state.outcome or "live",
        "repository": state.repository,
        "issue": state.issue,
    }


def applied(state: RunState, changes: RunChanges, now: datetime) -> RunState:
    """The state after changes: scalars replace, lists append without repeating themselves, empty means unchanged.

    Rounds merge by number, jobs by name, live metrics by name (the newest value stays), warnings and plots by content.  Lines, warnings
    and the reason are worded in the request's language here.
    """
    language = state.request.language
    update: dict[str, Any] = {
        name: value
        for name, value in ((name, getattr(changes, name)) for name in RunChanges.model_fields if name not in _MERGED)
        if value not in ("", None, ())
    }
    update["rounds"] = _judged(_rounds(state.rounds, changes.rounds), update.get("round", state.round), changes.verdict)
    update["live_metrics"] = tuple({**dict(state.live_metrics), **dict(changes.live_metrics)}.items())
    update["plots"] = tuple(dict.fromkeys(state.plots + changes.plots))
    update["warnings"] = tuple(dict.fromkeys(state.warnings + tuple(warned(language, item) for item in changes.warnings)))
    update["jobs"] = tuple({use.job: use for use in state.jobs + changes.jobs}.values())
    if changes.phase is not None:
        phase = changes.phase
        detail = said(language, phase.detail) if phase.detail else ""
        update["phases"] = tuple(_phase(item, phase, detail, stamp(now)) if item.name == phase.name else item for item in state.phases)
    if changes.reason:
        update["reason"] = explained(language, changes.reason, changes.verdict or state.verdict)
    if changes.outcome is not None and state.ended_at is None:
        update["ended_at"] = stamp(now)
    return RunState.model_validate(state.model_copy(update=update).model_dump())


def _rounds(there: tuple[Round, ...], new: tuple[Round, ...]) -> tuple[Round, ...]:
    merged = {item.number: item for item in there}
    for item in new:
        before = merged.get(item.number, item)
        merged[item.number] = Round(
            number=item.number,
            asked_by=before.asked_by,
            changes=item.changes or before.changes,
            verdict=item.verdict or before.verdict,
        )
    return tuple(merged[number] for number in sorted(merged))


def _judged(rounds: tuple[Round, ...], number: int, verdict: Verdict | None) -> tuple[Round, ...]:
    """The rounds with what was just said about the current one."""
    if verdict is None:
        return rounds
    return tuple(item.model_copy(update={"verdict": verdict}) if item.number == number else item for item in rounds)


def _phase(before: PhaseState, change: PhaseChange, detail: str, now: str) -> PhaseState:
    """Times: started when it first runs (again, after it had ended), ended when it is done, failed or skipped."""
    over = change.status in {"done", "failed", "skipped"}
    again = change.status == "running" and before.ended_at is not None
    started = before.started_at
    if change.status != "waiting" and (started is None or again):
        started = now
    return PhaseState(
        name=before.name,
        status=change.status,
        started_at=started if change.status != "skipped" else before.started_at,
        ended_at=(before.ended_at if over and before.status == change.status else now) if over else None,
        job=change.job if change.job is not None else before.job,
        detail=detail or (before.detail if change.status == before.status else ""),
    )
