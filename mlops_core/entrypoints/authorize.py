"""Step ``authorize``: may the person who set the label start a run?

Input ``github-token``; outputs ``allowed`` and ``login``.  Somebody without permission gets one comment per issue, however often they
label; an answer that could not be had fails the job, so that nobody waits for a run that never starts.
"""

from __future__ import annotations

import sys

from mlops_core.entrypoints.gateways import repository_gateway
from mlops_core.entrypoints.runner import Step, run_step
from mlops_core.errors import Unavailable
from mlops_core.intake.answers import stranger_comment
from mlops_core.intake.authorization import Decision, authorize
from mlops_core.intake.event import LabeledEvent, labeled_event, read_payload
from mlops_core.intake.form import LABEL_TO_START
from mlops_core.intake.markers import stranger_marker
from mlops_core.ports import Repository


def main(step: Step) -> None:
    """Ask for the sender's permission; `Unavailable` when it could not be verified."""
    event = labeled_event(read_payload(step.path("GITHUB_EVENT_PATH")))
    if event.label != LABEL_TO_START:
        step.output("allowed", "false")
        step.log(f"label {event.label} starts nothing")
        return
    gateway = repository_gateway(step)
    decision = authorize(gateway, event.repository, event.sender)
    step.output("allowed", "true" if decision.allowed else "false")
    step.output("login", decision.login)
    step.log(decision.detail)
    if not decision.allowed:
        _answer(gateway, event, decision)
    if decision.reason == "unverified":
        raise Unavailable(
            f"the permission of {decision.login} could not be verified.", remedy="Set the label again later.", code="E-AUTH-002"
        )


def _answer(gateway: Repository, event: LabeledEvent, decision: Decision) -> None:
    """Bots get silence; people one comment, edited in place."""
    if decision.reason == "not_human":
        return
    text = stranger_comment(event.issue, unverified=decision.reason == "unverified")
    gateway.upsert_comment(event.repository, event.issue, stranger_marker(event.issue), text)


if __name__ == "__main__":
    sys.exit(run_step("authorize", main))
