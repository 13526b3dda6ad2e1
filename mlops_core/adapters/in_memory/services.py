"""The smaller services in memory: clock, machines, signer, watch, topics, secrets, mail, web sink."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mlops_core.errors import Conflict, NotFound
from mlops_core.facts import Alarm, ExecutionFacts


@dataclass
class SetClock:
    """A clock that a test moves; sleeping moves it."""

    moment: datetime = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The set moment."""
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.moment += timedelta(seconds=seconds)


@dataclass
class MemoryMachines:
    """Executions by ARN and answered tokens."""

    executions: dict[str, ExecutionFacts] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)

    def start(self, machine_arn: str, name: str, body: str) -> tuple[str, bool]:
        """Start or adopt."""
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        there = self.executions.get(arn)
        if there is not None and (there.status != "RUNNING" or there.input != body):
            raise Conflict(f"the execution name {name} was used before.", code="E-RUN-NAME")
        self.executions.setdefault(arn, ExecutionFacts(arn, name, "RUNNING", body))
        return arn, there is not None

    def describe(self, execution_arn: str) -> ExecutionFacts:
        """One execution."""
        if execution_arn not in self.executions:
            raise NotFound(f"there is no execution {execution_arn}.")
        return self.executions[execution_arn]

    def answer(self, token: str, output: str) -> bool:
        """Complete a waiting task."""
        return self._end(token, output)

    def _end(self, token: str, text: str) -> bool:
        if token not in self.waiting:
            return False
        self.waiting.remove(token)
        self.answers[token] = text
        return True

    def stop(self, execution_arn: str, *, error: str, cause: str) -> None:
        """Abort."""
        there = self.describe(execution_arn)
        if there.status == "RUNNING":
            self.executions[execution_arn] = ExecutionFacts(there.arn, there.name, "ABORTED", there.input, error=error, cause=cause)


@dataclass
class MemorySigner:
    """A keyed digest in place of a KMS key."""

    key_id: str = "arn:aws:kms:us-east-1:000000000000:key/memory"

    def sign(self, digest: bytes) -> tuple[str, str]:
        """Sign."""
        return self.key_id, hashlib.sha256(self.key_id.encode() + digest).hexdigest()

    def verify(self, digest: bytes, signature: str) -> bool:
        """Verify."""
        return self.sign(digest)[1] == signature


@dataclass
class MemoryWatch:
    """Alarms and dashboards by name."""

    put: dict[str, Alarm] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    dashboards: dict[str, str] = field(default_factory=dict)

    def put_alarm(self, alarm: Alarm) -> None:
        """Make or replace."""
        self.put[alarm.name] = alarm

    def alarms(self, prefix: str) -> dict[str, str]:
        """States by name."""
        return {name: self.states.get(name, "INSUFFICIENT_DATA") for name in self.put if name.startswith(prefix)}

    def put_dashboard(self, name: str, body: str) -> None:
        """Make or replace."""
        self.dashboards[name] = body


@dataclass
class MemorySecrets:
    """Values by id."""

    values: dict[str, str] = field(default_factory=dict)

    def read(self, secret_id: str) -> str:
        """The value."""
        if secret_id not in self.values:
            raise NotFound(f"there is no secret {secret_id}.")
        return self.values[secret_id]


@dataclass
class MemoryMail:
    """What was sent."""

    sent: list[tuple[str, tuple[str, ...], str, str]] = field(default_factory=list)

    def send(self, *, sender: str, recipients: Sequence[str], subject: str, text: str) -> None:
        """Keep it."""
        self.sent.append((sender, tuple(recipients), subject, text))


@dataclass
class MemoryWebSink:
    """What was posted."""

    posted: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    status: int = 200

    def post(self, url: str, body: Mapping[str, object]) -> int:
        """Keep it."""
        self.posted.append((url, dict(body)))
        return self.status
