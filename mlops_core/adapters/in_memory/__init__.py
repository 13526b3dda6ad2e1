"""Every port in memory, for tests and for trying things out.

    ports = in_memory_ports(bucket="lake", pipeline_arn="arn:aws:states:us-east-1:000000000000:stateMachine:mlops-pipeline")
    ports.ledger.put("a", "b", {"n": 1})

They keep the promises of `mlops_core.ports`: the same contract tests run over them and over the real adapters.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from mlops_core.adapters.in_memory.jobs import MemoryJobs
from mlops_core.adapters.in_memory.ledger import MemoryLedger
from mlops_core.adapters.in_memory.objects import MemoryObjects
from mlops_core.adapters.in_memory.repository import MemoryRepository
from mlops_core.adapters.in_memory.services import (
    MemoryMachines,
    MemoryMail,
    MemorySecrets,
    MemorySigner,
    MemoryWatch,
    MemoryWebSink,
    SetClock,
)
from mlops_core.adapters.in_memory.serving import MemoryEndpoints, MemoryRegistry
from mlops_core.ports import Ports
from mlops_core.settings import Settings


@dataclass(frozen=True)
class MemoryPorts:
    """The adapters with their own types, so that a test can look inside; ``ports`` is what capabilities get."""

    settings: Settings
    clock: SetClock
    ledger: MemoryLedger
    objects: MemoryObjects
    jobs: MemoryJobs
    endpoints: MemoryEndpoints
    registry: MemoryRegistry
    machines: MemoryMachines
    signer: MemorySigner
    watch: MemoryWatch
    secrets: MemorySecrets
    mail: MemoryMail
    web: MemoryWebSink
    repository: MemoryRepository

    @property
    def ports(self) -> Ports:
        """The bundle."""
        return Ports(**{item.name: getattr(self, item.name) for item in fields(self)})


def in_memory_ports(**settings: str) -> MemoryPorts:
    """Fresh adapters; keyword arguments are settings."""
    clock = SetClock()
    return MemoryPorts(
        settings=Settings(**settings),
        clock=clock,
        ledger=MemoryLedger(clock),
        objects=MemoryObjects(clock),
        jobs=MemoryJobs(),
        endpoints=MemoryEndpoints(),
        registry=MemoryRegistry(clock),
        machines=MemoryMachines(),
        signer=MemorySigner(),
        watch=MemoryWatch(),
        secrets=MemorySecrets(),
        mail=MemoryMail(),
        web=MemoryWebSink(),
        repository=MemoryRepository(),
    )
