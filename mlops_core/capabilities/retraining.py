"""Champion and challenger, the operator's answer to a waiting run, and runs that data or a schedule ask for."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import Field

from mlops_core.contracts.approval import ApprovedRequest, CommandAnswer, RetrainCommand, StartedRun
from mlops_core.contracts.base import ModelName, S3Uri
from mlops_core.contracts.model import ModelRecord
from mlops_core.ports import Ports
from mlops_core.runs import launch, models, names, operator, policy, retrain
from mlops_core.runs.progress import COMMON
from mlops_core.runs.shared import park_operator, read_champion
from mlops_core.runs.state import read_run, stamp
from mlops_core.tool import acts, reads

Asked = Literal["data", "schedule"]
Part = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,128}$")]
Uri = Annotated[str, Field(max_length=1100)]


def register_champion(ports: Ports, record: ModelRecord) -> dict[str, Any]:
    """Make a version the one that challengers must beat, and watch its data: {replaced} is the version before, empty for the first."""
    before = models.set_champion(ports, record)
    retrain.enroll(ports, read_run(ports, record.run_id))
    return {"replaced": before.version if before else ""}


def answer_operator(ports: Ports, command: RetrainCommand) -> CommandAnswer:
    """What became of an operator's command; the same comment answered twice has one effect."""
    return operator.answer_operator(ports, command)


def list_watched(ports: Ports, dataset: Part, file: Part) -> dict[str, Any]:
    """Models whose champion may be trained again; those of one data set and file name unless empty: {models}."""
    return {"models": retrain.names_of(ports, dataset=dataset, file=file)}


def retraining_terms(ports: Ports, model_name: ModelName, dataset: Uri = "") -> dict[str, Any]:
    """What the repository's policy asks for a model, and the newer data there are: {on_data, schedule_seconds, …}."""
    terms = retrain.terms_of(ports, model_name, _checked(ports, dataset) if dataset else "")
    return {
        "on_data": terms.wanted.on_data,
        "schedule_seconds": retrain.seconds_of(terms.wanted.schedule),
        "cool_down_seconds": round(terms.wanted.cool_down_hours * 3600),
        "champion": terms.champion.version,
        "dataset": terms.dataset,
        "mark": terms.mark,
        "idle_seconds": terms.idle_seconds,
    }


def claim_retraining(ports: Ports, model_name: ModelName, seconds: Annotated[int, Field(ge=0, le=31_536_000)]) -> dict[str, Any]:
    """Begin a model's cool-down: {first} is False while one lasts."""
    return {"first": retrain.claim(ports, model_name, seconds)}


def release_retraining(ports: Ports, model_name: ModelName) -> dict[str, Any]:
    """End a cool-down whose run could not be started for now: {released}."""
    retrain.release(ports, model_name)
    return {"released": True}


def open_retraining(ports: Ports, model_name: ModelName, trigger: Asked, dataset: S3Uri) -> dict[str, Any]:
    """Open the issue on which a model is trained again, with the request in the form's words: {issue}."""
    from mlops_core.intake.render import render_body
    from mlops_core.reporting.messages import plain

    terms = retrain.terms_of(ports, model_name)
    request = retrain.request_of(ports, terms, _checked(ports, dataset))
    title = plain(request.language, f"retrain.title_{trigger}", model=model_name, file=retrain.file_of(dataset))
    return {"issue": ports.repository.open_issue(terms.repository, title, render_body(request), [])}


def start_retraining(ports: Ports, model_name: ModelName, trigger: Asked, dataset: S3Uri, issue: Annotated[int, Field(ge=1)]) -> StartedRun:
    """Start the run of an issue that `open_retraining` made; approved by the policy file's commit, judged against the champion."""
    from mlops_core.intake.render import render_body

    terms = retrain.terms_of(ports, model_name)
    uri = _checked(ports, dataset)
    request = retrain.request_of(ports, terms, uri)
    approved = ApprovedRequest(
        request=request,
        repository=terms.repository,
        issue=issue,
        author="mlops",
        approved_by=f"{policy.PATH}@{terms.policy_commit[:12]}",
        body_digest=hashlib.sha256(render_body(request).encode()).hexdigest(),
        path="retraining",
    )
    started = launch.start_run(ports, approved, trigger=trigger)
    retrain.tried(ports, model_name, uri, stamp(ports.clock.now()))
    return started


def _checked(ports: Ports, uri: str) -> str:
    return names.safe_uri(uri, below=f"s3://{ports.settings.require('bucket')}/datasets/")


TOOLS = (
    *COMMON,
    acts(register_champion),
    reads(read_champion),
    acts(park_operator),
    acts(answer_operator),
    reads(list_watched),
    reads(retraining_terms),
    acts(claim_retraining),
    acts(release_retraining),
    acts(open_retraining),
    acts(start_retraining),
)
