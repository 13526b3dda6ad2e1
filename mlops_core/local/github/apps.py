"""GitHub Apps: RS256 JWTs in, limited installation tokens out.

pem = apps.register(app_id=12, name="mlops", permissions={"issues": "write"})
apps.install(app_id=12, installation_id=99, account="alice", repositories=[700001])
apps.access_token(app, 99, {"permissions": {"issues": "write"}})
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from mlops_core.local.github.answers import ApiError, not_found
from mlops_core.local.github.database import Database, Row, now
from mlops_core.local.github.identity import Identities, Identity
from mlops_core.local.github.oidc import new_rsa_key
from mlops_core.local.github.repositories import Repositories

_LEVELS = ("none", "read", "write", "admin")
_LIFETIME = timedelta(hours=1)


class Apps:
    """Registered Apps and where they are installed; private keys are handed out once and never kept."""

    def __init__(self, database: Database, identities: Identities, repositories: Repositories) -> None:
        self._database = database
        self._identities = identities
        self._repositories = repositories

    def register(self, app_id: int, name: str, permissions: dict[str, str]) -> str:
        """Register (or renew the key of) an App; its private key as PEM."""
        pem = new_rsa_key()
        key = serialization.load_pem_private_key(pem, password=None).public_key()
        public = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        self._database.run(
            "insert into apps (id, slug, name, public_key, permissions, created_at) values (?, ?, ?, ?, ?, ?) on conflict (id) do update"
            " set slug = excluded.slug, name = excluded.name, public_key = excluded.public_key, permissions = excluded.permissions",
            app_id, slug, name, public, json.dumps({"metadata": "read", **permissions}), now(),
        )  # fmt: skip
        self._identities.create_person(f"{slug}[bot]", kind="Bot")
        return pem.decode()

    def install(self, app_id: int, installation_id: int, account: str, repositories: list[int]) -> None:
        """Install an App on repositories of one account."""
        self._database.run(
            "insert or replace into installations (id, app, account, repositories) values (?, ?, ?, ?)",
            installation_id, app_id, account, json.dumps(repositories),
        )  # fmt: skip

    def authenticate(self, header: str) -> Row:
        """The App whose JWT signs this call; every doubt is a 401."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or token.count(".") != 2:
            raise ApiError(401, "A JSON web token could not be decoded")
        try:
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
            app = self._database.row("select * from apps where id = ? or slug = ?", issuer, issuer)
            if app is None:
                raise ApiError(404, "Integration not found")
            options: Any = {"require": ["iat", "exp", "iss"], "verify_iss": False, "verify_aud": False}
            claims = jwt.decode(token, app["public_key"], algorithms=["RS256"], options=options, leeway=30)
        except jwt.PyJWTError as error:
            raise ApiError(401, "A JSON web token could not be decoded") from error
        if int(claims["exp"]) - int(claims["iat"]) > 660:
            raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
        return app

    def installation(self, app: Row, key: int) -> Row:
        """One installation of an App."""
        row = self._database.row("select * from installations where id = ? and app = ?", key, app["id"])
        if row is None:
            raise not_found()
        return row

    def installations(self, app: Row) -> list[Row]:
        """Every installation of an App."""
        return self._database.rows("select * from installations where app = ? order by id", app["id"])

    def access_token(self, app: Row, key: int, wish: dict[str, Any]) -> dict[str, Any]:
        """A token for one hour, limited to a subset of what was granted; more than that is a 422."""
        installation = self.installation(app, key)
        granted = json.loads(app["permissions"])
        permissions = {"metadata": "read", **(wish.get("permissions") or granted)}
        for name, level in permissions.items():
            if level not in _LEVELS or _LEVELS.index(level) > _LEVELS.index(granted.get(name, "none")):
                raise ApiError(422, "The permissions requested are not granted to this installation.")
        allowed = json.loads(installation["repositories"])
        chosen = self._chosen(installation, allowed, wish)
        identity = Identity(f"{app['slug']}[bot]", "installation", permissions, frozenset(chosen))
        token, expires = self._identities.issue_token(identity, prefix="ghs_", lifetime=_LIFETIME)
        limited = "repositories" in wish or "repository_ids" in wish
        selection = "selected" if limited or len(chosen) < len(allowed) else "all"
        return {"token": token, "expires_at": expires, "permissions": permissions, "repository_selection": selection}

    def _chosen(self, installation: Row, allowed: list[int], wish: dict[str, Any]) -> list[int]:
        if not wish.get("repositories") and not wish.get("repository_ids"):
            return allowed
        chosen = [int(key) for key in wish.get("repository_ids") or []]
        for name in wish.get("repositories") or []:
            row = self._repositories.find(installation["account"], str(name).rpartition("/")[2])
            chosen.append(row["id"] if row else -1)
        if any(key not in allowed for key in chosen):
            raise ApiError(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
        return chosen
