"""One thing wrong with a request, and the error that carries them all.

    raise RequestRefused([Problem("E-PARSE-007", "metric", value="acc", allowed="accuracy, f1", hint="accuracy")], language="en")

`RequestRefused` is an `InvalidRequest`: `mlops` prints it, the entry point and the webhook answer with `comment`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlops_core.contracts.request import Language
from mlops_core.errors import InvalidRequest
from mlops_core.intake import messages
from mlops_core.intake.characters import shown
from mlops_core.intake.form import FIELDS

SHOWN_PROBLEMS = 30
TOLD_PROBLEMS = 8
_LABELS = {field.name: (field.english, field.japanese) for field in FIELDS}


@dataclass(frozen=True)
class Problem:
    """One problem: a stable code, the field, and what was written, made safe to show.

    ``allowed`` and ``hint`` read the same in every language; ``line`` counts from 1; ``character`` is a refused one by name.
    """

    code: str
    field: str = ""
    value: str = ""
    allowed: str = ""
    hint: str = ""
    line: int = 0
    character: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", shown(self.value))

    def text(self, language: Language, *, with_value: bool = True) -> str:
        """One paragraph of plain text: field, what is wrong, the value, what is allowed, the next act."""
        label = _LABELS.get(self.field, ("", ""))[0 if language == "en" else 1]
        place = f"{messages.phrase('line', language)} {self.line}" if self.line and not label else label
        parts = [f"{place}: " if place else "", messages.headline(self.code, language)]
        if with_value and self.value:
            parts.append(f" ({self.value!r})")
        if self.character:
            parts.append(f" {messages.phrase('character', language)}: {self.character}.")
        if self.allowed:
            parts.append(f" {self._allowed(language)}.")
        if self.hint and with_value:
            parts.append(f" {messages.phrase('hint', language)}: {self.hint}?")
        return "".join([*parts, " ", messages.next_act(self.code, language)])

    def _allowed(self, language: Language) -> str:
        if self.allowed.startswith("e.g. "):
            return self.allowed
        return f"{messages.phrase('required' if self.code == 'E-PARSE-031' else 'allowed', language)}: {self.allowed}"


class RequestRefused(InvalidRequest):
    """Every problem of one request; ``language`` is the one chosen in it, or None when it could not be read."""

    def __init__(self, problems: Sequence[Problem], *, language: Language | None = None) -> None:
        self.problems = list(problems)
        self.language = language
        first, spoken = self.problems[0], language or "en"
        act = messages.next_act(first.code, spoken)
        told = [f"{problem.code} {problem.text(spoken)}".removesuffix(act).strip() for problem in self.problems[:TOLD_PROBLEMS]]
        more = [f"+{len(self.problems) - TOLD_PROBLEMS}"] if len(self.problems) > TOLD_PROBLEMS else []
        super().__init__(" · ".join([*told, *more]), remedy=act, code=first.code)

    def lines(self, language: Language | None = None) -> list[str]:
        """Every problem as one line of plain text, for the terminal."""
        return [f"{problem.code} {problem.text(language or self.language or 'en')}" for problem in self.problems]

    def comment(self) -> str:
        """The refusal as Markdown: what people wrote stands only in a fence and escaped."""
        languages: tuple[Language, ...] = (self.language,) if self.language else ("en", "ja")
        return "\n\n".join([*(self._part(language) for language in languages), *self._written(languages)]) + "\n"

    def _part(self, language: Language) -> str:
        rows = [f"- **{problem.code}** {_plain(problem.text(language, with_value=False))}" for problem in self.problems[:SHOWN_PROBLEMS]]
        head = f"### {messages.phrase('title', language)}\n\n{messages.phrase('intro', language)}"
        return "\n".join([head, "", *rows])

    def _written(self, languages: tuple[Language, ...]) -> list[str]:
        rows = [_fenced_row(problem) for problem in self.problems[:SHOWN_PROBLEMS] if problem.value]
        if not rows:
            return []
        title = " / ".join(messages.phrase("written", language) for language in languages)
        return [f"{title}\n\n``````text\n" + "\n".join(rows) + "\n``````"]


def _plain(text: str) -> str:
    # Allowed values hold names such as `roc_auc` and `<`: no Markdown in them may act.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("_", "\\_").replace("*", "\\*").replace("`", "\\`")


def _fenced_row(problem: Problem) -> str:
    place = problem.field or (f"line {problem.line}" if problem.line else "issue")
    hint = f"   (did you mean: {problem.hint}?)" if problem.hint else ""
    return f"{problem.code} {place}: {problem.value}{hint}"
