"""Objects of any size pass through the local AWS without passing through its memory."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from boto3.s3.transfer import TransferConfig  # noqa: TID251 - the tests are an independent client

if TYPE_CHECKING:
    from .conftest import Lab

pytestmark = pytest.mark.flow
MIB = 1 << 20


def _file(path: Path, mebibytes: int) -> Path:
    block = bytes(range(256)) * 4096
    with path.open("wb") as out:
        for number in range(mebibytes):
            out.write(number.to_bytes(8, "big") + block[8:])
    return path


def _md5(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "md5").hexdigest()


def _memory_mib(lab: Lab, kind: str) -> float:
    pid = lab.aws.pid_file.read_text().strip()
    found = re.search(rf"{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


@pytest.mark.slow
def test_a_large_upload_and_download_leave_the_memory_alone(lab: Lab, tmp_path: Path) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="large")
    s3.put_bucket_versioning(Bucket="large", VersioningConfiguration={"Status": "Enabled"})
    source = _file(tmp_path / "source", 300)
    before = _memory_mib(lab, "VmRSS")
    s3.upload_file(str(source), "large", "parts", Config=TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=16 * MIB))
    with source.open("rb") as data:
        s3.put_object(Bucket="large", Key="whole", Body=data)
    for key in ("parts", "whole"):
        s3.download_file("large", key, str(tmp_path / key), Config=TransferConfig(use_threads=False, multipart_threshold=1 << 40))
        assert _md5(tmp_path / key) == _md5(source)
        (tmp_path / key).unlink()
    assert _memory_mib(lab, "VmHWM") - before < 120


def test_ranges_versions_copies_and_overwrites_of_a_body_in_a_file(lab: Lab, tmp_path: Path) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="ranges")
    s3.put_bucket_versioning(Bucket="ranges", VersioningConfiguration={"Status": "Enabled"})
    source = _file(tmp_path / "source", 5)
    data = source.read_bytes()
    first = s3.put_object(Bucket="ranges", Key="k", Body=data)
    assert s3.get_object(Bucket="ranges", Key="k", Range="bytes=1048570-1048590")["Body"].read() == data[1048570:1048591]
    assert s3.get_object(Bucket="ranges", Key="k", Range="bytes=-10")["Body"].read() == data[-10:]
    s3.copy_object(Bucket="ranges", Key="copy", CopySource={"Bucket": "ranges", "Key": "k"})
    second: Any = s3.put_object(Bucket="ranges", Key="k", Body=data[::-1])
    assert s3.get_object(Bucket="ranges", Key="copy")["Body"].read() == data
    assert s3.get_object(Bucket="ranges", Key="k", VersionId=first["VersionId"])["Body"].read() == data
    assert s3.get_object(Bucket="ranges", Key="k", VersionId=second["VersionId"])["Body"].read() == data[::-1]
    assert first["ETag"] == f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
    assert s3.head_object(Bucket="ranges", Key="k")["ContentLength"] == len(data)
    s3.delete_object(Bucket="ranges", Key="k", VersionId=second["VersionId"])
    assert s3.get_object(Bucket="ranges", Key="k")["Body"].read() == data


def test_a_download_survives_that_its_object_is_overwritten(lab: Lab, tmp_path: Path) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="moving")
    data = _file(tmp_path / "source", 40).read_bytes()
    s3.put_object(Bucket="moving", Key="k", Body=data)
    body = s3.get_object(Bucket="moving", Key="k")["Body"]
    start = body.read(MIB)
    s3.put_object(Bucket="moving", Key="k", Body=b"x" * (2 * MIB))
    assert start + body.read() == data


def test_an_aborted_upload_leaves_no_file(lab: Lab) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="aborted")
    upload = s3.create_multipart_upload(Bucket="aborted", Key="k")["UploadId"]
    s3.upload_part(Bucket="aborted", Key="k", UploadId=upload, PartNumber=1, Body=b"x" * (6 * MIB))
    spool = lab.aws.config.state / "spool"
    assert list(spool.iterdir())
    s3.abort_multipart_upload(Bucket="aborted", Key="k", UploadId=upload)
    assert lab.until(lambda: not list(spool.iterdir()))


def test_bytes_that_were_not_signed_are_refused(lab: Lab) -> None:
    import http.client
    import ssl

    from botocore.auth import S3SigV4Auth  # noqa: TID251
    from botocore.awsrequest import AWSRequest  # noqa: TID251
    from botocore.credentials import Credentials  # noqa: TID251

    lab.client("s3").create_bucket(Bucket="signed")
    keys = lab.aws.environment()
    url = f"{lab.aws.endpoint}/signed/k"
    digest = hashlib.sha256(b"a" * (2 * MIB)).hexdigest()
    request = AWSRequest("PUT", url, data=b"a" * (2 * MIB), headers={"x-amz-content-sha256": digest})
    S3SigV4Auth(Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]), "s3", "us-east-1").add_auth(request)

    def put(body: bytes) -> int:
        trust = ssl.create_default_context(cafile=str(lab.aws.ca_bundle))
        connection = http.client.HTTPSConnection("127.0.0.1", lab.aws.config.port, context=trust)
        connection.request("PUT", "/signed/k", body=body, headers=dict(request.headers.items()))
        status = connection.getresponse().status
        connection.close()
        return status

    assert put(b"a" * (2 * MIB)) == 200

    assert put(b"b" * (2 * MIB)) in (400, 403)
