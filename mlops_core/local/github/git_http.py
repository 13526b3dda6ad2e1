"""Plain ``git clone`` and ``git push`` over HTTP through git's own http-backend.

    git clone http://127.0.0.1:8400/alice/models.git

Everybody clones what is public; pushing needs a person's (or a run's) token by basic authentication and write permission.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from mlops_core.local.github.answers import ApiError
from mlops_core.local.github.database import Row
from mlops_core.local.github.git import environment
from mlops_core.local.github.identity import ANONYMOUS, Identity, Need
from mlops_core.local.github.site import Site

_SERVICES = {"git-upload-pack", "git-receive-pack"}
_CHUNK = 65_536
_SPOOL_BYTES = 8_000_000


def _receives(request: Request) -> bool:
    return "git-receive-pack" in {request.query_params.get("service"), request.path_params["service"]}


class GitHttp:
    """The smart HTTP protocol for every repository."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def serve(self, request: Request) -> Response:
        """/OWNER/NAME.git/{info/refs, git-upload-pack, git-receive-pack}"""
        service = request.path_params["service"]
        if service not in {"info/refs", *_SERVICES} or (service == "info/refs" and request.query_params.get("service") not in _SERVICES):
            return PlainTextResponse("only git's smart HTTP protocol is offered", 404)
        try:
            identity, repository = await run_in_threadpool(self._admit, request)
        except ApiError as error:
            headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if error.status == 401 else {}
            return PlainTextResponse(f"{error.message}\n", error.status, headers)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as body:
            async for part in request.stream():
                body.write(part)
            body.rollover()
            body.seek(0)
            before = self._site.repositories.git(repository).refs("refs") if service == "git-receive-pack" else {}
            process = await run_in_threadpool(self._start, request, repository, identity, body)
        if service == "git-receive-pack":
            return await self._received(process, repository, identity, before)
        return await self._streamed(process)

    def _admit(self, request: Request) -> tuple[Identity, Row]:
        identity = self._identity(request.headers.get("authorization", ""))
        row = self._site.repositories.find(request.path_params["owner"], request.path_params["repo"])
        need = Need("contents", "write", "write") if _receives(request) else Need("contents")
        if identity.anonymous and (row is None or row["private"] or need.level == "write"):
            raise ApiError(401, "Requires authentication")
        if row is None:
            raise ApiError(404, "Repository not found.")
        self._site.access.demand(identity, row, need)
        return identity, row

    def _identity(self, header: str) -> Identity:
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "basic":
            return self._site.identities.of(header) if header else ANONYMOUS
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, ValueError) as error:
            raise ApiError(401, "Bad credentials") from error
        return self._site.identities.of_token(password or user)

    def _start(
        self, request: Request, repository: Row, identity: Identity, body: tempfile.SpooledTemporaryFile[bytes]
    ) -> subprocess.Popen[bytes]:
        git = self._site.repositories.git(repository)
        values = {
            "GIT_PROJECT_ROOT": str(git.path.parent), "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{git.path.name}/{request.path_params['service']}",
            "REQUEST_METHOD": request.method, "QUERY_STRING": request.url.query, "CONTENT_TYPE": request.headers.get("content-type", ""),
            "REMOTE_ADDR": "127.0.0.1", "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": re.sub(r"[^a-z0-9=:.-]", "", request.headers.get("git-protocol", "")),
        }  # fmt: skip
        if not identity.anonymous:
            values["REMOTE_USER"] = identity.login
        command = ["git", "-c", "safe.directory=*"]
        for branch in self._protected(repository, identity):
            command += ["-c", f"receive.hideRefs=refs/heads/{branch}"]
        return subprocess.Popen(
            [*command, "http-backend"], env=environment(**values), stdin=body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def _protected(self, repository: Row, identity: Identity) -> list[str]:
        rows = self._site.database.rows("select branch from protections where repository = ?", repository["id"])
        return [row["branch"] for row in rows if self._site.repositories.protected_from(repository, row["branch"], identity)]

    async def _received(self, process: subprocess.Popen[bytes], repository: Row, identity: Identity, before: dict[str, str]) -> Response:
        out, _ = await run_in_threadpool(process.communicate)
        await run_in_threadpool(self._tell, repository, identity, before)
        head, _, content = out.partition(b"\r\n\r\n")
        status, headers = _head(head)
        return Response(content, status, headers)

    def _tell(self, repository: Row, identity: Identity, before: dict[str, str]) -> None:
        after = self._site.repositories.git(repository).refs("refs")
        for ref in sorted(set(before) | set(after)):
            old, new = before.get(ref, ""), after.get(ref, "")
            if old != new:
                self._site.pushes.moved(repository, identity, ref, old, new)

    async def _streamed(self, process: subprocess.Popen[bytes]) -> Response:
        assert process.stdout is not None  # noqa: S101 - Popen was given a pipe
        stdout = process.stdout
        lines = []
        while (line := await run_in_threadpool(stdout.readline)).strip():
            lines.append(line.strip())
        status, headers = _head(b"\r\n".join(lines))
        return StreamingResponse(_chunks(process, stdout), status, headers)


async def _chunks(process: subprocess.Popen[bytes], stdout: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while chunk := await run_in_threadpool(stdout.read, _CHUNK):
            yield chunk
    except asyncio.CancelledError:
        process.kill()
        raise
    finally:
        stdout.close()
        await run_in_threadpool(process.wait)


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    headers = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    status = int(headers.pop("Status", "200").split()[0])
    headers.pop("", None)
    return status, headers
