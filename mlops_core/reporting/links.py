"""The web addresses a page may point to; an empty one is left out."""

from __future__ import annotations

from mlops_core.contracts.base import Message
from mlops_core.reporting.markdown import join


class Links(Message):
    """Where things are on the web.

    ``files`` is the prefix at which a file of the repository is read (``https://github.com/O/R/blob/main``), ``raw`` the prefix at
    which its bytes are served (images, the HTML report).  ``local`` says that the jobs ran on this machine and cost nothing.
    """

    issue: str = ""
    files: str = ""
    raw: str = ""
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
