"""The operator's answer to a waiting run: checked against the run's own method, claimed once, handed to the state machine.

answer_operator(ports, command)      # CommandAnswer(accepted=True, run_id=..., round=1, text="max_depth: 6 -> 8")
"""

from __future__ import annotations

import json

from mlops_core.algorithms.catalogue import ENTRIES, suggest
from mlops_core.contracts.approval import CommandAnswer, RetrainCommand
from mlops_core.contracts.request import Language, Scalar
from mlops_core.contracts.run import Change, PhaseState, Round, RunState
from mlops_core.errors import InvalidRequest, Stale
from mlops_core.intake.hyperparameters import plain as written
from mlops_core.ports import Item, Ports
from mlops_core.reporting.messages import plain
from mlops_core.reporting.messages.wording import answered
from mlops_core.runs import names, page, starting
from mlops_core.runs.state import change_run, read_run

TOKEN = "TOKEN"  # noqa: S105 (a sort key)
MOST_ROUNDS = 3
LANGUAGES: tuple[Language, ...] = ("en", "ja")


def park(ports: Ports, run_id: str, number: int, token: str) -> bool:
    """Keep the token of a run that waits after a round; False when that round was answered before."""
    row: Item = {"token": token, "round": number, "status": "waiting"}
    there = ports.ledger.claim(names.operator_key(run_id), TOKEN, row)
    if there is None or there == row:
        return True
    if there["status"] == "answered" and there["round"] == number:
        return False
    try:
        ports.ledger.replace(names.operator_key(run_id), TOKEN, row, expected={"token": there["token"], "status": there["status"]})
    except Stale:
        return False
    return True


def answer_operator(ports: Ports, command: RetrainCommand) -> CommandAnswer:
    """What became of a command; the same comment answered twice gets the same answer and has one effect."""
    live = ports.ledger.get(names.issue_key(command.repository, command.issue), starting.LIVE)
    if live is None:
        # No run, no language: both.
        both = " ".join(plain(language, "operator.no_run") for language in LANGUAGES)
        return CommandAnswer(accepted=False, text=both)
    state = read_run(ports, str(live["run_id"]))
    row = ports.ledger.get(names.operator_key(state.run_id), TOKEN)
    if row is None:
        return _refused(state, "operator.not_waiting", run=state.run_id)
    number, language = int(row["round"] or 0) + 1, state.request.language
    try:
        new = _checked(state, row, command, number)
    except InvalidRequest as error:
        return CommandAnswer(accepted=False, run_id=state.run_id, text=answered(language, error), language=language)
    if row["status"] == "waiting" and not _claimed(ports, state.run_id, row, command, number):
        return _refused(state, "operator.running", round=number)
    return _hand_over(ports, state, row, new)


def _checked(state: RunState, row: Item, command: RetrainCommand, number: int) -> Round:
    if row["status"] != "waiting" and row.get("comment") != command.comment_id:
        raise InvalidRequest(plain(state.request.language, "operator.running", round=row["next"]))
    most = min(MOST_ROUNDS, state.request.max_retrains)
    if number > most:
        raise InvalidRequest(plain(state.request.language, "operator.used", most=most))
    return Round(number=number, asked_by=command.given_by, changes=changes_of(state, command.parameters, before_round=number))


def _claimed(ports: Ports, run_id: str, row: Item, command: RetrainCommand, number: int) -> bool:
    """One comment wins, however many arrive in the same second."""
    taken: Item = {**row, "status": "answered", "comment": command.comment_id, "next": number}
    try:
        ports.ledger.replace(names.operator_key(run_id), TOKEN, taken, expected={"status": "waiting", "token": row["token"]})
    except Stale:
        return False
    return True


def _hand_over(ports: Ports, state: RunState, row: Item, new: Round) -> CommandAnswer:
    def with_round(found: RunState) -> RunState:
        if any(item.number == new.number for item in found.rounds):
            return found
        first = (Round(number=0, asked_by=found.approved_by, verdict=found.verdict),) if not found.rounds else ()
        # The phase that waited has its answer; it begins anew with the round's own look.
        phases = tuple(PhaseState(name=item.name) if item.name == "validation" else item for item in found.phases)
        return found.model_copy(update={"rounds": first + _judged(found) + (new,), "round": new.number, "phases": phases})

    changed = change_run(ports, state.run_id, with_round)
    taken = ports.machines.answer(str(row["token"]), json.dumps({"round": new.number, "run_id": state.run_id}))
    # A repeated call finds the token used: the machine moved on because of the first one.
    if not taken and row["status"] == "waiting":
        return _refused(state, "operator.late")
    page.refresh_page(ports, changed)
    return CommandAnswer(accepted=True, run_id=state.run_id, round=new.number, text=table(new.changes), language=state.request.language)


def _judged(state: RunState) -> tuple[Round, ...]:
    """The rounds so far, the last one with the verdict it got."""
    return tuple(
        item.model_copy(update={"verdict": item.verdict or state.verdict}) if item.number == state.round else item for item in state.rounds
    )


def changes_of(state: RunState, parameters: dict[str, Scalar], *, before_round: int) -> tuple[Change, ...]:
    """Each parameter with its value before and after; `InvalidRequest` names unknown ones with close spellings, and wrong values."""
    algorithm = state.algorithm if state.algorithm in ENTRIES else state.request.algorithm
    method = ENTRIES.get(algorithm)
    if method is None:
        raise InvalidRequest("the run has no learning method yet.", remedy="Answer after its first round.", code="E-COMMAND-011")
    now = current(state, before_round)
    changes = []
    for name, value in parameters.items():
        known = method.hyperparameters.get(name)
        if known is None:
            near = suggest(algorithm, name[:40])
            hint = f"Did you mean {', '.join(near)}?" if near else f"Known: {', '.join(method.hyperparameters)}."
            raise InvalidRequest(f"{name[:40]!r} is not a hyperparameter of {algorithm}.", remedy=hint, code="E-COMMAND-010")
        after = known.check(written(value))
        if not known.serves(state.request.task, after):
            headline = f"{name} = {after} does nothing for {state.request.task}."
            raise InvalidRequest(headline, remedy=f"Leave it at {known.default}.", code="E-TRAIN-005")
        if after != now.get(name, known.default):
            changes.append(Change(name=name, before=now.get(name, known.default), after=after))
    if not changes:
        raise InvalidRequest("nothing would change.", remedy="Name a value that differs from the last round's.", code="E-COMMAND-012")
    return tuple(changes)


def current(state: RunState, before_round: int) -> dict[str, Scalar]:
    """The request's hyperparameters overlaid by every change of the rounds before one."""
    values = dict(state.request.hyperparameters)
    for item in state.rounds:
        if item.number < before_round:
            values.update({change.name: change.after for change in item.changes})
    return values


def table(changes: tuple[Change, ...]) -> str:
    """Before and after in one plain line."""
    return "; ".join(f"{change.name}: {change.before} → {change.after}" for change in changes)


def _refused(state: RunState, key: str, **values: object) -> CommandAnswer:
    language = state.request.language
    return CommandAnswer(accepted=False, run_id=state.run_id, text=plain(language, key, **values), language=language)
