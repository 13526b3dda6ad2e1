"""Who may start a run: only people with write permission, and nobody when it cannot be verified."""

from __future__ import annotations

import pytest

from mlops_core.adapters.in_memory.repository import MemoryRepository
from mlops_core.errors import MlopsError, NotFound, Throttled, Unauthorized, Unavailable
from mlops_core.facts import IssueFacts, Level, Permission
from mlops_core.intake.authorization import authorize, label_approves
from mlops_core.intake.event import Person

REPOSITORY = "octo/models"


def _waits() -> list[float]:
    return []


@pytest.mark.parametrize(
    ("level", "allowed"), [("admin", True), ("maintain", True), ("write", True), ("triage", False), ("read", False), ("none", False)]
)
def test_write_maintain_and_admin_may_start_and_nobody_else_abuse_row_30(level: Level, allowed: bool) -> None:
    decision = authorize(MemoryRepository(people={"ana": Permission(level, True)}), REPOSITORY, Person("ana"))
    assert decision.allowed is allowed
    assert decision.level == level


@pytest.mark.parametrize(
    ("person", "human"), [(Person("ci[bot]", "Bot"), True), (Person("ghost", "Mannequin"), True), (Person("app"), False)]
)
def test_bots_and_ghosts_may_not_start_whatever_their_permission_abuse_row_30(person: Person, human: bool) -> None:
    gateway = MemoryRepository(people={person.login: Permission("admin", human)})
    assert authorize(gateway, REPOSITORY, person).reason == "not_human"


@pytest.mark.parametrize(
    "error",
    [Unavailable("502"), Throttled("slow"), NotFound("404"), Unauthorized("403"), TimeoutError(), ConnectionError(), ValueError("html")],
)
def test_an_answer_that_does_not_come_refuses_abuse_row_31(error: Exception) -> None:
    asked: list[str] = []

    def fault(action: str) -> None:
        asked.append(action)
        raise error

    waits = _waits()
    decision = authorize(MemoryRepository(fault=fault), REPOSITORY, Person("ana"), sleep=waits.append)
    repeatable = not isinstance(error, MlopsError | ValueError) or isinstance(error, Unavailable | Throttled)
    assert (decision.allowed, decision.reason) == (False, "unverified")
    assert decision.detail.startswith("could not verify")
    assert len(asked) == (3 if repeatable else 1)
    assert len(waits) == len(asked) - 1


@pytest.mark.parametrize("answer", [None, Permission("owner", True), Permission("admin", "yes"), "admin"])  # type: ignore[arg-type]
def test_an_answer_of_another_shape_refuses_abuse_row_31(answer: Permission) -> None:
    assert authorize(MemoryRepository(people={"ana": answer}), REPOSITORY, Person("ana")).reason == "unverified"


def test_a_third_try_that_succeeds_counts() -> None:
    left = [Unavailable("502"), Unavailable("503")]

    def fault(action: str) -> None:
        if left:
            raise left.pop()

    gateway = MemoryRepository(people={"ana": Permission("write", True)}, fault=fault)
    assert authorize(gateway, REPOSITORY, Person("ana"), sleep=_waits().append).allowed


def _issue(actor: str, labeled: str, edited: str) -> IssueFacts:
    return IssueFacts(1, "t", "b", "bob", "open", ("mlops:train",), "https://github.com/octo/models/issues/1", actor, labeled, edited)


@pytest.mark.parametrize(
    ("actor", "labeled", "edited", "reason"),
    [
        ("ana", "2026-11-21T10:00:00Z", "", "allowed"),
        ("ana", "2026-11-21T10:00:00Z", "2026-11-21T09:59:59Z", "allowed"),
        ("ana", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z", "edited"),
        ("ana", "2026-11-21T10:00:00Z", "2026-11-21T10:00:01Z", "edited"),
        ("", "2026-11-21T10:00:00Z", "", "no_label"),
        ("ana", "", "", "no_label"),
        ("ana", "yesterday", "", "unverified"),
        ("ana", "2026-11-21T10:00:00", "2026-11-21T10:00:00Z", "unverified"),
    ],
)
def test_polling_takes_the_label_as_approval_of_an_unedited_body(actor: str, labeled: str, edited: str, reason: str) -> None:
    decision = label_approves(_issue(actor, labeled, edited))
    assert (decision.reason, decision.allowed, decision.login) == (reason, reason == "allowed", actor)
