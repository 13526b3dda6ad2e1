"""Upload of a data file to S3 in parts, never held in memory.

    uri = upload(session, Path("train.csv.gz"), bucket="…", dataset="adult", key_arn="…", progress=lambda done: None)

Parts of 32 MB (8 GB are 250 parts); the SHA-256 of the whole file is stored as object metadata and is part of the key, so the same
bytes always have the same URI and an upload that was interrupted leaves nothing visible.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from mlops_core.adapters.aws_errors import translated
from mlops_core.errors import InvalidRequest, NotFound, Unavailable

PART = 32 << 20
_KEY = "alias/<prefix>-data (that of the bucket)"
SUFFIXES = (".csv", ".csv.gz", ".parquet")


def file_digest(path: Path, progress: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file in hexadecimal digits, read in pieces of 4 MB."""
    total = hashlib.sha256()
    with path.open("rb") as handle:
        while piece := handle.read(4 << 20):
            total.update(piece)
            progress(len(piece))
    return total.hexdigest()


def data_key(path: Path, dataset: str, content: str) -> str:
    """The object key of a data file: ``datasets/<id>/raw/<first 16 digits of the digest>/<plain name>``."""
    suffix = next((item for item in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(item)), None)
    if suffix is None:
        raise InvalidRequest(
            f"{path.name!r} is no data file that can be read here; allowed: {', '.join(SUFFIXES)}.", remedy="Convert it and add it again."
        )
    stem = re.sub(r"[^a-z0-9_-]+", "-", path.name.lower()[: -len(suffix)]).strip("-") or "data"
    return f"datasets/{dataset}/raw/{content[:16]}/{stem[:60]}{suffix}"


def upload(session: Any, path: Path, *, bucket: str, dataset: str, progress: Callable[[int], None] = lambda _: None) -> str:
    """Upload a file unless the same bytes are there; returns the ``s3://`` URI.

    ``progress`` is called with bytes sent.  Raises `NotFound` for a missing file, `InvalidRequest` for another kind of file, and what
    the service's answer means: `Unavailable` may be repeated, `Unauthorized` and a key that cannot be used (E-AWS-KEY) may not.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {str(path)!r}.", remedy="Check the path.")
    if path.stat().st_size == 0:
        raise InvalidRequest(f"{path.name!r} is empty.", remedy="Add a file with a header and rows.", code="E-DATA-EMPTY")
    content = file_digest(path)
    key = data_key(path, dataset, content)
    client = session.client("s3")
    uri = f"s3://{bucket}/{key}"
    with translated(f"the upload of {path.name!r}", key=_KEY):
        if _is_there(client, bucket, key, content):
            progress(path.stat().st_size)
            return uri
        settings = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2)
        try:
            client.upload_file(str(path), bucket, key, ExtraArgs={"Metadata": {"sha256": content}}, Config=settings, Callback=progress)
        except S3UploadFailedError as error:
            # boto3 wraps the service's answer; what it means is in the cause.
            raise error.__context__ or error from error
        _check(client, bucket, key, path.stat().st_size)
    return uri


def _check(client: Any, bucket: str, key: str, size: int) -> None:
    """Every part's checksum was compared by S3; together they must be the file."""
    stored = int(client.head_object(Bucket=bucket, Key=key)["ContentLength"])
    if stored != size:
        raise Unavailable(f"s3://{bucket}/{key} has {stored} bytes, the file {size}.", remedy="Add it again.", code="E-AWS-CHECKSUM")


def _is_there(client: Any, bucket: str, key: str, content: str) -> bool:
    try:
        return bool(client.head_object(Bucket=bucket, Key=key)["Metadata"].get("sha256") == content)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise
