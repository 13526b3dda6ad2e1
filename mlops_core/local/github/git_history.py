"""Reading a repository's history: logs, diffs and three-way merges.

commits(repository, "main", path="README.md")
changed_files(repository, base, head)
merge_trees(repository, base, head)      # raises MergeConflictError
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlops_core.local.github.git import GitRepository, MergeConflictError

_FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"
_STATUS = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True)
class Commit:
    """One commit; times are ISO 8601 with their zone."""

    sha: str
    tree: str
    parents: list[str]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True)
class ChangedFile:
    """One file of a diff; ``patch`` is empty for binary files."""

    path: str
    status: str
    additions: int
    deletions: int
    patch: str
    sha: str
    previous: str = ""


def commits(repository: GitRepository, revision: str, *, path: str = "", limit: int = 100, exclude: str = "") -> list[Commit]:
    """The newest ``limit`` commits reachable from ``revision`` and not from ``exclude``."""
    ranges = [revision, *([f"^{exclude}"] if exclude else [])]
    command = ["log", "-z", f"--max-count={limit}", f"--format={_FORMAT}", *ranges, "--", *([f":(literal){path}"] if path else [])]
    out = repository.run(*command).decode(errors="replace")
    return [_commit(record) for record in out.split("\x01") if record.strip("\0\n")]


def _commit(record: str) -> Commit:
    fields = record.lstrip("\0\n").split("\0")
    sha, tree, parents, name, email, when = fields[:6]
    return Commit(sha, tree, parents.split(), (name, email, when), (fields[6], fields[7], fields[8]), fields[9].rstrip("\n"))


def changed_paths(repository: GitRepository, base: str, head: str) -> list[tuple[str, str]]:
    """(status, path) of what ``head`` changes over ``base``, renames told as removed and added."""
    out = repository.run("diff-tree", "-r", "-z", "--name-status", "--no-renames", base, head).decode(errors="surrogateescape").split("\0")
    return [(_STATUS.get(status, "changed"), path) for status, path in zip(out[::2], out[1::2], strict=False)]


def changed_files(repository: GitRepository, base: str, head: str) -> list[ChangedFile]:
    """What ``head`` changes over ``base``, with unified patches of three lines of context."""
    raw = repository.run("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "-M", base, head).decode(errors="surrogateescape").split("\0")
    found: list[ChangedFile] = []
    position = 0
    while position < len(raw) - 1:
        meta = raw[position].split()
        status = meta[4][0]
        step = 3 if status in {"R", "C"} else 2
        previous = raw[position + 1] if step == 3 else ""
        found.append(_changed(repository, (base, head), raw[position + step - 1], status=status, sha=meta[3], previous=previous))
        position += step
    return found


def _changed(repository: GitRepository, span: tuple[str, str], path: str, *, status: str, sha: str, previous: str) -> ChangedFile:
    paths = [f":(literal){name}" for name in (previous, path) if name]
    text = repository.run("diff-tree", "-r", "-p", "--no-color", "-M", *span, "--", *paths).decode(errors="replace")
    start = text.find("\n@@")
    patch = text[start + 1 :].rstrip("\n") if start >= 0 else ""
    lines = patch.split("\n")
    added = sum(1 for line in lines if line.startswith("+"))
    removed = sum(1 for line in lines if line.startswith("-"))
    return ChangedFile(path, _STATUS.get(status, "changed"), added, removed, patch, sha, previous)


def merge_trees(repository: GitRepository, ours: str, theirs: str) -> str:
    """The tree that has both sides' changes; raises `MergeConflictError` naming the paths that need a person.

    git read-tree settles files that one side changed; the rest goes through git merge-file.  Works with any git, unlike merge-tree.
    """
    base = repository.merge_base(ours, theirs) or EMPTY_TREE
    with tempfile.TemporaryDirectory() as folder:
        index = str(Path(folder) / "index")
        repository.run("read-tree", "-i", "-m", "--aggressive", base, ours, theirs, index=index)
        stages: dict[str, dict[str, tuple[str, str]]] = {}
        unmerged = repository.run("ls-files", "-u", "-z", index=index).decode(errors="surrogateescape")
        for row in filter(None, unmerged.split("\0")):
            head, path = row.split("\t", 1)
            mode, sha, stage = head.split()
            stages.setdefault(path, {})[stage] = (mode, sha)
        conflicts = [path for path, sides in stages.items() if set(sides) != {"1", "2", "3"}]
        lines = []
        for path, sides in stages.items():
            merged = None if path in conflicts else _merge_file(repository, Path(folder), sides)
            if merged is None:
                conflicts.append(path)
            else:
                lines.append(f"0 {'0' * 40}\t{path}\n{sides['2'][0]} {merged}\t{path}\n")
        if conflicts:
            raise MergeConflictError(", ".join(sorted(set(conflicts))))
        repository.run("update-index", "--index-info", data="".join(lines).encode(errors="surrogateescape"), index=index)
        return repository.line("write-tree", index=index)


def _merge_file(repository: GitRepository, folder: Path, sides: dict[str, tuple[str, str]]) -> str | None:
    names = []
    for stage in ("2", "1", "3"):
        target = folder / f"stage{stage}"
        target.write_bytes(repository.blob(sides[stage][1]))
        names.append(str(target))
    if any(b"\0" in Path(name).read_bytes()[:8000] for name in names):
        return None
    out = repository.run("merge-file", "-p", "--quiet", *names, accept=tuple(range(129)))
    clean = not any(line.startswith(b"<<<<<<<") for line in out.splitlines())
    return repository.write_blob(out) if clean else None
