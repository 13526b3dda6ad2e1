"""Champion and challenger, and the operator's answer to a waiting run."""

from __future__ import annotations

from typing import Any

from mlops_core.contracts.approval import CommandAnswer, RetrainCommand
from mlops_core.contracts.model import ModelRecord
from mlops_core.ports import Ports
from mlops_core.runs import models, operator
from mlops_core.runs.progress import COMMON
from mlops_core.runs.shared import park_operator, read_champion
from mlops_core.tool import acts, reads


def register_champion(ports: Ports, record: ModelRecord) -> dict[str, Any]:
    """Make a version the one that challengers must beat: {replaced} is the version before, empty for the first."""
    before = models.set_champion(ports, record)
    return {"replaced": before.version if before else ""}


def answer_operator(ports: Ports, command: RetrainCommand) -> CommandAnswer:
    """What became of an operator's command; the same comment answered twice has one effect."""
    return operator.answer_operator(ports, command)


TOOLS = (*COMMON, acts(register_champion), reads(read_champion), acts(park_operator), acts(answer_operator))
