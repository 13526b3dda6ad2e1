"""The production pointer of a model: a file in git that says which version serves.

commit_pointer(ports, "octo/churn", pointer, expected_version="1.2.0")
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from mlops_core.contracts.model import ProductionPointer
from mlops_core.errors import Conflict, Defect, Refused
from mlops_core.facts import CommitFacts
from mlops_core.ports import Item, Ports, Reader
from mlops_core.runs import commits, models


def path_of(model_name: str) -> str:
    """Where the pointer lies in the repository."""
    return f"mlops/models/{model_name}/production.json"


def parse(body: bytes | None) -> ProductionPointer | None:
    """The pointer of a file's bytes."""
    try:
        return None if body is None else ProductionPointer.model_validate_json(body)
    except ValidationError as error:
        raise Defect("the production pointer in the repository has another shape.", remedy="Revert the commit that changed it.") from error


def read(ports: Ports, repository: str, model_name: str, commit: str = "") -> ProductionPointer | None:
    """The pointer at a commit, or at the head of the default branch."""
    return parse(ports.repository.read(repository, path_of(model_name), commit))


def commit_pointer(ports: Ports, repository: str, pointer: ProductionPointer, expected_version: str | None) -> str:
    """Write the pointer and return the commit that holds it; Conflict when it is not at the expected version any more."""
    name = pointer.model_name
    text = pointer.model_dump_json(indent=2).encode() + b"\n"

    def build(reader: Reader) -> Mapping[str, bytes | None]:
        body = reader(path_of(name))
        there = parse(body)
        if body == text:
            return {}
        found = there.version if there else None
        if found != expected_version:
            headline = f"the production pointer of {name} is at {found or 'no version'}, not at {expected_version or 'no version'}."
            raise Conflict(headline, remedy="Read it again and decide anew.", code="E-POINTER-MOVED")
        return {path_of(name): text}

    made = commits.commit(ports, repository, f"Point {name} to {pointer.version}\n\n{pointer.reason}", build)
    _require_direct(made, repository)
    row: Item = {"version": pointer.version, "package_arn": pointer.package_arn, "commit": made.commit, "run_id": pointer.run_id}
    ports.ledger.put(models.model_key(name), models.POINTER, row)
    return made.commit


def withdraw_pointer(ports: Ports, repository: str, model_name: str, version: str) -> str:
    """Remove the pointer if it names a version that never served, and return the commit; empty when it is gone or names another."""

    def build(reader: Reader) -> Mapping[str, bytes | None]:
        there = parse(reader(path_of(model_name)))
        return {path_of(model_name): None} if there and there.version == version else {}

    if not build(lambda path: ports.repository.read(repository, path)):
        return ""
    message = f"Take {model_name} {version} out of production\n\nIt did not come up, and no version served before it."
    made = commits.commit(ports, repository, message, build)
    _require_direct(made, repository)
    ports.ledger.delete(models.model_key(model_name), models.POINTER)
    return made.commit


def _require_direct(made: CommitFacts, repository: str) -> None:
    if made.pull_request:
        remedy = f"Merge {made.pull_request}, or let the App write to the default branch."
        headline = f"the default branch of {repository} is protected; the pointer waits in a pull request."
        raise Refused(headline, remedy=remedy, code="E-POINTER-PR")
