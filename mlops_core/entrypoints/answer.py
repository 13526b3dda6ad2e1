"""Step ``answer``: the job that holds AWS credentials hands an operator's command to the waiting run.

It takes the command of the first job as JSON with its digest, asks for the permission again, and posts what became of it.
Outputs ``accepted`` and ``run-id``.
"""

from __future__ import annotations

import hmac
import sys

from pydantic import ValidationError

from mlops_core.contracts.approval import CommandAnswer, RetrainCommand
from mlops_core.contracts.base import digest
from mlops_core.entrypoints.gateways import ports_of, repository_gateway
from mlops_core.entrypoints.oidc import refuse_foreign_runner
from mlops_core.entrypoints.runner import Step, run_step
from mlops_core.entrypoints.start import check_permission
from mlops_core.errors import InvalidRequest
from mlops_core.intake.commands import parse_command
from mlops_core.intake.hyperparameters import plain
from mlops_core.intake.markers import command_marker
from mlops_core.reporting.answers import render_command_answer


def main(step: Step) -> None:
    """Answer the run and comment once."""
    refuse_foreign_runner(step.environ)
    command = read_command(step.untrusted("command"), step.input("digest"))
    here = step.environ.get("GITHUB_REPOSITORY", "")
    if here.lower() != command.repository.lower():
        raise InvalidRequest(f"the command belongs to {command.repository}, this run to {here or 'no repository'}.", code="E-START-008")
    check_permission(step, command.repository, command.given_by)
    answer = _answer(step, command)
    step.output("accepted", "true" if answer.accepted else "false")
    step.output("run-id", answer.run_id)
    marker = command_marker(command.comment_id)
    text = render_command_answer(answer)
    repository_gateway(step).upsert_comment(command.repository, command.issue, marker, f"{marker}\n{text}")
    step.log(answer.text)


def read_command(text: str, expected: str) -> RetrainCommand:
    """The command exactly as the first job checked it; `InvalidRequest` otherwise."""
    try:
        command = RetrainCommand.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InvalidRequest("the command is not readable.", remedy="Comment again.", code="E-START-005") from error
    if not hmac.compare_digest(digest(command), expected):
        raise InvalidRequest("the command is not the one that was checked.", remedy="Comment again.", code="E-START-006")
    words = [f"{name}={plain(value)}" for name, value in command.parameters.items()]
    again = parse_command(" ".join(["/retrain", *words]))
    if again is None or again.parameters != command.parameters:
        raise InvalidRequest("the command does not pass the parser a second time.", remedy="Comment again.", code="E-START-007")
    return command


def _answer(step: Step, command: RetrainCommand) -> CommandAnswer:
    from mlops_core.capabilities.retraining import answer_operator

    return answer_operator(ports_of(step, command.repository), command)


if __name__ == "__main__":
    sys.exit(run_step("answer", main))
