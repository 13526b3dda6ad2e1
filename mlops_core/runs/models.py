"""What is known of a model between runs: its home repository, its champion, its pointer.

record = champion(ports, "income")        # ModelRecord or None
repository = home(ports, "income")        # "octo/churn"; NotFound for a model that never ran
"""

from __future__ import annotations

from mlops_core.contracts.base import canonical
from mlops_core.contracts.model import ModelRecord
from mlops_core.errors import Conflict, NotFound
from mlops_core.ports import Ports

CHAMPION = "CHAMPION"
HOME = "HOME"
POINTER = "POINTER"


def model_key(name: str) -> str:
    """Partition of a model."""
    return f"MODEL#{name}"


def home_key(name: str) -> str:
    """Partition of a model's home: among the requests, because the workflow's role may write those and no model."""
    return f"REQUEST#MODEL#{name}"


def claim_home(ports: Ports, name: str, repository: str) -> None:
    """A model belongs to the repository that asked for it first: endpoints and history carry its name. Conflict for another one."""
    there = ports.ledger.claim(home_key(name), HOME, {"repository": repository})
    if there is not None and str(there["repository"]).lower() != repository.lower():
        remedy = "Choose another model name in the issue and label it again."
        raise Conflict(f"the model name {name} belongs to another repository of this installation.", remedy=remedy, code="E-MODEL-HOME")


def home(ports: Ports, name: str) -> str:
    """The repository a model belongs to."""
    there = ports.ledger.get(home_key(name), HOME)
    if there is None:
        remedy = "Check the name: `mlops history list` shows the models that ran."
        raise NotFound(f"no run ever asked for a model {name!r}.", remedy=remedy, code="E-MODEL-UNKNOWN")
    return str(there["repository"])


def version_key(version: str) -> str:
    """Sort key of a registered version."""
    return f"VERSION#{version}"


def version(ports: Ports, name: str, number: str) -> ModelRecord | None:
    """The record of a registered version."""
    there = ports.ledger.get(model_key(name), version_key(number))
    return None if there is None else ModelRecord.model_validate_json(str(there["doc"]))


def champion(ports: Ports, name: str) -> ModelRecord | None:
    """The record that challengers must beat."""
    there = ports.ledger.get(model_key(name), CHAMPION)
    return None if there is None else ModelRecord.model_validate_json(str(there["doc"]))


def set_champion(ports: Ports, record: ModelRecord) -> ModelRecord | None:
    """Make a record the champion; returns the one it replaces."""
    before = champion(ports, record.model_name)
    row = {"doc": canonical(record).decode(), "version": record.version, "run_id": record.run_id}
    ports.ledger.put(model_key(record.model_name), CHAMPION, row)
    return None if before is not None and before.run_id == record.run_id else before
