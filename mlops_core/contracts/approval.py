"""What intake hands over: a request somebody with write access approved, or a command somebody with write access gave."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Digest, Message, RunId
from mlops_core.contracts.request import Language, Scalar, TrainingRequest

Path = Literal["workflow", "webhook", "polling", "dispatch", "retraining"]
Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}$")]


class ApprovedRequest(Message):
    """A parsed request with who asked, who approved it (the person who set the label) and the digest of the body they approved."""

    request: TrainingRequest
    repository: Repository
    issue: Annotated[int, Field(ge=1)]
    author: str
    approved_by: str
    body_digest: Digest
    path: Path
    commit: str = ""


class StartedRun(Message):
    """The run that answers an approved request; ``adopted`` when an earlier event had started it already."""

    run_id: RunId
    generation: int
    execution_arn: str
    adopted: bool


class RetrainCommand(Message):
    """`/retrain key=value …` on an issue, by a person whose permission was checked."""

    repository: Repository
    issue: Annotated[int, Field(ge=1)]
    given_by: str
    comment_id: int
    parameters: dict[str, Scalar]
    path: Path


class CommandAnswer(Message):
    """What became of a command: accepted as round N of a run, or why not (plain text in the run's language)."""

    accepted: bool
    run_id: str = ""
    round: int = 0
    text: str
    language: Language = "en"
