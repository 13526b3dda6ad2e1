"""Checks the web identity tokens that GitHub's OIDC issuer signs.

    claims = verify(token, {"https://token.actions.githubusercontent.com": Path("jwks.json")}, "sts.amazonaws.com", now=time.time())

RS256 only, keys by ``kid`` from a JWKS file that is read at each check, so a rotated key is known at once (RFC 7515, RFC 7517, RFC 7519).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

GITHUB_CLAIMS = (
    "actor",
    "actor_id",
    "job_workflow_ref",
    "repository",
    "repository_id",
    "workflow",
    "ref",
    "environment",
    "enterprise_id",
)
_LEEWAY_SECONDS = 60
_MAX_TOKEN_CHARACTERS = 20_000


class InvalidTokenError(Exception):
    """The token proves nothing; ``str(error)`` says why in one clause."""


class ExpiredTokenError(InvalidTokenError):
    """The token was good once."""


def verify(token: str, jwks: Mapping[str, Path], audiences: Collection[str], *, now: float) -> dict[str, Any]:
    """The claims of a token whose signature, issuer, audience and times (seconds since the epoch) hold; else `InvalidTokenError`."""
    header, claims, signed, signature = _parts(token)
    if header.get("alg") != "RS256":
        raise InvalidTokenError("the token is not signed by RS256")
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or issuer not in jwks:
        raise InvalidTokenError("no OpenIDConnect provider is known for the token's issuer")
    _check_signature(_key(jwks[issuer], header.get("kid")), signed, signature)
    _check_times(claims, now)
    audience = claims.get("aud")
    named = {audience} if isinstance(audience, str) else set(audience) if isinstance(audience, list) else set()
    if not named & set(audiences):
        raise InvalidTokenError("the token is for another audience")
    return claims


def condition_keys(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The keys a trust policy may test: ``sub``, ``aud`` and GitHub's nine claims, each below the issuer's host."""
    host = str(claims["iss"]).split("://", 1)[-1].rstrip("/")
    return {f"{host}:{name}".lower(): claims[name] for name in ("sub", "aud", *GITHUB_CLAIMS) if name in claims}


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    pieces = token.split(".")
    if len(pieces) != 3 or len(token) > _MAX_TOKEN_CHARACTERS:
        raise InvalidTokenError("the token is not a signed JWT")
    try:
        header, claims = json.loads(_decode(pieces[0])), json.loads(_decode(pieces[1]))
        signature = _decode(pieces[2])
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError("the token is not a signed JWT") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise InvalidTokenError("the token is not a signed JWT")
    return header, claims, f"{pieces[0]}.{pieces[1]}".encode("ascii"), signature


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from error


def _key(file: Path, kid: object) -> rsa.RSAPublicKey:
    try:
        keys = json.loads(file.read_text(encoding="utf-8"))["keys"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidTokenError("the issuer's keys cannot be read") from error
    for key in keys:
        if key.get("kid") == kid and key.get("kty") == "RSA":
            modulus, exponent = (int.from_bytes(_decode(key[part]), "big") for part in ("n", "e"))
            return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    raise InvalidTokenError("the token's key is not one of the issuer's")


def _check_signature(key: rsa.RSAPublicKey, signed: bytes, signature: bytes) -> None:
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise InvalidTokenError("the token's signature is wrong") from error


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires, starts = _seconds(claims.get("exp")), _seconds(claims.get("nbf", 0))
    if now > expires + _LEEWAY_SECONDS:
        raise ExpiredTokenError("the token has expired")
    if now < starts - _LEEWAY_SECONDS:
        raise InvalidTokenError("the token is not valid yet")


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidTokenError("the token has no expiry")
    return float(value)


def claimed_issuer(token: str) -> str:
    """The issuer a token claims before anything is verified; it may only be used to choose whose keys must confirm it."""
    issuer = _parts(token)[1].get("iss")
    return issuer if isinstance(issuer, str) else ""
