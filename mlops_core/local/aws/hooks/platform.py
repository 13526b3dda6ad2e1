"""Puts the hooks together and serves."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import Any

from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.hooks import bodies, gate, identity, services, stacks
from mlops_core.local.aws.hooks.alarms import Alarms
from mlops_core.local.aws.hooks.authority import Authority
from mlops_core.local.aws.hooks.durability import Durability
from mlops_core.local.aws.hooks.functions import Functions
from mlops_core.local.aws.hooks.host import AwsHost
from mlops_core.local.aws.hooks.machines import Machines
from mlops_core.local.aws.hooks.names import check, private
from mlops_core.local.aws.hooks.targets import Targets
from mlops_core.local.aws.journal import Journal

_SAGEMAKER = "mlops_core.local.aws.sagemaker.service"


class Platform:
    """One local AWS: built once per process, since MiniStack is one application per process."""

    def __init__(self, config: AwsConfig) -> None:
        check()
        self._journal = Journal(config.journal_file) if config.journal else None
        authority = Authority(config, self._journal)
        authority.install()
        identity.install(config)
        bodies.install(config)
        self._functions = Functions(config, authority)
        self._functions.install()
        self._durability = Durability()
        self._machines = Machines(authority, changed=self._durability.execution_changed)
        self._machines.install()
        Targets(authority).install()
        self._alarms = Alarms(config.account, config.region)
        self._alarms.install()
        self._service: services.Service = importlib.import_module(_SAGEMAKER).create(AwsHost(config, authority), config)
        services.install(self._service)
        stacks.install(self._service.cloudformation_types())
        self._durability.install(on_restored=self._resume)
        gate.install()

    def _resume(self) -> None:
        """After the saved state is back: end executions that died, then jobs; serve endpoints again."""
        self._machines.close_interrupted()
        self._service.resume()

    def serve(self) -> None:
        """Answer requests until the process is told to end."""
        app: Any = private("app")
        sys.argv = sys.argv[:1]
        app.main()

    def close(self) -> None:
        """End workers, jobs and endpoints; write the journal's rest."""
        self._alarms.close()
        for each in (self._durability.close, self._functions.close, self._service.close):
            closing = threading.Thread(target=each, daemon=True)
            closing.start()
            closing.join(10.0)
        if self._journal is not None:
            self._journal.close()
