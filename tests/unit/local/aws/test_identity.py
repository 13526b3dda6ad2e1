"""Web identity tokens are believed only when everything about them holds."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.local.aws.identity import GITHUB_CLAIMS, ExpiredTokenError, InvalidTokenError, claimed_issuer, condition_keys, verify

ISSUER = "https://token.actions.githubusercontent.com"
NOW = 1_800_000_000.0
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _token(header: dict[str, Any] | None = None, **claims: Any) -> str:
    told = {"iss": ISSUER, "aud": "sts.amazonaws.com", "sub": "repo:o/r", "exp": NOW + 60, **claims}
    parts = [header or {"alg": "RS256", "kid": "one"}, told]
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_encoded(KEY.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@pytest.fixture
def jwks(tmp_path: Path) -> dict[str, Path]:
    numbers = KEY.public_key().public_numbers()
    key = {"kty": "RSA", "kid": "one", "n": _encoded(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [key]}))
    return {ISSUER: file}


def test_a_good_token_gives_its_claims_and_all_of_githubs_condition_keys(jwks: dict[str, Path]) -> None:
    claims = verify(_token(None, **dict.fromkeys(GITHUB_CLAIMS, "x")), jwks, ["sts.amazonaws.com"], now=NOW)
    keys = condition_keys(claims)
    assert len(keys) == 11
    assert keys["token.actions.githubusercontent.com:job_workflow_ref"] == "x"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (_token(aud="other"), "audience"),
        (_token(aud=["other", 3]), "audience"),
        (_token(iss="https://evil.example"), "issuer"),
        (_token(iss=None), "issuer"),
        (_token(nbf=NOW + 600), "not valid yet"),
        (_token(exp=None), "expiry"),
        (_token(exp=True), "expiry"),
        (_token({"alg": "none", "kid": "one"}), "RS256"),
        (_token({"alg": "HS256", "kid": "one"}), "RS256"),
        (_token({"alg": "RS256", "kid": "two"}), "not one of the issuer's"),
        (_token({"alg": "RS256"}), "not one of the issuer's"),
        (_token()[:-8] + "AAAAAAAA", "signature"),
        ("a.b", "not a signed JWT"),
        ("a" * 30_000, "not a signed JWT"),
    ],
)
def test_a_token_with_one_flaw_is_refused(jwks: dict[str, Path], token: str, reason: str) -> None:
    with pytest.raises(InvalidTokenError, match=reason):
        verify(token, jwks, ["sts.amazonaws.com"], now=NOW)


def test_an_expired_token_is_told_apart(jwks: dict[str, Path]) -> None:
    with pytest.raises(ExpiredTokenError):
        verify(_token(exp=NOW - 120), jwks, ["sts.amazonaws.com"], now=NOW)


def test_keys_that_cannot_be_read_confirm_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidTokenError, match="keys cannot be read"):
        verify(_token(), {ISSUER: tmp_path / "missing"}, ["sts.amazonaws.com"], now=NOW)


@given(st.text(max_size=200))
def test_any_text_is_refused_without_another_error(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        claimed_issuer(text)
