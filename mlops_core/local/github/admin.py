"""The client of /_local for the supervisor, the cli and the tests.

admin = Admin(config.url, config.admin_token)
admin.create_person("alice")
admin.create_repository("alice", "models", folder=Path("examples/caller"))
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_core.errors import Refused, Unavailable


class Admin:
    """Raises `Refused` with the server's sentence, `Unavailable` when there is no answer."""

    def __init__(self, url: str, token: str, *, timeout_s: float = 30.0) -> None:
        self._url = url
        self._token = token
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def _post(self, operation: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/_local/{operation}", json.dumps(body).encode(), headers, method="POST")  # noqa: S310
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            raise Refused(f"the local GitHub refused {operation}: {error.code} {text}") from error
        except OSError as error:
            raise Unavailable(
                f"the local GitHub at {self._url} does not answer: {error}.", remedy="Is `mlops local up` running?"
            ) from error

    def create_person(self, login: str, *, name: str = "", kind: str = "User") -> int:
        """A person (``User``) or ``Bot``; its numeric id.  An existing login is kept."""
        return int(self._post("people", login=login, name=name, type=kind)["id"])

    def create_token(self, login: str) -> str:
        """A token with all that person's rights."""
        return str(self._post("tokens", login=login)["token"])

    def create_repository(
        self, owner: str, name: str, *, files: Mapping[str, bytes] | None = None, folder: Path | None = None, private: bool = False
    ) -> dict[str, Any]:
        """A repository with ``main`` holding ``files`` and every file below ``folder``.

        An existing one is answered as it is, with ``made`` False.

        ``id`` is the repository_id and ``owner.id`` the owner_id of OIDC tokens.
        """
        found = dict(files or {})
        if folder:
            found |= {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file() and ".git" not in path.relative_to(folder).parts
            }
        encoded = {path: base64.b64encode(content).decode() for path, content in found.items()}
        answer: dict[str, Any] = self._post("repositories", owner=owner, name=name, private=private, files=encoded)
        return answer

    def set_permission(self, repository: str, login: str, role: str) -> None:
        """``role`` is admin, maintain, write, triage, read or none; ``repository`` is OWNER/NAME here and below."""
        self._post("roles", repository=repository, login=login, role=role)

    def add_webhook(self, repository: str, url: str, secret: str, events: list[str] | None = None, *, alone: bool = False) -> int:
        """A webhook for these events (none named: all); its id.

        The same address again changes its secret and events.  ``alone`` removes the repository's other webhooks.
        """
        return int(self._post("hooks", repository=repository, url=url, secret=secret, events=events or ["*"], alone=alone)["id"])

    def set_variables(self, repository: str, variables: Mapping[str, str]) -> None:
        """What workflows read as ``vars.NAME``."""
        self._post("settings", repository=repository, variables=dict(variables))

    def set_secrets(self, repository: str, secrets: Mapping[str, str]) -> None:
        """What workflows read as ``secrets.NAME``."""
        self._post("settings", repository=repository, secrets=dict(secrets))

    def protect_branch(self, repository: str, branch: str, allowed: list[str] | None = None) -> None:
        """Only ``allowed`` logins write directly, everybody else needs a pull request."""
        self._post("protections", repository=repository, branch=branch, allowed=allowed or [])

    def register_app(self, app_id: int, name: str, *, permissions: Mapping[str, str], installation_id: int, repositories: list[str]) -> str:
        """An App installed on repositories of one owner; its private key as PEM.  Registering again renews the key."""
        body = {"permissions": dict(permissions), "installation_id": installation_id, "repositories": repositories}
        return str(self._post("apps", app_id=app_id, name=name, **body)["private_key"])

    def events(self, repository: str, limit: int = 100) -> list[dict[str, Any]]:
        """The newest events with payloads, newest first."""
        answer: list[dict[str, Any]] = self._post("events", repository=repository, limit=limit)
        return answer

    def open_issue(self, repository: str, login: str, title: str, body: str, *, labels: list[str] | None = None) -> dict[str, Any]:
        """An issue by a person, as GitHub's JSON (``number``, ``html_url``)."""
        answer: dict[str, Any] = self._post("issues", repository=repository, login=login, title=title, body=body, labels=labels or [])
        return answer

    def delete_issue(self, repository: str, login: str, number: int) -> None:
        """Delete an issue as a person; reading it is a 410 afterwards."""
        self._post("deletions", repository=repository, login=login, number=number)

    def inbox(self, chat: str = "slack") -> str:
        """The address that takes a chat's messages; its last part is a secret."""
        return str(self._post("inboxes", chat=chat)["url"])

    def messages(self, chat: str = "slack") -> list[dict[str, Any]]:
        """``received_at`` and ``message`` of what a chat got, newest first."""
        answer: list[dict[str, Any]] = self._post("inboxes", chat=chat)["messages"]
        return answer

    def add_fault(self, status: int, **fault: Any) -> None:
        """Answer the next ``times`` calls with ``status``, ``body``, ``headers``; ``method`` and ``path`` (a pattern) say which."""
        self._post("faults", status=status, **fault)

    def clear_faults(self) -> None:
        """Answer truthfully again."""
        self._post("faults")
