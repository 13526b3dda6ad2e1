"""Webhooks trust exactly the certificates they are told to, and say what went wrong."""

from __future__ import annotations

import http.server
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mlops_core.local.github.database import Database, Row
from mlops_core.local.github.hooks import Hooks, signature
from mlops_core.local.github.identity import Identities
from mlops_core.local.github.repositories import Repositories


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(202)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"took")

    def log_message(self, *args: object) -> None:
        del args


def certificate(folder: Path) -> Path:
    """A self-signed certificate of 127.0.0.1 with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local")])
    start = datetime.now(UTC) - timedelta(hours=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/hook", pem
        server.shutdown()


def delivered(folder: Path, url: str, bundle: str) -> Row:
    """The ping of a new hook after its first attempt."""
    database = Database(folder / "d.sqlite")
    repository = Repositories(database, Identities(database), folder).create("alice", "r")
    hooks = Hooks(database, bundle)
    hook = hooks.create(repository, url=url, secret="s", events=["issues"])
    hooks.start()
    deadline = time.monotonic() + 10
    while not (row := hooks.deliveries(hook)[0])["attempts"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    hooks.stop()
    database.close()
    return row


def test_a_hook_trusts_the_platforms_own_certificate(tmp_path: Path, https: tuple[str, Path]) -> None:
    row = delivered(tmp_path, https[0], str(https[1]))
    assert (row["state"], row["status"], row["answer"]) == ("ok", 202, "took")
    assert json.loads(row["payload"])["zen"]


def test_a_hook_trusts_nobody_else(tmp_path: Path, https: tuple[str, Path]) -> None:
    row = delivered(tmp_path, https[0], "")
    assert (row["state"], row["status"]) == ("pending", None)
    assert "CERTIFICATE_VERIFY_FAILED" in row["answer"]


def test_the_signature_is_githubs() -> None:
    """The example of GitHub's own documentation, "Validating webhook deliveries"."""
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature("It's a Secret to Everybody", b"Hello, World!") == expected
