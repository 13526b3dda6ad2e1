"""Links between the pages of one run, put in where they are published beside each other.

    with_links(page, "report", ("report", "quality", "features"), language="ja")    # links to the other two, below the title

A page without the mark, or without others beside it, stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlops_core.contracts.request import Language
from mlops_core.reporting.messages import plain

MARK = "<!-- mlops:pages -->"


def with_links(page: bytes, name: str, published: Sequence[str], *, language: Language) -> bytes:
    """The page with links to the others; names are file names without ``.html``."""
    others = [other for other in published if other != name]
    before, mark, after = page.partition(MARK.encode())
    if not others or not mark:
        return page
    links = "".join(f'<a href="{other}.html">{plain(language, f"link.{other}")}</a>' for other in others)
    return before + f'<nav class="pages">{links}</nav>'.encode() + after
