"""The application: who may knock, where requests go, when threads start and end.

uvicorn.run(create_app(Site(config)))
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mlops_core.local.github.api import Api
from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.git_http import GitHttp
from mlops_core.local.github.local_routes import LocalApi
from mlops_core.local.github.pages.routes import page_routes
from mlops_core.local.github.site import Site


class Gate:
    """Refuses foreign Host and Origin headers (DNS rebinding, forms of other sites) before anything else looks at a request."""

    def __init__(self, app: ASGIApp, config: GithubConfig) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{config.port}", f"localhost:{config.port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if headers.get("host", "") not in self._hosts or (origin is not None and origin not in self._origins):
                await PlainTextResponse("This server answers to its own address only.", 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def create_app(site: Site) -> ASGIApp:
    """Everything behind the gate."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        site.start()
        try:
            yield
        finally:
            site.stop()

    api, local, git = Api(site), LocalApi(site), GitHttp(site)
    everything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    routes: list[BaseRoute] = [
        Route("/_local/health", local.health),
        Route("/_local/inbox/{chat}/{token}", local.inbox, methods=["POST"]),
        Route("/_local/{name}", local.call, methods=["POST"]),
        Route("/_oidc/token", api.token),
        Route("/_oidc/.well-known/jwks", api.jwks),
        Route("/api/graphql", api.graphql, methods=["POST"]),
        Route("/api/v3/{rest:path}", api.rest, methods=everything),
        Route("/{owner}/{repo}.git/{service:path}", git.serve, methods=["GET", "POST"]),
        *page_routes(site),
    ]
    return Gate(Starlette(routes=routes, lifespan=lifespan), site.config)
