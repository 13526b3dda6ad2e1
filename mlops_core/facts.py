"""What crosses a port: plain frozen values, no behaviour.

Sizes are bytes, times are aware UTC datetimes, durations are seconds unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Level = Literal["admin", "maintain", "write", "triage", "read", "none"]


@dataclass(frozen=True)
class ObjectFacts:
    """One stored object: size in bytes, ETag without quotes, version id (empty when unversioned), time of the last change."""

    uri: str
    bytes: int
    etag: str
    version_id: str
    modified: datetime


@dataclass(frozen=True)
class ProcessingJob:
    """One processing job: ``inputs`` and ``outputs`` are (name, S3 URI, local path); ``program`` is the argument after ``mlops-job``."""

    name: str
    program: str
    inputs: tuple[tuple[str, str, str], ...]
    outputs: tuple[tuple[str, str, str], ...]
    instance_type: str
    volume_gb: int
    max_runtime_seconds: int
    tags: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingJob:
    """One training job: ``channels`` maps channel to S3 prefix; ``metrics`` names what log lines ``#metric <name>=<value>;`` carry.

    Below ``checkpoint_uri`` the platform keeps what an interrupted job left to be taken up again; empty: nothing is kept.
    """

    name: str
    channels: Mapping[str, str]
    hyperparameters: Mapping[str, str]
    output_uri: str
    metrics: tuple[str, ...]
    instance_type: str
    volume_gb: int
    max_runtime_seconds: int
    tags: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    checkpoint_uri: str = ""


@dataclass(frozen=True)
class Variant:
    """One production variant as asked for or as it stands."""

    name: str
    model: str
    instance_type: str = ""
    instances: int = 1
    weight: float = 1.0


@dataclass(frozen=True)
class Capture:
    """Where and how much of the traffic an endpoint copies (percent of requests)."""

    uri: str
    percent: int


@dataclass(frozen=True)
class EndpointFacts:
    """One endpoint: status as AWS spells it (InService, Updating …), config name, weight per variant, failure reason."""

    name: str
    status: str
    config_name: str
    weights: Mapping[str, float]
    failure: str = ""


@dataclass(frozen=True)
class Answer:
    """What an endpoint replied: status, body, custom attributes, variant, milliseconds."""

    status: int
    body: bytes
    attributes: str
    variant: str
    latency_ms: float


@dataclass(frozen=True)
class Package:
    """One registered model version."""

    arn: str
    group: str
    number: int
    status: str
    approval: str
    model_uri: str
    properties: Mapping[str, str]
    created: datetime | None = None


@dataclass(frozen=True)
class ExecutionFacts:
    """One execution of a state machine: status as AWS spells it, error name, cause, input and output as JSON text."""

    arn: str
    name: str
    status: str
    input: str = "{}"
    output: str = ""
    error: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Alarm:
    """A threshold on one metric: ``statistic`` is Average, Sum or pNN; ``period`` in seconds; compared with ``>``."""

    name: str
    description: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int
    evaluations: int
    threshold: float
    topic_arn: str


@dataclass(frozen=True)
class Permission:
    """What a person may do; ``human`` is False for bots, apps and ghosts."""

    level: Level
    human: bool


@dataclass(frozen=True)
class IssueFacts:
    """One issue; ``label_actor`` and ``labeled_at`` tell who set the asked label last, ``edited_at`` when the body changed last."""

    number: int
    title: str
    body: str
    author: str
    state: Literal["open", "closed"]
    labels: tuple[str, ...]
    url: str
    label_actor: str = ""
    labeled_at: str = ""
    edited_at: str = ""


@dataclass(frozen=True)
class CommentFacts:
    """One comment: its number and page."""

    id: int
    url: str


@dataclass(frozen=True)
class CommitFacts:
    """A commit on the default branch, or the pull request that asks for it where the branch is protected."""

    commit: str
    pull_request: str = ""
