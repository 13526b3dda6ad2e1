"""The state of one run, as the ledger keeps it and the living comment shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Digest, Message, RunId, S3Uri
from mlops_core.contracts.request import Scalar, TrainingRequest
from mlops_core.contracts.verdict import Verdict

PhaseName = Literal["data", "experiment", "validation", "packaging", "release", "monitoring", "improvement"]
PHASES: tuple[PhaseName, ...] = ("data", "experiment", "validation", "packaging", "release", "monitoring", "improvement")
PhaseStatus = Literal["waiting", "running", "done", "failed", "skipped"]
Outcome = Literal["succeeded", "refused", "failed", "aborted", "timed_out", "expired"]
Trigger = Literal["", "data", "schedule"]
"""What asked for a run where no person did: new data, or a schedule."""
Timestamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$")]


class PhaseState(Message):
    """One row of the phase table; ``detail`` is one short plain-text line, ``job`` the SageMaker job name."""

    name: PhaseName
    status: PhaseStatus = "waiting"
    started_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    job: str | None = None
    detail: str = ""


class Change(Message):
    """One parameter an operator changed: the before/after table of a retrain."""

    name: str
    before: Scalar | None
    after: Scalar


class Round(Message):
    """One training round: who asked, with which parameters, and what validation said."""

    number: Annotated[int, Field(ge=0, le=3)]
    asked_by: str
    changes: tuple[Change, ...] = ()
    verdict: Verdict | None = None


class JobUse(Message):
    """What one job used: billable seconds on an instance type, for the cost line."""

    job: str
    phase: PhaseName
    instance_type: str
    billable_seconds: int


class RunWarning(Message):
    """A finding that did not stop the run: stable code, the columns or values named, plain text."""

    code: str
    text: str


class RunState(Message):
    """Everything the living comment, the history record and the agents need to know of a run (well under 100 KB)."""

    run_id: RunId
    repository: str
    issue: int
    generation: int
    request: TrainingRequest
    request_digest: Digest
    body_digest: Digest
    sender: str
    approved_by: str
    policy_commit: str
    policy_uri: S3Uri | None = None
    code_commit: str = ""
    execution_arn: str = ""
    correlation_id: str = ""
    started_at: Timestamp
    ended_at: Timestamp | None = None
    round: int = 0
    rounds: tuple[Round, ...] = ()
    phases: tuple[PhaseState, ...] = tuple(PhaseState(name=name) for name in PHASES)
    algorithm: str = ""
    instance_type: str = ""
    plan_reasons: tuple[str, ...] = ()
    live_metrics: tuple[tuple[str, float], ...] = ()
    dataset_version: str = ""
    dataset_digest: str = ""
    prepared_uri: S3Uri | None = None
    training_uri: S3Uri | None = None
    evaluation_uri: S3Uri | None = None
    test_evaluation_uri: S3Uri | None = None
    plots: tuple[str, ...] = ()
    report_path: str = ""
    quality_path: str = ""
    features_path: str = ""
    verdict: Verdict | None = None
    warnings: tuple[RunWarning, ...] = ()
    model_version: str = ""
    model_package_arn: str = ""
    model_uri: S3Uri | None = None
    model_digest: str = ""
    endpoint: str = ""
    pointer_commit: str = ""
    champion: bool = False
    jobs: tuple[JobUse, ...] = ()
    outcome: Outcome | None = None
    reason: str = ""
    history_path: str = ""
    trigger: Trigger = ""
