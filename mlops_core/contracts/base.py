"""The shape every message shares, and its digest.

class Verdict(Message): ...
digest(verdict)        # 64 hex digits, equal for equal content on every machine
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ModelName = Annotated[str, Field(pattern=r"^[a-z0-9](?:-?[a-z0-9]){0,39}$", max_length=40)]
RunId = Annotated[str, Field(pattern=r"^[a-z0-9](?:-?[a-z0-9]){0,39}$", max_length=40)]
S3Uri = Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s?#]{1,1024}$")]


class Message(BaseModel):
    """A frozen message that refuses unknown fields and coerces nothing but what JSON cannot tell apart."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces: the one byte string that digests and signatures are made over (RFC 8785 in spirit)."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: object) -> str:
    """SHA-256 of `canonical`, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
