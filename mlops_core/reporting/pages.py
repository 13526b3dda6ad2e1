"""HTML pages for people: one file each, no script, nothing from outside, light and dark, readable on a telephone.

    html("quality.html.j2", "ja", profile=profile)      # ``t``, ``figure`` and ``named`` are known to every page
    named("=cmd()")                                     # "'=cmd()": a formula stays text wherever it is pasted

Everything that comes from data or people is escaped by the template engine.  This module and what it imports stay free of numpy: the
history writer fills in the verdict where no job runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlops_core.contracts.request import Language
from mlops_core.errors import Defect
from mlops_core.reporting.figures import figure
from mlops_core.reporting.markdown import bounded
from mlops_core.reporting.messages import plain
from mlops_core.reporting.rendering import TEMPLATES

Words = Callable[..., str]
_LONGEST_SENTENCE = 300
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9.]+(?:[eE][+-]?[0-9]+)?$)")


@dataclass(frozen=True)
class Found:
    """One warning: its code, its sentence and, where there is room, what to do."""

    code: str
    text: str
    act: str = ""


@dataclass(frozen=True)
class StateBlock:
    """The first thing a page says: where it stands (``tone`` good, warn, bad or plain), what was found, and what to do next.

    ``rules`` is a table of what the judge compared, its headings first; ``count`` stands above what was found.
    """

    tone: str
    headline: str
    lines: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    act_title: str = ""
    act: str = ""
    rules: tuple[tuple[str, ...], ...] = ()
    count: str = ""


@dataclass(frozen=True)
class Range:
    """One row of a chart of ranges; every place is a percentage of the track, None draws nothing.

    ``bar`` is a filled width from ``start``, ``dot`` a figure with its interval (``left``, ``width``), ``mark`` a line to compare with.
    """

    name: str
    alt: str
    value: str = ""
    told: str = ""
    bar: float | None = None
    start: float = 0.0
    hot: bool = False
    dot: float | None = None
    left: float = 0.0
    width: float = 0.0
    mark: float | None = None


def words(language: Language) -> Words:
    """``t(key, name=value)`` of a language; the page escapes what it gives."""

    def t(key: str, **values: object) -> str:
        return plain(language, key, **values)

    return t


def known(t: Words, key: str, fallback: str, **values: object) -> str:
    """The text of a key that is made of data, or the fallback where the catalogue has no such word."""
    try:
        return t(key, **values)
    except Defect:
        return fallback


def named(value: object, limit: int = 60) -> str:
    """A name or category as a page shows it: bounded, control characters visible, a formula's beginning quoted (CWE-1236)."""
    text = bounded(value, limit)
    return f"'{text}" if _FORMULA.match(str(value)) else text


def warning(code: str, text: str, act: str = "") -> Found:
    """A warning for a page: its sentence may begin with a column's name, so it is treated as `named` is."""
    return Found(code, named(text, _LONGEST_SENTENCE), act)


def share(value: float) -> str:
    """A share 0 … 1 as a percentage: ``0 %``, ``<0.1 %``, ``12.3 %``, ``100 %``."""
    if 0 < value < 0.001:
        return "<0.1 %"
    return f"{100 * value:.1f} %" if 0 < value < 1 else f"{100 * value:.0f} %"


def _capital(text: str) -> str:
    """The first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The template engine of the HTML pages."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(named=named, capital=_capital)
    made.globals.update(figure=figure, named=named, share=share)
    return made


def html(template: str, language: Language, **values: object) -> str:
    """The rendered page."""
    return environment().get_template(template).render(t=words(language), language=language, **values)
