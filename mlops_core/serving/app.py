"""What each path answers, apart from the network.

    app = App(model)
    app.answer(Request("GET", "/ping", {}, b""), reply)      # reply(Response) now, or after the batch has been scored

Rows of requests that arrive in the same turn of the event loop are scored together: no request waits for company, yet a busy server
calls the model once per turn.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mlops_core.serving.answers import CSV, JSON, Encoder, NoNumberError, negotiated
from mlops_core.serving.metrics import Metrics
from mlops_core.serving.model import ServedModel
from mlops_core.serving.openapi import docs_page, openapi
from mlops_core.serving.rows import BadRowsError, Row, Schema

BODY_LIMIT = 6_291_456
LARGE_BODY = 65_536
_ROWS_AT_ONCE = 4096
_WAITING_LARGE = 8
_METHODS = {
    "/ping": "GET", "/invocations": "POST", "/metrics": "GET", "/openapi.json": "GET", "/docs": "GET", "/execution-parameters": "GET",
}  # fmt: skip


@dataclass(slots=True)
class Request:
    """One request; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


Reply = Callable[[Response], None]


class Clock(Protocol):
    """The event loop's part that the app needs."""

    def call_soon(self, callback: Callable[[], object]) -> object:
        """Run the callback in the next turn."""

    def in_background(self, work: Callable[[], Response], done: Reply) -> None:
        """Do the work in the one worker thread, then call ``done`` on the loop."""


@dataclass(slots=True)
class _Pending:
    rows: list[Row]
    accept: str
    reply: Reply
    started: float


class App:
    """The routes of one model."""

    def __init__(self, model: ServedModel, clock: Clock) -> None:
        self.model = model
        self.metrics = Metrics(model.identity)
        self.stopping = False
        self._clock = clock
        self._schema = Schema(model.columns)
        self._encoder = Encoder(model)
        self._pending: list[_Pending] = []
        self._large = 0
        self._static = {"/openapi.json": openapi(model), "/docs": docs_page(model)}

    def answer(self, request: Request, reply: Reply) -> None:
        """Answer a request; scoring requests are answered after their batch."""
        started = time.perf_counter()
        if request.path == "/invocations" and request.method == "POST":
            self._invoke(request, reply, started)
            return
        self._send(reply, request.path, self._plain(request), started)

    def _plain(self, request: Request) -> Response:
        allowed = _METHODS.get(request.path)
        if allowed is None:
            return problem(404, f"there is no {request.path[:100]!r} here; there are {', '.join(_METHODS)}.")
        if request.method not in (allowed, "HEAD" if allowed == "GET" else allowed):
            return problem(405, f"{request.path} takes {allowed}.", headers=(("Allow", allowed),))
        if request.path == "/ping":
            return self._ping()
        if request.path == "/metrics":
            return Response(200, self.metrics.render(), "text/plain; version=0.0.4; charset=utf-8")
        if request.path == "/execution-parameters":
            limits = {"MaxConcurrentTransforms": 4, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": BODY_LIMIT // 1024**2}
            return Response(200, json.dumps(limits).encode())
        kind = JSON if request.path == "/openapi.json" else "text/html; charset=utf-8"
        return Response(200, self._static[request.path], kind)

    def _ping(self) -> Response:
        if self.stopping:
            return problem(503, "the server is stopping.")
        try:
            healthy = self.model.healthy()
        except Exception as error:  # an edge: whatever the runtime raises, the answer is "not healthy"
            return problem(503, f"the model does not answer: {type(error).__name__}.")
        return Response(200, b"") if healthy else problem(503, "the model answers its smoke row wrongly.")

    def _invoke(self, request: Request, reply: Reply, started: float) -> None:
        accept = negotiated(request.headers.get("accept", ""))
        refusal = self._refusal(request, accept)
        if refusal is not None:
            self._send(reply, "/invocations", refusal, started)
        elif len(request.body) > LARGE_BODY:
            self._in_background(request, accept or JSON, reply, started)
        else:
            try:
                rows = self._rows(request)
            except BadRowsError as error:
                self._send(reply, "/invocations", self._bad_rows(error), started)
                return
            if not self._pending:
                self._clock.call_soon(self._flush)
            self._pending.append(_Pending(rows, accept or JSON, reply, started))

    def _refusal(self, request: Request, accept: str | None) -> Response | None:
        if accept is None:
            return problem(406, f"answers are {JSON} or {CSV}.")
        if _media_type(request) not in (JSON, CSV):
            return problem(415, f"send {JSON} or {CSV}, not {request.headers.get('content-type', '')[:80]!r}.")
        if request.headers.get("content-encoding", "identity") != "identity":
            return problem(415, "compressed bodies are not read.")
        return None

    def _rows(self, request: Request) -> list[Row]:
        return self._schema.from_csv(request.body) if _media_type(request) == CSV else self._schema.from_json(request.body)

    def _in_background(self, request: Request, accept: str, reply: Reply, started: float) -> None:
        if self._large >= _WAITING_LARGE:
            busy = problem(503, "too many large requests are waiting.", headers=(("Retry-After", "1"),))
            self._send(reply, "/invocations", busy, started)
            return
        self._large += 1

        def done(response: Response) -> None:
            self._large -= 1
            self._send(reply, "/invocations", response, started)

        self._clock.in_background(lambda: self._large_answer(request, accept), done)

    def _large_answer(self, request: Request, accept: str) -> Response:
        try:
            rows = self._rows(request)
        except BadRowsError as error:
            return self._bad_rows(error)
        pieces = [self.score_rows(rows[start : start + _ROWS_AT_ONCE], accept) for start in range(0, len(rows), _ROWS_AT_ONCE)]
        failed = next((piece for piece in pieces if piece.status != 200), None)
        if failed is not None or len(pieces) == 1:
            return failed or pieces[0]
        if accept == CSV:
            return Response(200, b"".join(piece.body for piece in pieces), CSV)
        return Response(200, self._encoder.join([piece.body for piece in pieces]))

    def score_rows(self, rows: list[Row], accept: str) -> Response:
        """Score rows and write the answer."""
        try:
            scores = self.model.score(rows)
            body = self._encoder.csv(scores) if accept == CSV else self._encoder.json(scores)
        except NoNumberError as error:
            return problem(500, f"{error}.")
        except Exception as error:  # an edge: the server outlives whatever one batch raises in the runtime
            return problem(500, f"the model failed: {type(error).__name__}.")
        self.metrics.rows += len(rows)
        self.metrics.batches += 1
        return Response(200, body, accept)

    def _flush(self) -> None:
        waiting, self._pending = self._pending, []
        while waiting:
            taken, rows = 0, 0
            while taken < len(waiting) and (taken == 0 or rows + len(waiting[taken].rows) <= _ROWS_AT_ONCE):
                rows += len(waiting[taken].rows)
                taken += 1
            batch, waiting = waiting[:taken], waiting[taken:]
            self._score_batch(batch)

    def _score_batch(self, batch: list[_Pending]) -> None:
        if len(batch) == 1:
            only = batch[0]
            self._send(only.reply, "/invocations", self.score_rows(only.rows, only.accept), only.started)
            return
        try:
            scores = self.model.score([row for item in batch for row in item.rows])
        except Exception as error:  # an edge, as above
            for item in batch:
                self._send(item.reply, "/invocations", problem(500, f"the model failed: {type(error).__name__}."), item.started)
            return
        self.metrics.batches += 1
        finite, listed = bool(np.isfinite(scores).all()), scores.tolist()
        start = 0
        for item in batch:
            end = start + len(item.rows)
            if finite and item.accept == JSON:
                self.metrics.rows += end - start
                answer = Response(200, self._encoder.json_rows(listed[start:end]))
            else:
                answer = self._encoded(scores[start:end], item.accept)
            start = end
            self._send(item.reply, "/invocations", answer, item.started)

    def _encoded(self, scores: Any, accept: str) -> Response:
        try:
            body = self._encoder.csv(scores) if accept == CSV else self._encoder.json(scores)
        except NoNumberError as error:
            return problem(500, f"{error}.")
        self.metrics.rows += len(scores)
        return Response(200, body, accept)

    def _bad_rows(self, error: BadRowsError) -> Response:
        self.metrics.invalid_rows += error.total
        return Response(400, json.dumps({"errors": error.errors, "total": error.total}, ensure_ascii=False).encode())

    def _send(self, reply: Reply, path: str, response: Response, started: float) -> None:
        self.metrics.answered(path if path in _METHODS else "other", response.status, seconds=time.perf_counter() - started)
        reply(response)


def _media_type(request: Request) -> str:
    stated = request.headers.get("content-type", JSON)
    if stated == JSON:
        return stated
    kind, _, parameters = stated.partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if "charset=" in charset and "charset=utf-8" not in charset:
        return "text in another encoding"
    return kind.strip().lower()


def problem(status: int, text: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An error body in the one shape that all refusals have."""
    errors = [{"row": None, "field": None, "value": None, "problem": text}]
    return Response(status, json.dumps({"errors": errors, "total": 1}, ensure_ascii=False).encode(), headers=headers)
