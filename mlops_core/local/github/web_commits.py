"""Commits made through the API and the pages: signed, on one branch, in one step.

commit = web_commits.write(repository, identity, Change("main", "message", {"a.txt": b"1"}, []), expected=head)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_core.local.github.answers import ApiError
from mlops_core.local.github.database import Row
from mlops_core.local.github.identity import Identity
from mlops_core.local.github.site import Site


class BranchProtectedError(ApiError):
    """The branch takes pull requests only."""

    def __init__(self, branch: str) -> None:
        super().__init__(409, f"Repository rule violations found\n\nChanges must be made through a pull request. ({branch})")


@dataclass(frozen=True)
class Change:
    """Files to write and to remove on a branch, with the whole message and, if given, the author."""

    branch: str
    message: str
    additions: Mapping[str, bytes]
    deletions: list[str] = field(default_factory=list)
    author: Mapping[str, Any] | None = None


def write(site: Site, repository: Row, identity: Identity, change: Change, *, expected: str | None) -> str:
    """Commit a change over ``expected`` (None: whatever the head is); the new commit's id.  A head that moved is a 409."""
    git = site.repositories.git(repository)
    if site.repositories.protected_from(repository, change.branch, identity):
        raise BranchProtectedError(change.branch)
    ref = f"refs/heads/{change.branch}"
    head = git.resolve(ref)
    if head is None and (git.refs("refs/heads") or expected):
        raise ApiError(404, f"Branch {change.branch} not found")
    if expected is not None and expected != head:
        raise ApiError(409, f"is at {head} but expected {expected}")
    tree = git.write_tree(head, change.additions, change.deletions)
    commit = git.commit(tree, [head] if head else [], site.repositories.authorship(identity, change.message, change.author))
    site.repositories.move_branch(repository, change.branch, commit, head or "")
    site.pushes.moved(repository, identity, ref, head or "", commit)
    return commit
