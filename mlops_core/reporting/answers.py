"""Answers beside the living comment: the operator's call by comment, Slack and mail, and what became of a command.

render_operator_request(state, verdict)                # Markdown
slack_message(state, verdict, links=links)             # a JSON payload of plain text blocks
mail_message(state, verdict, links=links).subject      # one line without control characters
render_command_answer(answer)                          # Markdown
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_core.contracts.approval import CommandAnswer
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Verdict
from mlops_core.reporting.comment import comparison, deciding_rule
from mlops_core.reporting.figures import figure, interval
from mlops_core.reporting.links import Links
from mlops_core.reporting.markdown import Markdown, bounded, code, escape, shorten, visible
from mlops_core.reporting.messages import plain
from mlops_core.reporting.messages.wording import compared
from mlops_core.reporting.rendering import render, translator
from mlops_core.reporting.suggestion import suggestion

_LONGEST_SUBJECT = 120
_LONGEST_SLACK_BLOCK = 2900


@dataclass(frozen=True)
class Mail:
    """Subject and plain-text body of one mail."""

    subject: str
    body: str


def ask_marker(state: RunState) -> str:
    """The hidden line of the call for one round's decision."""
    return f"<!-- mlops:ask:{state.run_id}:{state.round} -->"


def _facts(state: RunState, verdict: Verdict) -> dict[str, str]:
    t = translator(state.request.language)
    language = state.request.language
    rule = deciding_rule(verdict)
    whole = rule is None or (rule.metric == verdict.metric and rule.measured == verdict.measured.value and not rule.subject)
    measured = interval(verdict.measured) if rule is None or whole else figure(rule.measured)
    return {
        "metric": compared(language, rule) if rule else plain(language, f"metric.{verdict.metric}"),
        "measured": measured,
        "comparison": str(comparison(rule, t)) if rule else "",
        "required": figure(rule.required) if rule else "",
        "rule": plain(language, f"rule.{rule.name}") if rule else verdict.decided_by,
    }


def render_operator_request(state: RunState, verdict: Verdict) -> str:
    """The call for a decision as Markdown: what was measured, what was required, what to change and how to answer."""
    language = state.request.language
    t = translator(language)
    proposal = suggestion(state)
    return render(
        "ask.md.j2",
        language,
        marker=Markdown(ask_marker(state)),
        headline=t("ask.headline", model=code(state.request.model_name), round=state.round),
        found=t("ask.found", **_facts(state, verdict)),
        what=t("ask.what", reason=t(proposal.reason)),
        command=proposal.command,
        left=t("ask.left", left=_left(state), total=state.request.max_retrains),
    )


def _left(state: RunState) -> int:
    return max(0, state.request.max_retrains - state.round)


def _plain_lines(state: RunState, verdict: Verdict, links: Links) -> list[str]:
    language = state.request.language
    proposal = suggestion(state)
    lines = [
        plain(language, "ask.headline", model=state.request.model_name, round=state.round),
        plain(language, "ask.found", **_facts(state, verdict)),
        plain(language, "ask.what", reason=plain(language, proposal.reason)),
        plain(language, "ask.how"),
        proposal.command,
        plain(language, "ask.left", left=_left(state), total=state.request.max_retrains),
    ]
    if links.issue:
        lines.append(plain(language, "ask.issue", address=links.issue))
    return [visible(line) for line in lines]


def slack_message(state: RunState, verdict: Verdict, *, links: Links) -> dict[str, object]:
    """An incoming-webhook payload: ``plain_text`` blocks only, so no mark-up, mention or channel call of the input works.

    The fallback ``text`` has ``&``, ``<`` and ``>`` escaped as Slack asks (a mention is written ``<!channel>``).
    """
    lines = _plain_lines(state, verdict, links)
    fallback = lines[0].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": shorten(lines[0], 150), "emoji": False}},
        {"type": "section", "text": {"type": "plain_text", "text": shorten("\n".join(lines[1:]), _LONGEST_SLACK_BLOCK), "emoji": False}},
    ]
    return {"text": fallback, "blocks": blocks}


def mail_message(state: RunState, verdict: Verdict, *, links: Links) -> Mail:
    """Subject (one line, at most 120 characters) and plain-text body."""
    subject = plain(state.request.language, "ask.subject", model=state.request.model_name, round=state.round)
    return Mail(bounded(subject, _LONGEST_SUBJECT), "\n\n".join(_plain_lines(state, verdict, links)) + "\n")


def render_command_answer(answer: CommandAnswer) -> str:
    """One short comment in the run's language: the round that was started, or why not."""
    t = translator(answer.language)
    if answer.accepted:
        return (
            t("answer.accepted", round=answer.round, run=code(answer.run_id)) + (f"\n\n{escape(answer.text)}" if answer.text else "") + "\n"
        )
    return f"**{t('answer.refused')}**\n\n{escape(answer.text, 2000)}\n"
