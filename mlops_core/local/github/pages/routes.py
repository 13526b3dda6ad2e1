"""The pages' addresses."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from mlops_core.local.github.pages import code, dashboards, inbox, talk, work
from mlops_core.local.github.pages.view import SECURITY_HEADERS, Pages
from mlops_core.local.github.site import Site

_STATIC = ("pages.css", "live.js", "person.svg")


async def static(request: Request) -> Response:
    """The three files that every page may load."""
    name = request.path_params["name"]
    if name not in _STATIC:
        return Response("Not Found", 404, SECURITY_HEADERS)
    return FileResponse(Path(__file__).parent / "static" / name, headers={**SECURITY_HEADERS, "Cache-Control": "max-age=300"})


def page_routes(site: Site) -> list[BaseRoute]:
    """Every page; the last ones take any owner and repository."""
    pages = Pages(site)
    repo = "/{owner}/{repo}"
    shown = {
        "/": code.home,
        "/login": code.login,
        "/inbox": inbox.show,
        "/dashboards": dashboards.index,
        "/dashboards/{name}": dashboards.dashboard,
        "/{owner}": code.account,
        repo: code.tree,
        f"{repo}/tree/{{rest:path}}": code.tree,
        f"{repo}/blob/{{rest:path}}": code.blob,
        f"{repo}/raw/{{rest:path}}": code.raw,
        f"{repo}/commits/{{rest:path}}": code.history,
        f"{repo}/commits": code.history,
        f"{repo}/commit/{{sha}}": code.commit,
        f"{repo}/issues": talk.issues,
        f"{repo}/issues/new": talk.new_issue,
        f"{repo}/issues/{{number:int}}": talk.issue,
        f"{repo}/pulls": talk.pulls,
        f"{repo}/pull/{{number:int}}": talk.pull,
        f"{repo}/actions": work.runs,
        f"{repo}/actions/runs/{{run:int}}": work.run,
        f"{repo}/settings/hooks": work.hooks,
    }
    sent = {
        "/login": code.sign_in,
        "/logout": code.sign_out,
        f"{repo}/issues/new": talk.create_issue,
        f"{repo}/issues/{{number:int}}": talk.change,
        f"{repo}/pull/{{number:int}}": talk.change,
        f"{repo}/actions": work.start,
        f"{repo}/actions/runs/{{run:int}}": work.cancel,
        f"{repo}/settings/hooks": work.redeliver,
    }
    routes: list[BaseRoute] = [Route("/_static/{name}", static)]
    routes += [Route(path, pages.endpoint(handler), methods=["POST"]) for path, handler in sent.items()]
    routes += [Route(path, pages.endpoint(handler), methods=["GET"]) for path, handler in shown.items()]
    return routes
