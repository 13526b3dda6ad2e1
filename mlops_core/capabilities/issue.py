"""GitHub integration: verify what arrives, ask who may, start a run once.

started = start_run(ports, approved)      # StartedRun; adopted when an earlier event had started it already
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Annotated, Any

from pydantic import Field

from mlops_core.contracts.approval import ApprovedRequest, CommandAnswer, RetrainCommand, StartedRun
from mlops_core.errors import Unauthorized
from mlops_core.facts import IssueFacts
from mlops_core.intake.authorization import label_approves
from mlops_core.ports import Ports
from mlops_core.reporting.links import docs_at, with_explanations
from mlops_core.runs import launch, names, operator
from mlops_core.runs.progress import COMMON
from mlops_core.runs.shared import deliver_outbox
from mlops_core.tool import Repository, acts, reads

LABEL = "mlops:train"
log = logging.getLogger(__name__)
_BODY_LIMIT = 262_144
_DAY = 86_400
IssueNumber = Annotated[int, Field(ge=1)]
Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})(?:\[bot\])?$")]
Short = Annotated[str, Field(pattern=r"^[A-Za-z0-9:._/-]{1,128}$")]


def allowed_repository(ports: Ports, repository: str) -> str:
    """The repository if it is on the list of this installation; `Unauthorized` otherwise (an empty list allows nobody)."""
    listed = {item.strip().lower() for item in ports.settings.repositories.split(",") if item.strip()}
    if repository.lower() not in listed:
        remedy = "Add it to the template parameter Repositories."
        raise Unauthorized(f"the repository {repository} is not served here.", remedy=remedy, code="E-REPOSITORY")
    return repository


def verify_webhook(
    ports: Ports,
    signature: Annotated[str, Field(max_length=200)],
    body: Annotated[str, Field(max_length=_BODY_LIMIT * 2)],
    delivery: Short,
    event: Short,
) -> dict[str, Any]:
    """Whether a webhook was signed by our secret (HMAC-SHA256, constant time, nothing parsed before) and is new: {accepted, reason}."""
    secret = ports.secrets.read(ports.settings.require("webhook_secret"))
    wanted = "sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    accepted = hmac.compare_digest(wanted.encode(), signature.encode())
    log.info("webhook %s", "accepted" if accepted else "refused", extra={"fields": {"delivery": delivery, "event": event}})
    return {"accepted": accepted, "reason": event if accepted else "signature"}


def claim_delivery(ports: Ports, delivery: Short) -> dict[str, Any]:
    """Claim a delivery id for seven days, after its signature was checked: {first}."""
    return {"first": _claim(ports, f"DELIVERY#{delivery}", names.CLAIM_SECONDS)}


def claim_event(ports: Ports, repository: Repository, issue: IssueNumber, kind: Short, content_digest: Short) -> dict[str, Any]:
    """Claim the content of an event, whatever delivery brought it: {first}."""
    return {"first": _claim(ports, f"EVENT#{repository}#{issue}#{kind}#{content_digest}", names.CLAIM_SECONDS)}


def claim_stranger(ports: Ports, repository: Repository, issue: IssueNumber) -> dict[str, Any]:
    """Claim today's one answer to people who may not start runs: {first}."""
    today = ports.clock.now().date().isoformat()
    return {"first": _claim(ports, f"STRANGER#{repository}#{issue}#{today}", 2 * _DAY)}


def _claim(ports: Ports, pk: str, seconds: int) -> bool:
    now = int(ports.clock.now().timestamp())
    return ports.ledger.claim(pk, names.CLAIM, {"at": now}, expires_at=now + seconds) is None


def check_permission(ports: Ports, repository: Repository, login: Login) -> dict[str, Any]:
    """A person's permission and whether they are one: {permission, human}; what cannot be verified raises."""
    found = ports.repository.permission(allowed_repository(ports, repository), login)
    return {"permission": found.level, "human": found.human}


def list_labeled(ports: Ports, repository: Repository) -> dict[str, Any]:
    """Open issues that carry the training label, with who set it and when, and whether the body was edited after: {issues}."""
    issues = ports.repository.labeled(allowed_repository(ports, repository), LABEL)
    return {
        "issues": [
            {
                "issue": item.number,
                "title": item.title[:300],
                "body": item.body[:65_537],
                "author": item.author,
                "label_actor": item.label_actor,
                "labeled_at": item.labeled_at,
                "edited_at": item.edited_at,
                "body_edited_after": not label_approves(item).allowed,
            }
            # A page of bodies stays within what one tool may answer; the rest is seen at the next poll.
            for item in _fitting(issues)
        ]
    }


def _fitting(issues: list[IssueFacts]) -> list[IssueFacts]:
    fitting: list[IssueFacts] = []
    size = 0
    for item in issues:
        size += 2 * len(item.body[:65_537].encode()) + 1500
        if fitting and size > 60_000:
            break
        fitting.append(item)
    return fitting


def start_run(ports: Ports, approved: ApprovedRequest) -> StartedRun:
    """Start the run that answers an approved request, or return the live or successful one that an earlier event started."""
    return launch.start_run(ports, approved)


def answer_command(ports: Ports, command: RetrainCommand) -> CommandAnswer:
    """Hand an operator's command to the waiting run."""
    return operator.answer_operator(ports, command)


def post_refusal(
    ports: Ports, repository: Repository, issue: IssueNumber, body: Annotated[str, Field(min_length=1, max_length=60_000)]
) -> dict[str, Any]:
    """Put one refusal on an issue, edited in place: {url}; the first hidden marker of the body finds it again."""
    allowed_repository(ports, repository)
    marker = _marker(body) or f"<!-- mlops:refusal:{issue} -->"
    settings = ports.settings
    # Locally the suite's own repository is on no page.
    docs = "" if settings.cost_note != "billed" else docs_at(settings.github_server_url, settings.owner_repository, settings.code_commit)
    text = with_explanations(body if marker in body else f"{marker}\n{body}", docs)
    return {"url": ports.repository.upsert_comment(repository, issue, marker, text).url}


def _marker(body: str) -> str:
    first = body.lstrip().split("\n", 1)[0].strip()
    return first if first.startswith("<!-- mlops:") and first.endswith("-->") and len(first) < 120 else ""


TOOLS = (
    *COMMON,
    reads(verify_webhook),
    acts(claim_delivery),
    acts(claim_event),
    acts(claim_stranger),
    reads(check_permission),
    reads(list_labeled),
    acts(start_run),
    acts(answer_command),
    acts(post_refusal),
    acts(deliver_outbox),
)
