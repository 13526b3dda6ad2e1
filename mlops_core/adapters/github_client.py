"""GitHub's REST and GraphQL calls with our errors, over PyGithub's transport.

    client = GithubClient(tokens, api_url="https://api.github.com")
    client.call("octo/models", "GET", "/repos/octo/models/issues/7")

Tokens: a GitHub App's installation token, minted per repository with the least permissions and kept until shortly before it expires
(`AppTokens`), or one fixed token (`FixedToken`, the job's own in a workflow).  Waiting follows GitHub's documentation of rate limits: a
named ``retry-after`` exactly, otherwise at least a minute.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import requests
from github import Auth, Github, GithubException

from mlops_core import journal
from mlops_core.errors import (
    Conflict,
    Defect,
    EnvironmentBroken,
    InvalidRequest,
    MlopsError,
    NotFound,
    Throttled,
    Unauthorized,
    Unavailable,
)
from mlops_core.ports import Clock

PERMISSIONS = {"contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write"}
_TRIES = 3
_SECONDARY_WAIT_SECONDS = 60.0
_MARGIN = timedelta(minutes=5)
_TEXT = 300


class Tokens(Protocol):
    """Where the token for a repository comes from."""

    def of(self, repository: str) -> str:
        """A token that may act on ``owner/repo``."""


class FixedToken:
    """One token for everything it may do."""

    def __init__(self, token: str) -> None:
        journal.learn(token)
        self._token = token

    def of(self, repository: str) -> str:  # noqa: ARG002 - the Protocol asks by repository
        """The token."""
        return self._token


class AppTokens:
    """Installation tokens of a GitHub App.

    ``secret`` reads the App's JSON: ``app_id``, ``private_key`` (PEM) and ``installations`` (by ``owner/repo``) or ``installation_id``.
    """

    def __init__(self, secret: Callable[[], str], api_url: str, clock: Clock) -> None:
        self._secret = secret
        self._api_url = api_url
        self._clock = clock
        self._kept: dict[str, tuple[str, datetime]] = {}

    def of(self, repository: str) -> str:
        """A token for one repository with `PERMISSIONS`; `EnvironmentBroken` when the App is not installed there."""
        kept = self._kept.get(repository)
        if kept is not None and kept[1] - _MARGIN > self._clock.now():
            return kept[0]
        app = self._app()
        installation = app.get("installations", {}).get(repository) or app.get("installation_id")
        if not installation:
            raise EnvironmentBroken(
                f"the GitHub App is not installed on {repository}.", remedy="Install it there and add it to the App's secret."
            )
        auth = Auth.AppAuth(app["app_id"], app["private_key"])
        wish = {"repositories": [repository.partition("/")[2]], "permissions": PERMISSIONS}
        answer = _ask(_github(auth, self._api_url), "POST", f"/app/installations/{int(installation)}/access_tokens", body=wish)
        journal.learn(str(answer["token"]))
        self._kept[repository] = (str(answer["token"]), datetime.fromisoformat(answer["expires_at"]))
        return self._kept[repository][0]

    def _app(self) -> dict[str, Any]:
        try:
            parsed = json.loads(self._secret())
        except ValueError as error:
            raise EnvironmentBroken(
                "the GitHub App's secret is no JSON.", remedy="Store app_id, private_key and installation_id in it."
            ) from error
        if not isinstance(parsed, dict) or "app_id" not in parsed or "private_key" not in parsed:
            raise EnvironmentBroken("the GitHub App's secret lacks app_id or private_key.", remedy="Store both in it.")
        return parsed


class GithubClient:
    """Calls about one repository each, repeated when that may help."""

    def __init__(self, tokens: Tokens, *, api_url: str, clock: Clock) -> None:
        self._tokens = tokens
        self._api_url = api_url
        self._clock = clock

    def call(self, repository: str, method: str, path: str, *, body: object = None, query: Mapping[str, Any] | None = None) -> Any:
        """One REST call; reads are tried three times on 5xx and no answer, writes once (their callers look first)."""
        client = _github(Auth.Token(self._tokens.of(repository)), self._api_url)
        tries = _TRIES if method == "GET" else 1
        for attempt in range(tries):
            try:
                return _ask(client, method, path, body=body, query=query)
            except Unavailable:
                if attempt == tries - 1:
                    raise
                self._clock.sleep(0.5 * 2**attempt * (1 + random.random()))  # noqa: S311 - jitter
        raise Defect("unreachable")

    def pages(self, repository: str, path: str, *, query: Mapping[str, Any] | None = None, limit: int = 1000) -> list[Any]:
        """Every item of a paged list, at most ``limit``."""
        found: list[Any] = []
        for number in range(1, limit // 100 + 2):
            page = self.call(repository, "GET", path, query={**(query or {}), "per_page": 100, "page": number})
            found.extend(page)
            if len(page) < 100 or len(found) >= limit:
                break
        return found[:limit]

    def graphql(self, repository: str, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """One GraphQL call: the whole answer, ``errors`` included."""
        client = _github(Auth.Token(self._tokens.of(repository)), self._api_url)
        answer: dict[str, Any] = _ask(client, "POST", client.requester.graphql_url, body={"query": query, "variables": dict(variables)})
        return answer


def _github(auth: Auth.Auth, api_url: str) -> Github:
    return Github(
        auth=auth, base_url=api_url, lazy=True, seconds_between_requests=0, seconds_between_writes=0, retry=None, timeout=20, per_page=100
    )


def _ask(client: Github, method: str, path: str, *, body: object = None, query: Mapping[str, Any] | None = None) -> Any:
    try:
        _, answer = client.requester.requestJsonAndCheck(method, path, parameters=dict(query) if query else None, input=body)
    except GithubException as error:
        raise error_of(error, f"{method} {path}") from error
    except (requests.RequestException, ValueError) as error:
        raise Unavailable(f"GitHub did not answer {method} {path} ({type(error).__name__}).", code="E-GITHUB-NO-ANSWER") from error
    return answer


def error_of(error: GithubException, action: str) -> MlopsError:
    """Our error for GitHub's answer; status, message and headers decide."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    data = error.data if isinstance(error.data, dict) else {}
    text = f"{action}: {error.status}: {str(data.get('message') or error.message or 'no reason given')[:_TEXT]}"
    code = f"E-GITHUB-{error.status}"
    limited = "rate limit" in text.lower() or "abuse" in text.lower()
    if error.status == 429 or (
        error.status == 403 and (limited or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")
    ):
        return Throttled(text, code=code, retry_after=_wait(headers))
    if error.status >= 500:
        return Unavailable(text, code=code)
    kinds: dict[int, type[MlopsError]] = {
        401: Unauthorized,
        403: Unauthorized,
        404: NotFound,
        410: NotFound,
        409: Conflict,
        422: InvalidRequest,
    }
    return kinds.get(error.status, Defect)(text, code=code)


def _wait(headers: Mapping[str, str]) -> float:
    if "retry-after" in headers:
        return float(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0" and "x-ratelimit-reset" in headers:
        return max(1.0, float(headers["x-ratelimit-reset"]) - time.time())
    return _SECONDARY_WAIT_SECONDS
