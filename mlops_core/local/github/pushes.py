"""Branches and tags that moved, told as ``push``.

pushes.moved(repository, identity, "refs/heads/main", before, after)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlops_core.local.github.database import Row
from mlops_core.local.github.events import Events
from mlops_core.local.github.git import NOTHING, GitRepository
from mlops_core.local.github.git_history import EMPTY_TREE, Commit, changed_paths, commits
from mlops_core.local.github.identity import Identity
from mlops_core.local.github.repositories import Repositories
from mlops_core.local.github.shapes import Shapes

_SHOWN_COMMITS = 20


class Pushes:
    """Tells of moved references; ``after`` is called first, so that pull requests see the new head."""

    def __init__(self, repositories: Repositories, events: Events, shapes: Shapes) -> None:
        self._repositories = repositories
        self._events = events
        self._shapes = shapes
        self.after: Callable[[Row, Identity, str], None] = lambda *_: None

    def moved(self, repository: Row, identity: Identity, ref: str, before: str, after: str) -> None:
        """Tell hooks and runner that a reference moved from ``before`` to ``after`` (empty: did not, or does not, exist)."""
        git = self._repositories.git(repository)
        self._repositories.pushed(repository)
        if ref.startswith("refs/heads/"):
            self.after(repository, identity, ref.removeprefix("refs/heads/"))
        shown = commits(git, after, limit=_SHOWN_COMMITS, exclude=before) if after and git.resolve(after) else []
        listed = [self._commit(repository, commit) for commit in reversed(shown)]
        person = {"name": identity.login, "email": f"{identity.login}@users.noreply.github.com"}
        compare = f"{self._shapes.repo_page(repository)}/compare/{before[:12]}...{after[:12]}"
        self._events.emit(
            repository, "push", "", identity, ref=ref, before=before or NOTHING, after=after or NOTHING, created=not before,
            deleted=not after, forced=self._forced(git, before, shown), base_ref=None, compare=compare,
            commits=listed, head_commit=listed[-1] if listed else None, pusher=person, at=(ref, after),
        )  # fmt: skip

    @staticmethod
    def _forced(git: GitRepository, before: str, shown: list[Commit]) -> bool:
        if not before or not shown or before in shown[-1].parents:
            return False
        return not git.is_ancestor(before, shown[0].sha)

    def _commit(self, repository: Row, commit: Commit) -> dict[str, Any]:
        git = self._repositories.git(repository)
        changed = changed_paths(git, commit.parents[0] if commit.parents else EMPTY_TREE, commit.sha)
        author = {"name": commit.author[0], "email": commit.author[1], "username": commit.author[0]}
        files = {key: [path for status, path in changed if status in names] for key, names in _KINDS.items()}
        return {
            "id": commit.sha, "tree_id": commit.tree, "distinct": True, "message": commit.message, "timestamp": commit.author[2],
            "url": f"{self._shapes.repo_page(repository)}/commit/{commit.sha}", "author": author,
            "committer": {"name": commit.committer[0], "email": commit.committer[1]}, **files,
        }  # fmt: skip


_KINDS = {"added": {"added", "copied"}, "removed": {"removed"}, "modified": {"modified", "renamed", "changed"}}
