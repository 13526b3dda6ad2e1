"""The model under another ASGI server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from mlops_core.serving.app import BODY_LIMIT
from mlops_core.serving.asgi import Application, asgi
from mlops_core.serving.model import load
from tests.unit.serving.bench import ROW, asked, pack


async def call(
    application: Application, method: str, path: str, *parts: bytes, gone: bool = False, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    sent: list[dict[str, Any]] = []
    more = [place < len(parts) - 1 or gone for place in range(len(parts) or 1)]
    waiting = [{"type": "http.request", "body": part, "more_body": goes_on} for part, goes_on in zip(parts or (b"",), more, strict=True)]
    waiting += [{"type": "http.disconnect"}] if gone else []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await application({"type": "http", "method": method, "path": path, "headers": named}, receive, send)
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]


def test_the_answers_are_those_of_the_server(tmp_path: Path) -> None:
    application = asgi(load(pack(tmp_path)))
    body = json.dumps(ROW).encode()
    expected = asked(tmp_path).post(ROW)

    async def scene() -> None:
        status, headers, found = await call(application, "POST", "/invocations", body[:9], body[9:], Content_Type="application/json")
        assert (status, found, headers["content-type"]) == (200, expected.body, "application/json")
        assert headers["x-mlops-model"].startswith("income/1.2.3/")
        assert (await call(application, "GET", "/ping"))[::2] == (200, b"")
        status, headers, found = await call(application, "HEAD", "/docs")
        assert (status, found) == (200, b"")
        assert int(headers["content-length"]) > 500
        assert (await call(application, "POST", "/invocations", b"x" * (BODY_LIMIT + 1)))[0] == 413
        assert (await call(application, "POST", "/invocations", b"[", gone=True))[0] == 400

    asyncio.run(scene())


def test_large_bodies_and_requests_that_arrive_together_get_their_own_answers(tmp_path: Path) -> None:
    application = asgi(load(pack(tmp_path)))

    async def scene() -> None:
        bodies = [json.dumps([ROW | {"age": age}] * (3000 if age == 25 else 1)).encode() for age in range(20, 30)]
        alone = [(await call(application, "POST", "/invocations", body))[2] for body in bodies]
        together = await asyncio.gather(*(call(application, "POST", "/invocations", body) for body in bodies))
        assert [found for _, _, found in together] == alone
        assert len(json.loads(alone[5])["predictions"]) == 3000

    asyncio.run(scene())


def test_the_lifespan_ends_with_a_server_that_is_stopping(tmp_path: Path) -> None:
    application = asgi(load(pack(tmp_path)))

    async def scene() -> None:
        said: list[str] = []
        waiting = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> Any:
            return waiting.pop(0)

        async def send(message: Any) -> None:
            said.append(message["type"])

        await application({"type": "lifespan"}, receive, send)
        assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert (await call(application, "GET", "/ping"))[0] == 503

    asyncio.run(scene())
