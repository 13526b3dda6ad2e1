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

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from mlops_core.errors import InvalidRequest, NotFound, Unavailable

PART = 32 << 20
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

    ``progress`` is called with bytes sent.  Raises `NotFound` for a missing file, `InvalidRequest` for another kind of file,
    `Unavailable` with the service's words when the upload fails.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {str(path)!r}.", remedy="Check the path.")
    if path.stat().st_size == 0:
        raise InvalidRequest(f"{path.name!r} is empty.", remedy="Add a file with a header and rows.", code="E-DATA-EMPTY")
    content = file_digest(path)
    key = data_key(path, dataset, content)
    client = session.client("s3")
    uri = f"s3://{bucket}/{key}"
    try:
        if _is_there(client, bucket, key, content):
            progress(path.stat().st_size)
            return uri
        settings = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2)
        client.upload_file(str(path), bucket, key, ExtraArgs={"Metadata": {"sha256": content}}, Config=settings, Callback=progress)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(
            f"the upload of {path.name!r} failed: {error}", remedy="Check the credentials and the bucket, then add it again."
        ) from error
    return uri


def _is_there(client: Any, bucket: str, key: str, content: str) -> bool:
    try:
        return bool(client.head_object(Bucket=bucket, Key=key)["Metadata"].get("sha256") == content)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise
