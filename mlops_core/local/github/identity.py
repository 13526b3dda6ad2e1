"""Who calls, and what a token lets them do.

identity = identities.of("Bearer ghp_…")
access.demand(identity, repository, Need("issues", "write", role="triage"))
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlops_core.local.github.answers import ApiError
from mlops_core.local.github.database import Database, Row, now

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
_LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}
RUN_LOGIN = "github-actions[bot]"


@dataclass(frozen=True)
class Identity:
    """The caller.  ``permissions`` and ``repositories`` limit tokens of Apps and runs; None means a person's own rights."""

    login: str
    kind: str = "person"
    permissions: Mapping[str, str] | None = None
    repositories: frozenset[int] | None = None
    run: int = 0

    @property
    def anonymous(self) -> bool:
        """Whether nobody in particular calls."""
        return not self.login


@dataclass(frozen=True)
class Need:
    """What an operation asks for: a permission of tokens at a level, and the least role a person must have on the repository."""

    resource: str = "metadata"
    level: str = "read"
    role: str = "read"


ANONYMOUS = Identity("", "anonymous")


def digest(token: str) -> str:
    """How tokens are kept: never in clear."""
    return hashlib.sha256(token.encode()).hexdigest()


class Identities:
    """People, bots, their tokens and roles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_person(self, login: str, *, name: str = "", kind: str = "User") -> Row:
        """A person, bot or organisation; an existing login is kept as it is."""
        self._database.run(
            "insert or ignore into people (login, name, type, created_at) values (?, ?, ?, ?)", login, name or login, kind, now()
        )
        return self.person(login)

    def person(self, login: str) -> Row:
        """One account; a ghost stands in for a login that does not exist (any more)."""
        found = self.find(login)
        return found or {"id": 10137, "login": "ghost", "name": "Deleted user", "type": "User", "created_at": now()}

    def find(self, login: str) -> Row | None:
        """One account, or None."""
        return self._database.row("select * from people where login = ?", login)

    def people(self) -> list[Row]:
        """Every account, in the order of creation."""
        return self._database.rows("select * from people order by id")

    def issue_token(self, identity: Identity, *, prefix: str = "ghp_", lifetime: timedelta | None = None) -> tuple[str, str]:
        """A new token for an identity and when it ends (empty: never); only its digest is kept."""
        token = prefix + secrets.token_hex(18)
        expires = (datetime.now(UTC) + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ") if lifetime else ""
        self._database.insert(
            "tokens", digest=digest(token), kind=identity.kind, login=identity.login, run=identity.run, created_at=now(),
            permissions=None if identity.permissions is None else json.dumps(dict(identity.permissions)),
            repositories=None if identity.repositories is None else json.dumps(sorted(identity.repositories)), expires_at=expires or None,
        )  # fmt: skip
        return token, expires

    def revoke_run(self, run: int) -> None:
        """End every token of a workflow run."""
        self._database.run("delete from tokens where run = ? and kind in ('run', 'oidc')", run)

    def of(self, header: str) -> Identity:
        """The identity of an Authorization header; a token nobody issued is a 401, none at all is anonymous."""
        scheme, _, token = header.strip().partition(" ")
        if not header.strip():
            return ANONYMOUS
        if scheme.lower() not in {"bearer", "token"}:
            raise ApiError(401, "Bad credentials")
        return self.of_token(token.strip())

    def of_token(self, token: str) -> Identity:
        """The identity of a bare token; raises a 401 when it is unknown, over, or made for OIDC alone."""
        identity = self._of_any_token(token)
        if identity.kind == "oidc":
            raise ApiError(401, "Bad credentials")
        return identity

    def oidc_run(self, header: str) -> int:
        """The run that a request for an OIDC token speaks for; no other token will do."""
        identity = self._of_any_token(header.partition(" ")[2].strip())
        if identity.kind != "oidc":
            raise ApiError(401, "Bad credentials")
        return identity.run

    def _of_any_token(self, token: str) -> Identity:
        row = self._database.row("select * from tokens where digest = ?", digest(token))
        if row is None or (row["expires_at"] and row["expires_at"] <= now()):
            raise ApiError(401, "Bad credentials")
        permissions = None if row["permissions"] is None else json.loads(row["permissions"])
        repositories = None if row["repositories"] is None else frozenset(json.loads(row["repositories"]))
        return Identity(row["login"], row["kind"], permissions, repositories, row["run"] or 0)

    def role(self, repository: Row, login: str) -> str:
        """A person's role on a repository: the owner is admin, a stranger reads what is public."""
        if login.lower() == repository["owner"].lower():
            return "admin"
        found = self._database.value("select role from collaborators where repository = ? and login = ?", repository["id"], login)
        return str(found) if found else ("none" if repository["private"] else "read")


class Access:
    """The one place that says yes or no."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def allows(self, identity: Identity, repository: Row, need: Need) -> bool:
        """Whether the call may go on."""
        try:
            self.demand(identity, repository, need)
        except ApiError:
            return False
        return True

    def demand(self, identity: Identity, repository: Row, need: Need) -> None:
        """Raise GitHub's refusal unless the caller may do this: 404 for what it may not see, 403 or 401 otherwise."""
        if identity.permissions is not None:
            self._demand_token(identity, repository, need)
            return
        role = "none" if identity.anonymous and repository["private"] else self._identities.role(repository, identity.login or "\0")
        if role == "none":
            raise ApiError(404, "Not Found")
        if identity.anonymous and (need.level != "read" or need.role != "read"):
            raise ApiError(401, "Requires authentication")
        if ROLES.index(role) < ROLES.index(need.role):
            raise ApiError(403, f"Must have {need.role} rights to Repository.")

    @staticmethod
    def _demand_token(identity: Identity, repository: Row, need: Need) -> None:
        inside = identity.repositories is None or repository["id"] in identity.repositories
        if not inside and repository["private"]:
            raise ApiError(404, "Not Found")
        public_read = need.level == "read" and need.role == "read" and not repository["private"]
        granted = (identity.permissions or {}).get(need.resource, "none")
        if need.resource == "metadata":
            granted = "read" if inside else granted
        if not public_read and (not inside or _LEVELS.get(granted, 0) < _LEVELS[need.level]):
            raise ApiError(403, "Resource not accessible by integration")
