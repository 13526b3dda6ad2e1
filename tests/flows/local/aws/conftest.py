"""One real local AWS for the tests of this folder; they need MiniStack's environment.

`MLOPS_MINISTACK_PYTHON` names its interpreter, `MLOPS_LAMBDA_PYTHON` a bare one for Lambda workers (default: the base of the running one).
"""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3  # noqa: TID251 - the tests are an independent client
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mlops_core.local.aws.config import AwsConfig, Limits
from mlops_core.local.aws.process import LocalAws

ISSUER = "https://token.actions.githubusercontent.com"
ACCOUNT = "000000000000"
_ROOT = Path(__file__).parents[4]


def _ministack() -> Path:
    named = os.environ.get("MLOPS_MINISTACK_PYTHON")
    return Path(named) if named else _ROOT / ".envs" / "ministack" / "bin" / "python"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Signer:
    """An issuer with a real key, as GitHub's."""

    def __init__(self, jwks: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._key.public_key().public_numbers()
        modulus = _encoded(numbers.n.to_bytes(256, "big"))
        jwks.write_text(json.dumps({"keys": [{"kty": "RSA", "kid": "one", "n": modulus, "e": _encoded(b"\x01\x00\x01")}]}))

    def token(self, **claims: Any) -> str:
        """A signed token with GitHub's claims, changed by the given ones."""
        plain = {
            "iss": ISSUER,
            "aud": "sts.amazonaws.com",
            "sub": "repo:o/r:ref:refs/heads/main",
            "exp": int(time.time()) + 300,
            "repository_id": "42",
            "repository": "o/r",
            "ref": "refs/heads/main",
            "job_workflow_ref": "o/mlops/.github/workflows/train.yml@refs/tags/v1",
        }
        parts = [{"alg": "RS256", "kid": "one"}, {**plain, **claims}]
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_encoded(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Lab:
    """A running local AWS, clients of it, and short ways to make what tests need."""

    aws: LocalAws
    signer: Signer
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str, **keys: str) -> Any:
        """A boto3 client as the root user, or with other keys."""
        told = self.aws.environment()
        access = {"aws_access_key_id": told["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": told["AWS_SECRET_ACCESS_KEY"]}
        if not keys and service in self._clients:
            return self._clients[service]
        made = boto3.client(
            service, region_name="us-east-1", endpoint_url=self.aws.endpoint, verify=str(self.aws.ca_bundle), **{**access, **keys}
        )
        if not keys:
            self._clients[service] = made
        return made

    def role(self, name: str, service: str, *statements: dict[str, Any]) -> str:
        """A role that a service may assume, with the given policy statements."""
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))["Role"]["Arn"]
        if statements:
            self.grant(name, *statements)
        return str(arn)

    def grant(self, role: str, *statements: dict[str, Any]) -> None:
        """Replace a role's inline policy."""
        allowed = [{"Effect": "Allow", **each} for each in statements]
        document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        self.client("iam").put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)

    def function(self, name: str, source: str, **settings: Any) -> str:
        """A function from one source text; its role may do nothing unless a role is given."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as out:
            out.writestr("index.py", source)
        role = settings.pop("Role", None) or self.role(f"{name}-role", "lambda.amazonaws.com")
        made = self.client("lambda").create_function(
            FunctionName=name, Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": archive.getvalue()}, **settings
        )
        return str(made["FunctionArn"])

    def invoke(self, name: str, event: Any = None) -> Any:
        """The decoded answer of a synchronous invocation; errors come back as AWS's error object."""
        return json.loads(self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())["Payload"].read())

    def machine(self, name: str, role: str, **definition: Any) -> str:
        """A JSONata state machine."""
        text = json.dumps({"QueryLanguage": "JSONata", **definition})
        return str(self.client("stepfunctions").create_state_machine(name=name, definition=text, roleArn=role)["stateMachineArn"])

    def run(self, machine: str, given: Any = None, seconds: float = 20) -> dict[str, Any]:
        """Start an execution and wait for its end."""
        states = self.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))["executionArn"]
        return dict(
            self.until(lambda: (one := states.describe_execution(executionArn=arn)) and one["status"] != "RUNNING" and one, seconds)
        )

    def until(self, probe: Callable[[], Any], seconds: float = 10) -> Any:
        """The first true value of a probe."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("it did not happen in time")

    def deploy(self, name: str, resources: dict[str, Any], **rest: Any) -> dict[str, Any]:
        """Create a stack and wait; the description of the finished stack."""
        stacks = self.client("cloudformation")
        body = json.dumps({"Resources": resources, **rest})
        stacks.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        return dict(
            self.until(
                lambda: (one := stacks.describe_stacks(StackName=name)["Stacks"][0]) and "IN_PROGRESS" not in one["StackStatus"] and one, 30
            )
        )

    def mailbox(self, name: str) -> tuple[str, Callable[[], list[Any]]]:
        """A function that keeps its events in a bucket, and a way to read them: its ARN and the reader."""
        bucket = f"mail-{name}"
        self.client("s3").create_bucket(Bucket=bucket)
        role = self.role(f"{name}-role", "lambda.amazonaws.com", {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"})
        source = _MAILBOX.replace("BUCKET", bucket)
        arn = self.function(name, source, Role=role, Timeout=20)
        s3 = self.client("s3")

        def read() -> list[Any]:
            keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
            return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in sorted(keys)]

        return arn, read


# A bare worker has no SDK: SigV4 with the standard library alone, as a proof that the role's keys are all it has.
_MAILBOX = """
import datetime, hashlib, hmac, json, os, ssl, time, urllib.request
def handler(event, context):
    body = json.dumps(event).encode()
    host = os.environ["AWS_ENDPOINT_URL"].split("://")[1]
    path = "/BUCKET/%d" % time.time_ns()
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    signed = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": now, "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"]}
    names = ";".join(sorted(signed))
    canonical = "\\n".join(["PUT", path, "", *[f"{k}:{signed[k]}" for k in sorted(signed)], "", names, digest])
    scope = f"{now[:8]}/{os.environ['AWS_REGION']}/s3/aws4_request"
    text = "\\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    mark = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    who = f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, SignedHeaders={names}, Signature={mark}"
    request = urllib.request.Request("https://" + host + path, data=body, method="PUT", headers={**signed, "authorization": who})
    trust = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    urllib.request.urlopen(request, context=trust).read()
    return {"statusCode": 202, "body": "kept"}
"""


@pytest.fixture(scope="session")
def start_lab(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Lab]:
    """Starts a local AWS on a fresh or given state folder; the caller stops it."""
    if not _ministack().exists():
        pytest.skip("MiniStack's environment is not installed; set MLOPS_MINISTACK_PYTHON")

    def start(state: Path | None = None, **settings: Any) -> Lab:
        folder = state or tmp_path_factory.mktemp("aws")
        jwks = folder / "jwks.json"
        signer = Signer(jwks)
        bare = Path(os.environ.get("MLOPS_LAMBDA_PYTHON") or Path(sys.base_prefix) / "bin" / "python3")
        config = AwsConfig(port=_free_port(), state=folder, python=_ministack(), lambda_python=bare, jwks={ISSUER: jwks}, **settings)
        lab = Lab(LocalAws(config), signer)
        lab.aws.start()
        lab.aws.wait_healthy(20)
        return lab

    return start


@pytest.fixture(scope="session")
def lab(start_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """The shared local AWS."""
    started = start_lab(limits=Limits(per_function=2, total=4, reserved={"server": 3}))
    yield started
    started.aws.stop()
