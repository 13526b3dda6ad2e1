"""The host that registered services see: `mlops_core.local.aws.host.Host` over MiniStack."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.hooks.authority import Authority
from mlops_core.local.aws.hooks.bodies import FileBody
from mlops_core.local.aws.hooks.names import private
from mlops_core.local.aws.host import AccessDenied, NoSuchObject, SessionKeys, StoredObject


class AwsHost:
    """Implements the host protocol; every method may be called from any thread."""

    def __init__(self, config: AwsConfig, authority: Authority) -> None:
        self.account = config.account
        self.region = config.region
        self.state = config.state
        self.endpoint_url = config.endpoint
        self.ca_bundle = config.ca_bundle
        self._authority = authority
        self._responses = private("core.responses")

    def enforce_caller(self, headers: Mapping[str, str], action: str, resource: str, context: Mapping[str, str]) -> None:
        """Raise `AccessDenied` unless the signer of a request may do the action."""
        key = private("core.router").extract_access_key_id({name.lower(): value for name, value in headers.items()}, {})
        with self._scope():
            self._authority.enforce_key(key, action, resource, context)

    def enforce_role(self, role_arn: str, action: str, resource: str, context: Mapping[str, str]) -> None:
        """Raise `AccessDenied` unless the role's policies allow the action."""
        self._authority.enforce_role(role_arn, action, resource, context)

    def assume_role(self, role_arn: str, service: str, session_name: str) -> SessionKeys:
        """Keys for a role whose trust policy admits the service."""
        return self._authority.assume(role_arn, service, session_name)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Current objects below a prefix in key order."""
        with self._scope():
            keys = sorted(key for key in self._objects(bucket) if key.startswith(prefix))
        for key in keys:
            yield self.read_object(bucket, key)

    def read_object(self, bucket: str, key: str) -> StoredObject:
        """One current object."""
        s3 = private("services.s3")
        with self._scope():
            record = self._objects(bucket).get(key)
            path = s3._object_disk_path(bucket, key) if record is not None else None
        if record is None or path is None:
            raise NoSuchObject(f"s3://{bucket}/{key}")
        sealed = record.get("preserved_headers", {}).get("x-amz-server-side-encryption-aws-kms-key-id")
        etag = str(record["etag"]).strip('"')
        return StoredObject(
            key=key, size=int(record["size"]), etag=etag, path=Path(path), kms_key=self._key_arn(sealed) if sealed else None
        )

    def write_object(self, role_arn: str, bucket: str, key: str, source: Path, kms_key: str | None) -> None:
        """Store a copy of a file as an object with the role's permissions, without holding it in memory."""
        arn = f"arn:aws:s3:::{bucket}/{key}"
        headers = {"content-type": "application/octet-stream"}
        if kms_key is not None:
            headers |= {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": kms_key}
            self._authority.enforce_role(role_arn, "kms:GenerateDataKey", self._key_arn(kms_key), {})
        self._authority.enforce_role(role_arn, "s3:PutObject", arn, {})
        s3 = private("services.s3")
        with self._scope():
            self._objects(bucket)
            status, _, body = s3._put_object(bucket, key, FileBody.copy_of(source, self.state / "spool"), headers)
        if status >= 300:
            raise AccessDenied(f"{arn} was not stored: {bytes(body).decode('utf-8', 'replace')[:300]}")

    def write_logs(self, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        """Append (epoch milliseconds, text) events."""
        logs = private("services.cloudwatch_logs")
        with self._scope():
            if group not in logs._log_groups:
                logs._create_log_group({"logGroupName": group})
            if stream not in logs._log_groups[group]["streams"]:
                logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
            events = [{"timestamp": moment, "message": text or " "} for moment, text in lines]
            if events:
                logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": events})

    def put_metric(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str, count: int = 1) -> None:
        """Record one value, seen so many times, now and evaluate the alarms."""
        told = [{"Name": key, "Value": text} for key, text in dimensions.items()]
        datum = {"MetricName": name, "Dimensions": told, "Values": [value], "Counts": [count], "Unit": unit, "Timestamp": time.time()}
        with self._scope():
            private("services.cloudwatch")._put_metric_data(
                {}, {"Namespace": namespace, "MetricData": [datum]}, is_cbor=False, is_json=True
            )

    def emit(self, source: str, detail_type: str, detail: Mapping[str, object], resources: Sequence[str]) -> None:
        """Put an event on the default bus."""
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail, default=str), "Resources": list(resources)}
        with self._scope():
            private("services.eventbridge")._put_events({"Entries": [entry]}, allow_aws_source=True)

    def _scope(self) -> AbstractContextManager[Any]:
        scope: AbstractContextManager[Any] = self._responses.request_scope(self.account, self.region)
        return scope

    def _objects(self, bucket: str) -> dict[str, Any]:
        found = private("services.s3")._buckets.get(bucket)
        if found is None:
            raise NoSuchObject(f"s3://{bucket}/")
        objects: dict[str, Any] = found["objects"]
        return objects

    def _key_arn(self, kms_key: str) -> str:
        """The key that an ARN, an id or ``alias/…`` means: policies name keys, never aliases."""
        kms = private("services.kms")
        with self._scope():
            record = kms._resolve_key(kms_key)
        return str(record["Arn"]) if record else kms_key
