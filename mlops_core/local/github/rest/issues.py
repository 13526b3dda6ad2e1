"""Issues, comments, labels, events and timelines."""

from __future__ import annotations

from typing import Any

from mlops_core.local.github.answers import Answer, ApiError, refused
from mlops_core.local.github.database import Row
from mlops_core.local.github.identity import Need
from mlops_core.local.github.issues import label_name
from mlops_core.local.github.rest.call import Call, Route

_READ = Need("issues")
_SPEAK = Need("issues", "write", "read")
_TRIAGE = Need("issues", "write", "triage")
_WRITE = Need("issues", "write", "write")


def _issue(call: Call) -> Row:
    return call.site.issues.find(call.repository, call.number("number"))


def _shape(call: Call, issue: Row) -> dict[str, Any]:
    return call.site.shapes.issue(call.repository, issue)


def _own_or(call: Call, author: str, need: Need) -> None:
    """People may change what they wrote themselves; for the rest the role decides."""
    call.demand(_SPEAK if author == call.identity.login else need)


def _names(value: Any) -> list[str]:
    return [label_name(item) for item in value] if isinstance(value, list) else []


def list_issues(call: Call) -> Answer:
    """Issues and pull requests, newest first."""
    state = call.query.get("state", "open")
    labels = [name for name in call.query.get("labels", "").split(",") if name]
    filters = {"creator": call.query.get("creator", ""), "since": call.query.get("since", "")}
    rows = call.site.issues.select(call.repository, state=state, labels=labels, **filters)
    if call.query.get("direction") == "asc":
        rows.reverse()
    return call.page(rows, lambda row: _shape(call, row))


def create_issue(call: Call) -> Answer:
    """Labels are dropped silently for people who may not triage, as on GitHub."""
    names = _names(call.wish.get("labels")) if call.may(_TRIAGE) else []
    issue = call.site.issues.create(call.repository, call.identity, call.wish.get("title"), call.wish.get("body"), labels=names)
    return Answer(201, _shape(call, issue))


def get_issue(call: Call) -> Answer:
    """One issue; 410 when it was deleted."""
    return Answer(200, _shape(call, _issue(call)))


def edit_issue(call: Call) -> Answer:
    """Title and body by the author or a writer; labels, assignees and state by triage and up."""
    issue = _issue(call)
    for names, need in (({"title", "body"}, _WRITE), ({"state"}, _TRIAGE)):
        if names & set(call.wish):
            _own_or(call, issue["author"], need)
    if {"labels", "assignees"} & set(call.wish):
        call.demand(_TRIAGE)
    return Answer(200, _shape(call, call.site.issues.edit(call.repository, issue, call.identity, call.wish)))


def lock(call: Call) -> Answer:
    """Lock with an optional reason."""
    reason = call.body.get("lock_reason") if isinstance(call.body, dict) else None
    if reason not in {None, "off-topic", "too heated", "resolved", "spam"}:
        raise refused("Issue", "lock_reason", "invalid")
    call.site.issues.lock(_issue(call), call.identity, locked=True, reason=reason)
    return Answer(204)


def unlock(call: Call) -> Answer:
    """Unlock."""
    call.site.issues.lock(_issue(call), call.identity, locked=False)
    return Answer(204)


def list_comments(call: Call) -> Answer:
    """Comments of one issue, oldest first."""
    issue = _issue(call)
    rows = call.site.comments.select(issue, call.query.get("since", ""))
    return call.page(rows, lambda row: call.site.shapes.comment(call.repository, issue, row))


def create_comment(call: Call) -> Answer:
    """A locked issue takes comments from writers only."""
    issue = _issue(call)
    if issue["locked"] and not call.may(_WRITE):
        raise ApiError(403, "Unable to create comment because issue is locked.")
    row = call.site.comments.create(call.repository, issue, call.identity, call.wish.get("body"))
    return Answer(201, call.site.shapes.comment(call.repository, issue, row))


def get_comment(call: Call) -> Answer:
    """One comment."""
    row, issue = call.site.comments.find(call.repository, call.number("comment_id"))
    return Answer(200, call.site.shapes.comment(call.repository, issue, row))


def edit_comment(call: Call) -> Answer:
    """By its author or a writer."""
    row, issue = call.site.comments.find(call.repository, call.number("comment_id"))
    _own_or(call, row["author"], _WRITE)
    fresh = call.site.comments.edit(call.repository, issue, row, call.identity, call.wish.get("body"))
    return Answer(200, call.site.shapes.comment(call.repository, issue, fresh))


def delete_comment(call: Call) -> Answer:
    """By its author or a writer."""
    row, issue = call.site.comments.find(call.repository, call.number("comment_id"))
    _own_or(call, row["author"], _WRITE)
    call.site.comments.delete(call.repository, issue, row, call.identity)
    return Answer(204)


def list_issue_labels(call: Call) -> Answer:
    """Labels of one issue."""
    return call.page(call.site.shapes.labels_of(_issue(call)), lambda row: call.site.shapes.label(call.repository, row))


def add_labels(call: Call) -> Answer:
    """Missing labels are made."""
    issue = _issue(call)
    given = call.body.get("labels") if isinstance(call.body, dict) else call.body
    call.site.issues.add_labels(call.repository, issue, call.identity, _names(given))
    return list_issue_labels(call)


def set_labels(call: Call) -> Answer:
    """Replace all labels."""
    given = call.body.get("labels") if isinstance(call.body, dict) else call.body
    call.site.issues.set_labels(call.repository, _issue(call), call.identity, _names(given))
    return list_issue_labels(call)


def clear_labels(call: Call) -> Answer:
    """Take all labels off."""
    call.site.issues.set_labels(call.repository, _issue(call), call.identity, [])
    return Answer(204)


def remove_label(call: Call) -> Answer:
    """Take one label off."""
    call.site.issues.remove_label(call.repository, _issue(call), call.identity, call.path["name"])
    return list_issue_labels(call)


def list_events(call: Call) -> Answer:
    """labeled, unlabeled, closed, reopened, renamed, locked, each with actor and time."""
    return call.page(call.site.issues.history(_issue(call)), lambda row: call.site.shapes.issue_event(call.repository, row))


def timeline(call: Call) -> Answer:
    """Events and comments by time."""
    issue = _issue(call)
    events = [call.site.shapes.issue_event(call.repository, row) for row in call.site.issues.history(issue)]
    for row in call.site.comments.select(issue):
        shape = call.site.shapes.comment(call.repository, issue, row)
        events.append({**shape, "event": "commented", "actor": shape["user"]})
    return call.page(sorted(events, key=lambda item: str(item["created_at"])), lambda item: item)


def list_labels(call: Call) -> Answer:
    """Labels of the repository."""
    return call.page(call.site.issues.labels(call.repository), lambda row: call.site.shapes.label(call.repository, row))


def create_label(call: Call) -> Answer:
    """A new label."""
    description = str(call.wish.get("description") or "")
    row = call.site.issues.create_label(call.repository, call.wish.get("name"), str(call.wish.get("color") or "ededed"), description)
    return Answer(201, call.site.shapes.label(call.repository, row))


def get_label(call: Call) -> Answer:
    """One label."""
    return Answer(200, call.site.shapes.label(call.repository, call.site.issues.label(call.repository, call.path["name"])))


def edit_label(call: Call) -> Answer:
    """Rename, recolour or describe."""
    row = call.site.issues.label(call.repository, call.path["name"])
    changes = {"name": call.wish.get("new_name") or row["name"]}
    changes |= {key: str(call.wish[key]).lstrip("#") for key in ("color", "description") if call.wish.get(key) is not None}
    call.site.database.update("labels", row["id"], **changes)
    return Answer(200, call.site.shapes.label(call.repository, {**row, **changes}))


def delete_label(call: Call) -> Answer:
    """Remove a label everywhere."""
    row = call.site.issues.label(call.repository, call.path["name"])
    call.site.database.run("delete from labels where id = ?", row["id"])
    return Answer(204)


_REPO = "/repos/{owner}/{repo}"
_ISSUE = f"{_REPO}/issues/{{number}}"
_COMMENT = f"{_REPO}/issues/comments/{{comment_id}}"

ROUTES = (
    Route("GET", f"{_REPO}/issues", list_issues, _READ, "filters state, labels, creator, since, direction"),
    Route("POST", f"{_REPO}/issues", create_issue, _SPEAK),
    Route("GET", _COMMENT, get_comment, _READ),
    Route("PATCH", _COMMENT, edit_comment, _SPEAK),
    Route("DELETE", _COMMENT, delete_comment, _SPEAK),
    Route("GET", _ISSUE, get_issue, _READ),
    Route("PATCH", _ISSUE, edit_issue, _SPEAK, "milestones are not modelled"),
    Route("PUT", f"{_ISSUE}/lock", lock, _WRITE),
    Route("DELETE", f"{_ISSUE}/lock", unlock, _WRITE),
    Route("GET", f"{_ISSUE}/comments", list_comments, _READ),
    Route("POST", f"{_ISSUE}/comments", create_comment, _SPEAK, "65,536 characters at most"),
    Route("GET", f"{_ISSUE}/labels", list_issue_labels, _READ),
    Route("POST", f"{_ISSUE}/labels", add_labels, _TRIAGE),
    Route("PUT", f"{_ISSUE}/labels", set_labels, _TRIAGE),
    Route("DELETE", f"{_ISSUE}/labels", clear_labels, _TRIAGE),
    Route("DELETE", f"{_ISSUE}/labels/{{name}}", remove_label, _TRIAGE),
    Route("GET", f"{_ISSUE}/events", list_events, _READ),
    Route("GET", f"{_ISSUE}/timeline", timeline, _READ),
    Route("GET", f"{_REPO}/labels", list_labels, _READ),
    Route("POST", f"{_REPO}/labels", create_label, _WRITE),
    Route("GET", f"{_REPO}/labels/{{name}}", get_label, _READ),
    Route("PATCH", f"{_REPO}/labels/{{name}}", edit_label, _WRITE),
    Route("DELETE", f"{_REPO}/labels/{{name}}", delete_label, _WRITE),
)
