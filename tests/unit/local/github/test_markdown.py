"""Comments are shown as GitHub shows them, and can do nothing."""

from __future__ import annotations

import pytest

from mlops_core.local.github.pages.markdown import render


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "<a href='data:text/html,x'>x</a>",
        "<svg onload=alert(1)><style>*{}</style></svg>",
        "<iframe src='https://example.com'></iframe>",
        "<details ontoggle=alert(1) open><summary>x</summary></details>",
        "<form action='/logout'><button>x</button></form>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    ],
)
def test_no_text_becomes_script_form_or_frame(text: str) -> None:
    """abuse row 28: markup in fields is shown, never run."""
    html = render(text).lower()
    for forbidden in (
        "<script",
        "onerror=",
        'href="javascript',
        'href="data:',
        "<svg",
        "<style",
        "<iframe",
        "ontoggle=",
        "<form",
        "<button",
    ):
        assert forbidden not in html.replace("&lt;", "").replace("&quot;", "'")


def test_tables_fences_details_and_images_survive() -> None:
    table = "| a | b |\n| --- | ---: |\n| 1 | 2 |\n\n```\nx < y\n```\n\n"
    html = render(table + "<details><summary>more</summary>\n\n**bold**\n\n</details>\n\n![plot](/o/r/raw/main/p.png)")
    for wanted in (
        "<table>",
        '<td align="right">2</td>',
        "x &lt; y",
        "<summary>more</summary>",
        "<strong>bold</strong>",
        '<img src="/o/r/raw/main/p.png" alt="plot">',
    ):
        assert wanted in html


def test_relative_images_and_links_lead_into_the_repository() -> None:
    html = render("![a](plots/a.png) [b](./b.md) [c](https://example.com) [d](#here)", base="/o/r", ref="main", folder="docs")
    assert 'src="/o/r/raw/main/docs/plots/a.png"' in html
    assert 'href="https://example.com"' in html
    assert 'href="#here"' in html
    assert "/o/r/blob/main/docs/" in html


def test_bare_addresses_become_links_without_their_full_stop() -> None:
    assert '<a href="https://example.com/x?a=1"' in render("see https://example.com/x?a=1.")


def test_line_breaks_count_in_comments_only() -> None:
    assert "<br" in render("a\nb")
    assert "<br" not in render("a\nb", breaks=False)


def test_boxes_of_lists_are_ticked_or_empty() -> None:
    html = render("- [x] done\n- [ ] open")
    assert "☑ done" in html
    assert "☐ open" in html
