"""The same answers under any ASGI server, for those who mount the model in an application of their own.

    application = asgi(load(Path("/opt/ml/model")))        # uvicorn module:application

The inference image runs `mlops_core.serving.main`, which speaks HTTP itself and is several times faster; paths, formats, limits and texts
are those of `App` in both.  Requests that arrive together share a batch here too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mlops_core.serving.app import BODY_LIMIT, App, Reply, Request, Response, problem
from mlops_core.serving.model import ServedModel

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class _LoopOfTheMoment:
    """The running event loop as the app sees it; large bodies go to the loop's own threads."""

    def call_soon(self, callback: Callable[[], object]) -> object:
        return asyncio.get_running_loop().call_soon(callback)

    def in_background(self, work: Callable[[], Response], done: Reply) -> None:
        future = asyncio.get_running_loop().run_in_executor(None, work)
        future.add_done_callback(lambda finished: done(finished.result()))


def asgi(model: ServedModel) -> Application:
    """An ASGI 3 application (HTTP and lifespan) of one model."""
    app = App(model, _LoopOfTheMoment())
    witness = [(name, model.identity.encode("latin-1")) for name in (b"x-mlops-model", b"x-amzn-sagemaker-custom-attributes")]

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(app, receive, send)
        elif scope["type"] == "http":
            response = await _answer(app, scope, receive)
            named = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
            kind = [(b"content-type", response.content_type.encode("latin-1"))] if response.body else []
            size = [(b"content-length", str(len(response.body)).encode())]
            await send({"type": "http.response.start", "status": response.status, "headers": [*kind, *size, *witness, *named]})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})

    return application


async def _answer(app: App, scope: Message, receive: Receive) -> Response:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return problem(400, "the client went away.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_LIMIT:
            return problem(413, f"the body is larger than {BODY_LIMIT:,} bytes.")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    app.answer(Request(scope["method"], scope["path"], headers, bytes(body)), answered.set_result)
    return await answered


async def _lifespan(app: App, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            app.stopping = True
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "lifespan.startup.complete"})
