"""One REST call and the table entry that leads to it.

ROUTES = (Route("GET", "/repos/{owner}/{repo}/labels", list_labels, Need("issues")),)
def list_labels(call: Call) -> Answer: ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from mlops_core.local.github.answers import Answer, ApiError, refused
from mlops_core.local.github.database import Row
from mlops_core.local.github.git import GitRepository
from mlops_core.local.github.identity import Identity, Need
from mlops_core.local.github.site import Site


@dataclass(frozen=True)
class Call:
    """The caller, the parsed path, query and body."""

    site: Site
    identity: Identity
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    url: str

    @cached_property
    def repository(self) -> Row:
        """The repository that the path names."""
        return self.site.repositories.get(self.path["owner"], self.path["repo"])

    @cached_property
    def git(self) -> GitRepository:
        """Its objects."""
        return self.site.repositories.git(self.repository)

    @property
    def wish(self) -> dict[str, Any]:
        """The body as an object; anything else is GitHub's 400."""
        if not isinstance(self.body, dict):
            raise ApiError(400, "Problems parsing JSON" if self.body is None else "Body should be a JSON object")
        return self.body

    def number(self, name: str) -> int:
        """A number in the path; a 404 for anything else."""
        if not self.path[name].isascii() or not self.path[name].isdigit() or len(self.path[name]) > 18:
            raise ApiError(404, "Not Found")
        return int(self.path[name])

    def text(self, resource: str, name: str) -> str:
        """A text that the body must hold."""
        value = self.wish.get(name)
        if not isinstance(value, str) or not value:
            raise refused(resource, name, "missing_field")
        return value

    def demand(self, need: Need) -> None:
        """Refuse unless the caller may do this here."""
        self.site.access.demand(self.identity, self.repository, need)

    def may(self, need: Need) -> bool:
        """Whether the caller may do this here."""
        return self.site.access.allows(self.identity, self.repository, need)

    def page(self, rows: list[Any], shape: Callable[[Any], Any], *, key: str = "") -> Answer:
        """One page of a list with its Link header; ``key`` wraps it as ``{total_count, key}``."""
        size = max(1, min(100, self._integer("per_page", 30)))
        page = max(1, self._integer("page", 1))
        last = max(1, -(-len(rows) // size))
        shown = [shape(row) for row in rows[(page - 1) * size : page * size]]
        links = []
        for name, target in (("prev", page - 1), ("next", page + 1), ("last", last), ("first", 1)):
            forward = name in {"next", "last"}
            if (page < last) if forward else (page > 1):
                links.append(f'<{self._page_url(target)}>; rel="{name}"')
        headers = {"Link": ", ".join(links)} if links else {}
        return Answer(200, {"total_count": len(rows), key: shown} if key else shown, headers)

    def _integer(self, name: str, default: int) -> int:
        value = self.query.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default

    def _page_url(self, page: int) -> str:
        return f"{self.url}?{urlencode({**self.query, 'page': page})}"


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One supported operation; ``need`` None leaves the decision to the handler, and ``note`` goes into the support table;
    ``jwt``: an App's JWT signs the call."""

    method: str
    path: str
    handler: Handler
    need: Need | None = None
    note: str = ""
    jwt: bool = False
