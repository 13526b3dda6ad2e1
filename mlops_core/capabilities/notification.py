"""Telling people: the living page, the call for an operator by comment, Slack and e-mail, alarms on the issue."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from mlops_core import journal
from mlops_core.contracts.base import RunId
from mlops_core.contracts.request import Language
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Verdict
from mlops_core.errors import Conflict, InvalidRequest, MlopsError, NotFound, Retryable
from mlops_core.ports import Ports
from mlops_core.reporting.messages import plain
from mlops_core.runs import models, names, outbox, page
from mlops_core.runs.progress import COMMON
from mlops_core.runs.shared import park_operator
from mlops_core.runs.state import read_run
from mlops_core.tool import acts

log = logging.getLogger(__name__)
_KINDS = {"errors": "errors", "latency": "latency"}
_REASON_LIMIT = 1000


def update_page(ports: Ports, run_id: RunId) -> dict[str, Any]:
    """Edit the living comment of a run: {delivered}; an undelivered one waits in the outbox."""
    return {"delivered": page.refresh_page(ports, read_run(ports, run_id))}


def notify_operator(ports: Ports, run_id: RunId) -> dict[str, Any]:
    """Tell people that a run waits for their decision: {comment, slack, mail}, each sent, failed, waiting or off."""
    state = read_run(ports, run_id)
    verdict = (state.rounds[-1].verdict if state.rounds else None) or state.verdict
    if verdict is None:
        raise Conflict(f"the run {run_id} has no verdict to ask about.", remedy="Record it first.", code="E-NOTIFY-VERDICT")
    page.refresh_page(ports, state)
    return {
        "comment": _comment(ports, state, verdict),
        "slack": _tried("slack", lambda: _slack(ports, state, verdict)),
        "mail": _tried("mail", lambda: _mail(ports, state, verdict)),
    }


def _comment(ports: Ports, state: RunState, verdict: Verdict) -> str:
    from mlops_core.reporting.answers import ask_marker, render_operator_request

    body, marker = render_operator_request(state, verdict), ask_marker(state)
    try:
        ports.repository.upsert_comment(state.repository, state.issue, marker, body)
    except Retryable as error:
        outbox.note(ports, state.repository, error)
        outbox.keep(ports, state.repository, issue=state.issue, marker=marker, body=body)
        return "waiting"
    except MlopsError as error:
        log.warning("the call for an operator was not put on the issue: %s", error)
        return "failed"
    return "sent"


def _tried(name: str, send: Callable[[], bool]) -> str:
    try:
        return "sent" if send() else "off"
    except MlopsError as error:
        log.warning("%s was not told: %s", name, error)
        return "failed"


def _slack(ports: Ports, state: RunState, verdict: Verdict) -> bool:
    if not ports.settings.slack_secret:
        return False
    from mlops_core.reporting.answers import slack_message

    url = ports.secrets.read(ports.settings.slack_secret).strip()
    if not url:
        return False
    journal.learn(url)
    status = ports.web.post(url, slack_message(state, verdict, links=page.links_of(ports, state)))
    if status >= 300:
        raise InvalidRequest(f"the web hook answered {status}.", code="E-NOTIFY-SLACK")
    return True


def _mail(ports: Ports, state: RunState, verdict: Verdict) -> bool:
    settings = ports.settings
    recipients = [item.strip() for item in settings.mail_to.split(",") if item.strip()]
    if not settings.mail_from or not recipients:
        return False
    from mlops_core.reporting.answers import mail_message

    message = mail_message(state, verdict, links=page.links_of(ports, state))
    ports.mail.send(sender=settings.mail_from, recipients=recipients, subject=message.subject, text=message.body)
    return True


def post_alarm(ports: Ports, alarm: dict[str, Any]) -> dict[str, Any]:
    """Put an alarm's change of state on the model's last issue, or on a new one when that is gone: {issue, posted}."""
    name, state = str(alarm.get("AlarmName", "")), str(alarm.get("NewStateValue", ""))
    model, kind = _model_of(name)
    # The first look at a new alarm finds it in order: nothing began, so nothing is over.
    ended = state == "OK" and alarm.get("OldStateValue") == "ALARM"
    if not model or not (state == "ALARM" or ended):
        return {"issue": 0, "posted": False}
    try:
        repository = models.home(ports, model)
    except NotFound:
        return {"issue": 0, "posted": False}
    last = _last_run(ports, model)
    language: Language = last.request.language if last else "en"
    body = _alarm_text(alarm, model, kind, state=state, language=language)
    issue = last.issue if last else 0
    if issue:
        try:
            ports.repository.comment(repository, issue, body)
        except NotFound:
            issue = 0
        except Retryable:
            outbox.keep(ports, repository, issue=issue, body=body)
    if not issue:
        title = plain(language, "alarm.title", model=model, kind=plain(language, f"alarm.{kind}"))
        issue = ports.repository.open_issue(repository, title, body, ["mlops:alarm"])
    return {"issue": issue, "posted": True}


def _model_of(alarm_name: str) -> tuple[str, str]:
    """``mlops-<model>-<kind>`` of our own alarms; ("", "") for others."""
    if not alarm_name.startswith("mlops-"):
        return "", ""
    model, _, kind = alarm_name.removeprefix("mlops-").rpartition("-")
    return (model, kind) if kind in _KINDS else ("", "")


def _last_run(ports: Ports, model: str) -> RunState | None:
    best = models.champion(ports, model)
    try:
        return read_run(ports, best.run_id) if best else None
    except NotFound:
        return None


def _alarm_text(alarm: dict[str, Any], model: str, kind: str, *, state: str, language: Language) -> str:
    from mlops_core.reporting.markdown import code, escape
    from mlops_core.reporting.rendering import translator

    t = translator(language)
    reason = str(alarm.get("NewStateReason", ""))[:_REASON_LIMIT]
    when = str(alarm.get("StateChangeTime", ""))[:40]
    over = "alarm.over" if state == "OK" else "alarm.raised"
    lines = [f"**{t(over, kind=t(f'alarm.{kind}'), endpoint=code(names.endpoint(model)))}**", "", escape(reason)]
    if state == "ALARM":
        lines += ["", t("alarm.act", runbook=code(f"docs/runbooks/endpoint-{kind}.md"), command=code(f"mlops rollback {model}"))]
    return "\n".join([*lines, "", f"{code(str(alarm['AlarmName']))} {escape(when)}"]) + "\n"


TOOLS = (*COMMON, acts(update_page), acts(park_operator), acts(notify_operator), acts(post_alarm))
