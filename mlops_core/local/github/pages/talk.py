"""Pages about issues and pull requests."""

from __future__ import annotations

import json
from typing import Any

import yaml

from mlops_core.local.github.answers import ApiError, not_found
from mlops_core.local.github.database import Row
from mlops_core.local.github.pages.forms import FOLDER, BadFormError, IssueForm
from mlops_core.local.github.pages.view import Page, Redirect, View

_SPOKEN = {"labeled", "unlabeled", "closed", "reopened", "renamed", "locked", "unlocked"}


def issues(view: View) -> Page:
    """Open or closed issues."""
    state = "closed" if view.query.get("state") == "closed" else "open"
    label = view.query.get("label", "")
    every = [row for row in view.site.issues.select(view.repository, state="all", labels=[label] if label else []) if not row["pull"]]
    shown = [{**row, "labels": view.site.shapes.labels_of(row)} for row in every if row["state"] == state]
    counts = {name: sum(1 for row in every if row["state"] == name) for name in ("open", "closed")}
    return view.page("issues.html", rows=shown, state=state, counts=counts, label=label, pulls=False)


def pulls(view: View) -> Page:
    """Open or closed pull requests."""
    state = "closed" if view.query.get("state") == "closed" else "open"
    every = view.site.pulls.select(view.repository, state="all")
    shown = [{**row, "labels": view.site.shapes.labels_of(row)} for row in every if row["state"] == state]
    counts = {name: sum(1 for row in every if row["state"] == name) for name in ("open", "closed")}
    return view.page("issues.html", rows=shown, state=state, counts=counts, label="", pulls=True)


def _forms(view: View) -> tuple[list[IssueForm], list[str], bool]:
    head = view.git.resolve(view.repository["default_branch"])
    forms, broken, blank = [], [], True
    for entry in view.git.entries(head, FOLDER) if head else []:
        if entry.kind != "blob" or not entry.path.endswith((".yml", ".yaml")):
            continue
        text = view.git.blob(entry.sha).decode(errors="replace")
        if entry.path.rpartition("/")[2].startswith("config."):
            settings = yaml.safe_load(text)
            blank = not isinstance(settings, dict) or settings.get("blank_issues_enabled") is not False
            continue
        try:
            forms.append(IssueForm.parse(entry.path, text))
        except BadFormError as error:
            broken.append(str(error))
    return forms, broken, blank


def _signed_in(view: View) -> None:
    if view.identity.anonymous:
        raise ApiError(401, "Requires authentication")


def new_issue(view: View) -> Page:
    """Choose a form, or fill the chosen one; values may come with the address, by field id, as on GitHub."""
    _signed_in(view)
    forms, broken, blank = _forms(view)
    wanted = view.query.get("template", "")
    if not wanted:
        return view.page("choose.html", forms=forms, broken=broken, blank=blank)
    form = next((item for item in forms if item.file == wanted), None)
    if form is None and not (wanted == "blank" and blank):
        raise not_found()
    values = {name: [value] for name, value in view.query.items()}
    for item in form.questions() if form else ():
        values.setdefault(item.name, [item.value] if item.value else [])
    return _form_page(view, form, values, [])


def _form_page(view: View, form: IssueForm | None, values: dict[str, list[str]], complaints: list[str]) -> Page:
    title = (values.get("title") or [form.title if form else ""])[0]
    page = view.page("form.html", form=form, values=values, title=title, complaints=complaints, markdown=view.markdown)
    return Page(page.template, page.values, 422 if complaints else 200)


def create_issue(view: View) -> Page | Redirect:
    """Open the issue; a form's labels are set for whoever opens it."""
    _signed_in(view)
    forms, _, _ = _forms(view)
    form = next((item for item in forms if item.file == view.query.get("template", "")), None)
    values = {name: list(given) for name, given in view.form.items()}
    title = view.field("title").strip()
    complaints = [] if title else ["Title is required"]
    if form:
        complaints += form.complaints(values)
    if complaints:
        return _form_page(view, form, values, complaints)
    body = form.body(values) if form else view.field("body").replace("\r\n", "\n")
    issue = view.site.issues.create(view.repository, view.identity, title, body, labels=form.labels if form else [])
    return Redirect(f"{view.base}/issues/{issue['number']}")


def _stream(view: View, issue: Row) -> list[dict[str, Any]]:
    """Comments and events of an issue by time."""
    found = [
        {"kind": "comment", "at": row["created_at"], "html": view.markdown(row["body"]), **row, "mine": _may_edit(view, row["author"])}
        for row in view.site.comments.select(issue)
    ]
    spoken = [row for row in view.site.issues.history(issue) if row["event"] in _SPOKEN]
    found += [{"kind": "event", "at": row["created_at"], **row, "data": json.loads(row["data"])} for row in spoken]
    return sorted(found, key=lambda item: (str(item["at"]), item["kind"] == "event", item["id"]))


def _may_edit(view: View, author: str) -> bool:
    return not view.identity.anonymous and (author == view.identity.login or view.can("write"))


def _talk(view: View, issue: Row) -> dict[str, Any]:
    labels = view.site.shapes.labels_of(issue)
    carried = {row["id"] for row in labels}
    return {
        "issue": issue, "labels": labels, "others": [row for row in view.site.issues.labels(view.repository) if row["id"] not in carried],
        "stream": _stream(view, issue), "html": view.markdown(issue["body"]),
        "association": view.site.shapes.association(view.repository, issue["author"]),
        "runs": view.site.runs.of_issue(view.repository, issue["number"]), "triage": view.can("triage"),
        "mine": _may_edit(view, issue["author"]), "speak": not view.identity.anonymous and (not issue["locked"] or view.can("write")),
    }  # fmt: skip


def issue(view: View) -> Page | Redirect:
    """The living page of one issue."""
    row = view.site.issues.find(view.repository, view.number("number"))
    return Redirect(f"{view.base}/pull/{row['number']}") if row["pull"] else view.page("issue.html", **_talk(view, row))


def pull(view: View) -> Page:
    """A pull request with its diff and merge button."""
    row = view.site.pulls.find(view.repository, view.number("number"))
    about = {
        "pull": row, "files": view.site.pulls.files(view.repository, row), "commits": view.site.pulls.commits(view.repository, row),
        "mergeable": view.site.pulls.mergeable(view.repository, row), "reviews": view.site.pulls.reviews(row), "write": view.can("write"),
    }  # fmt: skip
    return view.page("pull.html", **_talk(view, row), **about)


def change(view: View) -> Redirect:
    """Comment, label, close, reopen, edit, review or merge; the button's name says which."""
    _signed_in(view)
    number = view.number("number")
    row = view.site.issues.find(view.repository, number)
    action = view.field("action")
    if action not in _ACTIONS:
        raise ApiError(422, f"{action!r} is none of {', '.join(_ACTIONS)}")
    _ACTIONS[action](view, row)
    place = f"/{'pull' if row['pull'] else 'issues'}/{number}"
    return Redirect(view.base + ("/issues" if action == "delete" else place))


def _comment(view: View, row: Row) -> None:
    if row["locked"]:
        view.demand("write")
    view.site.comments.create(view.repository, row, view.identity, view.field("body").replace("\r\n", "\n"))


def _set_state(view: View, row: Row) -> None:
    if row["author"] != view.identity.login:
        view.demand("triage")
    if view.field("body").strip():
        _comment(view, row)
    state = "closed" if view.field("action") == "close" else "open"
    if row["pull"]:
        view.site.pulls.set_state(view.repository, view.site.pulls.find(view.repository, row["number"]), view.identity, state)
    else:
        view.site.issues.set_state(view.repository, row, view.identity, state)


def _label(view: View, row: Row) -> None:
    view.demand("triage")
    name = view.field("label").strip()
    if view.field("action") == "label":
        view.site.issues.add_labels(view.repository, row, view.identity, [name])
    else:
        view.site.issues.remove_label(view.repository, row, view.identity, name)


def _edit(view: View, row: Row) -> None:
    if not _may_edit(view, row["author"]):
        view.demand("write")
    view.site.issues.edit(view.repository, row, view.identity, {"body": view.field("body").replace("\r\n", "\n")})


def _remove_comment(view: View, row: Row) -> None:
    comment, _ = view.site.comments.find(view.repository, view.number("comment"))
    if not _may_edit(view, comment["author"]):
        view.demand("write")
    view.site.comments.delete(view.repository, row, comment, view.identity)


def _delete(view: View, row: Row) -> None:
    view.demand("admin")
    view.site.issues.delete(view.repository, row, view.identity)


def _review(view: View, row: Row) -> None:
    found = view.site.pulls.find(view.repository, row["number"])
    view.site.pulls.review(view.repository, found, view.identity, {"event": view.field("event"), "body": view.field("body")})


def _merge(view: View, row: Row) -> None:
    view.demand("write")
    found = view.site.pulls.find(view.repository, row["number"])
    wish = {"sha": view.field("sha"), "merge_method": view.field("method") or "merge"}
    before, after = view.site.pulls.merge(view.repository, found, view.identity, wish)
    view.site.pushes.moved(view.repository, view.identity, f"refs/heads/{found['base_ref']}", before, after)


_ACTIONS = {
    "comment": _comment, "close": _set_state, "reopen": _set_state, "label": _label, "unlabel": _label, "edit": _edit,
    "remove-comment": _remove_comment, "review": _review, "merge": _merge, "delete": _delete,
}  # fmt: skip
