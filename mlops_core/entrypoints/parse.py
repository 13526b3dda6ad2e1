"""Step ``parse``: the issue of a ``labeled`` event becomes a checked request, or one comment that says what to change.

Inputs ``bucket`` and ``github-token`` (empty: check only, no comment); outputs ``ok``, ``request``, ``digest``, ``issue``, ``problems``.
"""

from __future__ import annotations

import re
import sys

from mlops_core.contracts.approval import ApprovedRequest
from mlops_core.contracts.base import canonical, digest
from mlops_core.entrypoints.gateways import repository_gateway
from mlops_core.entrypoints.runner import Step, run_step
from mlops_core.intake.body import parse_body
from mlops_core.intake.event import LabeledEvent, labeled_event, read_payload
from mlops_core.intake.markers import refusal_marker
from mlops_core.intake.problems import RequestRefused
from mlops_core.reporting.links import docs_at, with_explanations


def main(step: Step) -> None:
    """Parse the event's own body; raises `RequestRefused` after commenting."""
    event = labeled_event(read_payload(step.path("GITHUB_EVENT_PATH")))
    step.output("issue", str(event.issue))
    try:
        approved = approve(event, bucket=step.input("bucket"), commit=suite_commit(step))
    except RequestRefused as refused:
        step.output("ok", "false")
        step.output("problems", str(len(refused.problems)))
        for line in refused.lines():
            step.log(line)
        _answer(step, event, refused)
        raise
    step.output("ok", "true")
    step.output("problems", "0")
    step.output("request", canonical(approved).decode())
    step.output("digest", digest(approved))
    step.log(f"issue {event.issue}: request {digest(approved.request)} is complete")


def suite_commit(step: Step) -> str:
    """The commit of the suite that runs here, empty unless the caller pinned one (a row of zeros is the example's placeholder)."""
    reference = step.environ.get("GITHUB_ACTION_REF", "")
    return reference if re.fullmatch(r"[0-9a-f]{40}", reference) and set(reference) != {"0"} else ""


def approve(event: LabeledEvent, *, bucket: str, commit: str) -> ApprovedRequest:
    """The approved request of a labeled event; whether the sender may approve is the step ``authorize``'s matter."""
    parsed = parse_body(event.body, bucket=bucket)
    return ApprovedRequest(
        request=parsed.request,
        repository=event.repository,
        issue=event.issue,
        author=event.author,
        approved_by=event.sender.login,
        body_digest=parsed.body_digest,
        path="workflow",
        commit=commit,
    )


def _answer(step: Step, event: LabeledEvent, refused: RequestRefused) -> None:
    if not step.environ.get("INPUT_GITHUB_TOKEN"):
        return
    marker, commit = refusal_marker(event.issue), suite_commit(step)
    server, suite = step.environ.get("GITHUB_SERVER_URL", "https://github.com"), step.environ.get("GITHUB_ACTION_REPOSITORY", "")
    body = with_explanations(refused.comment(), docs_at(server, suite, commit) if commit else "")
    repository_gateway(step).upsert_comment(event.repository, event.issue, marker, f"{marker}\n{body}")


if __name__ == "__main__":
    sys.exit(run_step("parse", main))
