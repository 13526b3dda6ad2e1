"""The verdict on the evaluation report: filled in when the run is closed, by a place that reads no table.

judged = with_verdict(page, state)      # the block between the two marks is replaced; a page without marks stays as it is
"""

from __future__ import annotations

from mlops_core.contracts.request import Language
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Verdict
from mlops_core.reporting.comment import verdict_lines
from mlops_core.reporting.markdown import Markdown
from mlops_core.reporting.messages import plain
from mlops_core.reporting.pages import Found, StateBlock, environment, warning, words

OPENING, CLOSING = "<!-- mlops:verdict -->", "<!-- /mlops:verdict -->"
_TONES = {"accept": "good", "retrain": "warn", "refuse": "bad"}
_MOST_WARNINGS = 30


def unjudged(language: Language, warnings: tuple[Found, ...]) -> StateBlock:
    """What stands there before the judge has spoken."""
    t = words(language)
    return StateBlock(
        tone="plain",
        headline=t("report.open"),
        lines=(t("report.no_verdict"), _counted(language, len(warnings))),
        found=warnings[:_MOST_WARNINGS],
    )


def judged(state: RunState, verdict: Verdict) -> StateBlock:
    """Verdict, numbers that decided, warnings, and what to do next."""
    language = state.request.language
    t = words(language)

    def sentence(key: str, **values: object) -> Markdown:
        return Markdown(plain(language, key, **values))

    headline, *lines = verdict_lines(verdict, sentence)
    warnings = tuple(warning(item.code, item.text) for item in state.warnings)
    return StateBlock(
        tone=_TONES[verdict.decision],
        headline=headline,
        lines=(*lines, t("verdict.split"), _counted(language, len(warnings))),
        found=warnings[:_MOST_WARNINGS],
        act_title=t("section.next"),
        act=t(f"act.{verdict.decision}", model=state.request.model_name, issue=state.issue),
    )


def with_verdict(page: str, state: RunState) -> str:
    """The page with its first block replaced by the run's verdict."""
    before, opening, rest = page.partition(OPENING)
    _, closing, after = rest.partition(CLOSING)
    if state.verdict is None or not opening or not closing:
        return page
    block = environment().get_template("state.html.j2").render(state=judged(state, state.verdict))
    return f"{before}{OPENING}\n{block}\n{CLOSING}{after}"


def _counted(language: Language, count: int) -> str:
    return plain(language, "report.warned", count=count) if count else plain(language, "report.unwarned")
