"""The two workflow roles may touch only some partitions of the ledger: whatever starting and answering touch must be among them."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.capabilities.issue import start_run
from mlops_core.capabilities.retraining import answer_operator
from mlops_core.contracts.approval import RetrainCommand
from mlops_core.errors import Throttled
from mlops_core.runs.operator import park
from tests.unit.mcp_server import world as w

TEMPLATE = Path(__file__).resolve().parents[2] / "cloudformation" / "github.yaml"


def allowed(role: str) -> list[str]:
    """The LeadingKeys of a role's ledger statement."""
    text = TEMPLATE.read_text().partition(f"PolicyName: {role}\n")[2]
    found = re.search(r"dynamodb:LeadingKeys: \[([^\]]+)\]", text)
    assert found is not None
    return [item.strip().strip('"') for item in found[1].split(",")]


def recorded(memory: MemoryPorts) -> set[str]:
    """Names of partitions that calls touch from here on."""
    touched: set[str] = set()
    ledger = memory.ledger
    for name in ("get", "put", "claim", "replace", "delete", "increase", "query"):
        real = getattr(ledger, name)

        def spy(pk: str, *rest: object, real: object = real, **named: object) -> object:
            touched.add(pk)
            assert callable(real)
            return real(pk, *rest, **named)

        setattr(ledger, name, spy)
    return touched


def busy(_: str) -> None:
    """GitHub takes nothing."""
    raise Throttled("slow down", retry_after=60.0)


def test_the_train_role_may_touch_what_a_start_touches() -> None:
    memory = w.world()
    touched = recorded(memory)
    run = start_run(memory.ports, w.approved()).run_id
    assert run
    keys = allowed("train")
    assert not [pk for pk in touched if not any(fnmatch.fnmatchcase(pk, pattern) for pattern in keys)]


def test_the_operate_role_may_touch_what_an_answer_touches_even_when_github_does_not_answer() -> None:
    memory = w.world()
    run = start_run(memory.ports, w.approved(algorithm="xgboost")).run_id
    park(memory.ports, run, 0, "t")
    memory.machines.waiting.add("t")
    memory.repository.fault = lambda action: busy(action) if action == "comment" else None
    touched = recorded(memory)
    command = RetrainCommand(repository=w.REPOSITORY, issue=7, given_by="w", comment_id=1, parameters={"max_depth": 8}, path="workflow")
    assert answer_operator(memory.ports, command).accepted
    keys = allowed("operate")
    assert not [pk for pk in touched if not any(fnmatch.fnmatchcase(pk, pattern) for pattern in keys)]
