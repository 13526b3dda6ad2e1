"""A repository host in memory: files by repository and path, issues, comments, permissions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from mlops_core.errors import NotFound, Stale
from mlops_core.facts import CommentFacts, CommitFacts, IssueFacts, Permission
from mlops_core.ports import Builder

_TRIES = 5


@dataclass
class MemoryRepository:
    """``before_commit`` runs between reading and writing a commit: a test moves the head there."""

    people: dict[str, Permission] = field(default_factory=dict)
    issues: dict[tuple[str, int], IssueFacts] = field(default_factory=dict)
    comments: dict[tuple[str, int], dict[int, str]] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    snapshots: dict[str, dict[str, bytes]] = field(default_factory=dict)
    protected: bool = False
    fault: Callable[[str], None] | None = None
    before_commit: Callable[[], None] | None = None

    def _touch(self, action: str) -> None:
        if self.fault is not None:
            self.fault(action)

    def permission(self, repository: str, login: str) -> Permission:
        """What was set for a person, otherwise none."""
        self._touch("permission")
        return self.people.get(login, Permission("none", bool(repository)))

    def issue(self, repository: str, number: int) -> IssueFacts:
        """One issue."""
        self._touch("issue")
        if (repository, number) not in self.issues:
            raise NotFound(f"there is no issue {repository}#{number}.")
        return self.issues[repository, number]

    def labeled(self, repository: str, label: str) -> list[IssueFacts]:
        """Open issues with a label."""
        self._touch("labeled")
        open_ones = [issue for (name, _), issue in sorted(self.issues.items()) if name == repository and issue.state == "open"]
        return [issue for issue in open_ones if label in issue.labels]

    def upsert_comment(self, repository: str, issue: int, marker: str, body: str) -> CommentFacts:
        """Edit or make."""
        self._touch("comment")
        there = self.comments.setdefault((repository, issue), {})
        number = next((number for number, text in there.items() if marker in text), None)
        if number is None:
            return self.comment(repository, issue, body)
        there[number] = body
        return self._comment_facts(repository, issue, number)

    def comment(self, repository: str, issue: int, body: str) -> CommentFacts:
        """Make a comment."""
        self._touch("comment")
        self.issue(repository, issue)
        there = self.comments.setdefault((repository, issue), {})
        number = 1 + max((number for texts in self.comments.values() for number in texts), default=0)
        there[number] = body
        return self._comment_facts(repository, issue, number)

    def _comment_facts(self, repository: str, issue: int, number: int) -> CommentFacts:
        return CommentFacts(number, f"https://github.com/{repository}/issues/{issue}#issuecomment-{number}")

    def open_issue(self, repository: str, title: str, body: str, labels: Sequence[str]) -> int:
        """Make an issue."""
        number = 1 + max((number for name, number in self.issues if name == repository), default=0)
        url = f"https://github.com/{repository}/issues/{number}"
        self.issues[repository, number] = IssueFacts(number, title, body, "mlops[bot]", "open", tuple(labels), url)
        return number

    def relabel(self, repository: str, issue: int, *, add: Sequence[str], remove: Sequence[str] = ()) -> None:
        """Change labels."""
        self._touch("relabel")
        there = self.issue(repository, issue)
        labels = tuple(dict.fromkeys([label for label in there.labels if label not in remove] + list(add)))
        self.issues[repository, issue] = replace(there, labels=labels)

    def close(self, repository: str, issue: int) -> None:
        """Close."""
        self._touch("close")
        self.issues[repository, issue] = replace(self.issue(repository, issue), state="closed")

    def head(self, repository: str) -> str:
        """A digest over the commits so far."""
        self._touch("head")
        return hashlib.sha1(repr((repository, self.commits.get(repository))).encode(), usedforsecurity=False).hexdigest()

    def read(self, repository: str, path: str, ref: str = "") -> bytes | None:
        """A file now or at a commit made here."""
        self._touch("read")
        files = self.files.get(repository, {})
        return (self.snapshots.get(ref, files) if ref else files).get(path)

    def commit(self, repository: str, message: str, build: Builder) -> CommitFacts:
        """Commit on the head, five tries."""
        for _ in range(_TRIES):
            head = self.head(repository)
            changes = build(lambda path: self.read(repository, path))
            if not changes:
                return CommitFacts(head)
            if self.before_commit is not None:
                self.before_commit()
            if self.head(repository) != head:
                continue
            self._touch("commit")
            files = self.files.setdefault(repository, {})
            if not self.protected:
                files.update({path: body for path, body in changes.items() if body is not None})
                for path in [path for path, body in changes.items() if body is None]:
                    files.pop(path, None)
            self.commits.setdefault(repository, []).append((message, repr(sorted(changes))))
            commit = self.head(repository)
            self.snapshots[commit] = dict(files)
            return CommitFacts(commit, f"https://github.com/{repository}/pull/1" if self.protected else "")
        raise Stale(f"the default branch of {repository} kept moving.", remedy="Call again.")
