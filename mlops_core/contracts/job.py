"""What is known of one processing or training job, however it stands."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlops_core.contracts.base import Message

JobKind = Literal["processing", "training"]
JobStatus = Literal["queued", "running", "completed", "failed", "stopped", "max_runtime", "internal_error"]
TERMINAL: frozenset[JobStatus] = frozenset({"completed", "failed", "stopped", "max_runtime", "internal_error"})


class JobFacts(Message):
    """One job: five terminal outcomes (completed, failed, stopped, max_runtime, internal_error), none of which turns into another.

    ``seconds`` is wall time so far, ``billable_seconds`` what AWS bills; ``exit_message`` comes from a processing program,
    ``failure`` from the service; ``metrics`` holds the last value of each metric definition; ``age_seconds`` counts from creation.
    """

    job: str
    kind: JobKind
    status: JobStatus
    secondary: str = ""
    age_seconds: int = 0
    seconds: int = 0
    billable_seconds: int = 0
    instance_type: str = ""
    exit_message: str = ""
    failure: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)
    output_uri: str = ""


class StartedJob(Message):
    """The job that answers a start call; ``adopted`` when an earlier call had started it already."""

    job: str
    adopted: bool
