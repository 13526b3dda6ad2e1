"""The claims that make a start happen once: the generation of a request and the one live run of an issue.

    generation, run = claim_generation(ports, approved.repository, approved.issue, digest, "income")

A live or successful run of the same request answers again; after an unsuccessful one the next generation begins.
"""

from __future__ import annotations

from mlops_core.errors import Conflict, Stale
from mlops_core.ports import Item, Ports
from mlops_core.runs import names

_TRIES = 6
GENERATION = "GENERATION"
LIVE = "LIVE"


def claim_generation(ports: Ports, repository: str, issue: int, request_digest: str, model_name: str) -> tuple[int, str]:
    """(generation, run id) that answers this request now."""
    key = names.generation_key(repository, issue, request_digest)
    for attempt in range(_TRIES):
        there = ports.ledger.get(key, GENERATION)
        if there is not None and there["status"] != "unsuccessful":
            return int(there["generation"] or 0), str(there["run_id"])
        generation = 0 if there is None else int(there["generation"] or 0) + 1
        run = names.run_id(model_name, repository, issue, request_digest, generation)
        _check_live(ports, repository, issue, run)
        row: Item = {"generation": generation, "run_id": run, "status": "live"}
        try:
            if there is None:
                if ports.ledger.claim(key, GENERATION, row) is None:
                    return generation, run
            else:
                ports.ledger.replace(key, GENERATION, row, expected={"generation": there["generation"], "status": "unsuccessful"})
                return generation, run
        except Stale:
            ports.clock.sleep(0.05 * 2**attempt)
    raise Stale(f"the generations of issue {repository}#{issue} kept moving.", remedy="Call again.")


def _check_live(ports: Ports, repository: str, issue: int, run: str) -> None:
    there = ports.ledger.get(names.issue_key(repository, issue), LIVE)
    if there is not None and there["run_id"] != run:
        raise other_live(repository, issue, str(there["run_id"]))


def claim_issue(ports: Ports, repository: str, issue: int, run: str) -> None:
    """Make this the issue's one live run; Conflict when another run is live (its generation is given back)."""
    there = ports.ledger.claim(names.issue_key(repository, issue), LIVE, {"run_id": run})
    if there is not None and there["run_id"] != run:
        raise other_live(repository, issue, str(there["run_id"]))


def other_live(repository: str, issue: int, run: str) -> Conflict:
    """The refusal of a second live run on one issue."""
    remedy = "Wait until it ends, then set the label again."
    return Conflict(f"the run {run} is live on {repository}#{issue}; one issue has one live run.", remedy=remedy, code="E-RUN-LIVE")


def give_back(ports: Ports, repository: str, issue: int, request_digest: str, run: str, generation: int) -> None:
    """Undo a generation whose issue belongs to another run: the first is deleted, a later one is unsuccessful as before."""
    key = names.generation_key(repository, issue, request_digest)
    expected: Item = {"run_id": run, "status": "live"}
    try:
        if generation == 0:
            ports.ledger.delete(key, GENERATION, expected=expected)
        else:
            before = names.run_id(run.rsplit("-", 2)[0], repository, issue, request_digest, generation - 1)
            ports.ledger.replace(
                key, GENERATION, {"generation": generation - 1, "run_id": before, "status": "unsuccessful"}, expected=expected
            )
    except Stale:
        return


def end_claims(ports: Ports, repository: str, issue: int, request_digest: str, *, run: str, succeeded: bool) -> None:
    """Close the claims of a run that ended; harmless when repeated or when a later run holds them."""
    key = names.generation_key(repository, issue, request_digest)
    there = ports.ledger.get(key, GENERATION)
    try:
        if there is not None and there["run_id"] == run and there["status"] == "live":
            status = "succeeded" if succeeded else "unsuccessful"
            ports.ledger.replace(key, GENERATION, {**there, "status": status}, expected={"run_id": run, "status": "live"})
        ports.ledger.delete(names.issue_key(repository, issue), LIVE, expected={"run_id": run})
    except Stale:
        return
