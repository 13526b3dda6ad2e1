"""The identity token: asked with a limit, three times at most, and never on a foreign runner."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mlops_core.entrypoints.oidc import identity_token, refuse_foreign_runner
from mlops_core.errors import EnvironmentBroken, Refused, Unavailable

TOKEN = "a.b.c"


class Service:
    """A token service on loopback that gives prepared answers and remembers what was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[tuple[str, str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append((self.path, self.headers["Authorization"]))
                status, body = service.answers.pop(0)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.environ = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{self.server.server_port}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer",
        }


@pytest.fixture
def service() -> Iterator[Service]:
    started = Service()
    thread = threading.Thread(target=started.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield started
    started.server.shutdown()
    thread.join()
    started.server.server_close()


def good() -> tuple[int, bytes]:
    return 200, json.dumps({"value": TOKEN}).encode()


def test_a_token_is_asked_for_the_audience_of_aws(service: Service) -> None:
    service.answers = [good()]
    assert identity_token(service.environ) == TOKEN
    assert service.asked == [("/token?api-version=2.0&audience=sts.amazonaws.com", "Bearer bearer")]


@pytest.mark.parametrize("bad", [(500, b""), (503, b"<html>"), (200, b"{"), (200, b"{}"), (200, b'{"value": "x"}'), (429, b"")])
def test_a_bad_answer_is_asked_again_at_most_twice(service: Service, bad: tuple[int, bytes]) -> None:
    waits: list[float] = []
    service.answers = [bad, bad, good()]
    assert identity_token(service.environ, sleep=waits.append) == TOKEN
    service.answers = [bad, bad, bad, good()]
    with pytest.raises(Unavailable):
        identity_token(service.environ, sleep=waits.append)
    assert len(service.asked) == 6
    assert len(waits) == 4


def test_a_denial_is_final(service: Service) -> None:
    service.answers = [(403, b""), good()]
    with pytest.raises(Refused, match="403"):
        identity_token(service.environ)
    assert len(service.asked) == 1


@pytest.mark.parametrize("environ", [{}, {"ACTIONS_ID_TOKEN_REQUEST_URL": "file:///etc/passwd", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}])
def test_a_job_without_the_permission_is_told_which_one(environ: dict[str, str]) -> None:
    with pytest.raises(EnvironmentBroken):
        identity_token(environ)


def test_only_runners_of_github_may_ask_abuse_row_55() -> None:
    refuse_foreign_runner({"RUNNER_ENVIRONMENT": "github-hosted"})
    for environ in ({}, {"RUNNER_ENVIRONMENT": "self-hosted"}, {"RUNNER_ENVIRONMENT": "GITHUB-HOSTED"}):
        with pytest.raises(Refused):
            refuse_foreign_runner(environ)
