"""Text of strangers made harmless in GitHub Markdown.

    escape("@everyone closes #1 | <img>")     # shows the same characters; mentions nobody, links nothing, breaks no table
    code("s3://bucket/key")                   # the same inside a code span
    fence(traceback)                          # the same as a block

`Markdown` marks text that is already safe; everything else passes through `escape` (the templates do it for every expression).
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit, urlunsplit

LONGEST_VALUE = 600
_GAP = "&#8203;"
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&$@#]|:(?=//)")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "$": "&#36;", "@": "@" + _GAP, "#": "#" + _GAP, ":": ":" + _GAP}
_ISSUE_SHORTHAND = re.compile(r"\b(gh)-(?=\d)", re.IGNORECASE)
_WEB = re.compile(r"\b(www)\.", re.IGNORECASE)
_LINE_START = re.compile(r"^(\s*)([-+](?=[\s+-]|$)|=|\d+(?=[.)](?:\s|$)))")
_BACKTICKS = re.compile(r"`+")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


class Markdown(str):
    """Text that may enter a page as it is."""

    __slots__ = ()


def bounded(value: object, limit: int, *, newlines: bool = False) -> str:
    """`visible` text of at most ``limit`` characters; what lies beyond is never looked at, however long the value is."""
    return shorten(visible(str(value)[: limit + 1], newlines=newlines), limit)


def visible(text: str, *, newlines: bool = False) -> str:
    """The text with every control, format or unassigned character shown as its code point, such as ``⟨U+202E⟩``."""
    kept = "\n" if newlines else ""
    parts = []
    for character in text.replace("\r\n", "\n").replace("\t", " "):
        if character in kept or unicodedata.category(character) not in _INVISIBLE:
            parts.append(character)
        else:
            parts.append(" " if character in "\n\r" else f"⟨U+{ord(character):04X}⟩")
    return "".join(parts)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, the last one an ellipsis when something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _replace(match: re.Match[str]) -> str:
    character = match.group()
    return _ENTITIES.get(character, "\\" + character)


def escape(value: object, limit: int = LONGEST_VALUE) -> Markdown:
    """One line of Markdown that shows the value literally, in a sentence as well as in a table cell."""
    if isinstance(value, Markdown):
        return value
    text = _SPECIAL.sub(_replace, bounded(value, limit))
    text = _ISSUE_SHORTHAND.sub(rf"\1{_GAP}-", text)
    text = _WEB.sub(rf"\1{_GAP}.", text)
    return Markdown(_LINE_START.sub(lambda match: f"{match.group(1)}{_GAP}{match.group(2)}", text))


def code(value: object, limit: int = LONGEST_VALUE) -> Markdown:
    """A code span, safe in a table cell; nothing inside a code span is linked or mentioned by GitHub."""
    text = bounded(value, limit).replace("|", "\\|")
    if not text.strip():
        return Markdown("–")
    ticks = "`" * (max((len(run) for run in _BACKTICKS.findall(text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return Markdown(f"{ticks}{pad}{text}{pad}{ticks}")


def fence(value: object, limit: int = 4000) -> Markdown:
    """A fenced block that shows many lines literally and cannot be closed from inside."""
    text = bounded(value, limit, newlines=True)
    ticks = "`" * max(3, max((len(run) for run in _BACKTICKS.findall(text)), default=0) + 1)
    return Markdown(f"{ticks}text\n{text}\n{ticks}")


def block(value: object) -> Markdown:
    """A fenced block for a command of ours to copy; like `fence`, without a language."""
    return Markdown(fence(value).replace("text\n", "\n", 1))


def web_address(address: str) -> str:
    """The address with everything percent-encoded that could end a Markdown link; empty unless it is http or https."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc or re.search(r"[^A-Za-z0-9.\-:\[\]]", parts.netloc):
        return ""
    return urlunsplit(
        (
            parts.scheme,
            parts.netloc,
            quote(parts.path, safe="/%-_.~"),
            quote(parts.query, safe="=&%-_.~:/,"),
            quote(parts.fragment, safe="=&%-_.~:/?$,"),
        )
    )


def join(base: str, path: str) -> str:
    """A file's address below a base, or empty when there is no base or no path."""
    return web_address(base.rstrip("/") + "/" + quote(path.lstrip("/"), safe="/-_.~")) if base and path else ""


def link(label: object, address: str) -> Markdown:
    """A link with a literal label; the label alone when the address is not a web address."""
    safe = web_address(address)
    return Markdown(f"[{escape(label)}]({safe})") if safe else escape(label)


def image(alternative: object, address: str) -> Markdown:
    """An image with its alternative text; empty when the address is not a web address."""
    safe = web_address(address)
    return Markdown(f"![{escape(alternative)}]({safe})") if safe else Markdown("")
