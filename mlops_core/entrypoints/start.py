"""Step ``start``: the job that holds AWS credentials starts the run of an approved request and ends.

It takes the approved request of the intake job as JSON with its digest, reads it again with the same parser, asks for the permission
again (it may have been taken back meanwhile) and only then for an identity token.  Outputs ``run-id``, ``execution-arn``, ``adopted``.
"""

from __future__ import annotations

import hmac
import sys

from pydantic import ValidationError

from mlops_core.contracts.approval import ApprovedRequest, StartedRun
from mlops_core.contracts.base import digest
from mlops_core.entrypoints.gateways import ports_of, repository_gateway
from mlops_core.entrypoints.oidc import refuse_foreign_runner
from mlops_core.entrypoints.runner import Step, harmless, run_step
from mlops_core.errors import InvalidRequest, MlopsError, Terminal, Unauthorized
from mlops_core.intake.authorization import authorize
from mlops_core.intake.body import parse_body
from mlops_core.intake.event import Person
from mlops_core.intake.markers import refusal_marker
from mlops_core.intake.messages import phrase
from mlops_core.intake.render import render_body
from mlops_core.reporting.messages.wording import answered


def main(step: Step) -> None:
    """Start or adopt the run; raises the error that stops it."""
    refuse_foreign_runner(step.environ)
    approved = read_approved(step.untrusted("request"), step.input("digest"), bucket=step.input("bucket"))
    _same_repository(step, approved.repository)
    check_permission(step, approved.repository, approved.approved_by)
    try:
        started = _start(step, approved)
    except Terminal as refused:
        _answer(step, approved, refused)
        raise
    step.output("run-id", started.run_id)
    step.output("execution-arn", started.execution_arn)
    step.output("adopted", "true" if started.adopted else "false")
    step.summary(_summary(approved, started))
    step.log(f"run {started.run_id} {'adopted' if started.adopted else 'started'}")


def read_approved(text: str, expected: str, *, bucket: str) -> ApprovedRequest:
    """The approved request, byte for byte the one the intake job made; `InvalidRequest` otherwise."""
    try:
        approved = ApprovedRequest.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InvalidRequest("the approved request is not readable.", remedy="Set the label again.", code="E-START-005") from error
    if not hmac.compare_digest(digest(approved), expected):
        raise InvalidRequest("the approved request is not the one that was checked.", remedy="Set the label again.", code="E-START-006")
    if parse_body(render_body(approved.request), bucket=bucket).request != approved.request:
        raise InvalidRequest(
            "the approved request does not pass the parser a second time.", remedy="Set the label again.", code="E-START-007"
        )
    return approved


def _same_repository(step: Step, repository: str) -> None:
    here = step.environ.get("GITHUB_REPOSITORY", "")
    if here.lower() != repository.lower():
        raise InvalidRequest(f"the request belongs to {repository}, this run to {here or 'no repository'}.", code="E-START-008")


def check_permission(step: Step, repository: str, login: str) -> None:
    """`Unauthorized` unless the person may still start runs."""
    decision = authorize(repository_gateway(step), repository, Person(login))
    if not decision.allowed:
        headline = f"{login} may not start a run: {decision.detail}."
        raise Unauthorized(headline, remedy="Ask somebody with write permission to set the label.", code="E-START-009")


def _start(step: Step, approved: ApprovedRequest) -> StartedRun:
    from mlops_core.capabilities.issue import start_run

    return start_run(ports_of(step, approved.repository), approved)


def _answer(step: Step, approved: ApprovedRequest, refused: MlopsError) -> None:
    """A policy, a live run of the same issue or a missing right: the person who labelled reads it where they labelled."""
    marker = refusal_marker(approved.issue)
    title = phrase("title", approved.request.language)
    said = harmless(answered(approved.request.language, refused))
    text = f"{marker}\n### {title}\n\n**{refused.code or type(refused).__name__}** {said}\n"
    repository_gateway(step).upsert_comment(approved.repository, approved.issue, marker, text)


def _summary(approved: ApprovedRequest, started: StartedRun) -> str:
    language = approved.request.language
    title = phrase("adopted" if started.adopted else "started", language)
    return "\n".join(
        [
            f"### {title}",
            "",
            "| | |",
            "| --- | --- |",
            f"| run | `{started.run_id}` |",
            f"| model | `{approved.request.model_name}` |",
            f"| issue | #{approved.issue} |",
            f"| execution | `{started.execution_arn}` |",
        ]
    )


if __name__ == "__main__":
    sys.exit(run_step("start", main))
