"""Files through the contents API, and commits as the other routes show them."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import quote

from mlops_core.local.github.answers import Answer, ApiError, refused
from mlops_core.local.github.git import Entry, check_path
from mlops_core.local.github.git_history import Commit, changed_files, commits
from mlops_core.local.github.identity import Need
from mlops_core.local.github.rest.call import Call, Route
from mlops_core.local.github.web_commits import Change, write

_READ = Need("contents")
_WRITE = Need("contents", "write", "write")
_SHOWN_BYTES = 1_000_000


def head_of(call: Call, revision: str = "") -> str:
    """The commit of a revision (empty: the default branch); a 404 when there is none."""
    found = call.git.resolve(revision.removeprefix("refs/heads/") if revision else call.repository["default_branch"]) or call.git.resolve(
        revision
    )
    if found is None:
        raise ApiError(404, f"No commit found for the ref {revision or call.repository['default_branch']}")
    return found


def _entry(call: Call, entry: Entry, ref: str) -> dict[str, Any]:
    api, page, path = call.site.shapes.repo_url(call.repository), call.site.shapes.repo_page(call.repository), quote(entry.path)
    kind = {"blob": "file", "tree": "dir"}.get(entry.kind, "submodule")
    html, git = f"{page}/{'blob' if kind == 'file' else 'tree'}/{ref}/{path}", f"{api}/git/{entry.kind}s/{entry.sha}"
    url = f"{api}/contents/{path}?ref={ref}"
    return {
        "name": entry.path.rpartition("/")[2], "path": entry.path, "sha": entry.sha, "size": entry.size, "url": url, "html_url": html,
        "git_url": git, "download_url": f"{page}/raw/{ref}/{path}" if kind == "file" else None, "type": kind,
        "_links": {"self": url, "git": git, "html": html},
    }  # fmt: skip


def get_contents(call: Call) -> Answer:
    """A file with its base64 content (empty above 1 MB, as on GitHub), or a folder's list; ``raw`` media type gives bytes."""
    path = call.path.get("path", "").strip("/")
    ref = call.query.get("ref", "") or call.repository["default_branch"]
    commit = head_of(call, ref)
    entry = call.git.entry(commit, check_path(path)) if path else None
    if path and entry is None:
        raise ApiError(404, "Not Found")
    if entry is None or entry.kind == "tree":
        return Answer(200, [_entry(call, item, ref) for item in call.git.entries(commit, path)])
    content = call.git.blob(entry.sha)
    if "raw" in call.headers.get("accept", ""):
        return Answer(200, content, content_type="application/vnd.github.raw+json; charset=utf-8")
    small = len(content) <= _SHOWN_BYTES
    encoded = base64.encodebytes(content).decode() if small else ""
    return Answer(200, {**_entry(call, entry, ref), "content": encoded, "encoding": "base64" if small else "none"})


def put_contents(call: Call) -> Answer:
    """Create or replace one file; replacing needs the blob's ``sha``, and a wrong one is a 409."""
    path = check_path(call.path["path"])
    branch = call.wish.get("branch") or call.repository["default_branch"]
    try:
        content = base64.b64decode(call.wish.get("content") or "", validate=False)
    except (binascii.Error, TypeError, ValueError) as error:
        raise refused("Content", "content", "invalid", "content is not valid Base64") from error
    existing = _present(call, branch, path)
    sha = call.wish.get("sha")
    if existing and not sha:
        raise ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if sha and (not existing or existing.sha != sha):
        raise ApiError(409, f"{path} does not match {sha}")
    message = call.wish.get("message") or f"{'Update' if existing else 'Create'} {path}"
    change = Change(branch, message, {path: content}, [], call.wish.get("author") or call.wish.get("committer"))
    commit = write(call.site, call.repository, call.identity, change, expected=None)
    entry = call.git.entry(commit, path)
    shape = _entry(call, entry, branch) if entry else None
    return Answer(200 if existing else 201, {"content": shape, "commit": git_commit(call, commit)})


def delete_contents(call: Call) -> Answer:
    """Remove one file whose blob is ``sha``."""
    path = check_path(call.path["path"])
    wish = {**call.query, **(call.body if isinstance(call.body, dict) else {})}
    branch = str(wish.get("branch") or call.repository["default_branch"])
    existing = _present(call, branch, path)
    if existing is None:
        raise ApiError(404, "Not Found")
    if wish.get("sha") != existing.sha:
        raise ApiError(409, f"{path} does not match {wish.get('sha')}")
    change = Change(branch, str(wish.get("message") or f"Delete {path}"), {}, [path], wish.get("author"))
    commit = write(call.site, call.repository, call.identity, change, expected=None)
    return Answer(200, {"content": None, "commit": git_commit(call, commit)})


def _present(call: Call, branch: str, path: str) -> Entry | None:
    head = call.git.resolve(f"refs/heads/{branch}")
    entry = call.git.entry(head, path) if head else None
    return entry if entry and entry.kind == "blob" else None


def get_readme(call: Call) -> Answer:
    """The README at the root."""
    commit = head_of(call, call.query.get("ref", ""))
    entry = next((item for item in call.git.entries(commit) if item.path.lower().startswith("readme")), None)
    if entry is None:
        raise ApiError(404, "Not Found")
    ref = call.query.get("ref") or call.repository["default_branch"]
    content = base64.encodebytes(call.git.blob(entry.sha)).decode()
    return Answer(200, {**_entry(call, entry, ref), "content": content, "encoding": "base64"})


def _verification(call: Call, sha: str) -> dict[str, Any]:
    signed = b"\ngpgsig " in call.git.run("cat-file", "commit", sha).partition(b"\n\n")[0]
    reason = "valid" if signed else "unsigned"
    return {"verified": signed, "reason": reason, "signature": None, "payload": None, "verified_at": None}


def git_commit(call: Call, sha: str, commit: Commit | None = None) -> dict[str, Any]:
    """A commit of the git database API."""
    commit = commit or commits(call.git, sha, limit=1)[0]
    api, page = call.site.shapes.repo_url(call.repository), call.site.shapes.repo_page(call.repository)
    parents = [{"sha": sha, "url": f"{api}/git/commits/{sha}", "html_url": f"{page}/commit/{sha}"} for sha in commit.parents]
    people = {
        key: dict(zip(("name", "email", "date"), who, strict=True))
        for key, who in (("author", commit.author), ("committer", commit.committer))
    }
    base = {
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "url": f"{api}/git/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}",
    }
    tree = {"sha": commit.tree, "url": f"{api}/git/trees/{commit.tree}"}
    return {**base, **people, "tree": tree, "message": commit.message, "parents": parents, "verification": _verification(call, commit.sha)}


def full_commit(call: Call, commit: Commit) -> dict[str, Any]:
    """A commit of the commits API."""
    inner = git_commit(call, commit.sha, commit)
    api = call.site.shapes.repo_url(call.repository)
    url = f"{api}/commits/{commit.sha}"
    base = {key: inner[key] for key in ("sha", "node_id", "html_url", "parents")}
    person = {"author": _account(call, commit.author[1]), "committer": _account(call, commit.committer[1])}
    drop = {"sha", "node_id", "html_url", "parents"}
    return {**base, "url": url, "comments_url": f"{url}/comments", "commit": {**_less(inner, drop), "comment_count": 0}, **person}


def _less(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


def _account(call: Call, email: str) -> dict[str, Any] | None:
    if email == "noreply@github.com":
        return call.site.shapes.user("web-flow")
    login = email.partition("@")[0].rpartition("+")[2]
    return call.site.shapes.user(login) if call.site.identities.find(login) else None


def file_shape(call: Call, item: Any, head: str) -> dict[str, Any]:
    """One changed file of a commit, comparison or pull request."""
    api, page = call.site.shapes.repo_url(call.repository), call.site.shapes.repo_page(call.repository)
    path = quote(item.path)
    base = {"sha": item.sha, "filename": item.path, "status": item.status, "additions": item.additions, "deletions": item.deletions}
    links = {
        "blob_url": f"{page}/blob/{head}/{path}",
        "raw_url": f"{page}/raw/{head}/{path}",
        "contents_url": f"{api}/contents/{path}?ref={head}",
    }
    extra = {"previous_filename": item.previous} if item.previous else {}
    return {**base, "changes": item.additions + item.deletions, **links, "patch": item.patch, **extra}


def list_commits(call: Call) -> Answer:
    """Newest first, at most 1,000; filters sha and path."""
    found = commits(call.git, head_of(call, call.query.get("sha", "")), path=call.query.get("path", ""), limit=1000)
    return call.page(found, lambda commit: full_commit(call, commit))


def get_commit(call: Call) -> Answer:
    """One commit with its files."""
    commit = commits(call.git, head_of(call, call.path["ref"]), limit=1)[0]
    files = changed_files(call.git, commit.parents[0], commit.sha) if commit.parents else []
    stats = {"additions": sum(item.additions for item in files), "deletions": sum(item.deletions for item in files)}
    stats["total"] = sum(stats.values())
    return Answer(200, {**full_commit(call, commit), "stats": stats, "files": [file_shape(call, item, commit.sha) for item in files]})


def compare(call: Call) -> Answer:
    """``base...head`` with commits and files."""
    left, dots, right = call.path["basehead"].partition("...")
    if not dots:
        raise ApiError(404, "Not Found")
    base, head = head_of(call, left), head_of(call, right)
    middle = call.git.merge_base(base, head) or base
    ahead, behind = commits(call.git, head, exclude=base, limit=250), commits(call.git, base, exclude=head, limit=250)
    status = "identical" if base == head else "diverged" if ahead and behind else "ahead" if ahead else "behind"
    shapes = [full_commit(call, commit) for commit in reversed(ahead)]
    ends = {
        "base_commit": full_commit(call, commits(call.git, base, limit=1)[0]),
        "merge_base_commit": full_commit(call, commits(call.git, middle, limit=1)[0]),
    }
    counts = {"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead)}
    files = [file_shape(call, item, head) for item in changed_files(call.git, middle, head)]
    page = f"{call.site.shapes.repo_page(call.repository)}/compare/{left}...{right}"
    links = {"url": call.url, "html_url": page, "permalink_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
    return Answer(200, {**links, **ends, "status": status, **counts, "commits": shapes, "files": files})


_REPO = "/repos/{owner}/{repo}"

ROUTES = (
    Route("GET", f"{_REPO}/contents", get_contents, _READ),
    Route("GET", f"{_REPO}/contents/{{path:path}}", get_contents, _READ, "files, folders, media type raw"),
    Route("PUT", f"{_REPO}/contents/{{path:path}}", put_contents, _WRITE, "signed commit; 409 on a protected branch or a wrong sha"),
    Route("DELETE", f"{_REPO}/contents/{{path:path}}", delete_contents, _WRITE),
    Route("GET", f"{_REPO}/readme", get_readme, _READ),
    Route("GET", f"{_REPO}/commits", list_commits, _READ, "filters sha, path"),
    Route("GET", f"{_REPO}/commits/{{ref:path}}", get_commit, _READ),
    Route("GET", f"{_REPO}/compare/{{basehead:path}}", compare, _READ),
)
