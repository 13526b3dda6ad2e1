"""What a station may change of a run: a partial `RunState`; lists append, scalars replace, empty means unchanged."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_core.contracts.base import Message
from mlops_core.contracts.dataset import Finding
from mlops_core.contracts.run import JobUse, Outcome, PhaseName, PhaseStatus, Round
from mlops_core.contracts.verdict import Verdict


class Text(Message):
    """One line as a key of the catalogue (`mlops_core.reporting.messages`) and its values; worded in the run's language when stored."""

    key: Annotated[str, Field(pattern=r"^[a-z]{1,20}\.[a-z0-9_]{1,40}$")]
    values: dict[str, str | int | float] = Field(default_factory=dict)


class PhaseChange(Message):
    """A new status or line of one phase; times are stamped where the change is applied."""

    name: PhaseName
    status: PhaseStatus
    detail: Text | None = None
    job: str | None = None


class RunChanges(Message):
    """Everything a station may say about a run in one call."""

    phase: PhaseChange | None = None
    round: int | None = None
    rounds: tuple[Round, ...] = ()
    algorithm: str = ""
    instance_type: str = ""
    plan_reasons: tuple[str, ...] = ()
    live_metrics: tuple[tuple[str, float], ...] = ()
    dataset_version: str = ""
    dataset_digest: str = ""
    prepared_uri: str = ""
    training_uri: str = ""
    evaluation_uri: str = ""
    test_evaluation_uri: str = ""
    plots: tuple[str, ...] = ()
    report_path: str = ""
    verdict: Verdict | None = None
    warnings: tuple[Finding, ...] = ()
    model_version: str = ""
    model_package_arn: str = ""
    model_uri: str = ""
    model_digest: str = ""
    endpoint: str = ""
    pointer_commit: str = ""
    champion: bool | None = None
    jobs: tuple[JobUse, ...] = ()
    outcome: Outcome | None = None
    reason: str = ""
    history_path: str = ""
