"""Users, repositories, collaborators, Apps and the rate limit."""

from __future__ import annotations

import json
import time
from typing import Any

from mlops_core.local.github.answers import Answer, ApiError, refused
from mlops_core.local.github.database import Row
from mlops_core.local.github.identity import ROLES, Need
from mlops_core.local.github.rest.call import Call, Route

_SUMMARY = {"none": "none", "read": "read", "triage": "read", "write": "write", "maintain": "write", "admin": "admin"}
RATE_LIMIT = 5000


def _user(call: Call, login: str) -> Answer:
    row = call.site.identities.find(login)
    if row is None:
        raise ApiError(404, "Not Found")
    extra = {"name": row["name"], "company": None, "blog": "", "location": None, "email": None, "bio": None, "hireable": None}
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    times = {"created_at": row["created_at"], "updated_at": row["created_at"]}
    return Answer(200, {**call.site.shapes.user(row["login"]), **extra, **counts, **times})


def viewer(call: Call) -> Answer:
    """The caller; tokens of Apps and runs have no user behind them."""
    if call.identity.anonymous:
        raise ApiError(401, "Requires authentication")
    if call.identity.permissions is not None:
        raise ApiError(403, "Resource not accessible by integration")
    return _user(call, call.identity.login)


def get_user(call: Call) -> Answer:
    """Anybody by login."""
    return _user(call, call.path["username"])


def get_repository(call: Call) -> Answer:
    """One repository with the caller's rights."""
    role = call.site.identities.role(call.repository, call.identity.login) if call.identity.login else "read"
    counts = {"network_count": 0, "subscribers_count": 0}
    return Answer(200, {**call.site.shapes.repository(call.repository, role), **counts})


def list_mine(call: Call) -> Answer:
    """Repositories on which the caller is somebody."""
    login = call.identity.login
    if not login:
        raise ApiError(401, "Requires authentication")
    rows = [row for row in call.site.repositories.all() if _belongs(call, row)]
    return call.page(rows, lambda row: call.site.shapes.repository(row, call.site.identities.role(row, login)))


def _belongs(call: Call, row: Row) -> bool:
    login = call.identity.login
    named = any(item["login"].lower() == login.lower() and item["role"] != "none" for item in call.site.repositories.collaborators(row))
    return named or row["owner"].lower() == login.lower()


def list_installed(call: Call) -> Answer:
    """Repositories that an installation token reaches."""
    if call.identity.repositories is None:
        raise ApiError(403, "You must authenticate with an installation access token in order to list repositories for an installation.")
    rows = [call.site.repositories.by_id(key) for key in sorted(call.identity.repositories)]
    return call.page(rows, call.site.shapes.repository, key="repositories")


def create_repository(call: Call) -> Answer:
    """A repository of the caller; ``auto_init`` makes a README."""
    if call.identity.anonymous or call.identity.permissions is not None:
        raise ApiError(403, "Resource not accessible by integration")
    name = call.text("Repository", "name")
    files = {"README.md": f"# {name}\n".encode()} if call.wish.get("auto_init") else None
    wish: dict[str, Any] = {"private": bool(call.wish.get("private")), "description": str(call.wish.get("description") or "")}
    row = call.site.repositories.create(call.identity.login, name, files=files, **wish)
    return Answer(201, call.site.shapes.repository(row, "admin"))


def permission(call: Call) -> Answer:
    """What a person may do; a login nobody has is a 404."""
    person = call.site.identities.find(call.path["username"])
    if person is None:
        raise ApiError(404, f"{call.path['username']} is not a user")
    role = call.site.identities.role(call.repository, person["login"])
    shape = call.site.shapes.user(person["login"])
    reached = ROLES.index(role)
    flags = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    permissions = {key: reached >= ROLES.index(name) for key, name in flags.items()}
    return Answer(200, {"permission": _SUMMARY[role], "role_name": role, "user": {**shape, "permissions": permissions, "role_name": role}})


def list_collaborators(call: Call) -> Answer:
    """Everybody with a role, the owner first."""
    rows = [{"login": call.repository["owner"], "role": "admin"}, *call.site.repositories.collaborators(call.repository)]
    rows = [row for row in rows if row["role"] != "none"]
    return call.page(rows, lambda row: {**call.site.shapes.user(row["login"]), "role_name": row["role"]})


def is_collaborator(call: Call) -> Answer:
    """204 or 404."""
    login = call.path["username"].lower()
    rows = [{"login": call.repository["owner"], "role": "admin"}, *call.site.repositories.collaborators(call.repository)]
    if not any(row["login"].lower() == login and row["role"] != "none" for row in rows):
        raise ApiError(404, "Not Found")
    return Answer(204)


def _app_shape(call: Call, app: Row) -> dict[str, object]:
    times = {"created_at": app["created_at"], "updated_at": app["created_at"]}
    page = f"{call.site.config.url}/apps/{app['slug']}"
    base = {
        "id": app["id"],
        "slug": app["slug"],
        "node_id": f"A_{app['id']}",
        "name": app["name"],
        "client_id": f"Iv1.{app['id']}",
        "events": [],
    }
    return {**base, "description": "", "external_url": page, "html_url": page, "permissions": json.loads(app["permissions"]), **times,
            "owner": call.site.shapes.user(f"{app['slug']}[bot]")}  # fmt: skip


def get_app(call: Call) -> Answer:
    """The App whose JWT calls."""
    return Answer(200, _app_shape(call, call.site.apps.authenticate(call.headers.get("authorization", ""))))


def _installation_shape(call: Call, app: Row, row: Row) -> dict[str, object]:
    api = f"{call.site.config.api_url}/app/installations/{row['id']}"
    links = {"access_tokens_url": f"{api}/access_tokens", "repositories_url": f"{call.site.config.api_url}/installation/repositories"}
    return {
        "id": row["id"], "account": call.site.shapes.user(row["account"]), "app_id": app["id"], "app_slug": app["slug"],
        "target_type": "User",
        "target_id": call.site.shapes.user(row["account"])["id"], "permissions": json.loads(app["permissions"]), "events": [],
        "repository_selection": "selected", "single_file_name": None, "suspended_at": None, "suspended_by": None, "html_url": api,
        "created_at": app["created_at"], "updated_at": app["created_at"], **links,
    }  # fmt: skip


def list_installations(call: Call) -> Answer:
    """Where the calling App is installed."""
    app = call.site.apps.authenticate(call.headers.get("authorization", ""))
    return call.page(call.site.apps.installations(app), lambda row: _installation_shape(call, app, row))


def get_installation(call: Call) -> Answer:
    """One installation of the calling App."""
    app = call.site.apps.authenticate(call.headers.get("authorization", ""))
    return Answer(200, _installation_shape(call, app, call.site.apps.installation(app, call.number("installation_id"))))


def repository_installation(call: Call) -> Answer:
    """The calling App's installation on a repository."""
    app = call.site.apps.authenticate(call.headers.get("authorization", ""))
    for row in call.site.apps.installations(app):
        if call.repository["id"] in json.loads(row["repositories"]):
            return Answer(200, _installation_shape(call, app, row))
    raise ApiError(404, "Not Found")


def access_token(call: Call) -> Answer:
    """An installation token for one hour."""
    app = call.site.apps.authenticate(call.headers.get("authorization", ""))
    wish = call.body if isinstance(call.body, dict) else {}
    unknown = set(wish) - {"repositories", "repository_ids", "permissions"}
    if unknown:
        raise refused("Installation", min(unknown), "invalid")
    return Answer(201, call.site.apps.access_token(app, call.number("installation_id"), wish))


def rate_limit(call: Call) -> Answer:
    """Always full: nothing is limited here unless a fault is armed."""
    full = {"limit": RATE_LIMIT, "used": 0, "remaining": RATE_LIMIT, "reset": int(time.time()) + 3600}
    del call
    return Answer(200, {"resources": dict.fromkeys(("core", "search", "graphql", "code_search"), full), "rate": full})


_REPO = "/repos/{owner}/{repo}"
_METADATA = Need()

ROUTES = (
    Route("GET", "/user", viewer),
    Route("GET", "/users/{username}", get_user),
    Route("GET", "/user/repos", list_mine),
    Route("POST", "/user/repos", create_repository),
    Route("GET", "/installation/repositories", list_installed),
    Route("GET", "/rate_limit", rate_limit, None, "always full"),
    Route("GET", _REPO, get_repository, _METADATA),
    Route("GET", f"{_REPO}/collaborators", list_collaborators, Need("metadata", "read", "write")),
    Route("GET", f"{_REPO}/collaborators/{{username}}", is_collaborator, Need("metadata", "read", "write")),
    Route(
        "GET", f"{_REPO}/collaborators/{{username}}/permission", permission, _METADATA, "permission and role_name; 404 for an unknown login"
    ),
    Route("GET", f"{_REPO}/installation", repository_installation, None, "App JWT", jwt=True),
    Route("GET", "/app", get_app, None, "App JWT", jwt=True),
    Route("GET", "/app/installations", list_installations, None, "App JWT", jwt=True),
    Route("GET", "/app/installations/{installation_id}", get_installation, None, "App JWT", jwt=True),
    Route(
        "POST",
        "/app/installations/{installation_id}/access_tokens",
        access_token,
        None,
        "App JWT; one hour; subset of what was granted",
        jwt=True,
    ),
)
