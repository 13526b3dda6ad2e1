"""Comments on issues and pull requests.

comment = comments.create(repository, issue, identity, "text")
comments.edit(repository, issue, comment, identity, "new text")
"""

from __future__ import annotations

from typing import Any

from mlops_core.local.github.answers import not_found
from mlops_core.local.github.database import Database, Row, now
from mlops_core.local.github.events import Events
from mlops_core.local.github.identity import Identity
from mlops_core.local.github.issues import check_body
from mlops_core.local.github.shapes import Shapes


class Comments:
    """Every comment; each change is told as ``issue_comment``."""

    def __init__(self, database: Database, shapes: Shapes, events: Events) -> None:
        self._database = database
        self._shapes = shapes
        self._events = events

    def find(self, repository: Row, key: int) -> tuple[Row, Row]:
        """A comment and its issue; a 404 when it is not of this repository."""
        row = self._database.row("select * from comments where id = ?", key)
        query = "select * from issues where id = ? and repository = ? and deleted = 0"
        issue = self._database.row(query, row["issue"], repository["id"]) if row else None
        if row is None or issue is None:
            raise not_found()
        return row, issue

    def select(self, issue: Row, since: str = "") -> list[Row]:
        """Oldest first."""
        return self._database.rows("select * from comments where issue = ? and updated_at >= ? order by id", issue["id"], since)

    def create(self, repository: Row, issue: Row, identity: Identity, body: Any) -> Row:
        """A new comment; over 65,536 characters is a 422."""
        text = check_body("IssueComment", body, required=True)
        moment = now()
        with self._database.transaction():
            key = self._database.insert(
                "comments", issue=issue["id"], body=text, author=identity.login, created_at=moment, updated_at=moment
            )
            self._database.update("issues", issue["id"], updated_at=moment)
            row, _ = self.find(repository, key)
            self._tell(repository, issue, row, "created", identity)
            return row

    def edit(self, repository: Row, issue: Row, row: Row, identity: Identity, body: Any) -> Row:
        """Replace the text; the text before is told as ``changes``."""
        text = check_body("IssueComment", body, required=True)
        moment = now()
        with self._database.transaction():
            self._database.update("comments", row["id"], body=text, updated_at=moment, last_edited_at=moment, editor=identity.login)
            self._database.update("issues", issue["id"], updated_at=moment)
            fresh, _ = self.find(repository, row["id"])
            self._tell(repository, issue, fresh, "edited", identity, changes={"body": {"from": row["body"]}})
            return fresh

    def delete(self, repository: Row, issue: Row, row: Row, identity: Identity) -> None:
        """Remove a comment for ever."""
        with self._database.transaction():
            self._tell(repository, issue, row, "deleted", identity)
            self._database.run("delete from comments where id = ?", row["id"])

    def _tell(self, repository: Row, issue: Row, row: Row, action: str, identity: Identity, **more: Any) -> None:
        current = self._database.row("select * from issues where id = ?", issue["id"]) or issue
        shapes = {"issue": self._shapes.told_issue(repository, current), "comment": self._shapes.comment(repository, issue, row)}
        self._events.emit(repository, "issue_comment", action, identity, **shapes, **more)
