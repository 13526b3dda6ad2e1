"""Issue Detector: the two ways to start a run besides the workflow, through the same parser: web hook and polling.

    handler({"requestContext": {"http": {…}}, "headers": {…}, "body": "…"}, context)     # API Gateway, payload format 2.0
    handler({"action": "poll"}, context)                                                 # Scheduler

A web hook is believed after its signature was checked over the raw bytes; its body is the approved one.  Polling reads the issue anew,
so an edit after the label takes the approval back.  Both ask for the permission of the person who set the label, and fail closed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlops_core.agents.handler import Agent, Document, answer, fresh_key, key_of
from mlops_core.errors import InvalidRequest, MlopsError, Retryable, Terminal

if TYPE_CHECKING:
    from mlops_core.facts import Permission
    from mlops_core.intake.event import CommentEvent, LabeledEvent

LABEL = "mlops:train"
MAX_BODY_BYTES = 1 << 20
_PLAIN = re.compile(r"[A-Za-z0-9:._/-]{1,128}\Z")
_log = logging.getLogger(__name__)


def handler(event: Document, context: object) -> Document:
    """Lambda entry: API Gateway or Scheduler."""
    if "requestContext" in event:
        event = {**event, "action": "webhook"}
    return answer("issue", ACTIONS, event, context)


def webhook(agent: Agent, event: Document) -> Document:
    """One delivery: 401 unless its signature holds, 200 for everything after it, whatever became of it, so that GitHub sends it once."""
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    raw = str(event.get("body") or "")
    body = base64.b64decode(raw) if event.get("isBase64Encoded") else raw.encode()
    if len(body) > MAX_BODY_BYTES:
        return _reply(413, "the body is larger than 1 MiB")
    kind, delivery = headers.get("x-github-event", ""), headers.get("x-github-delivery", "")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _reply(401, "the body is not UTF-8")
    signature = headers.get("x-hub-signature-256", "")
    if not signature or not _PLAIN.match(delivery) or not _PLAIN.match(kind):
        return _reply(401, "signature")
    checked: Document = agent.tools.call("verify_webhook", signature=signature, body=text, delivery=delivery, event=kind)
    if not checked["accepted"]:
        return _reply(401, str(checked["reason"]))
    if not agent.tools.call("claim_delivery", delivery=delivery, key=fresh_key("delivery"))["first"]:
        return _reply(200, "answered before")
    return _reply(200, _delivered(agent, kind, body))


def poll(agent: Agent, event: Document) -> Document:  # noqa: ARG001 - every action takes an event
    """Deliver what GitHub did not take earlier, then look at every labelled issue; one bad issue does not hide the next."""
    done = []
    for repository in repositories(agent):
        agent.tools.call("deliver_outbox", repository=repository, key=fresh_key("outbox"))
        for item in agent.tools.call("list_labeled", repository=repository)["issues"]:
            try:
                done.append(f"{repository}#{item['issue']}: {_polled(agent, repository, item)}")
            except MlopsError as error:
                _log.error(
                    "issue not answered", extra={"fields": {"issue": f"{repository}#{item['issue']}", "error": type(error).__name__}}
                )
                done.append(f"{repository}#{item['issue']}: {type(error).__name__}")
    return {"looked_at": done}


def repositories(agent: Agent) -> list[str]:
    """The repositories that are served; none unless they are named."""
    return [name.strip() for name in agent.settings.repositories.split(",") if name.strip()]


def _delivered(agent: Agent, kind: str, body: bytes) -> str:
    from mlops_core.intake.event import comment_event, labeled_event, parse_payload

    try:
        payload = parse_payload(body)
        if kind == "issues" and payload.get("action") == "labeled":
            event = labeled_event(payload)
            if event.label != LABEL:
                return "another label"
            return _labeled(agent, event, "webhook", moment=_moment(payload))
        if kind == "issue_comment" and payload.get("action") == "created":
            return _commented(agent, comment_event(payload))
    except InvalidRequest as error:
        return error.code or "refused"
    return "nothing to do"


def _moment(payload: Mapping[str, object]) -> str:
    issue = payload.get("issue")
    return str(issue.get("updated_at", "")) if isinstance(issue, dict) else ""


def _polled(agent: Agent, repository: str, item: Document) -> str:
    from mlops_core.intake.answers import edited_comment
    from mlops_core.intake.event import LabeledEvent, Person

    number = int(item["issue"])
    if not item.get("label_actor"):
        return "nobody is known to have set the label"
    if item["body_edited_after"]:
        if _first(agent, repository, number, "edited", _digest(item["body"], item["labeled_at"])):
            _refuse(agent, repository, number, edited_comment(number))
        return "edited after the label"
    event = LabeledEvent(
        repository=repository,
        issue=number,
        label=LABEL,
        body=str(item["body"] or ""),
        author=str(item.get("author") or item["label_actor"]),
        sender=Person(login=str(item["label_actor"])),
    )
    return _labeled(agent, event, "polling", moment=str(item["labeled_at"]))


def _labeled(agent: Agent, event: LabeledEvent, path: str, *, moment: str) -> str:
    from mlops_core.intake.authorization import authorize
    from mlops_core.intake.body import parse_body
    from mlops_core.intake.messages import phrase
    from mlops_core.intake.problems import RequestRefused
    from mlops_core.reporting.messages.wording import answered

    if event.repository.lower() not in {name.lower() for name in repositories(agent)}:
        return "the repository is not served here"
    if not _first(agent, event.repository, event.issue, "labeled", _digest(event.body, moment)):
        return "answered before"
    decision = authorize(_Gateway(agent), event.repository, event.sender)
    if not decision.allowed:
        _answer_stranger(agent, event.repository, event.issue, decision.reason)
        return decision.reason
    parsed = None
    try:
        parsed = parse_body(event.body, bucket=agent.settings.require("bucket"))
        approved = {
            "request": parsed.request.model_dump(mode="json"),
            "repository": event.repository,
            "issue": event.issue,
            "author": event.author,
            "approved_by": event.sender.login,
            "body_digest": parsed.body_digest,
            "path": path,
        }
        key = key_of("start", str(event.issue), [event.repository, parsed.body_digest, moment])
        started = _patiently(agent, "start_run", approved=approved, key=key)
    except RequestRefused as error:
        _refuse(agent, event.repository, event.issue, error.comment())
        return error.code
    except Terminal as error:
        language = parsed.request.language if parsed else "en"
        title, said = phrase("title", language), _escaped(answered(language, error))
        _refuse(agent, event.repository, event.issue, f"### {title}\n\n**{error.code or type(error).__name__}** {said}")
        return error.code or type(error).__name__
    return f"run {started['run_id']}{' (adopted)' if started['adopted'] else ''}"


def _commented(agent: Agent, event: CommentEvent) -> str:
    from mlops_core.intake.authorization import authorize
    from mlops_core.intake.commands import parse_command
    from mlops_core.intake.markers import command_marker
    from mlops_core.reporting.messages import plain
    from mlops_core.reporting.messages.wording import in_both

    if event.on_pull_request or event.repository.lower() not in {name.lower() for name in repositories(agent)}:
        return "not ours"
    wrong: MlopsError | None = None
    try:
        command = parse_command(event.body)
    except MlopsError as error:
        command, wrong = None, error
    if command is None and wrong is None:
        return "talk"
    if not authorize(_Gateway(agent), event.repository, event.sender).allowed:
        return "ignored"
    if not _first(agent, event.repository, event.issue, "comment", _digest(str(event.comment_id), "")):
        return "answered before"
    marker = command_marker(event.comment_id)
    if command is None:
        _refuse(agent, event.repository, event.issue, f"{marker}\n{_escaped(in_both(wrong) if wrong else '')}")
        return "refused"
    retrain = {
        "repository": event.repository,
        "issue": event.issue,
        "given_by": event.sender.login,
        "comment_id": event.comment_id,
        "parameters": command.parameters,
        "path": "webhook",
    }
    key = key_of("command", str(event.comment_id), event.repository)
    found = _patiently(agent, "answer_command", command=retrain, key=key)
    said = plain(found["language"], "answer.accepted", round=found["round"], run=found["run_id"]) if found["accepted"] else ""
    _refuse(agent, event.repository, event.issue, f"{marker}\n{_escaped(' '.join([said, str(found['text'])]).strip())}")
    return "accepted" if found["accepted"] else "not accepted"


class _Gateway:
    """`authorize` asks GitHub through the server."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def permission(self, repository: str, login: str) -> Permission:
        from mlops_core.facts import Permission

        found: Document = self._agent.tools.call("check_permission", repository=repository, login=login)
        return Permission(level=found["permission"], human=found["human"])


def _first(agent: Agent, repository: str, issue: int, kind: str, content: str) -> bool:
    found: Document = agent.tools.call(
        "claim_event", repository=repository, issue=issue, kind=kind, content_digest=content, key=fresh_key("claim")
    )
    return bool(found["first"])


def _refuse(agent: Agent, repository: str, issue: int, body: str) -> None:
    agent.tools.call("post_refusal", repository=repository, issue=issue, body=body, key=key_of("refuse", str(issue), [repository, body]))


def _answer_stranger(agent: Agent, repository: str, issue: int, reason: str) -> None:
    """At most one answer per issue and day, however often a stranger labels; bots get silence."""
    from mlops_core.intake.answers import stranger_comment

    if reason == "not_human":
        return
    if not agent.tools.call("claim_stranger", repository=repository, issue=issue, key=fresh_key("stranger"))["first"]:
        return
    _refuse(agent, repository, issue, stranger_comment(issue, unverified=reason == "unverified"))


def _escaped(text: str) -> str:
    """Plain text as Markdown that mentions nobody, links nothing and closes no issue."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~@<>&-])", r"\\\1", text.replace("\n", " "))


def _patiently(agent: Agent, tool: str, **arguments: object) -> Document:
    """The claim is taken, so nobody else will try again: three tries of an idempotent call."""
    for _ in range(2):
        try:
            found: Document = agent.tools.call(tool, **arguments)
        except Retryable:
            continue
        return found
    last: Document = agent.tools.call(tool, **arguments)
    return last


def _digest(body: object, moment: object) -> str:
    return hashlib.sha256(json.dumps([body, moment]).encode()).hexdigest()


def _reply(status: int, text: str) -> Document:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps({"result": text[:300]})}


ACTIONS = {"webhook": webhook, "poll": poll}
