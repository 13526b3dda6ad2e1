"""S3 that throttles, fails, hangs, loses or changes bytes, and keys that cannot be used: what is tried again, and what is not."""

from __future__ import annotations

import base64
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from mlops_core.adapters.assemble import CONFIG
from mlops_core.adapters.objects_s3 import S3Objects
from mlops_core.adapters.upload_s3 import upload
from mlops_core.errors import EnvironmentBroken, MlopsError, Throttled, Unauthorized, Unavailable

URI, ALIAS, BODY = "s3://lake/models/a", "alias/mlops-data", b"x" * 1000
SLEEP = time.sleep
Way = Callable[[BaseHTTPRequestHandler], None]


def crc32(body: bytes) -> str:
    """The checksum header of a body."""
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def says(status: int, code: str, text: str = "why") -> Way:
    """An error as S3 words it."""

    def way(call: BaseHTTPRequestHandler) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()
        send(call, status, body)

    return way


def send(call: BaseHTTPRequestHandler, status: int, body: bytes, *, length: int | None = None, **headers: str) -> None:
    """One answer, whose length may lie."""
    call.send_response(status)
    for name, value in {"Content-Length": str(len(body) if length is None else length), "ETag": '"e"', **headers}.items():
        call.send_header(name.replace("_", "-"), value)
    call.end_headers()
    call.wfile.write(body)
    if length is not None:
        call.close_connection = True


def well(call: BaseHTTPRequestHandler) -> None:
    """The object, with its checksum; an empty answer for a write."""
    body = BODY if call.command == "GET" else b""
    send(call, 200, body, x_amz_checksum_crc32=crc32(BODY), x_amz_checksum_type="FULL_OBJECT")


def changed(call: BaseHTTPRequestHandler) -> None:
    """Other bytes than the checksum is of."""
    send(call, 200, b"y" * 1000, x_amz_checksum_crc32=crc32(BODY), x_amz_checksum_type="FULL_OBJECT")


def cut(call: BaseHTTPRequestHandler) -> None:
    """Half the bytes."""
    send(call, 200, BODY[:500], length=1000)


def hangs(call: BaseHTTPRequestHandler) -> None:
    """No answer within the time-out."""
    SLEEP(0.5)
    call.close_connection = True


@dataclass
class Bucket:
    """A server that answers calls in these ways, the last one for ever; it counts them."""

    ways: list[Way] = field(default_factory=lambda: [well])
    calls: int = 0
    url: str = ""

    def next(self, call: BaseHTTPRequestHandler) -> None:
        self.calls += 1
        self.ways[min(self.calls, len(self.ways)) - 1](call)


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            bucket.next(self)

    for method in ("GET", "PUT", "HEAD", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bucket.url = f"http://127.0.0.1:{found.server_address[1]}"
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield bucket
    found.shutdown()
    found.server_close()


@pytest.fixture
def session(server: Bucket, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session whose S3 is the server; waits between tries are left out."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    config = CONFIG.merge(Config(read_timeout=0.2, s3={"addressing_style": "path"}))

    class Session:
        def client(self, name: str, **_: Any) -> Any:
            keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
            return boto3.client(name, endpoint_url=server.url, config=config, **keys)

    server.calls = 0
    return Session()


def objects(session: Any) -> S3Objects:
    """The adapter under test."""
    return S3Objects(session.client("s3"), ALIAS)


@pytest.mark.parametrize(
    "way", [says(503, "SlowDown"), says(500, "InternalError"), says(503, "ServiceUnavailable"), hangs, cut, changed],
    ids=["slow down", "500", "503", "time-out", "cut body", "changed body"],
)  # fmt: skip
def test_what_fails_for_now_is_read_again_at_most_three_times(server: Bucket, session: Any, way: Way) -> None:
    """abuse row 62"""
    server.ways = [way, way, way, well]
    assert objects(session).read(URI) == BODY
    assert server.calls == 4
    server.ways, server.calls = [way], 0
    with pytest.raises((Throttled, Unavailable)) as caught:
        objects(session).read(URI)
    assert server.calls == 4
    assert caught.value.retryable


@pytest.mark.parametrize("way", [says(503, "SlowDown"), says(400, "BadDigest")], ids=["slow down", "bad digest"])
def test_a_write_whose_bytes_arrived_changed_is_made_again(server: Bucket, session: Any, way: Way) -> None:
    """abuse row 62"""
    server.ways = [way, way, way, well]
    objects(session).write(URI, BODY)
    assert server.calls == 4


def test_bytes_that_stay_changed_are_never_handed_on(server: Bucket, session: Any) -> None:
    """abuse row 62"""
    server.ways = [changed]
    for call in (objects(session).read, objects(session).sha256):
        with pytest.raises(Unavailable) as caught:
            call(URI)
        assert caught.value.code == "E-AWS-CHECKSUM"


KMS = [
    (says(400, "KMS.DisabledException", "arn:aws:kms:us-east-1:1:key/x is disabled."), EnvironmentBroken),
    (says(400, "KMS.KMSInvalidStateException", "arn:aws:kms:us-east-1:1:key/x is pending deletion."), EnvironmentBroken),
    (says(400, "KMS.NotFoundException", "Key x does not exist"), EnvironmentBroken),
    (says(403, "AccessDenied", "is not authorized to perform: kms:Decrypt on the resource"), Unauthorized),
]


@pytest.mark.parametrize(("way", "kind"), KMS, ids=["disabled", "pending deletion", "gone", "denied"])
def test_a_key_that_cannot_be_used_is_named_and_nothing_is_tried_again(
    server: Bucket, session: Any, way: Way, kind: type[MlopsError]
) -> None:
    """abuse row 65"""
    server.ways = [way]
    for call in (lambda: objects(session).read(URI), lambda: objects(session).write(URI, BODY), lambda: objects(session).sha256(URI)):
        server.calls = 0
        with pytest.raises(kind, match=r"the key alias/mlops-data") as caught:
            call()
        assert (server.calls, caught.value.code, caught.value.retryable) == (1, "E-AWS-KEY", False)
        assert caught.value.remedy


def test_denied_access_that_is_not_a_keys_names_the_object_and_is_not_tried_again(server: Bucket, session: Any) -> None:
    """abuse row 65"""
    server.ways = [says(403, "AccessDenied", "Access Denied")]
    with pytest.raises(Unauthorized, match=URI) as caught:
        objects(session).read(URI)
    assert (server.calls, caught.value.code) == (1, "E-AWS-AccessDenied")


@pytest.mark.parametrize(
    ("ways", "kind", "code"),
    [
        ([says(404, "404"), says(403, "AccessDenied", "Access Denied")], Unauthorized, "E-AWS-AccessDenied"),
        ([says(404, "404"), says(400, "KMS.DisabledException")], EnvironmentBroken, "E-AWS-KEY"),
        ([says(404, "404"), says(503, "SlowDown")], Throttled, "E-AWS-SlowDown"),
        ([says(404, "404"), well, lambda call: send(call, 200, b"", length=7)], Unavailable, "E-AWS-CHECKSUM"),
    ],
    ids=["denied", "key", "slow down", "other size"],
)
def test_an_upload_that_fails_says_what_the_answer_means(
    server: Bucket, session: Any, tmp_path: Path, ways: list[Way], kind: type[MlopsError], code: str
) -> None:
    """abuse row 63"""
    path = tmp_path / "train.csv"
    path.write_bytes(BODY)
    server.ways = ways
    with pytest.raises(kind) as caught:
        upload(session, path, bucket="lake", dataset="adult")
    assert caught.value.code == code
    assert ("Enable alias/" in caught.value.remedy) == (code == "E-AWS-KEY")


def test_an_interrupted_upload_in_parts_is_aborted_and_never_visible(
    server: Bucket, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """abuse row 63"""
    monkeypatch.setattr("mlops_core.adapters.upload_s3.PART", 5 << 20)
    path = tmp_path / "train.csv"
    path.write_bytes(bytes(6 << 20))
    seen: list[tuple[str, str]] = []

    def parts(call: BaseHTTPRequestHandler) -> None:
        seen.append((call.command, call.path.partition("?")[2].partition("=")[0]))
        if call.command == "HEAD":
            says(404, "404")(call)
        elif call.command == "POST":
            send(call, 200, b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
        elif call.command == "DELETE":
            send(call, 204, b"")
        else:
            says(400, "IncompleteBody")(call)

    server.ways = [parts]
    with pytest.raises(Unavailable):
        upload(session, path, bucket="lake", dataset="adult")
    assert ("DELETE", "uploadId") in seen
    assert ("POST", "uploadId") not in seen
