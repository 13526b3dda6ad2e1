"""Pages about files, commits and repositories."""

from __future__ import annotations

import mimetypes

from markupsafe import Markup

from mlops_core.local.github.answers import not_found
from mlops_core.local.github.git import Entry
from mlops_core.local.github.git_history import changed_files, commits
from mlops_core.local.github.identity import Need
from mlops_core.local.github.pages.markdown import render
from mlops_core.local.github.pages.view import Page, Raw, Redirect, Result, View, split_ref

_SHOWN_BYTES = 400_000
_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "image/avif"}


def login(view: View) -> Page:
    """Choose who you are."""
    people = [row for row in view.site.identities.people() if row["type"] == "User" and row["login"] != "web-flow"]
    return Page("login.html", {"people": people, "next": view.query.get("next", "/")})


def sign_in(view: View) -> Redirect:
    """Become that person."""
    chosen = view.site.identities.find(view.field("login"))
    if chosen is None or chosen["type"] != "User":
        raise not_found()
    target = view.field("next")
    safe = target.startswith("/") and not target.startswith(("//", "/\\"))
    return Redirect(target if safe else "/", chosen["login"])


def sign_out(view: View) -> Redirect:
    """Be nobody again."""
    del view
    return Redirect("/", "")


def home(view: View) -> Page:
    """Every repository that the person may see."""
    rows = [row for row in view.site.repositories.all() if view.site.access.allows(view.identity, row, Need())]
    count = "select count(*) from issues where repository = ? and state = 'open' and deleted = 0"
    listed = [{**row, "open": view.site.database.value(count, row["id"]), "live": view.site.runs.live(row)} for row in rows]
    return Page("home.html", {"repositories": listed, "dashboards": view.site.config.cloudwatch is not None})


def account(view: View) -> Page:
    """What belongs to one owner."""
    if view.site.identities.find(view.path["owner"]) is None:
        raise not_found()
    page = home(view)
    mine = [row for row in page.values["repositories"] if row["owner"].lower() == str(view.path["owner"]).lower()]
    return Page("home.html", {**page.values, "repositories": mine})


def tree(view: View) -> Page:
    """A folder with its README."""
    if not view.git.refs("refs/heads"):
        return view.page("tree.html", ref="main", folder="", entries=[], readme="", last=None, branches=[])
    ref, sha, folder = split_ref(view)
    entries = sorted(view.git.entries(sha, folder), key=lambda item: (item.kind != "tree", item.path.lower()))
    if folder and not entries:
        raise not_found()
    readme = next((item for item in entries if item.path.rpartition("/")[2].lower() in {"readme.md", "readme"}), None)
    last = commits(view.git, sha, path=folder, limit=1)
    branches = [name.removeprefix("refs/heads/") for name in view.git.refs("refs/heads")]
    shown = _readme(view, readme, ref, folder) if readme else ""
    return view.page("tree.html", ref=ref, folder=folder, entries=entries, readme=shown, last=last[0] if last else None, branches=branches)


def _readme(view: View, entry: Entry, ref: str, folder: str) -> Markup:
    text = view.git.blob(entry.sha).decode(errors="replace")
    return Markup(render(text, base=view.base, ref=ref, folder=folder, breaks=False))  # noqa: S704 - cleaned by nh3


def blob(view: View) -> Result:
    """One file; Markdown is rendered, images are shown, ``?raw=true`` leads to the bytes."""
    ref, sha, path = split_ref(view)
    entry = view.git.entry(sha, path) if path else None
    if entry is None or entry.kind != "blob":
        raise not_found()
    if view.query.get("raw"):
        return Redirect(f"{view.base}/raw/{ref}/{path}")
    content = view.git.blob(entry.sha)
    binary = b"\0" in content[:8000]
    text = "" if binary else content[:_SHOWN_BYTES].decode(errors="replace")
    rendered = _readme(view, entry, ref, path.rpartition("/")[0]) if path.lower().endswith(".md") else ""
    image = (mimetypes.guess_type(path)[0] or "") in _IMAGES
    return view.page(
        "blob.html", ref=ref, path=path, size=entry.size, text=text, rendered=rendered, image=image, cut=len(content) > _SHOWN_BYTES
    )


def raw(view: View) -> Raw:
    """The bytes of a file: images as images, HTML as a document without scripts and origin, everything else as text or as a download."""
    _, sha, path = split_ref(view)
    content = view.git.read(sha, path) if path else None
    if content is None:
        raise not_found()
    kind = mimetypes.guess_type(path)[0] or ""
    if kind in _IMAGES:
        return Raw(content, kind)
    if kind == "text/html":
        return Raw(content, "text/html; charset=utf-8")
    return Raw(content, "application/octet-stream" if b"\0" in content[:8000] else "text/plain; charset=utf-8")


def history(view: View) -> Page:
    """The newest hundred commits."""
    ref, sha, path = split_ref(view)
    return view.page("commits.html", ref=ref, path=path, commits=commits(view.git, sha, path=path, limit=100))


def commit(view: View) -> Page:
    """One commit with its diff."""
    sha = view.git.resolve(str(view.path["sha"]))
    if sha is None:
        raise not_found()
    found = commits(view.git, sha, limit=1)[0]
    files = changed_files(view.git, found.parents[0], sha) if found.parents else []
    signed = b"\ngpgsig " in view.git.run("cat-file", "commit", sha).partition(b"\n\n")[0]
    return view.page("commit.html", commit=found, files=files, signed=signed)
