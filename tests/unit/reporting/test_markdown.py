"""What strangers write acts on nothing in GitHub Markdown (abuse row 28)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mlops_core.reporting.markdown import Markdown, code, escape, fence, image, join, link, visible, web_address

RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
TEXT = st.text(max_size=80) | st.text("@#`|<>[]()*_~\\&$!:/-+=1. \nghGHw", max_size=60)


def seen(page: str) -> str:
    """The text that a reader sees, invisible gaps taken out."""
    html = RENDERER.render(page)
    from html import unescape

    return unescape(re.sub(r"<[^>]+>", "", html)).replace("\u200b", "").strip()


HOSTILE = [
    "@everyone please look",
    "see #1 and octo/repo#2, GH-3",
    "closes #1",
    "fixes https://github.com/o/r/issues/1",
    "<img src=x onerror=alert(1)>",
    "<!-- mlops:run:other -->",
    "a | b | c",
    "**bold** _it_ ~~no~~ `code`",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "www.evil.example",
    "$E=mc^2$ and $`x`$",
    "- item",
    "1. item",
    "+ item",
    "# heading",
    "> quote",
    "---",
    "===",
    "```\nfence",
    "&lt;b&gt; &#64;everyone",
    "line one\nline two",
    "\\| \\@",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(text: str) -> None:
    """Abuse row 28: Markdown or HTML in fields makes no mention, no cross-link, no close, no markup."""
    for page in (f"{escape(text)}", f"before {escape(text)} after", f"| a | b |\n| - | - |\n| {escape(text)} | end |"):
        html = RENDERER.render(page)
        assert not re.search(r"<(?!/?(p|table|thead|tbody|tr|th|td)\b)", html)
        assert not re.search(r"@[A-Za-z]", html)
        assert not re.search(r"#\d|(?i:gh)-\d", html.replace("&#", ""))
        assert not re.search(r"://|www\.", html)
    assert seen(escape(text)) == re.sub(r"\n", " ", text)
    cells = re.findall(r"<td>(.*?)</td>", RENDERER.render(f"| a | b |\n| - | - |\n| {escape(text)} | end |"))
    assert len(cells) == 2
    assert cells[1] == "end"


@given(TEXT)
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    expected = " ".join(visible(text).split())
    assert " ".join(seen(f"x {escape(text)} y").split()) == " ".join(f"x {expected} y".split())


@given(TEXT)
def test_a_code_span_stays_one_span_in_a_table(text: str) -> None:
    html = RENDERER.render(f"| a | b |\n| - | - |\n| {code(text)} | end |")
    cells = re.findall(r"<td>(.*?)</td>", html, flags=re.DOTALL)
    assert len(cells) == 2
    assert cells[1] == "end"
    assert re.fullmatch(r"<code>.*</code>|–", cells[0], flags=re.DOTALL)


@given(TEXT)
def test_a_fence_cannot_be_closed_from_inside(text: str) -> None:
    html = RENDERER.render(f"{fence(text)}\n\nafter")
    assert html.count("<pre>") == 1
    assert html.endswith("<p>after</p>\n")


def test_characters_that_hide_or_turn_text_are_shown_by_code_point() -> None:
    """Abuse row 25 in answers: a bidirectional override or zero-width character is named, not acted on."""
    assert visible("a\u202eb\u200bc\x00") == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+0000⟩"
    assert visible("\ud800") == "⟨U+D800⟩"


def test_long_values_are_cut() -> None:
    assert len(escape("a" * 10_000)) == 600


def test_safe_markdown_is_not_escaped_twice() -> None:
    assert escape(Markdown("**x**")) == "**x**"


NO_ADDRESSES = ["javascript:alert(1)", "data:text/html,x", "//evil", "http://", "https://a b/", "https://user@evil/", "", "ftp://x/y"]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_only_plain_web_addresses_become_links(address: str) -> None:
    assert web_address(address) == ""
    assert link("label", address) == "label"
    assert image("label", address) == ""


def test_an_address_cannot_break_out_of_its_link() -> None:
    made = link("a]b", "https://x.example/a)b(c d?q=1|2#f")
    html = RENDERER.render(made)
    assert html.count("<a ") == 1
    assert "](" not in html
    assert "|" not in made
    assert join("https://x.example/raw", "a/../b (1).png") == "https://x.example/raw/a/../b%20%281%29.png"
    assert join("", "x") == join("https://x", "") == ""
