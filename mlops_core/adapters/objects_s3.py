"""Objects in S3, by URI.

Bodies carry checksums both ways (CRC32, made and compared by the SDK): bytes that were lost or changed on the way are asked for again,
at most three times.  An object is visible when S3 has all of it, never before.
"""

from __future__ import annotations

import hashlib
from typing import Any

from botocore.exceptions import ClientError

from mlops_core.adapters.aws_errors import is_code, patiently, reading_body, translated
from mlops_core.errors import Conflict, InvalidRequest, Refused
from mlops_core.facts import ObjectFacts


class S3Objects:
    """The buckets a role may reach; encryption is the bucket's default (SSE-KMS), under the key of this alias."""

    def __init__(self, client: Any, key: str = "") -> None:
        self._client = client
        self._key = key

    def head(self, uri: str) -> ObjectFacts:
        """Facts of an object; `NotFound` names it."""
        bucket, key = split(uri)
        with translated(f"looking at {uri}", key=self._key):
            found = self._client.head_object(Bucket=bucket, Key=key)
        return ObjectFacts(uri, found["ContentLength"], found["ETag"].strip('"'), found.get("VersionId", ""), found["LastModified"])

    def read(self, uri: str, *, limit: int = 1 << 20) -> bytes:
        """The body; `Refused` when it is longer than ``limit`` bytes."""
        bucket, key = split(uri)

        def whole() -> bytes:
            answer = self._client.get_object(Bucket=bucket, Key=key)
            if answer["ContentLength"] > limit:
                answer["Body"].close()
                raise Refused(f"{uri} has {answer['ContentLength']} bytes; at most {limit} are read here.")
            with reading_body():
                return bytes(answer["Body"].read())

        with translated(f"reading {uri}", key=self._key):
            return patiently(whole)

    def write(self, uri: str, body: bytes, *, content_type: str = "application/octet-stream", only_new: bool = False) -> None:
        """Store a body; with ``only_new``, `Conflict` when the key exists."""
        bucket, key = split(uri)
        condition = {"IfNoneMatch": "*"} if only_new else {}
        with translated(f"writing {uri}", key=self._key):
            try:
                patiently(lambda: self._client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, **condition))
            except ClientError as error:
                if is_code(error, "PreconditionFailed"):
                    raise Conflict(f"{uri} exists already.", code="E-NAME-TAKEN") from error
                raise

    def list(self, prefix: str, *, limit: int = 1000) -> list[ObjectFacts]:
        """Objects below a prefix URI in key order."""
        bucket, key = split(prefix, empty_key=True)
        found: list[ObjectFacts] = []
        with translated(f"listing {prefix}", key=self._key):
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=key, PaginationConfig={"MaxItems": limit}
            ):
                found.extend(
                    ObjectFacts(f"s3://{bucket}/{item['Key']}", item["Size"], item["ETag"].strip('"'), "", item["LastModified"])
                    for item in page.get("Contents", [])
                )
        return found

    def sha256(self, uri: str) -> str:
        """SHA-256 of the body in hexadecimal digits, read in pieces (metadata is what somebody said, not what is there)."""
        bucket, key = split(uri)

        def digested() -> str:
            total = hashlib.sha256()
            answer = self._client.get_object(Bucket=bucket, Key=key)
            with reading_body():
                for piece in answer["Body"].iter_chunks(1 << 20):
                    total.update(piece)
            return total.hexdigest()

        with translated(f"reading {uri}", key=self._key):
            return patiently(digested)


def split(uri: str, *, empty_key: bool = False) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``; `InvalidRequest` for anything else."""
    bucket, slash, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not (slash and (key or empty_key)):
        raise InvalidRequest(f"{uri!r} is no object URI; expected s3://bucket/key.")
    return bucket, key
