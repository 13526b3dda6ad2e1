"""Repositories: their row, their git folder, their people, settings and protected branches.

row = repositories.create("alice", "models", files={"README.md": b"# hi"})
repositories.git(row).resolve("main")
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_core.local.github.answers import ApiError, not_found, refused
from mlops_core.local.github.database import Database, Row, now
from mlops_core.local.github.git import Authorship, GitRepository, StaleHeadError
from mlops_core.local.github.identity import ROLES, Identities, Identity
from mlops_core.local.github.signing import Signer

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class Repositories:
    """Every repository of this GitHub."""

    def __init__(self, database: Database, identities: Identities, folder: Path) -> None:
        self._database = database
        self._identities = identities
        self._folder = folder / "git"
        self.signer = Signer(folder / "keys")

    def create(
        self, owner: str, name: str, *, private: bool = False, description: str = "", files: Mapping[str, bytes] | None = None
    ) -> Row:
        """A new repository with ``files`` on ``main``; a name that is taken is a 422."""
        for value in (owner, name):
            if not _NAME.fullmatch(value) or value in {".", ".."} or value.lower().endswith(".git"):
                raise refused("Repository", "name", "custom", f"name {value!r} may hold letters, digits, '-', '_' and '.' only")
        if self.find(owner, name):
            raise refused("Repository", "name", "custom", "name already exists on this account")
        self._identities.create_person(owner, kind="Organization")
        path = self._folder / owner.lower() / f"{name.lower()}.git"
        repository = GitRepository.create(path)
        if files:
            tree = repository.write_tree(None, files, [])
            commit = repository.commit(tree, [], self.authorship(Identity(owner), "Initial commit"))
            self._first_commit(repository, commit)
        moment = now()
        self._database.insert(
            "repositories", owner=owner, name=name, private=int(private), description=description, default_branch="main",
            created_at=moment, pushed_at=moment,
        )  # fmt: skip
        return self.get(owner, name)

    @staticmethod
    def _first_commit(repository: GitRepository, commit: str) -> None:
        # A folder left by a creation that was killed half-way is taken over.
        old = repository.resolve("refs/heads/main") or ""
        repository.update_ref("refs/heads/main", commit, old)

    def release_locks(self) -> None:
        """Remove lock files that a killed git left; call it only while no git of this platform runs."""
        for path in self._folder.glob("*/*.git"):
            locks = [*path.glob("*.lock"), *path.glob("refs/**/*.lock")]
            for lock in locks:
                lock.unlink(missing_ok=True)

    def find(self, owner: str, name: str) -> Row | None:
        """One repository, or None."""
        return self._database.row("select * from repositories where owner = ? and name = ?", owner, name)

    def get(self, owner: str, name: str) -> Row:
        """One repository; a 404 when there is none."""
        found = self.find(owner, name)
        if found is None:
            raise not_found()
        return found

    def by_id(self, key: int) -> Row:
        """One repository by its numeric id."""
        found = self._database.row("select * from repositories where id = ?", key)
        if found is None:
            raise not_found()
        return found

    def all(self) -> list[Row]:
        """Every repository, by name."""
        return self._database.rows("select * from repositories order by owner, name")

    def git(self, repository: Row) -> GitRepository:
        """The bare repository on disk."""
        return GitRepository(self._folder / repository["owner"].lower() / f"{repository['name'].lower()}.git")

    def pushed(self, repository: Row) -> None:
        """Note that a branch moved."""
        self._database.update("repositories", repository["id"], pushed_at=now())

    def set_role(self, repository: Row, login: str, role: str) -> None:
        """Give a person a role; ``none`` takes it away and hides even a public repository's write calls."""
        if role not in ROLES:
            raise refused("Collaborator", "permission", "invalid", f"{role!r} is not one of {', '.join(ROLES)}")
        self._database.run("delete from collaborators where repository = ? and login = ?", repository["id"], login)
        self._database.insert("collaborators", repository=repository["id"], login=login, role=role)

    def collaborators(self, repository: Row) -> list[Row]:
        """Rows with login and role, without the owner."""
        return self._database.rows("select login, role from collaborators where repository = ? order by login", repository["id"])

    def set_setting(self, repository: Row, kind: str, name: str, value: str) -> None:
        """Keep a ``variable`` or a ``secret``."""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name.upper().startswith("GITHUB_"):
            raise refused("Setting", "name", "invalid", f"{name!r}: letters, digits and '_' only, not starting with GITHUB_ or a digit")
        self._database.run(
            "insert or replace into settings (repository, kind, name, value) values (?, ?, ?, ?)",
            repository["id"],
            kind,
            name.upper(),
            value,
        )

    def settings(self, repository: Row, kind: str) -> dict[str, str]:
        """Name to value of all variables or secrets."""
        rows = self._database.rows("select name, value from settings where repository = ? and kind = ?", repository["id"], kind)
        return {row["name"]: row["value"] for row in rows}

    def protect(self, repository: Row, branch: str, allowed: list[str]) -> None:
        """Demand pull requests on a branch from everybody but ``allowed`` logins."""
        self._database.run(
            "insert or replace into protections (repository, branch, allowed) values (?, ?, ?)",
            repository["id"],
            branch,
            json.dumps(allowed),
        )

    def protected_from(self, repository: Row, branch: str, identity: Identity) -> bool:
        """Whether a direct write to the branch is refused for this caller."""
        found = self._database.value("select allowed from protections where repository = ? and branch = ?", repository["id"], branch)
        return found is not None and identity.login not in json.loads(found)

    def authorship(self, identity: Identity, message: str, given: Mapping[str, Any] | None = None) -> Authorship:
        """A web commit's author (as given, else the caller) with the platform's signature."""
        person = self._identities.person(identity.login)
        address = f"{person['id']}+{person['login']}@users.noreply.github.com"
        name = str((given or {}).get("name") or person["name"])
        email = str((given or {}).get("email") or address)
        return Authorship(name, email, message, self.signer, int(time.time()))

    def move_branch(self, repository: Row, branch: str, new: str, old: str) -> None:
        """Point a branch at a commit; a head that moved meanwhile is a 409."""
        try:
            self.git(repository).update_ref(f"refs/heads/{branch}", new, old)
        except StaleHeadError as error:
            raise ApiError(409, f"is at {self.git(repository).resolve(branch)} but expected {old}") from error
        self.pushed(repository)
