"""Tool functions that more than one capability offers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from mlops_core.contracts.base import ModelName, RunId
from mlops_core.contracts.model import ModelRecord
from mlops_core.contracts.verdict import Policy
from mlops_core.ports import Ports
from mlops_core.runs import delivery, models, names, operator
from mlops_core.runs.state import read_run
from mlops_core.tool import Repository, Token


def read_champion(ports: Ports, model_name: ModelName) -> ModelRecord | None:
    """The version that challengers must beat, nothing when there is none."""
    return models.champion(ports, model_name)


def read_policy(ports: Ports, run_id: RunId) -> Policy:
    """The policy that was pinned when the run started."""
    uri = names.run_uri(ports.settings.require("bucket"), run_id, "policy.json")
    return Policy.model_validate_json(ports.objects.read(uri))


def park_operator(ports: Ports, run_id: RunId, round: Annotated[int, Field(ge=0, le=3)], token: Token) -> dict[str, Any]:  # noqa: A002
    """Keep the token of a run that waits for an operator: {waiting}; False when this round was answered before."""
    read_run(ports, run_id)
    return {"waiting": operator.park(ports, run_id, round, token)}


def deliver_outbox(ports: Ports, repository: Repository) -> dict[str, Any]:
    """Deliver comments that GitHub did not take earlier: {delivered}."""
    return {"delivered": delivery.deliver_outbox(ports, repository)}
