"""Step ``command``: is a new comment a command by somebody who may give one?

Input ``github-token``; outputs ``found``, ``command`` (JSON) and ``digest``.  Talk and outsiders' commands are ignored without a
reaction; a wrong command of somebody with permission is answered once.
"""

from __future__ import annotations

import sys

from mlops_core.contracts.approval import CommandAnswer, RetrainCommand
from mlops_core.contracts.base import canonical, digest
from mlops_core.entrypoints.gateways import repository_gateway
from mlops_core.entrypoints.runner import Step, run_step
from mlops_core.errors import MlopsError, Unavailable
from mlops_core.intake.authorization import authorize
from mlops_core.intake.commands import Command, parse_command
from mlops_core.intake.event import CommentEvent, comment_event, read_payload
from mlops_core.intake.markers import command_marker
from mlops_core.ports import Repository
from mlops_core.reporting.answers import render_command_answer
from mlops_core.reporting.messages.wording import in_both


def main(step: Step) -> None:
    """Read the comment, then ask for the permission; raises what was wrong with a command after answering it."""
    event = comment_event(read_payload(step.path("GITHUB_EVENT_PATH")))
    command, wrong = _read(event)
    if command is None and wrong is None:
        _nothing(step, "the comment is no command")
        return
    gateway = repository_gateway(step)
    decision = authorize(gateway, event.repository, event.sender)
    if decision.reason == "unverified":
        _nothing(step, decision.detail)
        raise Unavailable(f"the permission of {decision.login} could not be verified.", remedy="Comment again later.", code="E-AUTH-002")
    if not decision.allowed:
        _nothing(step, f"ignored a command: {decision.detail}")
        return
    if wrong is not None:
        _nothing(step, wrong.headline)
        _answer(gateway, event, wrong)
        raise wrong
    if command is not None:
        _found(step, event, command)


def _read(event: CommentEvent) -> tuple[Command | None, MlopsError | None]:
    if event.on_pull_request:
        return None, None
    try:
        return parse_command(event.body), None
    except MlopsError as error:
        return None, error


def _nothing(step: Step, why: str) -> None:
    step.output("found", "false")
    step.log(why)


def _found(step: Step, event: CommentEvent, command: Command) -> None:
    retrain = RetrainCommand(
        repository=event.repository,
        issue=event.issue,
        given_by=event.sender.login,
        comment_id=event.comment_id,
        parameters=command.parameters,
        path="workflow",
    )
    step.output("found", "true")
    step.output("command", canonical(retrain).decode())
    step.output("digest", digest(retrain))
    step.log(f"command by {event.sender.login}: /{command.name}")


def _answer(gateway: Repository, event: CommentEvent, wrong: MlopsError) -> None:
    marker = command_marker(event.comment_id)
    text = render_command_answer(CommandAnswer(accepted=False, text=f"{wrong.code} {in_both(wrong)}"))
    gateway.upsert_comment(event.repository, event.issue, marker, f"{marker}\n{text}")


if __name__ == "__main__":
    sys.exit(run_step("command", main))
