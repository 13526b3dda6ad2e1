"""The life of a job: waiting for a free core, running, stopping, ending; training and processing differ in their hooks only.

    jobs = Jobs(platform)
    jobs.submit(TrainingRun(platform, "census-1"))
    jobs.waiting()          # names in the order they will start

Every change of state is written down before it is announced on the event bus.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_core.local.aws.sagemaker.errors import ProgramFailed
from mlops_core.local.aws.sagemaker.platform import Image, Platform, mapped, now, program, scrubbed
from mlops_core.local.aws.sagemaker.process import Process
from mlops_core.local.aws.sagemaker.store import Record, public
from mlops_core.local.aws.sagemaker.transfer import Transfer

LOG = logging.getLogger(__name__)
TERMINAL = ("Completed", "Failed", "Stopped")
LOST = "InternalServerError: the local platform was stopped"
POLL_SECONDS = 0.2
CLOSE_SECONDS = 3


class JobRun(ABC):
    """One job from its first second to its end; `execute` runs in a thread of its own."""

    collection: str
    resource: str
    status_key: str
    log_group: str
    event: str
    session_prefix: str

    def __init__(self, platform: Platform, name: str) -> None:
        self.platform = platform
        self.name = name
        self.folder = platform.settings.folder / "jobs" / name
        self.base = self.folder / "ml"
        self.stop_asked = threading.Event()
        self.timed_out = False
        self.lost = False
        record = self.record()
        self.role = str(record["RoleArn"])
        self.transfer = Transfer(platform.host, self.role)
        self._process: Process | None = None
        self._stream = f"{name}/algo-1-{int(time.time() * 1000)}"

    @property
    def key(self) -> str:
        """The queue's name of this job."""
        return f"{self.resource}/{self.name}"

    def record(self) -> Record:
        """The job's record as it is now."""
        found = self.platform.store.get(self.collection, self.name)
        if found is None:
            raise ProgramFailed(f"InternalServerError: the record of {self.name} is gone")
        return found

    def move(self, status: str, stage: str, message: str, **fields: Any) -> None:
        """Write a new state, with other fields of the record, and announce it."""
        with self.platform.store.lock:
            record = self.record()
            if record[self.status_key] == "Stopping" and status == "InProgress":
                status, stage = "Stopping", ""
            record.update(fields)
            record[self.status_key] = status
            record["LastModifiedTime"] = now()
            if stage:
                self.staged(record, stage, message)
            self.platform.store.put(self.collection, self.name, record)
        self.announce(record)

    def announce(self, record: Record) -> None:
        """Put the state-change event on the bus."""
        arn = self.platform.arn(self.resource, self.name)
        self.platform.announcer.tell(self.event, event_detail(record), arn)

    def execute(self) -> None:
        """Run the job to a terminal state, whatever happens."""
        try:
            self._run()
        except ProgramFailed as error:
            self._end_program()
            self._fail(str(error))
        except Exception as error:  # the outermost edge: a defect must end this job, not the platform
            LOG.exception("job %s", self.key)
            self._end_program()
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def ask_stop(self) -> None:
        """Begin to stop: SIGTERM now, SIGKILL after the grace; called with the state already ``Stopping``."""
        self.stop_asked.set()
        process = self._process
        if process is not None:
            process.terminate()

    def kill(self) -> None:
        """End the program at once (the platform stops)."""
        self.lost = True
        self.stop_asked.set()
        if self._process is not None:
            self._process.kill()

    def _end_program(self) -> None:
        """Whatever ended the job, its program must not go on."""
        if self._process is not None and self._process.alive():
            self._process.stop(self.platform.settings.stop_grace_s)

    def _run(self) -> None:
        self.base.mkdir(parents=True, exist_ok=True)
        if not self.stop_asked.is_set():
            self.prepare()
        code = self._run_program() if not self.stop_asked.is_set() else None
        if self.lost:
            raise ProgramFailed(LOST)
        self.transfer.links.check()
        if code not in (None, 0) and not (self.stop_asked.is_set() or self.timed_out):
            self.collect_failed()
            raise ProgramFailed(f"AlgorithmError: {self.failure_text()}, exit code: {code}"[:1024])
        self.finish(ran=code is not None)

    def _run_program(self) -> int:
        record = self.record()
        image = self.platform.image(self.image_uri(record))
        command = program(image, self.words(record, image), self.base)
        environment = scrubbed(image, self.folder, self.base)
        environment |= {name: mapped(value, self.base) for name, value in record.get("Environment", {}).items()}
        environment |= self.platform.role_environment(self.role, f"{self.session_prefix}-{self.name}")
        arn = self.platform.arn(self.resource, self.name)
        environment |= {f"{self.session_prefix}_JOB_NAME": self.name, f"{self.session_prefix}_JOB_ARN": arn}
        self.running()
        started = time.monotonic()
        process = self.platform.launcher.start(command, environment=environment, folder=self.folder, on_lines=self._lines)
        self._process = process
        if self.stop_asked.is_set():
            process.terminate()
        return self._watch(process, started + self.max_runtime_s(record))

    def _watch(self, process: Process, deadline: float) -> int:
        while (code := process.wait(POLL_SECONDS)) is None:
            self.tick()
            if self.stop_asked.is_set():
                return process.stop(self.platform.settings.stop_grace_s)
            if time.monotonic() >= deadline:
                self.timed_out = True
                return process.stop(self.platform.settings.stop_grace_s)
        return code

    def _lines(self, lines: Sequence[tuple[int, str]]) -> None:
        self.platform.host.write_logs(self.log_group, self._stream, lines)
        self.observe(lines)

    def _fail(self, reason: str) -> None:
        self.move("Failed", "Failed", reason[:1024], **{**self.ending(), "FailureReason": reason[:1024]})

    def tick(self) -> None:  # noqa: B027 (a hook that may stay empty)
        """Called a few times a second while the program runs."""

    def observe(self, lines: Sequence[tuple[int, str]]) -> None:  # noqa: B027 (a hook that may stay empty)
        """Called with the program's output."""

    def collect_failed(self) -> None:  # noqa: B027 (a hook that may stay empty)
        """Store what a failed program leaves."""

    @abstractmethod
    def staged(self, record: Record, stage: str, message: str) -> None:
        """Write a stage into the record."""

    @abstractmethod
    def image_uri(self, record: Record) -> str:
        """The image to run."""

    @abstractmethod
    def words(self, record: Record, image: Image) -> list[str]:
        """The program and its arguments."""

    @abstractmethod
    def max_runtime_s(self, record: Record) -> int:
        """After how many seconds the job is stopped."""

    @abstractmethod
    def prepare(self) -> None:
        """Bring data and configuration into the base folder."""

    @abstractmethod
    def running(self) -> None:
        """Say that the program starts."""

    @abstractmethod
    def failure_text(self) -> str:
        """What the program says about its failure."""

    @abstractmethod
    def finish(self, *, ran: bool) -> None:
        """Store the results and write the terminal state."""

    @abstractmethod
    def ending(self) -> dict[str, Any]:
        """Fields of every terminal state: times and costs."""


class Jobs:
    """At most as many jobs as cores run; the rest waits in order."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._waiting: deque[JobRun] = deque()
        self._running: dict[str, JobRun] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._closed = False
        self._page = platform.settings.folder / "queue.json"

    def submit(self, run: JobRun) -> None:
        """Start a job now or as soon as a core is free."""
        with self._lock:
            self._waiting.append(run)
        self._next()

    def waiting(self) -> list[str]:
        """Jobs that wait, first to start first, as ``training-job/NAME``."""
        with self._lock:
            return [run.key for run in self._waiting]

    def ahead(self, key: str) -> int | None:
        """How many jobs wait before this one; None when it does not wait."""
        waiting = self.waiting()
        return waiting.index(key) if key in waiting else None

    def running(self) -> list[str]:
        """Jobs that run."""
        with self._lock:
            return sorted(self._running)

    def stop(self, key: str) -> None:
        """Stop one job; one that still waits ends at once."""
        with self._lock:
            queued = next((run for run in self._waiting if run.key == key), None)
            if queued is not None:
                self._waiting.remove(queued)
                self._show()
            run = queued or self._running.get(key)
        if run is None:
            return
        run.ask_stop()
        if queued is not None:
            threading.Thread(target=run.execute, name=f"job-{run.name}", daemon=True).start()

    def close(self) -> None:
        """End every program now; what ran is closed as failed at the next start."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            runs, threads = list(self._running.values()), list(self._threads.values())
        for run in runs:
            run.kill()
        for thread in threads:
            thread.join(CLOSE_SECONDS)

    def _show(self) -> None:
        """Write the queue where ``mlops local status`` and people find it; the lock is held."""
        part = self._page.with_suffix(".part")
        part.write_text(json.dumps({"running": sorted(self._running), "waiting": [run.key for run in self._waiting]}), encoding="utf-8")
        part.replace(self._page)

    def _next(self) -> None:
        with self._lock:
            free = self._platform.settings.parallel_jobs - len(self._running)
            starting = [self._waiting.popleft() for _ in range(min(free, len(self._waiting)))] if not self._closed else []
            self._running.update({run.key: run for run in starting})
            self._show()
        for run in starting:
            thread = threading.Thread(target=self._execute, args=(run,), name=f"job-{run.name}", daemon=True)
            self._threads[run.key] = thread
            thread.start()

    def _execute(self, run: JobRun) -> None:
        try:
            run.execute()
        finally:
            with self._lock:
                self._running.pop(run.key, None)
                self._threads.pop(run.key, None)
            self._next()


def event_detail(record: Record) -> Record:
    """A record as EventBridge carries it: times in milliseconds."""

    def convert(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: convert(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [convert(item, key) for item in value]
        return int(value * 1000) if key.endswith("Time") and isinstance(value, float | int) else value

    detail: Record = convert(public(record))
    return detail


def read_text(path: Path, limit: int) -> str:
    """The first bytes of a small file a program may have left, as text; empty when there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return stream.read(limit).decode("utf-8", "replace").strip()
