"""The two GraphQL operations that the product needs: createCommitOnBranch and an issue's edits.

    answer(site, identity, {"query": "…", "variables": {…}})

Everything else is refused by its name, in GraphQL's shape: status 200 with ``errors``.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from mlops_core.local.github.answers import Answer, ApiError
from mlops_core.local.github.database import Row
from mlops_core.local.github.git import check_path
from mlops_core.local.github.graphql_parser import BadQueryError, Field, parse
from mlops_core.local.github.identity import Identity, Need
from mlops_core.local.github.site import Site
from mlops_core.local.github.web_commits import BranchProtectedError, Change, write

OPERATIONS = (
    "mutation createCommitOnBranch(input: {branch, message, fileChanges, expectedHeadOid})",
    "query repository(owner, name) { issue(number) { lastEditedAt editor includesCreatedEdit userContentEdits … } }",
)
_EMPTY_EDITS: dict[str, Any] = {"totalCount": 0, "nodes": []}


class GraphqlError(Exception):
    """One entry of ``errors``; ``kind`` is GitHub's ``type``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def answer(site: Site, identity: Identity, body: Any) -> Answer:
    """Run one operation; its failure is in ``errors``."""
    if identity.anonymous:
        raise ApiError(401, "This endpoint requires you to be authenticated.")
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise ApiError(400, "A query attribute must be specified and must be a string.")
    try:
        operation = parse(body["query"], body.get("variables") or {})
        data = {selected.alias: _run(site, identity, operation.kind, selected) for selected in operation.fields}
    except BadQueryError as error:
        return Answer(200, {"errors": [{"message": f"Parse error: {error}"}]})
    except GraphqlError as error:
        path = [operation.fields[0].alias]
        return Answer(200, {"data": dict.fromkeys(path), "errors": [{"type": error.kind, "path": path, "message": str(error)}]})
    return Answer(200, {"data": data})


def _run(site: Site, identity: Identity, kind: str, selected: Field) -> Any:
    try:
        if kind == "mutation" and selected.name == "createCommitOnBranch":
            return _create_commit(site, identity, selected)
        if kind == "query" and selected.name == "repository":
            return _repository(site, identity, selected)
    except ApiError as error:
        types = {404: "NOT_FOUND", 403: "FORBIDDEN", 401: "FORBIDDEN", 410: "NOT_FOUND"}
        raise GraphqlError(types.get(error.status, "UNPROCESSABLE"), error.message) from error
    raise GraphqlError("UNPROCESSABLE", f"{kind} {selected.name!r} is not offered by the local GitHub. Offered: {'; '.join(OPERATIONS)}")


def _split(name: Any) -> tuple[str, str]:
    owner, _, repository = str(name or "").partition("/")
    return owner, repository


def _decode(value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise GraphqlError("UNPROCESSABLE", f"The contents of {path} are not valid Base64.") from error


def _create_commit(site: Site, identity: Identity, selected: Field) -> dict[str, Any]:
    wish = selected.arguments.get("input") or {}
    branch = wish.get("branch") or {}
    repository = site.repositories.get(*_split(branch.get("repositoryNameWithOwner")))
    site.access.demand(identity, repository, Need("contents", "write", "write"))
    name = str(branch.get("branchName") or "").removeprefix("refs/heads/")
    message = wish.get("message") or {}
    text = "\n\n".join(filter(None, [str(message.get("headline") or ""), str(message.get("body") or "")]))
    changes = wish.get("fileChanges") or {}
    additions = {check_path(item["path"]): _decode(item.get("contents"), item["path"]) for item in changes.get("additions") or []}
    deletions = [check_path(item["path"]) for item in changes.get("deletions") or []]
    if not text or not (additions or deletions):
        raise GraphqlError("UNPROCESSABLE", "A commit needs a headline and at least one file change.")
    head = site.repositories.git(repository).resolve(f"refs/heads/{name}")
    expected = wish.get("expectedHeadOid")
    stale = GraphqlError("STALE_DATA", f'Expected branch to point to "{head}" but it did not. Pull and try again.')
    if head != expected:
        raise stale
    try:
        sha = write(site, repository, identity, Change(name, text, additions, deletions), expected=head)
    except BranchProtectedError as error:
        raise GraphqlError("BRANCH_PROTECTION_RULE_VIOLATION", error.message) from error
    except ApiError as error:
        raise (stale if error.status == 409 else error) from error
    page = f"{site.shapes.repo_page(repository)}/commit/{sha}"
    commit: dict[str, Any] = {
        "oid": sha,
        "id": f"C_{sha}",
        "url": page,
        "abbreviatedOid": sha[:7],
        "messageHeadline": text.partition("\n")[0],
    }
    commit["signature"] = {"isValid": True, "state": "VALID", "wasSignedByGitHub": True}
    reference = {"name": name, "prefix": "refs/heads/", "target": {"oid": sha}}
    picked: dict[str, Any] = _pick(selected, {"commit": commit, "clientMutationId": wish.get("clientMutationId"), "ref": reference})
    return picked


def _repository(site: Site, identity: Identity, selected: Field) -> dict[str, Any]:
    repository = site.repositories.get(str(selected.arguments.get("owner")), str(selected.arguments.get("name")))
    site.access.demand(identity, repository, Need("issues"))
    values: dict[str, Any] = {"nameWithOwner": f"{repository['owner']}/{repository['name']}", "databaseId": repository["id"]}
    found = {}
    for inner in selected.fields:
        if inner.name == "issue":
            issue = site.issues.find(repository, int(inner.arguments.get("number") or 0))
            found[inner.alias] = _pick(inner, _issue(site, issue))
        elif inner.name in values:
            found[inner.alias] = values[inner.name]
        else:
            raise GraphqlError("UNPROCESSABLE", f"field 'repository.{inner.name}' is not offered by the local GitHub")
    return found


def _issue(site: Site, issue: Row) -> dict[str, Any]:
    edits = [
        {
            "id": f"UCE_{row['id']}",
            "editedAt": row["edited_at"],
            "createdAt": row["edited_at"],
            "diff": row["body"],
            "editor": {"login": row["editor"]},
        }
        for row in site.issues.edits(issue)
    ]
    return {
        "id": f"I_{issue['id']}", "databaseId": issue["id"], "number": issue["number"], "title": issue["title"],
        "body": issue["body"] or "",
        "state": issue["state"].upper(), "author": {"login": issue["author"]}, "createdAt": issue["created_at"],
        "updatedAt": issue["updated_at"],
        "lastEditedAt": issue["last_edited_at"], "editor": {"login": issue["editor"]} if issue["editor"] else None,
        "includesCreatedEdit": bool(edits), "userContentEdits": {"totalCount": len(edits), "nodes": edits} if edits else _EMPTY_EDITS,
        "labels": {"nodes": [{"name": row["name"]} for row in site.shapes.labels_of(issue)]},
    }  # fmt: skip


def _pick(selected: Field, value: Any) -> Any:
    """Only what was selected; a field that is not modelled is refused by name."""
    if isinstance(value, list):
        limit = selected.arguments.get("first") or selected.arguments.get("last")
        return [_pick(selected, item) for item in value[:limit]]
    if not selected.fields or value is None:
        return value
    found = {}
    for inner in selected.fields:
        if inner.name == "__typename":
            continue
        if inner.name not in value:
            raise GraphqlError("UNPROCESSABLE", f"field '{selected.name}.{inner.name}' is not offered by the local GitHub")
        child = value[inner.name]
        if inner.name == "nodes":
            limit = selected.arguments.get("first") or selected.arguments.get("last")
            child = child[:limit]
        found[inner.alias] = _pick(inner, child)
    return found
