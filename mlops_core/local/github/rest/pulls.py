"""Pull requests, their files, commits, reviews and merge."""

from __future__ import annotations

from typing import Any

from mlops_core.local.github.answers import Answer, ApiError
from mlops_core.local.github.database import Row
from mlops_core.local.github.identity import Need
from mlops_core.local.github.rest.call import Call, Route
from mlops_core.local.github.rest.contents import file_shape, full_commit

_READ = Need("pull_requests")
_SPEAK = Need("pull_requests", "write", "read")
_WRITE = Need("pull_requests", "write", "write")
_MERGE = Need("contents", "write", "write")


def _pull(call: Call) -> Row:
    return call.site.pulls.find(call.repository, call.number("number"))


def list_pulls(call: Call) -> Answer:
    """Filters state, head, base."""
    wanted = {name: call.query.get(name, "") for name in ("head", "base")}
    rows = call.site.pulls.select(call.repository, state=call.query.get("state", "open"), **wanted)
    return call.page(rows, lambda row: call.site.pulls.shape(call.repository, row))


def create_pull(call: Call) -> Answer:
    """Between branches of this repository."""
    pull = call.site.pulls.create(call.repository, call.identity, call.wish)
    return Answer(201, call.site.pulls.shape(call.repository, pull, full=True))


def get_pull(call: Call) -> Answer:
    """One pull request with mergeable and counts."""
    return Answer(200, call.site.pulls.shape(call.repository, _pull(call), full=True))


def edit_pull(call: Call) -> Answer:
    """By its author or a writer."""
    pull = _pull(call)
    call.demand(_SPEAK if pull["author"] == call.identity.login else _WRITE)
    return Answer(
        200, call.site.pulls.shape(call.repository, call.site.pulls.edit(call.repository, pull, call.identity, call.wish), full=True)
    )


def list_files(call: Call) -> Answer:
    """Changed files with patches."""
    pull = _pull(call)
    return call.page(call.site.pulls.files(call.repository, pull), lambda item: file_shape(call, item, pull["head_sha"]))


def list_commits(call: Call) -> Answer:
    """The request's commits, oldest first."""
    return call.page(call.site.pulls.commits(call.repository, _pull(call)), lambda commit: full_commit(call, commit))


def is_merged(call: Call) -> Answer:
    """204 or 404."""
    if not _pull(call)["merged_at"]:
        raise ApiError(404, "Not Found")
    return Answer(204)


def merge(call: Call) -> Answer:
    """merge or squash."""
    wish: dict[str, Any] = call.body if isinstance(call.body, dict) else {}
    pull = _pull(call)
    before, sha = call.site.pulls.merge(call.repository, pull, call.identity, wish)
    call.site.pushes.moved(call.repository, call.identity, f"refs/heads/{pull['base_ref']}", before, sha)
    return Answer(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def list_reviews(call: Call) -> Answer:
    """Oldest first."""
    pull = _pull(call)
    return call.page(call.site.pulls.reviews(pull), lambda row: call.site.pulls.review_shape(call.repository, pull, row))


def create_review(call: Call) -> Answer:
    """APPROVE, REQUEST_CHANGES or COMMENT."""
    pull = _pull(call)
    row = call.site.pulls.review(call.repository, pull, call.identity, call.wish)
    return Answer(200, call.site.pulls.review_shape(call.repository, pull, row))


_PULLS = "/repos/{owner}/{repo}/pulls"
_PULL = f"{_PULLS}/{{number}}"

ROUTES = (
    Route("GET", _PULLS, list_pulls, _READ),
    Route("POST", _PULLS, create_pull, _WRITE, "no forks"),
    Route("GET", _PULL, get_pull, _READ),
    Route("PATCH", _PULL, edit_pull, _SPEAK),
    Route("GET", f"{_PULL}/files", list_files, _READ),
    Route("GET", f"{_PULL}/commits", list_commits, _READ),
    Route("GET", f"{_PULL}/merge", is_merged, _READ),
    Route("PUT", f"{_PULL}/merge", merge, _MERGE, "merge or squash; rebase is refused"),
    Route("GET", f"{_PULL}/reviews", list_reviews, _READ),
    Route("POST", f"{_PULL}/reviews", create_review, _SPEAK, "no line comments"),
)
