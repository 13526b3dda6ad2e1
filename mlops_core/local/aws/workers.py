"""Lambda workers: processes that see their unpacked archive and nothing else of this machine's Python.

    pool = WorkerPool(Settings(python=..., folder=state / "lambda", endpoint=..., ca_bundle=..., limits=Limits()))
    outcome = pool.run(Function(...), Call(event={}, request_id="…", arn="arn:…:function:name:alias"))

Each worker runs ``python -I -S`` with the function's own variables and AWS's, so a dependency that the archive lacks is missing here as it
would be on AWS.  Archives are unpacked once per content digest.  At most ``per_function`` workers of one function and ``total`` of all live
at once; further calls wait in order; functions named in ``reserved`` have workers of their own.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_core.local.aws.config import Limits
from mlops_core.local.aws.runtime import LOG_END

_RUNTIME = Path(__file__).with_name("runtime.py")
_IMPORT_SECONDS = 60.0
_GRACE_SECONDS = 1.0
_KEEP_CODE_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class Settings:
    """Where workers live and what they are told about this host."""

    python: Path
    folder: Path
    endpoint: str
    ca_bundle: Path
    region: str
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Function:
    """One version of a function: ``digest`` names its archive's bytes, ``archive`` reads them, ``keys`` are its role's credentials."""

    name: str
    arn: str
    version: str
    handler: str
    digest: str
    archive: Callable[[], bytes]
    environment: Mapping[str, str]
    keys: Mapping[str, str]
    timeout_seconds: float = 3.0
    memory_mb: int = 128
    log_group: str = ""

    @property
    def pool_key(self) -> str:
        """Equal for calls that the same worker may answer."""
        told = [
            self.arn,
            self.version,
            self.handler,
            self.digest,
            sorted(self.environment.items()),
            sorted(self.keys.items()),
            self.memory_mb,
        ]
        return hashlib.sha256(json.dumps([*told, self.timeout_seconds]).encode()).hexdigest()


@dataclass(frozen=True)
class Call:
    """One invocation; ``arn`` is the ARN it was invoked by, alias included."""

    event: Any
    request_id: str
    arn: str
    trace_id: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came back: ``body`` is the handler's value or, when ``failed``, AWS's error object; ``log`` is what it printed."""

    body: Any
    failed: bool
    log: str
    cold: bool


class WorkerPool:
    """Runs invocations in processes; safe to call from many threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._changed = threading.Condition()
        self._workers: list[_Worker] = []
        self._waiting: list[tuple[object, str]] = []
        self._unpacking = threading.Lock()
        shutil.rmtree(settings.folder / "tmp", ignore_errors=True)
        (settings.folder / "tmp").mkdir(parents=True)
        (settings.folder / "code").mkdir(exist_ok=True)
        _prune(settings.folder / "code")

    def run(self, function: Function, call: Call) -> Outcome:
        """Invoke, waiting for a free worker when the caps are reached."""
        worker = self._lease(function)
        try:
            outcome = worker.invoke(call, self._code(function))
        except BaseException:
            self._drop(worker)
            raise
        if worker.alive:
            self._release(worker)
        else:
            self._drop(worker)
        return outcome

    def forget(self, name: str) -> None:
        """End the idle workers of a function that was changed or deleted; busy ones end after their call."""
        with self._changed:
            idle = [each for each in self._workers if each.function.name == name and not each.busy]
            for each in self._workers:
                each.stale = each.stale or each.function.name == name
            self._workers = [each for each in self._workers if each not in idle]
            self._changed.notify_all()
        for each in idle:
            each.end()

    def reap(self) -> None:
        """End workers that were idle for longer than the limit allows."""
        horizon = time.monotonic() - self._settings.limits.idle_seconds
        with self._changed:
            idle = [each for each in self._workers if not each.busy and each.used < horizon]
            self._workers = [each for each in self._workers if each not in idle]
            self._changed.notify_all()
        for each in idle:
            each.end()

    def close(self) -> None:
        """End every worker now."""
        with self._changed:
            workers, self._workers = self._workers, []
        for each in workers:
            each.end()

    def count(self, name: str | None = None) -> int:
        """Workers alive, of one function or of all."""
        with self._changed:
            return sum(1 for each in self._workers if name in (None, each.function.name))

    def _lease(self, function: Function) -> _Worker:
        ticket = (object(), function.name)
        evicted: list[_Worker] = []
        with self._changed:
            self._waiting.append(ticket)
            try:
                while True:
                    worker = self._try(ticket, function, evicted)
                    if worker is not None:
                        break
                    self._changed.wait()
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        for each in evicted:
            each.end()
        return worker

    def _try(self, ticket: tuple[object, str], function: Function, evicted: list[_Worker]) -> _Worker | None:
        """A free or new worker for the caller, or None when it must wait; called with the lock held."""
        if next(one for one in self._waiting if one[1] == function.name) is not ticket:
            return None
        key = function.pool_key
        for each in self._workers:
            if not each.busy and not each.stale and each.key == key:
                each.busy = True
                return each
        if not self._room(function.name, evicted):
            return None
        worker = _Worker(function, key, self._settings)
        self._workers.append(worker)
        return worker

    def _room(self, name: str, evicted: list[_Worker]) -> bool:
        """Whether one more worker fits, after giving up an idle one where that is needed."""
        limits = self._settings.limits
        own = [each for each in self._workers if each.function.name == name]
        if len(own) >= limits.reserved.get(name, limits.per_function):
            return self._evict([each for each in own if not each.busy], evicted)
        if name in limits.reserved:
            return True
        shared = [each for each in self._workers if each.function.name not in limits.reserved]
        return len(shared) < limits.total or self._evict([each for each in shared if not each.busy], evicted)

    def _evict(self, idle: list[_Worker], evicted: list[_Worker]) -> bool:
        if not idle:
            return False
        oldest = min(idle, key=lambda each: each.used)
        self._workers.remove(oldest)
        evicted.append(oldest)
        return True

    def _release(self, worker: _Worker) -> None:
        with self._changed:
            worker.busy = False
            worker.used = time.monotonic()
            stale = worker.stale
            if stale and worker in self._workers:
                self._workers.remove(worker)
            self._changed.notify_all()
        if stale:
            worker.end()

    def _drop(self, worker: _Worker) -> None:
        with self._changed:
            if worker in self._workers:
                self._workers.remove(worker)
            self._changed.notify_all()
        worker.end()

    def _code(self, function: Function) -> Path:
        folder = self._settings.folder / "code" / function.digest.replace("/", "_").replace("+", "-").rstrip("=")
        with self._unpacking:
            if not folder.exists():
                staging = Path(tempfile.mkdtemp(dir=self._settings.folder / "code", prefix=".new-"))
                with zipfile.ZipFile(io.BytesIO(function.archive())) as archive:
                    archive.extractall(staging)
                staging.replace(folder)
            else:
                os.utime(folder)
        return folder


class _Worker:
    """One process, started at its first call."""

    def __init__(self, function: Function, key: str, settings: Settings) -> None:
        self.function = function
        self.key = key
        self.busy = True
        self.stale = False
        self.used = time.monotonic()
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._log: queue.Queue[str] = queue.Queue()
        self._tmp: Path | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def invoke(self, call: Call, code: Path) -> Outcome:
        cold, started = not self.alive, ""
        if cold:
            self._start(code)
            ready = self._answer(_IMPORT_SECONDS)
            started = self._drain()
            if "ready" not in ready:
                self.end()
                return Outcome(ready["failure"], failed=True, log=started, cold=True)
        line = {"event": call.event, "request_id": call.request_id, "arn": call.arn, "timeout": self.function.timeout_seconds}
        self._send({**line, "trace_id": call.trace_id})
        answer = self._answer(self.function.timeout_seconds)
        log = started + self._drain()
        if "late" in answer or "exit" in answer:
            self.end()
        if "result" in answer:
            return Outcome(answer["result"], failed=False, log=log, cold=cold)
        return Outcome(answer["failure"], failed=True, log=log, cold=cold)

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, 15)
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, 9)
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        if self._tmp is not None:
            shutil.rmtree(self._tmp, ignore_errors=True)

    def _start(self, code: Path) -> None:
        self._tmp = Path(tempfile.mkdtemp(dir=self._settings.folder / "tmp", prefix=f"{self.function.name}-"))
        self._process = subprocess.Popen(
            [self._settings.python, "-I", "-S", _RUNTIME],
            cwd=code,
            env=self._environment(code, self._tmp),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        for pipe, lines in ((self._process.stdout, self._answers), (self._process.stderr, self._log)):
            threading.Thread(target=_pump, args=(pipe, lines), daemon=True, name=f"lambda-{self.function.name}").start()
        function = self.function
        told = {"name": function.name, "version": function.version, "memory": function.memory_mb}
        self._send({**told, "handler": function.handler, "code": str(code)})

    def _environment(self, code: Path, tmp: Path) -> dict[str, str]:
        function, settings = self.function, self._settings
        told = {
            "AWS_REGION": settings.region,
            "AWS_DEFAULT_REGION": settings.region,
            "AWS_ENDPOINT_URL": settings.endpoint,
            "AWS_CA_BUNDLE": str(settings.ca_bundle),
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group or f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": tmp.name,
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": function.handler,
            **function.keys,
        }
        base = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC", "TMPDIR": str(tmp), "HOME": str(tmp)}
        own = {name: value for name, value in function.environment.items() if name not in told}
        return {**base, **own, **told}

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(OSError):  # a dead process is found when its answer is read
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def _answer(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            message = f"Task timed out after {self.function.timeout_seconds:.2f} seconds"
            return {"failure": {"errorType": "Sandbox.Timedout", "errorMessage": message}, "late": True}
        if not line:
            return {"failure": {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited without an answer"}, "late": True}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _drain(self) -> str:
        """What was printed up to the end-of-invocation marker; a dead or late worker's output as far as it came."""
        lines: list[str] = []
        deadline = time.monotonic() + 0.25
        while True:
            try:
                line = self._log.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            text, marker, _ = line.partition(LOG_END)
            lines.append(text)
            if marker or not line:
                break
        return "".join(lines)


def _pump(pipe: Any, lines: queue.Queue[str]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in pipe:
            lines.put(line)
    lines.put("")


def _prune(folder: Path) -> None:
    horizon = time.time() - _KEEP_CODE_SECONDS
    for each in folder.iterdir():
        if each.name.startswith(".new-") or each.stat().st_mtime < horizon:
            shutil.rmtree(each, ignore_errors=True)
