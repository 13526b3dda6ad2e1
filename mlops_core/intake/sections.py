"""The line grammar of an issue body: ``### heading`` lines and what stands between them.

    split_sections("### Task / タスク\\n\\nbinary\\n").sections[0].text       # -> "binary"

A line is a heading where GitHub shows one: not inside a code fence, an HTML block or a quote.  Everything else is text of the section
it stands in.  One pass, no backtracking: a hostile body costs what its length costs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_SECTIONS = 60
MAX_LINES = 4096
_HEADING = re.compile(r" {0,3}###(?:[ \t]+(.*))?\Z")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)\Z")
_HTML_RAW = re.compile(r" {0,3}<(?:!|\?|(?:script|pre|style|textarea)(?:[\s>]|\Z))", re.IGNORECASE)
_SPECIAL = frozenset("#`~<")
_HTML_LINE = re.compile(r" {0,3}</?[A-Za-z]")


@dataclass
class Section:
    """A heading, the lines below it, and whether they hold Markdown that could hide a field."""

    heading: str
    line: int
    lines: list[str] = field(default_factory=list)
    markup: bool = False

    @property
    def text(self) -> str:
        """The section's text without blank lines around it and without the blanks around a line."""
        return "\n".join(line.strip(" \t") for line in self.lines).strip("\n")


@dataclass
class Sections:
    """A body taken apart: ``preamble`` stands before the first heading, ``unclosed`` and ``overflow`` name the line
    of a block that never ends and the line at which reading stopped (0: none)."""

    preamble: Section
    sections: list[Section]
    unclosed: int = 0
    overflow: int = 0


class _Block:
    """The open code fence or HTML block, if any."""

    def __init__(self) -> None:
        self.ends: re.Pattern[str] | None = None
        self.line = 0

    def feed(self, line: str, number: int) -> bool:
        """True when the line belongs to a block (its first and last line included)."""
        if self.ends is not None:
            if self.ends.search(line):
                self.ends = None
            return True
        fence = _FENCE.match(line)
        if fence and not (fence[1][0] == "`" and "`" in fence[2]):
            self.ends = re.compile(rf"\A {{0,3}}{re.escape(fence[1][0])}{{{len(fence[1])},}}[ \t]*\Z")
        elif _HTML_RAW.match(line) and "-->" not in line:
            self.ends = re.compile(r"-->|</(?:script|pre|style|textarea)>|\?>", re.IGNORECASE)
        elif not _HTML_RAW.match(line):
            return False
        self.line = number
        return True


def _hides(line: str, following: str) -> bool:
    """An HTML line that is followed by text swallows what follows in GitHub's view."""
    return bool(_HTML_LINE.match(line) and following.strip())


def split_sections(body: str) -> Sections:
    """Take a body apart; a byte-order mark and CRLF are accepted, no other line ends."""
    lines = body.removeprefix("\ufeff").replace("\r\n", "\n").split("\n", MAX_LINES)
    preamble = Section(heading="", line=0)
    result = Sections(preamble=preamble, sections=[], overflow=len(lines) if len(lines) > MAX_LINES else 0)
    del lines[MAX_LINES:]
    current, block = preamble, _Block()
    for number, line in enumerate(lines, start=1):
        # Only these four can be anything but text; the look at one character keeps long bodies cheap.
        if block.ends is None and line.lstrip(" ")[:1] not in _SPECIAL:
            current.lines.append(line)
            continue
        if block.feed(line, number):
            current.markup = True
            current.lines.append(line)
            continue
        heading = _HEADING.match(line)
        if heading and len(result.sections) >= MAX_SECTIONS:
            result.overflow = number
            break
        if heading:
            current = Section(heading=(heading[1] or "").strip(" \t"), line=number)
            result.sections.append(current)
            continue
        current.markup = current.markup or _hides(line, lines[number] if number < len(lines) else "")
        current.lines.append(line)
    result.unclosed = block.line if block.ends is not None else 0
    return result
