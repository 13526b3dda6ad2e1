"""The web addresses a page may point to; an empty one is left out.

Links(docs=docs_at("https://github.com", "acme/mlops", commit)).explained("W-DATA-001", "en")
with_explanations(refusal, docs)              # its codes become links to the pages that explain them
"""

from __future__ import annotations

import re

from mlops_core.contracts.base import Message
from mlops_core.contracts.request import Language
from mlops_core.reporting.markdown import Markdown, code, join, web_address

_COMMIT = re.compile(r"(?!0{40})[0-9a-f]{40}")
_ROW = re.compile(r"^(- )?\*\*([EW]-[A-Z]+-[0-9A-Z-]+)\*\* (.*)$", re.MULTILINE)
_JAPANESE = re.compile(r"[\u3040-\u30ff]")


class Links(Message):
    """Where things are on the web.

    ``files`` is the prefix at which a file of the repository is read (``https://github.com/O/R/blob/main``), ``raw`` the prefix at
    which its bytes are served (images, the HTML report), ``docs`` the one of the suite's own reference.  ``local`` says that the jobs
    ran on this machine and cost nothing.
    """

    issue: str = ""
    files: str = ""
    raw: str = ""
    docs: str = ""
    execution: str = ""
    endpoint: str = ""
    dashboard: str = ""
    workflow: str = ""
    local: bool = False

    def file(self, path: str) -> str:
        """The page of a repository file, or empty."""
        return join(self.files, path)

    def bytes_of(self, path: str) -> str:
        """The bytes of a repository file, or empty; a path that is an address already stays itself."""
        return path if path.startswith(("https://", "http://")) else join(self.raw, path)

    def explained(self, name: str, language: Language) -> Markdown:
        """A code of an error or warning as a link to the page that explains it, or in plain where that is not known."""
        address = _page(self.docs, name, language)
        return Markdown(f"[{code(name)}]({address})") if address else code(name)


def docs_at(server: str, repository: str, commit: str = "") -> str:
    """Where the suite's reference is read, at the commit that runs where that is known; empty without a repository."""
    return join(server, f"{repository}/blob/{commit if _COMMIT.fullmatch(commit) else 'HEAD'}/docs/reference") if repository else ""


def with_explanations(refusal: str, docs: str) -> str:
    """The text with the code at the head of each of its rows as a link, to the Japanese page where the row is Japanese."""

    def linked(row: re.Match[str]) -> str:
        address = _page(docs, row[2], "ja" if _JAPANESE.search(row[3]) else "en")
        return f"{row[1] or ''}**[{row[2]}]({address})** {row[3]}" if address else row[0]

    return _ROW.sub(linked, refusal) if docs else refusal


def _page(docs: str, name: str, language: Language) -> str:
    # Imported here: a page without addresses needs no explanations.
    from mlops_core.explain.table import find

    found = find(name) if docs else None
    return web_address(f"{docs}/{found.page(language)}") if found else ""
