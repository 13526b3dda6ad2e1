"""Every error and warning code with what it means, why it matters and what to do, in English and Japanese.

    find("E-DATA-012").words["ja"].means       # '…'; None instead of an explanation for a code that nobody raises
    explanation("E-NOTHING")                   # NotFound with near spellings
    find("E-AWS-AccessDenied").code            # 'E-AWS': what follows is the service's own code
    close("E-DATA-12")                         # ['E-DATA-012', …]

This table is the source of `mlops explain-error` and of the pages below ``docs/reference/codes/``; a test compares it with the codes
in the source.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mlops_core.errors import NotFound
from mlops_core.explain import data, form, issue, jobs, platform, quality, reading, release, warnings
from mlops_core.intake.messages import HEADLINES, next_act

SUBJECTS = (issue, data, quality, warnings, reading, jobs, release, platform)
_CODE = re.compile(r"\b[EW]-[A-Z0-9]+(?:-[A-Z0-9]+)*\b")
FAMILIES = ("E-AWS", "E-GITHUB")
"""Codes that are followed by the code or status of another service."""


@dataclass(frozen=True)
class Words:
    """What a code means, why it matters and what to do next, in one language."""

    means: str
    why: str
    act: str


@dataclass(frozen=True)
class Explanation:
    """One code in every language; ``subject`` names its page."""

    code: str
    subject: str
    words: Mapping[str, Words]

    def page(self, language: str = "en") -> str:
        """The place below ``docs/reference/`` that explains the code."""
        folder = "codes/" if language == "en" else f"codes/{language}/"
        return f"{folder}{self.subject}.md#{self.code.lower()}"


def _explanations() -> dict[str, Explanation]:
    found = {}
    for code, why in form.WHY.items():
        acts = form.ACT.get(code) or (next_act(code, "en"), next_act(code, "ja"))
        english, japanese = Words(HEADLINES[code]["en"], why[0], acts[0]), Words(HEADLINES[code]["ja"], why[1], acts[1])
        found[code] = Explanation(code, "issue", {"en": english, "ja": japanese})
    for subject in SUBJECTS:
        for code, row in subject.ROWS.items():
            found[code] = Explanation(code, subject.__name__.rpartition(".")[2], {"en": Words(*row[:3]), "ja": Words(*row[3:])})
    return found


TABLE: Mapping[str, Explanation] = _explanations()


def find(code: str) -> Explanation | None:
    """The explanation of a code, also of the first one in a pasted message; upper and lower case are one."""
    written = _CODE.search(code.upper())
    asked = written[0] if written else ""
    own = TABLE.get(asked)
    return own or next((TABLE[family] for family in FAMILIES if asked.startswith(f"{family}-")), None)


def explanation(code: str) -> Explanation:
    """`find`, or `NotFound` with the nearest codes."""
    found = find(code)
    if found is None:
        near = close(code)
        remedy = f"Did you mean {', '.join(near)}?" if near else "`mlops explain-error` lists every code."
        raise NotFound(f"there is no code {code[:60]!r}.", remedy=remedy, code="E-CODE")
    return found


def close(code: str) -> list[str]:
    """At most five known codes of nearly this spelling, the nearest first."""
    written = _CODE.search(code.upper())
    return difflib.get_close_matches((written[0] if written else code.strip().upper())[:40], TABLE, n=5, cutoff=0.6)
