"""The verdict on the evaluation report: filled in when the run is closed, by a place that reads no table.

judged = with_verdict(page, state)      # the block between the two marks is replaced; a page without marks stays as it is
"""

from __future__ import annotations

from mlops_core.contracts.request import Language
from mlops_core.contracts.run import RunState
from mlops_core.contracts.stops import EVALUATION_STOPPED, UNMEASURED, code_of
from mlops_core.contracts.verdict import Verdict
from mlops_core.reporting.comment import comparison, verdict_lines
from mlops_core.reporting.figures import figure
from mlops_core.reporting.markdown import Markdown
from mlops_core.reporting.messages import plain
from mlops_core.reporting.messages.wording import compared
from mlops_core.reporting.pages import Found, StateBlock, environment, named, warning, words
from mlops_core.reporting.rendering import Translate

OPENING, CLOSING = "<!-- mlops:verdict -->", "<!-- /mlops:verdict -->"
_TONES = {"accept": "good", "retrain": "warn", "refuse": "bad"}
_MOST_WARNINGS = 30


def unjudged(language: Language, warnings: tuple[Found, ...]) -> StateBlock:
    """What stands there before the judge has spoken."""
    t = words(language)
    return StateBlock(
        tone="plain",
        headline=t("report.open"),
        lines=(t("report.no_verdict"),),
        count=_counted(language, len(warnings)),
        found=warnings[:_MOST_WARNINGS],
    )


def judged(state: RunState, verdict: Verdict) -> StateBlock:
    """Verdict, numbers that decided, warnings, and what to do next."""
    language = state.request.language
    t = words(language)

    headline, *lines = verdict_lines(verdict, _sentence(language))
    warnings = tuple(warning(item.code, item.text) for item in state.warnings)
    return StateBlock(
        tone=_TONES[verdict.decision],
        headline=headline,
        lines=(*lines, t("verdict.split"), *((t("report.of_test"),) if state.test_evaluation_uri else ())),
        count=_counted(language, len(warnings)),
        found=warnings[:_MOST_WARNINGS],
        act_title=t("section.next"),
        act=t(f"act.{_act(state, verdict)}", model=state.request.model_name, issue=state.issue),
        rules=_rules(verdict, language),
    )


def stopped(state: RunState) -> StateBlock:
    """What stands there when the policy stops on a warning about the figures, or a rule lacks its figure: the reason, no verdict."""
    language = state.request.language
    t = words(language)
    found = tuple(warning(item.code, item.text) for item in state.warnings)
    return StateBlock(
        tone="bad",
        headline=t(
            "headline.stopped" if code_of(state.reason) == EVALUATION_STOPPED else "headline.unmeasured", model=state.request.model_name
        ),
        lines=(state.reason,),
        count=_counted(language, len(found)),
        found=found[:_MOST_WARNINGS],
        act_title=t("section.next"),
        act=t("next.again", label="mlops:train"),
    )


def _act(state: RunState, verdict: Verdict) -> str:
    """What comes next: a model that nobody asked to serve is packaged alone."""
    return "package" if verdict.decision == "accept" and not state.request.endpoint else verdict.decision


def _sentence(language: Language) -> Translate:
    """The comment's sentences as they are: what a page shows is escaped by its template."""

    def sentence(key: str, **values: object) -> Markdown:
        return Markdown(plain(language, key, **values))

    return sentence


def _rules(verdict: Verdict, language: Language) -> tuple[tuple[str, ...], ...]:
    """What was compared with what, rule by rule, below its headings."""
    t = words(language)
    heads = tuple(t(f"column.{name}") for name in ("rule", "metric", "value", "required", "result"))
    return (
        heads,
        *(
            (
                t(f"rule.{rule.name}"),
                named(compared(language, rule)),
                figure(rule.measured),
                t("rule.required", comparison=comparison(rule, _sentence(language)), required=figure(rule.required)),
                t("rule.passed" if rule.passed else "rule.reported" if rule.reported else "rule.missed"),
            )
            for rule in verdict.rules
        ),
    )


def with_verdict(page: str, state: RunState) -> str:
    """The page with its first block replaced by the run's verdict."""
    before, opening, rest = page.partition(OPENING)
    _, closing, after = rest.partition(CLOSING)
    unjudged_end = code_of(state.reason) in {EVALUATION_STOPPED, *UNMEASURED}
    said = stopped(state) if unjudged_end else judged(state, state.verdict) if state.verdict else None
    if said is None or not opening or not closing:
        return page
    block = environment().get_template("state.html.j2").render(state=said)
    return f"{before}{OPENING}\n{block}\n{CLOSING}{after}"


def _counted(language: Language, count: int) -> str:
    return plain(language, "report.warned", count=count) if count else plain(language, "report.unwarned")
