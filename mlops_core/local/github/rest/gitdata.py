"""Branches, references, commits, trees, blobs and tags of the git database API."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from mlops_core.local.github.answers import Answer, ApiError, refused
from mlops_core.local.github.git import Entry, StaleHeadError, check_path, check_ref
from mlops_core.local.github.git_history import commits
from mlops_core.local.github.identity import Need
from mlops_core.local.github.rest.call import Call, Route
from mlops_core.local.github.rest.contents import full_commit, git_commit, head_of
from mlops_core.local.github.web_commits import BranchProtectedError

_READ = Need("contents")
_WRITE = Need("contents", "write", "write")


def _ref_shape(call: Call, ref: str, sha: str) -> dict[str, Any]:
    api = call.site.shapes.repo_url(call.repository)
    kind = call.git.line("cat-file", "-t", sha)
    target = {"sha": sha, "type": kind, "url": f"{api}/git/{kind}s/{sha}"}
    return {"ref": ref, "node_id": f"REF_{ref}", "url": f"{api}/git/{ref}", "object": target}


def _branch_shape(call: Call, name: str, sha: str) -> dict[str, Any]:
    api = call.site.shapes.repo_url(call.repository)
    protected = bool(
        call.site.database.row("select branch from protections where repository = ? and branch = ?", call.repository["id"], name)
    )
    commit = full_commit(call, commits(call.git, sha, limit=1)[0])
    url = f"{api}/branches/{name}"
    links = {
        "_links": {"self": url, "html": f"{call.site.shapes.repo_page(call.repository)}/tree/{name}"},
        "protection_url": f"{url}/protection",
    }
    return {"name": name, "commit": commit, "protected": protected, "protection": {"enabled": protected}, **links}


def list_branches(call: Call) -> Answer:
    """Branches by name."""
    rows = [(ref.removeprefix("refs/heads/"), sha) for ref, sha in call.git.refs("refs/heads").items()]
    return call.page(rows, lambda row: _branch_shape(call, *row))


def get_branch(call: Call) -> Answer:
    """One branch."""
    sha = call.git.resolve(f"refs/heads/{call.path['branch']}")
    if sha is None:
        raise ApiError(404, "Branch not found")
    return Answer(200, _branch_shape(call, call.path["branch"], sha))


def get_ref(call: Call) -> Answer:
    """``heads/main`` or ``tags/v1`` exactly."""
    ref = check_ref(f"refs/{call.path['ref']}")
    sha = call.git.refs(ref).get(ref)
    if sha is None:
        raise ApiError(404, "Not Found")
    return Answer(200, _ref_shape(call, ref, sha))


def matching_refs(call: Call) -> Answer:
    """References that start with the given text."""
    prefix = f"refs/{call.path['ref']}"
    rows = [(ref, sha) for ref, sha in call.git.refs("refs").items() if ref.startswith(prefix)]
    return call.page(rows, lambda row: _ref_shape(call, *row))


def list_tags(call: Call) -> Answer:
    """Tags by name with their commits."""
    rows = [ref.removeprefix("refs/tags/") for ref in call.git.refs("refs/tags")]
    api = call.site.shapes.repo_url(call.repository)

    def shape(name: str) -> dict[str, Any]:
        sha = call.git.resolve(f"refs/tags/{name}")
        archives = {"zipball_url": f"{api}/zipball/refs/tags/{name}", "tarball_url": f"{api}/tarball/refs/tags/{name}"}
        return {"name": name, "commit": {"sha": sha, "url": f"{api}/commits/{sha}"}, "node_id": f"REF_{name}", **archives}

    return call.page(rows, shape)


def create_ref(call: Call) -> Answer:
    """A new branch or tag at an existing object."""
    ref, sha = check_ref(call.text("Reference", "ref")), call.text("Reference", "sha")
    if not call.git.resolve(sha, "object"):
        raise ApiError(422, "Object does not exist")
    try:
        call.git.update_ref(ref, sha, "")
    except StaleHeadError as error:
        raise ApiError(422, "Reference already exists") from error
    call.site.pushes.moved(call.repository, call.identity, ref, "", sha)
    return Answer(201, _ref_shape(call, ref, sha))


def update_ref(call: Call) -> Answer:
    """Move a reference; not forward and not forced is a 422."""
    ref, sha = check_ref(f"refs/{call.path['ref']}"), call.text("Reference", "sha")
    old = call.git.refs(ref).get(ref)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    if not call.git.resolve(sha):
        raise ApiError(422, "Object does not exist")
    _unprotected(call, ref)
    if not call.wish.get("force") and not call.git.is_ancestor(old, sha):
        raise ApiError(422, "Update is not a fast forward")
    try:
        call.git.update_ref(ref, sha, old)
    except StaleHeadError as error:
        raise ApiError(409, "Reference moved meanwhile") from error
    call.site.pushes.moved(call.repository, call.identity, ref, old, sha)
    return Answer(200, _ref_shape(call, ref, sha))


def delete_ref(call: Call) -> Answer:
    """Remove a branch or tag; the default branch stays."""
    ref = check_ref(f"refs/{call.path['ref']}")
    old = call.git.refs(ref).get(ref)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    _unprotected(call, ref)
    if ref == f"refs/heads/{call.repository['default_branch']}":
        raise ApiError(422, "Cannot delete the default branch")
    call.git.update_ref(ref, "", old)
    call.site.pushes.moved(call.repository, call.identity, ref, old, "")
    return Answer(204)


def _unprotected(call: Call, ref: str) -> None:
    branch = ref.removeprefix("refs/heads/")
    if ref.startswith("refs/heads/") and call.site.repositories.protected_from(call.repository, branch, call.identity):
        raise BranchProtectedError(branch)


def get_git_commit(call: Call) -> Answer:
    """One commit of the git database."""
    return Answer(200, git_commit(call, head_of(call, call.path["sha"])))


def create_git_commit(call: Call) -> Answer:
    """A signed commit of a tree; no reference moves."""
    tree = call.git.resolve(call.text("Commit", "tree"), "tree")
    parents = [call.git.resolve(str(sha)) for sha in call.wish.get("parents") or []]
    if tree is None or None in parents:
        raise ApiError(422, "Tree SHA or parent SHA does not exist")
    authorship = call.site.repositories.authorship(call.identity, call.text("Commit", "message"), call.wish.get("author"))
    sha = call.git.commit(tree, [parent for parent in parents if parent], authorship)
    return Answer(201, git_commit(call, sha))


def _tree_entry(call: Call, entry: Entry) -> dict[str, Any]:
    url = f"{call.site.shapes.repo_url(call.repository)}/git/{entry.kind}s/{entry.sha}"
    base = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha, "url": url}
    return {**base, "size": entry.size} if entry.kind == "blob" else base


def _tree_shape(call: Call, sha: str, entries: list[Entry]) -> dict[str, Any]:
    url = f"{call.site.shapes.repo_url(call.repository)}/git/trees/{sha}"
    return {"sha": sha, "url": url, "tree": [_tree_entry(call, entry) for entry in entries], "truncated": False}


def get_tree(call: Call) -> Answer:
    """A tree by id or revision; ``recursive`` for everything below."""
    sha = call.git.resolve(call.path["sha"], "tree")
    if sha is None:
        raise ApiError(404, "Not Found")
    return Answer(200, _tree_shape(call, sha, call.git.entries(sha, recursive=bool(call.query.get("recursive")))))


def create_tree(call: Call) -> Answer:
    """A tree from entries over ``base_tree``; ``sha: null`` removes a path."""
    base = call.wish.get("base_tree")
    base = call.git.resolve(str(base), "tree") if base else None
    lines = []
    for item in call.wish.get("tree") or []:
        path, mode = check_path(str(item.get("path") or "")), str(item.get("mode") or "100644")
        if mode not in {"100644", "100755", "040000", "160000", "120000"}:
            raise refused("Tree", "mode", "invalid")
        if item.get("content") is not None:
            lines.append(f"{mode} {call.git.write_blob(str(item['content']).encode())}\t{path}\n")
        else:
            lines.append(_tree_line(call, item, mode, path))
    sha = call.git.apply_index(base, "".join(lines))
    return Answer(201, _tree_shape(call, sha, call.git.entries(sha)))


def _tree_line(call: Call, item: dict[str, Any], mode: str, path: str) -> str:
    if item.get("sha") is None:
        return f"0 {'0' * 40}\t{path}\n"
    found = call.git.resolve(str(item["sha"]), "blob") if mode != "040000" else None
    if found is None:
        raise refused("Tree", "sha", "invalid", "only existing blobs can be named here")
    return f"{mode} {found}\t{path}\n"


def get_blob(call: Call) -> Answer:
    """A blob as base64."""
    sha = call.git.resolve(call.path["sha"], "blob")
    if sha is None:
        raise ApiError(404, "Not Found")
    content = call.git.blob(sha)
    url = f"{call.site.shapes.repo_url(call.repository)}/git/blobs/{sha}"
    encoded = base64.encodebytes(content).decode()
    return Answer(200, {"sha": sha, "node_id": f"B_{sha}", "size": len(content), "url": url, "content": encoded, "encoding": "base64"})


def create_blob(call: Call) -> Answer:
    """Store bytes given as utf-8 or base64."""
    text = str(call.wish.get("content") or "")
    try:
        content = base64.b64decode(text) if call.wish.get("encoding") == "base64" else text.encode()
    except (binascii.Error, ValueError) as error:
        raise refused("Blob", "content", "invalid") from error
    sha = call.git.write_blob(content)
    return Answer(201, {"sha": sha, "url": f"{call.site.shapes.repo_url(call.repository)}/git/blobs/{sha}"})


_REPO = "/repos/{owner}/{repo}"
_GIT = f"{_REPO}/git"

ROUTES = (
    Route("GET", f"{_REPO}/branches", list_branches, _READ),
    Route("GET", f"{_REPO}/branches/{{branch:path}}", get_branch, _READ),
    Route("GET", f"{_REPO}/tags", list_tags, _READ),
    Route("GET", f"{_GIT}/ref/{{ref:path}}", get_ref, _READ),
    Route("GET", f"{_GIT}/refs/{{ref:path}}", get_ref, _READ, "exact names; use matching-refs for prefixes"),
    Route("GET", f"{_GIT}/matching-refs/{{ref:path}}", matching_refs, _READ),
    Route("POST", f"{_GIT}/refs", create_ref, _WRITE),
    Route("PATCH", f"{_GIT}/refs/{{ref:path}}", update_ref, _WRITE),
    Route("DELETE", f"{_GIT}/refs/{{ref:path}}", delete_ref, _WRITE),
    Route("GET", f"{_GIT}/commits/{{sha}}", get_git_commit, _READ),
    Route("POST", f"{_GIT}/commits", create_git_commit, _WRITE, "signed by the platform"),
    Route("GET", f"{_GIT}/trees/{{sha:path}}", get_tree, _READ),
    Route("POST", f"{_GIT}/trees", create_tree, _WRITE),
    Route("GET", f"{_GIT}/blobs/{{sha}}", get_blob, _READ),
    Route("POST", f"{_GIT}/blobs", create_blob, _WRITE),
)
