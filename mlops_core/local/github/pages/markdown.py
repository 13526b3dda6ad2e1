"""GitHub-flavoured Markdown as HTML that cannot harm.

    render(comment_text)                                     # line breaks count, as in comments
    render(readme, base="/alice/models", ref="main", folder="docs", breaks=False)

markdown-it makes the HTML (the text's own HTML included), nh3 lets only listed tags, attributes and schemes through.
"""

from __future__ import annotations

import re
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_TAGS = {
    "a", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
    "img",
    "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead",
    "tr", "ul", "var", "picture",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"}, "img": {"src", "alt", "title", "width", "height"}, "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"}, "ol": {"start"}, "details": {"open"}, "p": {"align"}, "div": {"align"},
}  # fmt: skip
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]]")
_BOX = re.compile(r"^\[([ xX])\] ")
_ALIGN = re.compile(r'style="text-align:(left|center|right)"')
_LONGEST = 400_000


def render(text: str, *, base: str = "", ref: str = "", folder: str = "", breaks: bool = True) -> str:
    """Clean HTML; relative images and links lead into the repository ``base`` at ``ref``."""
    html = _ALIGN.sub(r'align="\1"', _parser(breaks).render(text[:_LONGEST]))

    def rewrite(tag: str, name: str, value: str) -> str | None:
        if name not in {"src", "href"} or not base or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|/|#", value):
            return value
        inside = f"{folder}/{value}" if folder else value
        return f"{base}/{'raw' if tag == 'img' else 'blob'}/{ref}/{inside.removeprefix('./')}"

    return nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"}, attribute_filter=rewrite,
        link_rel="nofollow noopener noreferrer", strip_comments=True,
    )  # fmt: skip


@cache
def _parser(breaks: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "breaks": breaks}).enable(["table", "strikethrough"])
    parser.core.ruler.push("addresses", _link_addresses)
    return parser


def _link_addresses(state: StateCore) -> None:
    """Bare addresses become links, ``[x]`` at the start of a list item a ticked box."""
    for place, block in enumerate(state.tokens):
        if block.type != "inline" or not block.children:
            continue
        in_item = place >= 2 and state.tokens[place - 2].type == "list_item_open"
        first = block.children[0]
        if in_item and first.type == "text":
            first.content = _BOX.sub(lambda hit: "☐ " if hit[1] == " " else "☑ ", first.content)
        fresh: list[Token] = []
        depth = 0
        for token in block.children:
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            fresh += _split(token) if token.type == "text" and not depth else [token]
        block.children = fresh


def _split(token: Token) -> list[Token]:
    pieces: list[Token] = []
    position = 0
    for hit in _ADDRESS.finditer(token.content):
        pieces.append(Token("text", "", 0, content=token.content[position : hit.start()]))
        pieces.append(Token("link_open", "a", 1, attrs={"href": hit[0]}))
        pieces.append(Token("text", "", 0, content=hit[0]))
        pieces.append(Token("link_close", "a", -1))
        position = hit.end()
    pieces.append(Token("text", "", 0, content=token.content[position:]))
    return pieces
