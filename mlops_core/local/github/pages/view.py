"""One page request: who looks, what was sent, and how an answer becomes a response.

def issues(view: View) -> Page: ...
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mlops_core.local.github.answers import Answer, ApiError, not_found
from mlops_core.local.github.api import guarded, read_body
from mlops_core.local.github.database import Row, now
from mlops_core.local.github.git import GitRepository
from mlops_core.local.github.identity import ANONYMOUS, ROLES, Identity, Need, digest
from mlops_core.local.github.pages.markdown import render
from mlops_core.local.github.site import Site

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# The sandbox gives a document of a repository an origin of its own and no script: a report can be read here, and do nothing.
_RAW_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
SECURITY_HEADERS = {
    "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A template with its values."""

    template: str
    values: Mapping[str, Any]
    status: int = 200


@dataclass(frozen=True)
class Redirect:
    """See another page; ``login`` signs somebody in on the way (empty: out)."""

    url: str
    login: str | None = None


@dataclass(frozen=True)
class Raw:
    """Bytes of a repository; a document among them may run no script (see `_RAW_POLICY`)."""

    content: bytes
    content_type: str


Result = Page | Redirect | Raw
Handler = Callable[["View"], Result]


@dataclass(frozen=True)
class View:
    """What a page handler gets."""

    site: Site
    path: Mapping[str, Any]
    query: Mapping[str, str]
    form: Mapping[str, list[str]]
    identity: Identity
    csrf: str
    address: str

    @cached_property
    def repository(self) -> Row:
        """The repository in the address; what the person may not read does not exist."""
        row = self.site.repositories.get(self.path["owner"], self.path["repo"])
        self.site.access.demand(self.identity, row, Need())
        return row

    @property
    def git(self) -> GitRepository:
        """Its objects."""
        return self.site.repositories.git(self.repository)

    @property
    def base(self) -> str:
        """The repository's own address."""
        return f"/{self.repository['owner']}/{self.repository['name']}"

    @property
    def role(self) -> str:
        """The person's role here."""
        return "none" if self.identity.anonymous else self.site.identities.role(self.repository, self.identity.login)

    def can(self, role: str) -> bool:
        """Whether the person has at least this role."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def field(self, name: str) -> str:
        """One value of the sent form."""
        return self.form.get(name, [""])[0]

    def number(self, name: str) -> int:
        """A number in the address or the form; a 404 for anything that is none."""
        text = str(self.path.get(name) or self.field(name))
        if not text.isascii() or not text.isdigit() or len(text) > 15:
            raise not_found()
        return int(text)

    def demand(self, role: str) -> None:
        """Refuse somebody with less than this role."""
        if not self.can(role):
            raise ApiError(403, f"This needs {role} permission on {self.base[1:]}; you have {self.role}.")

    def page(self, template: str, **values: Any) -> Page:
        """A page with the repository's frame around it."""
        frame = {"repository": self.repository, "base": self.base, "role": self.role, "live": self.site.runs.live(self.repository)}
        return Page(template, {**frame, **values})

    def markdown(self, text: str | None) -> Markup:
        """A comment's text as clean HTML."""
        return Markup(render(text or "", base=self.base, ref=self.repository["default_branch"]))  # noqa: S704 - cleaned by nh3


class Pages:
    """Turns handlers into endpoints: session, CSRF, errors, headers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._cookie = f"local_github_{site.config.port}"
        self._templates = Environment(
            loader=PackageLoader("mlops_core.local.github.pages"), autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    def endpoint(self, handler: Handler) -> Callable[[Request], Any]:
        """The endpoint of one handler."""

        async def serve(request: Request) -> Response:
            try:
                content = await read_body(request) if request.method == "POST" else b""
            except ApiError as error:
                return Response(error.message, error.status, SECURITY_HEADERS)
            holder: list[Response] = []

            def work() -> Answer:
                holder.append(self._serve(request, handler, content))
                return Answer(200)

            answer = await guarded(work)
            return holder[0] if holder else Response("Server Error", answer.status, SECURITY_HEADERS)

        return serve

    def _serve(self, request: Request, handler: Handler, content: bytes) -> Response:
        session = self._session(request.cookies.get(self._cookie, ""))
        login = session["login"] if session else ""
        form = parse_qs(content.decode(errors="replace"), keep_blank_values=True)
        csrf = session["csrf"] if session else ""
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        identity = Identity(login) if login else ANONYMOUS
        view = View(self._site, request.path_params, dict(request.query_params), form, identity, csrf, address)
        try:
            if request.method == "POST":
                _check_csrf(form, csrf)
            result = handler(view)
        except ApiError as error:
            if error.status == 401 or (error.status in {403, 404} and identity.anonymous and request.method == "GET"):
                return RedirectResponse(f"/login?next={request.url.path}", 303, SECURITY_HEADERS)
            details = "; ".join(
                filter(None, (entry.get("message") or f"{entry['field']}: {entry['code']}" for entry in error.errors or []))
            )
            result = Page("error.html", {"message": error.message, "details": details, "status": error.status}, error.status)
        return self._response(result, view)

    def _response(self, result: Result, view: View) -> Response:
        if isinstance(result, Raw):
            harmless = {**SECURITY_HEADERS, "Content-Security-Policy": _RAW_POLICY}
            return Response(result.content, 200, harmless, media_type=result.content_type)
        if isinstance(result, Redirect):
            response: Response = RedirectResponse(result.url, 303, SECURITY_HEADERS)
            if result.login is not None:
                self._sign_in(response, result.login)
            return response
        values = {"me": view.identity.login, "address": view.address, "csrf": view.csrf, **result.values}
        csrf = ""
        if not view.csrf and result.template == "login.html":
            # Nobody has a session yet, and this form needs one for its CSRF token.
            csrf = secrets.token_urlsafe(24)
            values["csrf"] = csrf
        response = Response(
            self._templates.get_template(result.template).render(values), result.status, SECURITY_HEADERS, "text/html; charset=utf-8"
        )
        if csrf:
            self._new_session(response, "", csrf)
        return response

    def _session(self, token: str) -> Row | None:
        return self._site.database.row("select * from sessions where digest = ?", digest(token)) if token else None

    def _sign_in(self, response: Response, login: str) -> None:
        self._new_session(response, login, secrets.token_urlsafe(24))

    def _new_session(self, response: Response, login: str, csrf: str) -> None:
        token = secrets.token_urlsafe(32)
        self._site.database.run("delete from sessions where login = '' and created_at < datetime('now', '-1 day')")
        self._site.database.insert("sessions", digest=digest(token), login=login, csrf=csrf, created_at=now())
        response.set_cookie(self._cookie, token, httponly=True, samesite="strict", path="/", max_age=30 * 86_400)


def _check_csrf(form: Mapping[str, list[str]], csrf: str) -> None:
    if not csrf or not hmac.compare_digest(form.get("csrf", [""])[0].encode(), csrf.encode()):
        raise ApiError(403, "This form is out of date or came from elsewhere. Load the page again.")


def split_ref(view: View) -> tuple[str, str, str]:
    """``REF/path`` of an address as (ref, commit, path); branch names may hold slashes."""
    parts = str(view.path.get("rest") or view.repository["default_branch"]).strip("/").split("/")
    for count in range(1, len(parts) + 1):
        ref = "/".join(parts[:count])
        sha = view.git.resolve(ref)
        if sha:
            return ref, sha, "/".join(parts[count:])
    raise not_found()
