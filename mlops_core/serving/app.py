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

from mlops_core.serving.answers import CSV, JSON, LINES, TYPES, Encoder, NoNumberError, negotiated
from mlops_core.serving.metrics import Metrics
from mlops_core.serving.model import ServedModel
from mlops_core.serving.openapi import docs_page, openapi
from mlops_core.serving.rows import BadRowsError, Row, Schema

BODY_LIMIT = 6_291_456
LARGE_BODY = 16_384
"""Longer bodies are answered beside the loop: the thousands of rows they may hold would keep small requests waiting."""
_ROWS_AT_ONCE = 4096
_WAITING_BYTES = 8 * BODY_LIMIT
_MOST_PLANS = 256
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


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a scoring request is read and answered, by its headers."""

    read: Callable[[bytes], list[Row]]
    accept: str


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
        self._waiting = 0
        self._plans: dict[tuple[str, ...], _Plan | Response] = {}
        answer = self._encoder.json(model.score([model.smoke[0].values]))
        self._static = {"/openapi.json": openapi(model, answer), "/docs": docs_page(model, answer)}

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
        plan = self._plan(request.headers)
        if isinstance(plan, Response):
            self._send(reply, "/invocations", plan, started)
        elif len(request.body) > LARGE_BODY:
            self._in_background(request.body, plan, reply, started)
        else:
            rows = self._read(plan, request.body)
            if isinstance(rows, Response):
                self._send(reply, "/invocations", rows, started)
                return
            if not self._pending:
                self._clock.call_soon(self._flush)
            self._pending.append(_Pending(rows, plan.accept, reply, started))

    def _plan(self, headers: Mapping[str, str]) -> _Plan | Response:
        """What the headers ask for, or the refusal; remembered, because clients send the same headers again and again."""
        stated = (headers.get("content-type", JSON), headers.get("accept", ""), headers.get("content-encoding", "identity"))
        known = self._plans.get(stated)
        if known is None:
            known = self._planned(*stated)
            if len(self._plans) < _MOST_PLANS:
                self._plans[stated] = known
        return known

    def _planned(self, content_type: str, accept: str, encoding: str) -> _Plan | Response:
        offered = f"{', '.join(TYPES[:-1])} or {TYPES[-1]}"
        chosen = negotiated(accept)
        if chosen is None:
            return problem(406, f"answers are {offered}.")
        readers = {JSON: self._schema.from_json, LINES: self._schema.from_lines, CSV: self._schema.from_csv}
        read = readers.get(_media_type(content_type))
        if read is None:
            return problem(415, f"send {offered}, not {content_type[:80]!r}.")
        if encoding != "identity":
            return problem(415, "compressed bodies are not read.")
        return _Plan(read, chosen)

    def _in_background(self, body: bytes, plan: _Plan, reply: Reply, started: float) -> None:
        if self._waiting + len(body) > _WAITING_BYTES:
            busy = problem(503, "too many large requests are waiting.", headers=(("Retry-After", "1"),))
            self._send(reply, "/invocations", busy, started)
            return
        self._waiting += len(body)

        def done(response: Response) -> None:
            self._waiting -= len(body)
            self._send(reply, "/invocations", response, started)

        self._clock.in_background(lambda: self._large_answer(body, plan), done)

    def _large_answer(self, body: bytes, plan: _Plan) -> Response:
        rows = self._read(plan, body)
        if isinstance(rows, Response):
            return rows
        pieces = [self.score_rows(rows[start : start + _ROWS_AT_ONCE], plan.accept) for start in range(0, len(rows), _ROWS_AT_ONCE)]
        failed = next((piece for piece in pieces if piece.status != 200), None)
        if failed is not None or len(pieces) == 1:
            return failed or pieces[0]
        if plan.accept == JSON:
            return Response(200, self._encoder.join([piece.body for piece in pieces]))
        return Response(200, b"".join(piece.body for piece in pieces), plan.accept)

    def _read(self, plan: _Plan, body: bytes) -> list[Row] | Response:
        try:
            return plan.read(body)
        except BadRowsError as error:
            self.metrics.invalid_rows += error.total
            return Response(400, json.dumps({"errors": error.errors, "total": error.total}, ensure_ascii=False).encode())
        except Exception as error:  # an edge: a body that shows a mistake of ours costs one answer and not the connection
            return problem(500, f"the body could not be read: {type(error).__name__}.")

    def score_rows(self, rows: list[Row], accept: str) -> Response:
        """Score rows and write the answer."""
        try:
            body = self._encoder.body(self.model.score(rows), accept)
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
            body = self._encoder.body(scores, accept)
        except NoNumberError as error:
            return problem(500, f"{error}.")
        self.metrics.rows += len(scores)
        return Response(200, body, accept)

    def _send(self, reply: Reply, path: str, response: Response, started: float) -> None:
        self.metrics.answered(path if path in _METHODS else "other", response.status, seconds=time.perf_counter() - started)
        reply(response)


def _media_type(stated: str) -> str:
    kind, _, parameters = stated.partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if "charset=" in charset and "charset=utf-8" not in charset:
        return "text in another encoding"
    return kind.strip().lower()


def problem(status: int, text: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An error body in the one shape that all refusals have."""
    errors = [{"row": None, "field": None, "value": None, "problem": text}]
    return Response(status, json.dumps({"errors": errors, "total": 1}, ensure_ascii=False).encode(), headers=headers)
