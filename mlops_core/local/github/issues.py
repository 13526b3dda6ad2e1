"""Issues with their labels, comments, events and edits.

    issue = issues.create(repository, identity, "title", "body", labels=["bug"])
    issues.add_labels(repository, issue, identity, ["mlops:train"])     # tells hooks and runner: issues.labeled

Pull requests are issues too (``pull`` is 1) and share the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mlops_core.local.github.answers import ApiError, not_found, refused
from mlops_core.local.github.database import Database, Row, now
from mlops_core.local.github.events import Events
from mlops_core.local.github.identity import Identity
from mlops_core.local.github.shapes import Shapes

BODY_LIMIT = 65_536


def check_body(resource: str, body: Any, *, required: bool = False) -> str | None:
    """A body within GitHub's limit of 65,536 characters, or its 422."""
    if body is None and not required:
        return None
    if not isinstance(body, str) or (required and not body.strip()):
        raise refused(resource, "body", "missing_field" if body is None else "unprocessable", "Body cannot be blank")
    if len(body) > BODY_LIMIT:
        raise refused(resource, "body", "unprocessable", f"Body is too long (maximum is {BODY_LIMIT} characters)")
    return body


class Issues:
    """Every issue of every repository."""

    def __init__(self, database: Database, shapes: Shapes, events: Events) -> None:
        self._database = database
        self._shapes = shapes
        self._events = events

    def find(self, repository: Row, number: int) -> Row:
        """One issue; 404 when there was none, 410 when it was deleted."""
        row = self._database.row("select * from issues where repository = ? and number = ?", repository["id"], number)
        if row is None:
            raise not_found()
        if row["deleted"]:
            raise ApiError(410, "This issue was deleted")
        return row

    def select(self, repository: Row, *, state: str = "open", labels: Iterable[str] = (), creator: str = "", since: str = "") -> list[Row]:
        """Newest first; ``labels`` must all be present."""
        query = "select * from issues where repository = ? and deleted = 0"
        values: list[Any] = [repository["id"]]
        for clause, value in (
            (" and state = ?", "" if state == "all" else state),
            (" and author = ?", creator),
            (" and updated_at >= ?", since),
        ):
            if value:
                query += clause
                values.append(value)
        for name in labels:
            query += " and exists (select 1 from issue_labels join labels on labels.id = label where issue = issues.id and labels.name = ?)"
            values.append(name)
        return self._database.rows(query + " order by number desc", *values)

    def next_number(self, repository: Row) -> int:
        """The number that the next issue or pull request gets."""
        return 1 + int(self._database.value("select coalesce(max(number), 0) from issues where repository = ?", repository["id"]))

    def insert(self, repository: Row, identity: Identity, title: Any, body: Any, *, pull: bool = False) -> Row:
        """The row alone, without events."""
        if not isinstance(title, str) or not title.strip():
            raise refused("Issue", "title", "missing_field")
        if len(title) > 256:
            raise refused("Issue", "title", "custom", "title is too long (maximum is 256 characters)")
        moment = now()
        number = self.next_number(repository)
        self._database.insert(
            "issues", repository=repository["id"], number=number, pull=int(pull), title=title, body=check_body("Issue", body),
            author=identity.login, state="open", created_at=moment, updated_at=moment,
        )  # fmt: skip
        return self.find(repository, number)

    def create(self, repository: Row, identity: Identity, title: Any, body: Any, *, labels: Iterable[str] = ()) -> Row:
        """A new issue; ``opened`` and one ``labeled`` per label are told."""
        with self._database.transaction():
            issue = self.insert(repository, identity, title, body)
            rows = [self.ensure_label(repository, name) for name in labels]
            for row in rows:
                self._database.run("insert or ignore into issue_labels (issue, label) values (?, ?)", issue["id"], row["id"])
            self.tell(repository, issue, "opened", identity)
            for row in rows:
                self._note(issue, "labeled", identity, label={"name": row["name"], "color": row["color"]})
                self.tell(repository, issue, "labeled", identity, label=self._shapes.label(repository, row))
            return self.find(repository, issue["number"])

    def tell(self, repository: Row, issue: Row, action: str, identity: Identity, **more: Any) -> None:
        """Emit ``issues`` with the issue as it is now; pull requests speak for themselves."""
        if not issue["pull"]:
            current = self._database.row("select * from issues where id = ?", issue["id"]) or issue
            self._events.emit(repository, "issues", action, identity, issue=self._shapes.told_issue(repository, current), **more)

    def _note(self, issue: Row, event: str, identity: Identity, **data: Any) -> None:
        moment = now()
        self._database.insert(
            "issue_events", issue=issue["id"], event=event, actor=identity.login, created_at=moment, data=json.dumps(data)
        )
        self._database.update("issues", issue["id"], updated_at=moment)

    def edit(self, repository: Row, issue: Row, identity: Identity, changes: dict[str, Any]) -> Row:
        """Change title, body, state (with reason), labels or assignees, as far as named in ``changes``."""
        with self._database.transaction():
            self._edit_text(repository, issue, identity, {key: changes[key] for key in ("title", "body") if key in changes})
            if "labels" in changes:
                self.set_labels(repository, issue, identity, [label_name(item) for item in changes["labels"] or []])
            if "assignees" in changes:
                self._database.run("delete from assignees where issue = ?", issue["id"])
                for login in changes["assignees"] or []:
                    self._database.insert("assignees", issue=issue["id"], login=str(login))
            if changes.get("state"):
                self.set_state(repository, issue, identity, changes["state"], changes.get("state_reason"))
        return self.find(repository, issue["number"])

    def _edit_text(self, repository: Row, issue: Row, identity: Identity, changes: dict[str, Any]) -> None:
        if "title" in changes and (not isinstance(changes["title"], str) or not changes["title"].strip()):
            raise refused("Issue", "title", "missing_field")
        if "body" in changes:
            check_body("Issue", changes["body"])
        changed = {key: value for key, value in changes.items() if value != issue[key]}
        if not changed:
            return
        moment = now()
        before = {key: {"from": issue[key]} for key in changed}
        if "body" in changed:
            self._database.insert("edits", issue=issue["id"], editor=identity.login, edited_at=moment, body=changed["body"] or "")
            changed |= {"last_edited_at": moment, "editor": identity.login}
        self._database.update("issues", issue["id"], updated_at=moment, **changed)
        if "title" in changed:
            self._note(issue, "renamed", identity, rename={"from": issue["title"], "to": changed["title"]})
        self.tell(repository, issue, "edited", identity, changes=before)

    def set_state(self, repository: Row, issue: Row, identity: Identity, state: str, reason: str | None = None) -> None:
        """Close or reopen."""
        if state not in {"open", "closed"}:
            raise refused("Issue", "state", "invalid", f"state {state!r} is not one of open, closed")
        if reason not in {None, "completed", "not_planned", "duplicate", "reopened"}:
            raise refused("Issue", "state_reason", "invalid", f"{reason!r} is not one of completed, not_planned, duplicate, reopened")
        current = self.find(repository, issue["number"])
        if current["state"] == state:
            return
        with self._database.transaction():
            closed = state == "closed"
            reason = (reason or "completed") if closed else "reopened"
            closing = {"closed_at": now() if closed else None, "closed_by": identity.login if closed else None}
            self._database.update("issues", issue["id"], state=state, state_reason=reason, **closing)
            self._note(issue, "closed" if closed else "reopened", identity, **({"state_reason": reason} if closed else {}))
            self.tell(repository, issue, "closed" if closed else "reopened", identity)

    def lock(self, issue: Row, identity: Identity, *, locked: bool, reason: str | None = None) -> None:
        """Forbid or allow comments by people without write access."""
        self._database.update("issues", issue["id"], locked=int(locked), lock_reason=reason)
        self._note(issue, "locked" if locked else "unlocked", identity, lock_reason=reason)

    def delete(self, repository: Row, issue: Row, identity: Identity) -> None:
        """Hide an issue for ever; reading it is then a 410."""
        with self._database.transaction():
            self.tell(repository, issue, "deleted", identity)
            self._database.update("issues", issue["id"], deleted=1)

    # Labels

    def labels(self, repository: Row) -> list[Row]:
        """The repository's labels, by name."""
        return self._database.rows("select * from labels where repository = ? order by name", repository["id"])

    def label(self, repository: Row, name: str) -> Row:
        """One label; a 404 when it does not exist."""
        row = self._database.row("select * from labels where repository = ? and name = ?", repository["id"], name)
        if row is None:
            raise not_found()
        return row

    def create_label(self, repository: Row, name: Any, color: str = "ededed", description: str = "") -> Row:
        """A new label; a 422 when the name is taken or longer than 50 characters."""
        if not isinstance(name, str) or not name.strip() or len(name) > 50:
            raise refused("Label", "name", "invalid", "name must be 1 to 50 characters long")
        if self._database.row("select id from labels where repository = ? and name = ?", repository["id"], name):
            raise refused("Label", "name", "already_exists")
        self._database.insert("labels", repository=repository["id"], name=name, color=color.lstrip("#"), description=description)
        return self.label(repository, name)

    def ensure_label(self, repository: Row, name: str) -> Row:
        """The label, made when it does not exist yet (as GitHub does when one is added to an issue)."""
        found = self._database.row("select * from labels where repository = ? and name = ?", repository["id"], name)
        return found or self.create_label(repository, name)

    def add_labels(self, repository: Row, issue: Row, identity: Identity, names: Iterable[str]) -> None:
        """Add labels; each that was missing is told once."""
        with self._database.transaction():
            present = {row["id"] for row in self._shapes.labels_of(issue)}
            for name in names:
                row = self.ensure_label(repository, name)
                if row["id"] not in present:
                    self._database.insert("issue_labels", issue=issue["id"], label=row["id"])
                    self._note(issue, "labeled", identity, label={"name": row["name"], "color": row["color"]})
                    self.tell(repository, issue, "labeled", identity, label=self._shapes.label(repository, row))

    def remove_label(self, repository: Row, issue: Row, identity: Identity, name: str) -> None:
        """Take one label off; a 404 when the issue does not carry it."""
        row = next((item for item in self._shapes.labels_of(issue) if item["name"].lower() == name.lower()), None)
        if row is None:
            raise ApiError(404, "Label does not exist")
        with self._database.transaction():
            self._database.run("delete from issue_labels where issue = ? and label = ?", issue["id"], row["id"])
            self._note(issue, "unlabeled", identity, label={"name": row["name"], "color": row["color"]})
            self.tell(repository, issue, "unlabeled", identity, label=self._shapes.label(repository, row))

    def set_labels(self, repository: Row, issue: Row, identity: Identity, names: Iterable[str]) -> None:
        """Exactly these labels afterwards."""
        wanted = list(names)
        lowered = {name.lower() for name in wanted}
        for row in self._shapes.labels_of(issue):
            if row["name"].lower() not in lowered:
                self.remove_label(repository, issue, identity, row["name"])
        self.add_labels(repository, issue, identity, wanted)

    def history(self, issue: Row) -> list[Row]:
        """Event rows, oldest first."""
        return self._database.rows("select * from issue_events where issue = ? order by id", issue["id"])

    def edits(self, issue: Row) -> list[Row]:
        """Edits of the body, newest first."""
        return self._database.rows("select * from edits where issue = ? order by id desc", issue["id"])


def label_name(item: Any) -> str:
    """A label given as text or as an object with ``name``."""
    name = item.get("name") if isinstance(item, dict) else item
    if not isinstance(name, str):
        raise refused("Label", "name", "invalid")
    return name
