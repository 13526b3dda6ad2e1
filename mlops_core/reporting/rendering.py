"""One template engine for Markdown in which nothing enters a page unescaped.

    render("comment.md.j2", "ja", state=state)

Every expression of a template passes `markdown.escape` unless the code already made it `Markdown`; ``t(key, name=value)`` is the
language's sentence with escaped values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlops_core.contracts.request import Language
from mlops_core.reporting import messages
from mlops_core.reporting.markdown import Markdown, block, code, escape, fence, image, link

Translate = Callable[..., Markdown]
TEMPLATES = Path(__file__).parent / "templates"


def translator(language: Language) -> Translate:
    """``t`` of a language for Markdown: values are escaped, the sentence itself is ours."""

    def translate(key: str, **values: object) -> Markdown:
        return Markdown(messages.filled(messages.text(language, key), {name: escape(value) for name, value in values.items()}))

    return translate


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(  # noqa: S701 - the target is Markdown; `finalize` escapes every expression
        loader=FileSystemLoader(TEMPLATES),
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(block=block, code=code, fence=fence, link=link, image=image)
    return environment


def render(template: str, language: Language, **values: object) -> str:
    """The rendered template without blank lines in a row."""
    page = _environment().get_template(template).render(t=translator(language), **values)
    lines: list[str] = []
    for line in page.splitlines():
        if line.strip() or (lines and lines[-1].strip()):
            lines.append(line.rstrip())
    return "\n".join(lines).rstrip() + "\n"


def cut(page: str, limit: int, ending: str) -> str:
    """The page within ``limit`` bytes: whole lines are kept and ``ending`` says where the rest is; an open code block is closed."""
    if len(page.encode()) <= limit:
        return page
    room = limit - len(ending.encode()) - 16
    kept: list[str] = []
    for line in page.splitlines():
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    if sum(line.startswith("```") for line in kept) % 2:
        kept.append("```")
    return "\n".join([*kept, "", ending]) + "\n"
