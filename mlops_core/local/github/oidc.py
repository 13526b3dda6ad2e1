"""The OIDC issuer of workflow runs: real RS256 tokens from a key that is kept.

issuer.token(claims, audience="sts.amazonaws.com")
issuer.jwks()
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from mlops_core.local.github.config import ISSUER
from mlops_core.local.github.signing import write_once

LIFETIME_S = 300


def new_rsa_key() -> bytes:
    """A fresh 2048-bit RSA private key as PKCS#8 PEM."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


class OidcIssuer:
    """Signs for one platform; the public half is written to ``jwks_path`` at every start."""

    def __init__(self, folder: Path, jwks_path: Path) -> None:
        path = folder / "oidc.pem"
        pem = path.read_bytes() if path.exists() else write_once(path, new_rsa_key())
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError(f"{path} holds no RSA key")
        self._key = key
        numbers = key.public_key().public_numbers()
        public = {"kty": "RSA", "e": _number(numbers.e), "n": _number(numbers.n)}
        kid = hashlib.sha256(json.dumps(public, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]
        self._public = {**public, "kid": kid, "alg": "RS256", "use": "sig"}
        jwks_path.write_text(json.dumps(self.jwks(), indent=2), encoding="ascii")

    def jwks(self) -> dict[str, Any]:
        """The public keys, as ``.well-known/jwks`` serves them."""
        return {"keys": [self._public]}

    def token(self, claims: dict[str, str], audience: str) -> str:
        """A token good for five minutes from now."""
        moment = int(time.time())
        times = {"iat": moment, "nbf": moment, "exp": moment + LIFETIME_S, "jti": str(uuid.uuid4())}
        return jwt.encode(
            {**claims, "iss": ISSUER, "aud": audience, **times}, self._key, algorithm="RS256", headers={"kid": self._public["kid"]}
        )
