"""What the platform's owner may do beyond GitHub's API: people, Apps, secrets, faults.

    POST /_local/people {"login": "alice"}        Authorization: Bearer ADMIN_TOKEN

`admin.Admin` is the client.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mlops_core.local.github.answers import Answer, ApiError, refused
from mlops_core.local.github.api import guarded, parsed, read_body, response
from mlops_core.local.github.database import Row
from mlops_core.local.github.identity import Identity
from mlops_core.local.github.site import Site

Body = dict[str, Any]


def _repository(site: Site, body: Body) -> Row:
    owner, _, name = str(body.get("repository") or "").partition("/")
    return site.repositories.get(owner, name)


def people(site: Site, body: Body) -> Any:
    """login, name, type: a person or bot."""
    return site.identities.create_person(str(body["login"]), name=str(body.get("name") or ""), kind=str(body.get("type") or "User"))


def tokens(site: Site, body: Body) -> Any:
    """login: a token with all that person's rights."""
    if site.identities.find(str(body["login"])) is None:
        raise refused("Token", "login", "invalid", f"nobody is called {body['login']!r}")
    return {"token": site.identities.issue_token(Identity(site.identities.person(str(body["login"]))["login"]))[0]}


def repositories(site: Site, body: Body) -> Any:
    """owner, name, private, description, files (path to base64); an existing one is answered as it is."""
    found = site.repositories.find(str(body["owner"]), str(body["name"]))
    files = {path: base64.b64decode(content) for path, content in (body.get("files") or {}).items()}
    row = found or site.repositories.create(
        str(body["owner"]),
        str(body["name"]),
        private=bool(body.get("private")),
        description=str(body.get("description") or ""),
        files=files,
    )
    return {**site.shapes.repository(row, "admin"), "made": found is None}


def roles(site: Site, body: Body) -> Any:
    """repository, login, role: admin, maintain, write, triage, read or none."""
    site.repositories.set_role(_repository(site, body), str(body["login"]), str(body["role"]))
    return {}


def hooks(site: Site, body: Body) -> Any:
    """repository, url, secret, events, alone: one hook an address, changed when it exists; ``alone`` removes the repository's others."""
    repository = _repository(site, body)
    events = [str(name) for name in body.get("events") or ["*"]]
    secret = str(body.get("secret") or "")
    present = site.hooks.select(repository)
    found = next((hook for hook in present if hook["url"] == body["url"]), None)
    for hook in present:
        if hook is not found and (body.get("alone") or hook["url"] == body["url"]):
            site.hooks.delete(repository, hook["id"])
    if found:
        return {"id": site.hooks.change(repository, found["id"], secret=secret, events=events)["id"]}
    return {"id": site.hooks.create(repository, url=body["url"], secret=secret, events=events)["id"]}


def settings(site: Site, body: Body) -> Any:
    """repository, variables, secrets: names to values."""
    repository = _repository(site, body)
    for kind in ("variable", "secret"):
        for name, value in (body.get(f"{kind}s") or {}).items():
            site.repositories.set_setting(repository, kind, str(name), str(value))
    return {}


def protections(site: Site, body: Body) -> Any:
    """repository, branch, allowed: logins that may still write directly."""
    site.repositories.protect(_repository(site, body), str(body["branch"]), [str(login) for login in body.get("allowed") or []])
    return {}


def apps(site: Site, body: Body) -> Any:
    """app_id, name, permissions, installation_id, repositories: an App, installed; its private key is shown once."""
    rows = [_repository(site, {"repository": name}) for name in body.get("repositories") or []]
    pem = site.apps.register(int(body["app_id"]), str(body["name"]), dict(body.get("permissions") or {}))
    account = rows[0]["owner"] if rows else str(body.get("account") or "")
    site.apps.install(int(body["app_id"]), int(body["installation_id"]), account, [row["id"] for row in rows])
    return {"private_key": pem, "app_id": int(body["app_id"]), "installation_id": int(body["installation_id"])}


def events(site: Site, body: Body) -> Any:
    """repository, limit: the newest events with their payloads."""
    return site.events.recent(_repository(site, body), int(body.get("limit") or 100))


def issues(site: Site, body: Body) -> Any:
    """repository, login, title, body, labels: an issue as a person."""
    repository = _repository(site, body)
    labels = [str(name) for name in body.get("labels") or []]
    issue = site.issues.create(repository, Identity(str(body["login"])), body.get("title"), body.get("body"), labels=labels)
    return site.shapes.issue(repository, issue)


def deletions(site: Site, body: Body) -> Any:
    """repository, login, number: delete an issue, as an administrator does on GitHub's page."""
    repository = _repository(site, body)
    site.issues.delete(repository, site.issues.find(repository, int(body["number"])), Identity(str(body["login"])))
    return {}


def faults(site: Site, body: Body) -> Any:
    """method, path, status, times, body, headers: the next answers; an empty object clears."""
    site.faults.add(body) if body else site.faults.clear()
    return {}


def inboxes(site: Site, body: Body) -> Any:
    """chat: the address that takes this chat's messages, and the messages, newest first."""
    chat = str(body["chat"])
    return {"url": site.inbox.url(chat), "messages": site.inbox.messages(chat)}


OPERATIONS: dict[str, Callable[[Site, Body], Any]] = {
    work.__name__: work
    for work in (people, tokens, repositories, roles, hooks, settings, protections, apps, events, issues, deletions, faults, inboxes)
}


class LocalApi:
    """/_local/NAME for holders of the admin token."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def health(self, request: Request) -> Response:
        """/_local/health, open to all."""
        del request
        return response(Answer(200, {"status": "ok", "url": self._site.config.url, "api_url": self._site.config.api_url}))

    async def inbox(self, request: Request) -> Response:
        """POST /_local/inbox/CHAT/TOKEN: a message; the token in the address is the credential."""
        try:
            content = await read_body(request)
        except ApiError as error:
            return response(error.answer())
        chat, token = request.path_params["chat"], request.path_params["token"]
        return response(await guarded(lambda: self._site.inbox.take(chat, token, content)))

    async def call(self, request: Request) -> Response:
        """POST /_local/NAME"""
        content = await read_body(request)
        return response(await guarded(lambda: self._call(request, content)))

    def _call(self, request: Request, content: bytes) -> Answer:
        given = request.headers.get("authorization", "").partition(" ")[2]
        if not hmac.compare_digest(given.encode(), self._site.config.admin_token.encode()):
            raise ApiError(401, "Bad credentials")
        name = request.path_params["name"]
        if name not in OPERATIONS:
            raise ApiError(404, f"Not Found: {name!r} is none of {', '.join(OPERATIONS)}")
        body = parsed(content) or {}
        try:
            return Answer(200, OPERATIONS[name](self._site, body))
        except (KeyError, TypeError, ValueError) as error:
            raise ApiError(422, f"Validation Failed: {name} takes {OPERATIONS[name].__doc__} ({type(error).__name__}: {error})") from error
