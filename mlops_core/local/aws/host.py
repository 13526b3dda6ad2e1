"""What a service that we register into the local AWS may ask of its host.

    class SageMaker:
        def __init__(self, host: Host) -> None: ...

The registered services (``local/aws/sagemaker``) see this Protocol only; the one module that knows MiniStack's private names
(``local/aws/hooks.py``) implements it.  Every method that acts for a role checks that role's policies first, as AWS would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class AccessDenied(Exception):
    """A policy does not allow the action; ``str(error)`` is AWS's own sentence for it."""


class NoSuchObject(Exception):
    """The bucket or the key does not exist; ``str(error)`` names it as ``s3://bucket/key``."""


@dataclass(frozen=True)
class StoredObject:
    """One current object: its key, its size in bytes, its ETag without quotes and the file that holds its bytes (read only).

    ``kms_key`` is the ARN of the key that encrypts it (``aws:kms``), None otherwise.
    """

    key: str
    size: int
    etag: str
    path: Path
    kms_key: str | None = None


@dataclass(frozen=True)
class SessionKeys:
    """Temporary credentials of an assumed role."""

    access_key: str
    secret_key: str
    session_token: str


class Host(Protocol):
    """The local AWS as a registered service sees it."""

    account: str
    region: str
    state: Path
    endpoint_url: str
    ca_bundle: Path

    def enforce_caller(self, headers: Mapping[str, str], action: str, resource: str, context: Mapping[str, str]) -> None:
        """Raise `AccessDenied` unless the signer of a request may do ``action`` (used for ``iam:PassRole``)."""

    def enforce_role(self, role_arn: str, action: str, resource: str, context: Mapping[str, str]) -> None:
        """Raise `AccessDenied` unless the role's policies allow ``action`` on ``resource``."""

    def assume_role(self, role_arn: str, service: str, session_name: str) -> SessionKeys:
        """Keys for a role whose trust policy admits ``service``; `AccessDenied` when it does not or the role is unknown."""

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Current objects below a prefix in key order; `NoSuchObject` for an unknown bucket."""

    def read_object(self, bucket: str, key: str) -> StoredObject:
        """One current object; `NoSuchObject` when there is none."""

    def write_object(self, role_arn: str, bucket: str, key: str, source: Path, kms_key: str | None) -> None:
        """Store a file as an object with the role's permissions (``s3:PutObject`` and the KMS data key); never held in memory."""

    def write_logs(self, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        """Append (epoch milliseconds, text) events, creating the group and the stream when missing."""

    def put_metric(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str, count: int = 1) -> None:
        """Record one CloudWatch value, seen so many times, now; alarms on the metric are evaluated."""

    def emit(self, source: str, detail_type: str, detail: Mapping[str, object], resources: Sequence[str]) -> None:
        """Put an event on the default bus, for example source ``aws.sagemaker``."""
