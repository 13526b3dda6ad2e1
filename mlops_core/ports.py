"""The outside world as the capabilities see it: one Protocol per service, and the bundle that carries them.

    def check(ports: Ports, repository: str, login: str) -> bool:
        return ports.repository.permission(repository, login).level in {"write", "maintain", "admin"}

Adapters (``mlops_core/adapters``) implement these with boto3 and PyGithub, and once more in memory for tests.  Every method raises
only errors of `mlops_core.errors`: `NotFound` for what does not exist (unless a None is promised), `Unauthorized` for denied access,
`Throttled` and `Unavailable` when the call may be repeated, `Stale` when a condition moved, `Conflict` when a name is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mlops_core.contracts.job import JobFacts, JobKind
from mlops_core.facts import (
    Alarm,
    Answer,
    Capture,
    CommentFacts,
    CommitFacts,
    EndpointFacts,
    ExecutionFacts,
    IssueFacts,
    ObjectFacts,
    Package,
    Permission,
    ProcessingJob,
    TrainingJob,
    Variant,
)
from mlops_core.settings import Settings

Value = str | int | bool | None
Item = dict[str, Value]
"""Attributes of one ledger row; structures are stored as JSON text."""


class Clock(Protocol):
    """Time as a dependency."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Ledger(Protocol):
    """The one table of claims, locks, tokens, counters and run states; rows past their ``expires_at`` (epoch seconds) count as absent."""

    def get(self, pk: str, sk: str) -> Item | None:
        """A row, read consistently, or None."""

    def put(self, pk: str, sk: str, item: Mapping[str, Value], *, expires_at: int | None = None) -> None:
        """Write a row whatever was there."""

    def claim(self, pk: str, sk: str, item: Mapping[str, Value], *, expires_at: int | None = None) -> Item | None:
        """Write a row only if there is none; None when this call was first, otherwise the row that is there."""

    def replace(self, pk: str, sk: str, item: Mapping[str, Value], *, expected: Mapping[str, Value], expires_at: int | None = None) -> None:
        """Overwrite a row whose attributes still equal ``expected``; `Stale` when they moved or the row is gone."""

    def delete(self, pk: str, sk: str, *, expected: Mapping[str, Value] | None = None) -> None:
        """Remove a row (no error when absent); with ``expected``, `Stale` unless its attributes are equal."""

    def increase(self, pk: str, sk: str, name: str, by: int = 1) -> int:
        """Add to a counter attribute (made at 0 when missing) and return the new value."""

    def query(self, pk: str, *, prefix: str = "", limit: int = 100, newest_first: bool = False) -> list[tuple[str, Item]]:
        """Rows of one partition by sort key as (sk, item)."""


class ObjectStore(Protocol):
    """S3 by URI (``s3://bucket/key``)."""

    def head(self, uri: str) -> ObjectFacts:
        """Facts of an object; `NotFound` names it."""

    def read(self, uri: str, *, limit: int = 1 << 20) -> bytes:
        """The body; `Refused` when it is longer than ``limit`` bytes."""

    def write(self, uri: str, body: bytes, *, content_type: str = "application/octet-stream", only_new: bool = False) -> None:
        """Store a body; with ``only_new``, `Conflict` when the key exists."""

    def list(self, prefix: str, *, limit: int = 1000) -> list[ObjectFacts]:
        """Objects below a prefix URI in key order."""

    def sha256(self, uri: str) -> str:
        """SHA-256 of the body in hexadecimal digits, read in pieces."""


class Jobs(Protocol):
    """Processing and training jobs."""

    def start_processing(self, job: ProcessingJob) -> None:
        """Start a job; `Conflict` (code ``E-JOB-NAME``) when the name was ever used."""

    def start_training(self, job: TrainingJob) -> None:
        """Start a job; `Conflict` (code ``E-JOB-NAME``) when the name was ever used."""

    def describe(self, kind: JobKind, name: str) -> JobFacts:
        """Facts of a job; `NotFound` when there never was one."""

    def tags(self, kind: JobKind, name: str) -> dict[str, str]:
        """Tags of a job."""

    def stop(self, kind: JobKind, name: str) -> bool:
        """Ask a job to stop; False when it had ended already."""


class Endpoints(Protocol):
    """Served models."""

    def create_model(self, name: str, *, model_uri: str, environment: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Make a model of the serving image and an archive; `Conflict` when the name exists."""

    def create_config(self, name: str, variants: Sequence[Variant], *, capture: Capture | None, tags: Mapping[str, str]) -> None:
        """Make an endpoint config; `Conflict` when the name exists."""

    def configs(self, contains: str) -> list[str]:
        """Names of configs that contain a text, newest first."""

    def delete_config(self, name: str) -> None:
        """Remove a config (no error when absent)."""

    def delete_model(self, name: str) -> None:
        """Remove a model (no error when absent)."""

    def create(self, endpoint: str, config_name: str, *, tags: Mapping[str, str]) -> None:
        """Make an endpoint; `Conflict` when the name exists."""

    def update(self, endpoint: str, config_name: str) -> None:
        """Point an endpoint to another config; `Stale` while it is changing."""

    def delete(self, endpoint: str) -> None:
        """Remove an endpoint (no error when absent)."""

    def describe(self, endpoint: str) -> EndpointFacts | None:
        """Facts of an endpoint, None when there is none."""

    def invoke(self, endpoint: str, body: bytes, *, content_type: str = "application/json") -> Answer:
        """One prediction; answers of the model container, errors included, come back as an `Answer`."""


class Registry(Protocol):
    """Model package groups and versions."""

    def ensure_group(self, group: str, description: str) -> None:
        """Make a group unless it exists."""

    def register(self, group: str, *, model_uri: str, properties: Mapping[str, str], description: str) -> str:
        """Register a version and return its ARN."""

    def describe(self, arn: str) -> Package:
        """One version; `NotFound`."""

    def packages(self, group: str) -> list[Package]:
        """Versions of a group, newest first (empty for an unknown group); properties are filled by `describe` only."""

    def approve(self, arn: str, *, approved: bool, reason: str) -> None:
        """Set the approval status."""

    def delete(self, arn: str) -> None:
        """Remove a version (no error when absent)."""


class Machines(Protocol):
    """State machines."""

    def start(self, machine_arn: str, name: str, body: str) -> tuple[str, bool]:
        """Start an execution: (ARN, adopted); the same name and input while open is adopted; `Conflict` when closed or of other input."""

    def describe(self, execution_arn: str) -> ExecutionFacts:
        """One execution; `NotFound`."""

    def answer(self, token: str, output: str) -> bool:
        """Complete a waiting task; False when nobody waits any more."""

    def stop(self, execution_arn: str, *, error: str, cause: str) -> None:
        """Abort an execution (no error when it has ended)."""


class Signer(Protocol):
    """The asymmetric key that vouches for packages (ECDSA over P-256, SHA-256)."""

    def sign(self, digest: bytes) -> tuple[str, str]:
        """(key ARN, base64 signature) over a 32-byte digest."""

    def verify(self, digest: bytes, signature: str) -> bool:
        """Whether a base64 signature over a 32-byte digest was made by our key."""


class Watch(Protocol):
    """CloudWatch alarms and dashboards."""

    def put_alarm(self, alarm: Alarm) -> None:
        """Make or replace an alarm."""

    def alarms(self, prefix: str) -> dict[str, str]:
        """State by alarm name: OK, ALARM or INSUFFICIENT_DATA."""

    def put_dashboard(self, name: str, body: str) -> None:
        """Make or replace a dashboard of JSON text."""


class Secrets(Protocol):
    """Secrets Manager."""

    def read(self, secret_id: str) -> str:
        """The current value; `NotFound` names the id, never a value."""


class Mail(Protocol):
    """E-mail."""

    def send(self, *, sender: str, recipients: Sequence[str], subject: str, text: str) -> None:
        """Send plain text."""


class WebSink(Protocol):
    """Outgoing web hooks; private addresses and redirects are refused unless the exact origin is trusted."""

    def post(self, url: str, body: Mapping[str, object]) -> int:
        """POST JSON and return the status; `Refused` before any connection when the address is not allowed."""


Reader = Callable[[str], bytes | None]
"""Reads a file of the repository at the head a commit is built on; None when it does not exist."""
Builder = Callable[[Reader], Mapping[str, bytes | None]]
"""Computes the files of a commit (None deletes) from what is at the head; run again when the head moved; no files: no commit."""


class Repository(Protocol):
    """GitHub: every call names ``owner/repo``."""

    def permission(self, repository: str, login: str) -> Permission:
        """A person's permission; fails closed: what cannot be verified raises."""

    def issue(self, repository: str, number: int) -> IssueFacts:
        """One issue; `NotFound` when it is gone or moved."""

    def labeled(self, repository: str, label: str) -> list[IssueFacts]:
        """Open issues that carry a label, each with who set it and when."""

    def upsert_comment(self, repository: str, issue: int, marker: str, body: str) -> CommentFacts:
        """Edit our comment that holds the hidden marker, or make one when there is none of ours."""

    def comment(self, repository: str, issue: int, body: str) -> CommentFacts:
        """Make a comment."""

    def open_issue(self, repository: str, title: str, body: str, labels: Sequence[str]) -> int:
        """Make an issue and return its number."""

    def relabel(self, repository: str, issue: int, *, add: Sequence[str], remove: Sequence[str] = ()) -> None:
        """Add labels (made when missing) and remove others (no error when absent)."""

    def close(self, repository: str, issue: int) -> None:
        """Close an issue as completed."""

    def head(self, repository: str) -> str:
        """The commit at the head of the default branch."""

    def read(self, repository: str, path: str, ref: str = "") -> bytes | None:
        """A file at a commit (the default branch's head when empty), None when it does not exist."""

    def commit(self, repository: str, message: str, build: Builder) -> CommitFacts:
        """Commit files on the default branch on top of the head they were built from, at most 5 tries on a moving head.

        When nothing is built, the answer is the head itself.
        """


@dataclass(frozen=True)
class Ports:
    """Everything a capability may touch."""

    settings: Settings
    clock: Clock
    ledger: Ledger
    objects: ObjectStore
    jobs: Jobs
    endpoints: Endpoints
    registry: Registry
    machines: Machines
    signer: Signer
    watch: Watch
    secrets: Secrets
    mail: Mail
    web: WebSink
    repository: Repository
