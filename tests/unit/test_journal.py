"""What the logs say, and what they must never say (abuse row 102)."""

from __future__ import annotations

import base64
import io
import json
import logging
import urllib.parse
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core import journal

TOKEN = "ghs_" + "A1b2C3d4" * 5
AWS = "AKIA" + "ABCDEFGH12345678"
SECRET = 'correct horse/battery+staple=&"quoted"'


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """No learned value and no handler survives a test."""
    journal.forget()
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    journal.forget()


@pytest.mark.parametrize(
    "text",
    [
        f"token {TOKEN} used",
        f"https://x-access-token:{TOKEN}@github.com/o/r.git",
        "https://ana:hunter2hunter2@example.com/x",
        f"https://example.com/x?access_token={TOKEN}&y=1",
        "https://b.s3.amazonaws.com/k?X-Amz-Signature=deadbeefdeadbeef&X-Amz-Credential=abc",
        f"https://hooks.slack.com/services/T00/B00/{'x' * 24}",
        json.dumps({"password": "hunter2hunter2", "token": TOKEN}),
        json.dumps(json.dumps({"secret": "hunter2hunter2"})),
        "Authorization: Bearer abcdefghijklmnop.qrst",
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYhunter2hunter2",
        f"key {AWS}",
        base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode(),
        base64.urlsafe_b64encode(json.dumps({"token": "hunter2hunter2"}).encode()).decode(),
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEhunter2hunter2\n-----END RSA PRIVATE KEY-----",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl",
    ],
)
def test_abuse_row_102_secrets_are_masked_in_every_dress(text: str) -> None:
    masked = journal.mask(text)
    assert journal.MASK in masked
    for secret in (TOKEN, AWS, "hunter2hunter2", "deadbeefdeadbeef", "abcdefghijklmnop", "x" * 24, "c2lnbmF0dXJl"):
        assert secret not in masked


@pytest.mark.parametrize(
    "dress",
    [
        str,
        lambda text: urllib.parse.quote(text, safe=""),
        urllib.parse.quote_plus,
        json.dumps,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64encode(b"a" + text.encode() + b"zz").decode(),
        lambda text: base64.urlsafe_b64encode(b"ab" + text.encode() + b"z").decode(),
    ],
)
def test_abuse_row_102_a_learned_value_is_masked_plain_and_encoded(dress: object) -> None:
    journal.learn(SECRET)
    assert callable(dress)
    assert dress(SECRET) not in journal.mask(f"before {dress(SECRET)} after")


@given(st.text(min_size=8, max_size=60), st.binary(max_size=5), st.binary(max_size=5))
def test_abuse_row_102_any_learned_value_is_found_inside_base64(secret: str, before: bytes, after: bytes) -> None:
    journal.forget()
    try:
        raw = secret.encode()
    except UnicodeEncodeError:
        return
    journal.learn(secret)
    hidden = base64.b64encode(before + raw + after).decode()
    assert journal.mask(hidden) != hidden


@pytest.mark.parametrize(
    "text",
    [
        "started mlops-income-1a2b3c4d-g0-train-r0 in 12 s",
        "s3://lake/datasets/adult/raw/train.csv.gz",
        "https://github.com/octo/churn/issues/7",
        "digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "arn:aws:states:us-east-1:000000000000:execution:mlops-pipeline:income-1a2b3c4d-g0",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert journal.mask(text) == text


def test_a_line_is_json_with_the_bound_names_and_masked_fields() -> None:
    stream = io.StringIO()
    journal.configure("INFO", stream)
    with journal.bound(run_id="income-1a2b3c4d-g0", correlation_id="c1"):
        logging.getLogger("mlops_core.x").info("hello %s", TOKEN, extra={"fields": {"api_key": "abcdefgh", "n": 3}})
    line = json.loads(stream.getvalue())
    assert (line["run_id"], line["correlation_id"], line["level"], line["n"]) == ("income-1a2b3c4d-g0", "c1", "INFO", 3)
    assert TOKEN not in stream.getvalue()
    assert line["api_key"] == journal.MASK


def test_a_traceback_is_masked_too() -> None:
    stream = io.StringIO()
    journal.configure("INFO", stream)
    try:
        int(f"https://u:{TOKEN}@host/")
    except ValueError:
        logging.getLogger("mlops_core.x").exception("failed")
    assert TOKEN not in stream.getvalue()
    assert "ValueError" in json.loads(stream.getvalue())["exception"]


def test_the_level_is_a_setting() -> None:
    stream = io.StringIO()
    journal.configure("WARNING", stream)
    logging.getLogger("mlops_core.x").info("quiet")
    assert stream.getvalue() == ""
