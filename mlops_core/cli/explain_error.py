"""`mlops explain-error`: what an error or warning code means, why it matters and what to do."""

from __future__ import annotations

import argparse
import textwrap
import unicodedata
from collections.abc import Iterator

from mlops_core.cli.console import Console
from mlops_core.explain.table import TABLE, Explanation, explanation

HELP = "Explain an error or warning code: what it means, why it matters, what to do."
EXAMPLE = "  mlops explain-error W-DATA-001\n  mlops explain-error E-DATA-012 --language ja"
_WIDTH = 96
_HEADINGS = {
    "en": ("what it means", "why it matters", "what to do", "page"),
    "ja": ("意味", "なぜ重要か", "対応", "ページ"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="the code of a message, such as E-DATA-012; without one all are listed")
    parser.add_argument("--language", choices=("en", "ja"), default="en", help="default: %(default)s")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the explanation; `NotFound` (E-CODE) names the nearest codes."""
    if arguments.code is None:
        for code, item in TABLE.items():
            console.say(f"{code:<22} {item.words[arguments.language].means}")
        return 0
    found = explanation(arguments.code)
    for line in lines(found, arguments.language):
        console.say(line)
    return 0


def lines(found: Explanation, language: str) -> Iterator[str]:
    """The explanation as lines of at most 100 columns."""
    words = found.words[language]
    means, why, act, page = _HEADINGS[language]
    yield found.code
    for heading, text in ((means, words.means), (why, words.why), (act, words.act), (page, f"docs/reference/{found.page(language)}")):
        yield f"  {heading}"
        yield from (f"    {line}" for line in _wrapped(text))


def _wrapped(text: str) -> list[str]:
    """Lines of at most 96 columns; Japanese has no blanks to break at and two columns a character."""
    if text.isascii() or not any(unicodedata.east_asian_width(char) == "W" for char in text):
        return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    found, line, width = [], "", 0
    for char in text:
        step = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if width + step > _WIDTH and char not in "。、）」":
            found.append(line)
            line, width = "", 0
        line, width = line + char, width + step
    return [*found, line]
