"""Who gets through the door of the local AWS."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError  # noqa: TID251 - the tests are an independent client

if TYPE_CHECKING:
    from .conftest import Lab

pytestmark = pytest.mark.flow


def _raw(lab: Lab, method: str, path: str, **headers: str) -> int:
    trust = ssl.create_default_context(cafile=str(lab.aws.ca_bundle))
    connection = http.client.HTTPSConnection("127.0.0.1", lab.aws.config.port, context=trust, timeout=5)
    connection.request(method, path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_wrong_secret_key_is_refused(lab: Lab) -> None:
    keys: dict[str, Any] = {"aws_secret_access_key": "wrong"}
    with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignature"):
        lab.client("sts", **keys).get_caller_identity()


def test_the_root_key_that_plain_ministack_accepts_is_refused(lab: Lab) -> None:
    for key in ("test", "000000000000"):
        with pytest.raises(ClientError):
            lab.client("iam", aws_access_key_id=key, aws_secret_access_key="test").list_roles()


def test_an_unsigned_read_of_a_private_object_is_refused(lab: Lab) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="private")
    s3.put_object(Bucket="private", Key="k", Body=b"secret")
    assert _raw(lab, "GET", "/private/k") == 403
    assert _raw(lab, "PUT", "/private/other") == 403


def test_administration_paths_of_the_host_program_are_not_served(lab: Lab) -> None:
    assert _raw(lab, "POST", "/_ministack/reset") == 404
    assert _raw(lab, "GET", "/_ministack/sqs/messages") == 404
    assert _raw(lab, "GET", "/_ministack/health") == 200


def test_a_foreign_host_name_is_not_served(lab: Lab) -> None:
    assert _raw(lab, "GET", "/_ministack/health", Host="evil.example") == 421


def test_it_speaks_tls_only_and_its_certificate_is_checked(lab: Lab) -> None:
    with pytest.raises((urllib.error.URLError, OSError, http.client.HTTPException)):
        urllib.request.urlopen(f"http://127.0.0.1:{lab.aws.config.port}/_ministack/health", timeout=3)
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"{lab.aws.endpoint}/_ministack/health", timeout=3, context=ssl.create_default_context())  # noqa: S310


def test_an_action_outside_the_role_is_denied_and_journalled(lab: Lab) -> None:
    from mlops_core.local.aws.journal import read

    lab.role("narrow", "lambda.amazonaws.com", {"Action": "s3:ListAllMyBuckets", "Resource": "*"})
    trust = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}]}'
    lab.client("iam").update_assume_role_policy(RoleName="narrow", PolicyDocument=trust)
    got = lab.client("sts").assume_role(RoleArn="arn:aws:iam::000000000000:role/narrow", RoleSessionName="tests")["Credentials"]
    keys = {
        "aws_access_key_id": got["AccessKeyId"],
        "aws_secret_access_key": got["SecretAccessKey"],
        "aws_session_token": got["SessionToken"],
    }
    lab.client("s3", **keys).list_buckets()
    with pytest.raises(ClientError, match="AccessDenied"):
        lab.client("s3", **keys).create_bucket(Bucket="not-mine")
    file = lab.aws.config.journal_file
    decisions = lab.until(lambda: {(one.action, one.allowed) for one in read(file) if one.role == "narrow"})
    assert decisions >= {("s3:ListAllMyBuckets", True), ("s3:CreateBucket", False)} or lab.until(
        lambda: ("s3:CreateBucket", False) in {(one.action, one.allowed) for one in read(file) if one.role == "narrow"}
    )


def test_a_presigned_address_works_until_one_character_changes(lab: Lab) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="presigned")
    s3.put_object(Bucket="presigned", Key="k", Body=b"shared")
    address = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "k"}, ExpiresIn=60)
    path = address.removeprefix(lab.aws.endpoint)
    assert _raw(lab, "GET", path) == 200
    assert _raw(lab, "GET", path.replace("/presigned/k", "/presigned/other")) == 403
    mark = path.rsplit("Signature=", 1)[1][:4]
    assert _raw(lab, "GET", path.replace(f"Signature={mark}", f"Signature={'0000' if mark != '0000' else '1111'}")) == 403


def test_a_key_that_is_named_but_did_not_sign_is_refused(lab: Lab) -> None:
    key = lab.aws.environment()["AWS_ACCESS_KEY_ID"]
    for claim in (f"Bearer Credential={key}/20260101/us-east-1/s3/aws4_request", f"AWS {key}:AAAA", f"AWS4-HMAC-SHA256 Credential={key}/x"):
        assert _raw(lab, "GET", "/private/k", Authorization=claim) in (400, 403)
        assert _raw(lab, "GET", f"/private/k?X-Amz-Credential={key}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request") in (400, 403)
        assert _raw(lab, "GET", f"/private/k?AWSAccessKeyId={key}&Signature=AAAA&Expires=9999999999") in (400, 403)
