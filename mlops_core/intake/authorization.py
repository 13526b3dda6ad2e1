"""Who may start a run: people with write, maintain or admin permission, asked by API; whatever cannot be verified is a no.

    decision = authorize(ports.repository, "octo/models", event.sender)
    if not decision.allowed: ...

A label is no authorisation (triage users may set one, a form sets one for whoever opens it) and ``author_association`` is wrong both
ways, so the *sender's* permission is asked each time, again in the job that holds the credentials.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from mlops_core.errors import MlopsError, Retryable
from mlops_core.facts import IssueFacts, Permission
from mlops_core.intake.event import Person

ALLOWED = ("write", "maintain", "admin")
TRIES = 3
_KNOWN = frozenset({"admin", "maintain", "write", "triage", "read", "none"})
_PAUSE_SECONDS = 1.0

Reason = Literal["allowed", "not_enough", "not_human", "unverified", "edited", "no_label"]


class PermissionGateway(Protocol):
    """The one question asked of GitHub."""

    def permission(self, repository: str, login: str) -> Permission:
        """A person's permission; raises what cannot be verified."""


@dataclass(frozen=True)
class Decision:
    """``reason`` says why; ``level`` is empty when nothing was learned; ``detail`` is one plain sentence for logs."""

    allowed: bool
    reason: Reason
    login: str
    level: str = ""
    detail: str = ""


def authorize(gateway: PermissionGateway, repository: str, sender: Person, *, sleep: Callable[[float], None] = time.sleep) -> Decision:
    """Ask at most three times; never raises for an answer that did not come or made no sense."""
    if sender.kind != "User":
        return Decision(False, "not_human", sender.login, detail=f"{sender.login} is not a person")
    detail = ""
    for attempt in range(TRIES):
        try:
            return _judged(gateway.permission(repository, sender.login), sender)
        except (Retryable, TimeoutError, ConnectionError) as error:
            detail = f"could not verify: {type(error).__name__}"
            if attempt + 1 < TRIES:
                sleep(_PAUSE_SECONDS * 2**attempt)
        except (MlopsError, OSError, ValueError, TypeError, AttributeError) as error:
            # A 404, a 403 and an answer of another shape are all no answer: the person is not let in by any of them.
            return Decision(False, "unverified", sender.login, detail=f"could not verify: {type(error).__name__}")
    return Decision(False, "unverified", sender.login, detail=detail)


def _judged(permission: Permission, sender: Person) -> Decision:
    level = permission.level
    if level not in _KNOWN or not isinstance(permission.human, bool):
        return Decision(False, "unverified", sender.login, detail="could not verify: unknown answer")
    if not permission.human:
        return Decision(False, "not_human", sender.login, level, f"{sender.login} is not a person")
    if level in ALLOWED:
        return Decision(True, "allowed", sender.login, level, f"{sender.login} has {level} permission")
    return Decision(False, "not_enough", sender.login, level, f"{sender.login} has {level} permission; needed: {', '.join(ALLOWED)}")


def label_approves(issue: IssueFacts) -> Decision:
    """The polling rule: who set the label approved the body of that moment, so an edit at or after it takes the approval back.

    The result still has to pass `authorize`; ``login`` is the person to ask for.
    """
    if not issue.label_actor or not issue.labeled_at:
        return Decision(False, "no_label", issue.label_actor, detail="nobody is known to have set the label")
    try:
        labeled = datetime.fromisoformat(issue.labeled_at)
        edited = datetime.fromisoformat(issue.edited_at) if issue.edited_at else None
        late = edited is not None and edited >= labeled
    except (ValueError, TypeError):
        return Decision(False, "unverified", issue.label_actor, detail="could not verify: unknown time")
    if late:
        return Decision(False, "edited", issue.label_actor, detail="the issue was edited after the label was set")
    return Decision(True, "allowed", issue.label_actor, detail=f"{issue.label_actor} set the label")
