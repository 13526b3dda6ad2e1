"""Requests of programs: REST, GraphQL, OIDC and the platform's own administration, from HTTP to handlers and back.

    Mount("/api/v3", app=…)

Handlers are plain functions; they run in worker threads.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mlops_core.local.github import graphql
from mlops_core.local.github.answers import Answer, ApiError
from mlops_core.local.github.identity import ANONYMOUS
from mlops_core.local.github.rest.call import Call
from mlops_core.local.github.rest.people import RATE_LIMIT
from mlops_core.local.github.rest.table import find
from mlops_core.local.github.site import Site

_LOG = logging.getLogger(__name__)
_LARGEST_BODY = 40_000_000


async def read_body(request: Request) -> bytes:
    """The whole body, up to 40 MB as GitHub takes it."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > _LARGEST_BODY:
            raise ApiError(413, "Sorry, your input was too large to process.")
        parts.append(part)
    return b"".join(parts)


def parsed(content: bytes) -> Any:
    """The JSON value of a body; None for an empty one, a 400 for what is no JSON."""
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "Problems parsing JSON") from error


def response(answer: Answer, request: Request | None = None) -> Response:
    """An answer on the wire, with GitHub's rate limit headers and an ETag that is honoured on reads."""
    headers = {
        "X-GitHub-Request-Id": str(uuid.uuid4()), "X-RateLimit-Limit": str(RATE_LIMIT), "X-RateLimit-Remaining": str(RATE_LIMIT),
        "X-RateLimit-Used": "0",
        "X-RateLimit-Reset": str(int(time.time()) + 3600), "X-RateLimit-Resource": "core",
        "X-GitHub-Media-Type": "github.v3; format=json", **answer.headers,
    }  # fmt: skip
    raw = answer.body
    content = raw if isinstance(raw, bytes) else b"" if raw is None else json.dumps(raw).encode()
    if request is not None and request.method == "GET" and answer.status == 200:
        headers["ETag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(b"", 304, headers)
    return Response(content, answer.status, headers, media_type=answer.content_type if content else None)


async def guarded(work: Callable[[], Answer]) -> Answer:
    """Run a handler in a thread; its refusals become answers, and what nobody foresaw a 500 without details."""
    try:
        return await run_in_threadpool(work)
    except ApiError as error:
        return error.answer()
    except (subprocess.SubprocessError, sqlite3.Error, OSError):
        _LOG.exception("a call failed")
        return Answer(500, {"message": "Server Error"})
    except Exception:  # the outermost edge of the server: one bad call must not end it
        _LOG.exception("a call met a defect")
        return Answer(500, {"message": "Server Error"})


class Api:
    """The endpoints of programs over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def rest(self, request: Request) -> Response:
        """/api/v3/…"""
        path = request.scope["path"].removeprefix("/api/v3")
        fault = self._site.faults.take(request.method, path)
        if fault:
            return response(fault)
        try:
            content = await read_body(request)
        except ApiError as error:
            return response(error.answer())
        return response(await guarded(lambda: self._rest(request, path, content)), request)

    def _rest(self, request: Request, path: str, content: bytes) -> Answer:
        raw = request.scope["raw_path"].decode("ascii", errors="replace").partition("?")[0].removeprefix("/api/v3")
        found = find(request.method, raw)
        if found is None:
            raise ApiError(404, f"Not Found: the local GitHub does not offer {request.method} {path}")
        route, values = found
        header = request.headers.get("authorization", "")
        identity = ANONYMOUS if route.jwt else self._site.identities.of(header)
        named = {name: unquote(value) for name, value in values.items()}
        url = f"{self._site.config.api_url}{raw}"
        call = Call(self._site, identity, named, dict(request.query_params), parsed(content), dict(request.headers), url)
        if route.need:
            call.demand(route.need)
        return route.handler(call)

    async def graphql(self, request: Request) -> Response:
        """/api/graphql"""
        fault = self._site.faults.take(request.method, "/graphql")
        if fault:
            return response(fault)
        content = await read_body(request)
        header = request.headers.get("authorization", "")
        return response(await guarded(lambda: graphql.answer(self._site, self._site.identities.of(header), parsed(content))))

    async def token(self, request: Request) -> Response:
        """/_oidc/token: an OIDC token for the run whose request token is shown."""
        audience = request.query_params.get("audience", "")
        return response(await guarded(lambda: self._token(request.headers.get("authorization", ""), audience)))

    def _token(self, header: str, audience: str) -> Answer:
        run = self._site.runs.get(self._site.identities.oidc_run(header))
        claims = self._site.runs.claims(run)
        default = f"{self._site.config.url}/{claims['repository_owner']}"
        return Answer(200, {"value": self._site.oidc.token(claims, audience or default)})

    async def jwks(self, request: Request) -> Response:
        """/_oidc/.well-known/jwks"""
        del request
        return response(Answer(200, self._site.oidc.jwks()))
