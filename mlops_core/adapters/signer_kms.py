"""The signing key in KMS (ECC_NIST_P256, ECDSA_SHA_256)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from botocore.exceptions import ClientError

from mlops_core.adapters.aws_errors import is_code, translated
from mlops_core.settings import Settings, key_alias

ALGORITHM = "ECDSA_SHA_256"


class KmsSigner:
    """One asymmetric key."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def sign(self, digest: bytes) -> tuple[str, str]:
        """(key ARN, base64 signature) over a 32-byte digest."""
        key = self._settings.require("signing_key_id")
        with translated("signing", key=key_alias(self._settings, "signing")):
            answer = self._client.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM)
        return str(answer["KeyId"]), base64.b64encode(answer["Signature"]).decode()

    def verify(self, digest: bytes, signature: str) -> bool:
        """Whether a base64 signature over a 32-byte digest was made by our key."""
        key = self._settings.require("signing_key_id")
        try:
            raw = base64.b64decode(signature, validate=True)
        except binascii.Error:
            return False
        with translated("checking a signature", key=key_alias(self._settings, "signing")):
            try:
                answer = self._client.verify(KeyId=key, Message=digest, MessageType="DIGEST", Signature=raw, SigningAlgorithm=ALGORITHM)
            except ClientError as error:
                if is_code(error, "KMSInvalidSignatureException"):
                    return False
                raise
        return bool(answer["SignatureValid"])
