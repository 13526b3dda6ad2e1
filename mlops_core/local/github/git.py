"""Bare git repositories through git's own plumbing.

    repository = GitRepository.create(path)
    tree = repository.write_tree(None, {"README.md": b"# hi"}, [])
    repository.update_ref("refs/heads/main", repository.commit(tree, [], commit), "")

Every call is an argument list with a scrubbed environment; names from people are checked and stand behind ``--`` or ``--end-of-options``.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_core.local.github.answers import ApiError
from mlops_core.local.github.signing import COMMITTER_EMAIL, COMMITTER_NAME, Signer

NOTHING = "0" * 40
_EXACT = re.compile(r"refs/|[0-9a-f]{40}$")
_REF = re.compile(r"refs/[A-Za-z0-9][A-Za-z0-9._/+@-]*")


class StaleHeadError(Exception):
    """The reference no longer points where the caller thought."""


class MergeConflictError(Exception):
    """Both sides changed the same lines; ``str(error)`` names the paths."""


@dataclass(frozen=True)
class Entry:
    """One line of a tree: octal mode, kind (blob, tree, commit), object id, bytes (blobs only) and full path."""

    mode: str
    kind: str
    sha: str
    size: int
    path: str


@dataclass(frozen=True)
class Authorship:
    """Who wrote a commit, its whole message and who vouches for it (None: unsigned)."""

    name: str
    email: str
    message: str
    signer: Signer | None = None
    timestamp: int = 0


def check_path(path: str) -> str:
    """A path inside a repository; raises a 422 for anything that could leave it."""
    parts = path.split("/")
    if not path or any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts) or any(ord(sign) < 32 for sign in path):
        raise ApiError(422, f"path {path!r} is malformed: use a relative path without '..', '.git' or empty parts.")
    return path


def check_ref(ref: str) -> str:
    """A full reference name that git accepts."""
    if not _REF.fullmatch(ref) or ".." in ref or "//" in ref or "@{" in ref or ref.endswith(("/", ".", ".lock")) or "/." in ref:
        raise ApiError(422, f"{ref!r} is not a valid ref name.")
    return ref


def environment(**more: str) -> dict[str, str]:
    """What git sees: no configuration of this machine, no prompts."""
    base = {"PATH": os.defpath + ":/usr/local/bin:/opt/homebrew/bin", "HOME": "/nonexistent", "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1"}
    return {**base, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", **more}


class GitRepository:
    """One bare repository on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, branch: str = "main") -> GitRepository:
        """A new empty repository whose HEAD is ``branch``; an existing one is kept."""
        path.parent.mkdir(parents=True, exist_ok=True)
        command = ["git", "init", "--quiet", "--bare", f"--initial-branch={branch}", "--", str(path)]
        subprocess.run(command, check=True, env=environment(), capture_output=True)
        repository = cls(path)
        for key, value in (("core.logAllRefUpdates", "true"), ("uploadpack.allowAnySHA1InWant", "true")):
            repository.run("config", key, value)
        return repository

    def run(self, *arguments: str, data: bytes | None = None, index: str = "", accept: tuple[int, ...] = (0,)) -> bytes:
        """Standard output of one git command; another exit code than ``accept`` raises CalledProcessError."""
        more = {"GIT_INDEX_FILE": index} if index else {}
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", *arguments], input=data, env=environment(**more), capture_output=True, check=False
        )
        if done.returncode not in accept:
            raise subprocess.CalledProcessError(done.returncode, arguments[0], done.stdout, done.stderr)
        return done.stdout

    def line(self, *arguments: str, data: bytes | None = None, index: str = "") -> str:
        """One line of output as text."""
        return self.run(*arguments, data=data, index=index).decode().strip()

    def resolve(self, revision: str, kind: str = "commit") -> str | None:
        """The object id a branch, tag, full reference or (short) id stands for, or None."""
        if not revision or revision.startswith("-") or any(sign in revision for sign in "^~: \n\0\\?*["):
            return None
        for name in (revision,) if _EXACT.match(revision) else (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{{kind}}}", accept=(0, 1, 128))
            if found:
                return found.decode().strip()
        return None

    def refs(self, prefix: str) -> dict[str, str]:
        """Full reference name to object id, below ``refs/heads`` or the like."""
        out = self.run("for-each-ref", "--format=%(refname) %(objectname)", "--", prefix).decode()
        return dict(row.split(" ", 1) for row in out.splitlines())

    def update_ref(self, ref: str, new: str, old: str) -> None:
        """Move a reference from ``old`` (empty: must not exist) to ``new`` (empty: delete); raises `StaleHeadError`."""
        check_ref(ref)
        arguments = ("-d", ref, old) if not new else (ref, new, old or NOTHING)
        try:
            self.run("update-ref", *arguments)
        except subprocess.CalledProcessError as error:
            raise StaleHeadError(error.stderr.decode(errors="replace").strip()) from error

    def entries(self, tree: str, path: str = "", *, recursive: bool = False) -> list[Entry]:
        """The lines of a tree (or of the folder ``path`` in it); empty for what is no folder."""
        if "\0" in path:
            return []
        flags = ["-r", "-t"] if recursive else []
        target = f"{tree}:{path}" if path else tree
        out = self.run("ls-tree", "-z", "--long", *flags, "--end-of-options", target, accept=(0, 128)).decode(errors="surrogateescape")
        return [self._entry(row, path) for row in out.split("\0") if row]

    @staticmethod
    def _entry(row: str, folder: str) -> Entry:
        head, name = row.split("\t", 1)
        mode, kind, sha, size = head.split()
        return Entry(mode, kind, sha, 0 if size == "-" else int(size), f"{folder}/{name}" if folder else name)

    def entry(self, commit: str, path: str) -> Entry | None:
        """The line of one path, or None."""
        folder, _, name = path.rpartition("/")
        return next((item for item in self.entries(commit, folder) if item.path.rpartition("/")[2] == name), None)

    def blob(self, sha: str) -> bytes:
        """The bytes of a blob."""
        return self.run("cat-file", "blob", sha)

    def read(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file at a commit, or None."""
        found = self.entry(commit, path)
        return self.blob(found.sha) if found and found.kind == "blob" else None

    def write_blob(self, content: bytes) -> str:
        """Store bytes; their object id."""
        return self.line("hash-object", "-w", "--stdin", data=content)

    def write_tree(self, base: str | None, additions: Mapping[str, bytes], deletions: Iterable[str]) -> str:
        """A tree like ``base`` (a commit or tree) with files written and removed."""
        lines = [f"100644 {self.write_blob(content)}\t{check_path(path)}\n" for path, content in additions.items()]
        lines += [f"0 {NOTHING}\t{check_path(path)}\n" for path in deletions]
        return self.apply_index(base, "".join(lines))

    def apply_index(self, base: str | None, lines: str) -> str:
        """The tree after ``git update-index --index-info`` read ``lines`` over ``base``."""
        with tempfile.TemporaryDirectory() as folder:
            index = str(Path(folder) / "index")
            self.run("read-tree", base, index=index) if base else self.run("read-tree", "--empty", index=index)
            self.run("update-index", "--index-info", data=lines.encode(errors="surrogateescape"), index=index)
            return self.line("write-tree", index=index)

    def commit(self, tree: str, parents: list[str], authorship: Authorship) -> str:
        """Store a commit object (signed when a signer is given) and return its id."""
        stamp = f"{authorship.timestamp} +0000"
        name, email = (re.sub(r"[<>\n\0]", "", text) for text in (authorship.name, authorship.email))
        head = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {name} <{email}> {stamp}"]
        web = (COMMITTER_NAME, COMMITTER_EMAIL) if authorship.signer else (name, email)
        head.append(f"committer {web[0]} <{web[1]}> {stamp}")
        message = authorship.message.replace("\0", "").rstrip("\n") + "\n"
        body = "\n".join(head) + "\n\n" + message
        if authorship.signer:
            signature = authorship.signer.sign(body.encode()).replace("\n", "\n ")
            body = "\n".join([*head, f"gpgsig {signature}"]) + "\n\n" + message
        return self.line("hash-object", "-t", "commit", "-w", "--stdin", data=body.encode())

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether moving from ``old`` to ``new`` loses no commit."""
        try:
            self.run("merge-base", "--is-ancestor", old, new)
        except subprocess.CalledProcessError:
            return False
        return True

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, or None."""
        return self.run("merge-base", one, other, accept=(0, 1)).decode().strip() or None
