"""Outgoing web hooks reach public addresses only (abuse row 80), with exact trusted origins as the one exception."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mlops_core.adapters.web_http import HttpSink, is_public
from mlops_core.errors import Refused, Unavailable


class Listener(HTTPServer):
    """A server on loopback that counts connections and answers one status."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.connections = 0
        self.bodies: list[object] = []
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def origin(self) -> str:
        """Its origin as a template parameter would name it."""
        return f"http://127.0.0.1:{self.server_port}"

    def get_request(self) -> tuple[socket.socket, object]:
        """Count what connects."""
        self.connections += 1
        return super().get_request()


class Answer(BaseHTTPRequestHandler):
    """Keeps the body and answers."""

    server: Listener

    def do_POST(self) -> None:
        """One web hook."""
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.origin)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


@contextmanager
def listening(status: int = 200) -> Iterator[Listener]:
    """A server that is gone afterwards."""
    server = Listener(status)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def no_connection(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Connections that were tried; each fails the call."""
    tried: list[object] = []

    def connect(address: object, *_: object) -> None:
        tried.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr("mlops_core.adapters.web_http.socket.create_connection", connect)
    return tried


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://127.0.0.1:8443/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[fd00:ec2::254]/",
        "https://10.0.0.7/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "http://93.184.216.34/",
        "https://user:password@93.184.216.34/",
        "https://93.184.216.34:99999/",
        "file:///etc/passwd",
        "gopher://93.184.216.34/",
        "https:///",
    ],
)
def test_addresses_inside_a_network_and_odd_schemes_get_no_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """abuse row 80: zero connections."""
    tried = no_connection(monkeypatch)
    with pytest.raises(Refused, match="notification address"):
        HttpSink().post(url, {})
    assert tried == []


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """abuse row 80: a name with two faces."""
    tried = no_connection(monkeypatch)
    with pytest.raises(Refused, match="not public"):
        HttpSink(resolver=lambda *_: ["93.184.216.34", "192.168.0.1"]).post("https://hooks.example.com/x", {})
    assert tried == []


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """abuse row 80: a name that turns private after the check gains nothing."""
    tried = no_connection(monkeypatch)
    faces = iter([["93.184.216.34"], ["127.0.0.1"]])

    def resolver(_: str, __: int) -> Sequence[str]:
        return next(faces)

    with pytest.raises(Unavailable, match="not taken"):
        HttpSink(resolver=resolver).post("https://hooks.example.com/x", {})
    assert tried == [("93.184.216.34", 443)]


def test_a_redirect_is_an_error_and_is_not_followed() -> None:
    """abuse row 80: a redirect to the inside."""
    with listening(307) as server, pytest.raises(Refused, match="redirects"):
        HttpSink(trusted=(server.origin,)).post(f"{server.origin}/x", {"text": "hello"})
    assert server.connections == 1


def test_an_exact_trusted_origin_is_reached_although_it_is_private() -> None:
    """abuse row 80, the other way: the platform's own sink is named in TrustedSinks."""
    with listening() as server:
        assert HttpSink(trusted=(server.origin,)).post(f"{server.origin}/x?y=1", {"text": "hello"}) == 200
    assert server.bodies == [{"text": "hello"}]


def test_trust_is_for_the_exact_origin_and_no_other() -> None:
    """abuse row 80: another port, scheme, name or credentials are other origins."""
    with listening() as server:
        port = server.server_port
        near = (f"http://127.0.0.1:{port + 1}/", f"https://127.0.0.1:{port}/", f"http://localhost:{port}/", f"http://a@127.0.0.1:{port}/")
        for url in near:
            with pytest.raises(Refused):
                HttpSink(trusted=(server.origin,)).post(url, {})
    assert server.connections == 0


def test_a_name_nobody_knows_may_be_known_later() -> None:
    with pytest.raises(Unavailable, match="no known host"):
        HttpSink(resolver=lambda *_: []).post("https://hooks.example.com/", {})


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)
