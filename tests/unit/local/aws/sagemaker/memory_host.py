"""An in-memory host for the local SageMaker: it keeps what it is given and allows everything that was not forbidden."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlops_core.local.aws.host import AccessDenied, NoSuchObject, SessionKeys, StoredObject

ROLE = "arn:aws:iam::123456789012:role/work"


@dataclass
class MemoryHost:
    """Buckets are folders below ``state/objects``; logs, metrics and events are lists."""

    state: Path
    account: str = "123456789012"
    region: str = "eu-central-1"
    endpoint_url: str = "https://127.0.0.1:4566"
    ca_bundle: Path = Path("/etc/ssl/ca.pem")
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    untrusted: set[str] = field(default_factory=set)
    kms: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    written: dict[str, str | None] = field(default_factory=dict)
    logs: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    metrics: list[tuple[str, str, dict[str, str], float, str]] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def put(self, bucket: str, key: str, content: bytes) -> None:
        path = self._file(bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def content(self, bucket: str, key: str) -> bytes:
        return self._file(bucket, key).read_bytes()

    def enforce_caller(self, headers: Mapping[str, str], action: str, resource: str, context: Mapping[str, str]) -> None:
        self._check(headers.get("x-caller", "caller"), action, resource, context)

    def enforce_role(self, role_arn: str, action: str, resource: str, context: Mapping[str, str]) -> None:
        self._check(role_arn, action, resource, context)

    def assume_role(self, role_arn: str, service: str, session_name: str) -> SessionKeys:
        if role_arn in self.untrusted:
            raise AccessDenied(f"{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}")
        return SessionKeys("ASIA" + role_arn[-4:], "secret", session_name)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        keys = sorted(path.name for path in self._bucket(bucket).iterdir())
        return (self.read_object(bucket, key.replace("\u2215", "/")) for key in keys if key.replace("\u2215", "/").startswith(prefix))

    def read_object(self, bucket: str, key: str) -> StoredObject:
        path = self._file(bucket, key)
        if not path.exists():
            raise NoSuchObject(f"s3://{bucket}/{key}")
        content = path.read_bytes()
        return StoredObject(key, len(content), hashlib.md5(content, usedforsecurity=False).hexdigest(), path, self.kms.get(bucket))

    def write_object(self, role_arn: str, bucket: str, key: str, source: Path, kms_key: str | None) -> None:
        self._check(role_arn, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", {})
        self._bucket(bucket)
        self.written[f"s3://{bucket}/{key}"] = kms_key
        shutil.copyfile(source, self._file(bucket, key))

    def write_logs(self, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        self.logs.setdefault((group, stream), []).extend(text for _, text in lines)

    def put_metric(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str, count: int = 1) -> None:
        self.metrics.extend([(namespace, name, dict(dimensions), value, unit)] * count)

    def emit(self, source: str, detail_type: str, detail: Mapping[str, object], resources: Sequence[str]) -> None:
        assert source == "aws.sagemaker"
        assert resources
        self.events.append((detail_type, dict(detail)))

    def make_bucket(self, bucket: str) -> None:
        (self.state / "objects" / bucket).mkdir(parents=True, exist_ok=True)

    def _check(self, who: str, action: str, resource: str, context: Mapping[str, str]) -> None:
        self.asked.append((who, action, resource, dict(context)))
        if (who, action) in self.forbidden:
            raise AccessDenied(f"User: {who} is not authorized to perform: {action} on resource: {resource}")

    def _bucket(self, bucket: str) -> Path:
        folder = self.state / "objects" / bucket
        if not folder.is_dir():
            raise NoSuchObject(f"s3://{bucket}")
        return folder

    def _file(self, bucket: str, key: str) -> Path:
        return self._bucket(bucket) / key.replace("/", "\u2215")
