"""Container programs as processes: started, stopped with grace, and never left behind.

    launcher = Launcher(state / "processes")
    process = launcher.start(command, environment=env, folder=folder, on_lines=logs.write)
    process.stop(grace_s=120)

Every program runs under ``guard.py``.  The kernel ties a guard to the *thread* that started it, so one thread that lives as long as
the launcher starts them all.  Process ids are written down with their start time: a later launcher sweeps what still lives.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

LOG = logging.getLogger(__name__)
LineSink = Callable[[Sequence[tuple[int, str]]], None]
GUARD = Path(__file__).with_name("guard.py")
LONGEST_LINE = 262_144 - 26  # CloudWatch Logs counts 26 bytes for each event
BATCH_SECONDS = 0.25
BATCH_LINES = 1_000


def start_time(pid: int) -> str | None:
    """When a process started, in the kernel's ticks; None when there is no such process (or no /proc)."""
    fields = _stat(pid)
    return fields[19] if fields else None


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


class Process:
    """One running program."""

    def __init__(self, popen: subprocess.Popen[bytes], mark: Path, on_lines: LineSink) -> None:
        self._popen = popen
        self._mark = mark
        self._reader = threading.Thread(target=self._read, args=(on_lines,), name=f"log-{popen.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The guard's process id; the session of everything the program starts carries it."""
        return self._popen.pid

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The exit code once the program ended and its output was read; None when it still runs after the time-out."""
        try:
            code = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(5)
        self._mark.unlink(missing_ok=True)
        return code

    def alive(self) -> bool:
        """Whether the program runs."""
        return self._popen.poll() is None

    def terminate(self) -> None:
        """Send SIGTERM to the program."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the program and everything it started."""
        self._signal(signal.SIGUSR1)

    def stop(self, grace_s: float) -> int:
        """SIGTERM, then SIGKILL to the whole group after the grace; the exit code."""
        self.terminate()
        code = self.wait(grace_s)
        if code is None:
            self.kill()
            code = self.wait(5)
        if code is None:
            self._popen.kill()
            code = self.wait()
        return code if code is not None else -1

    def _signal(self, number: int) -> None:
        try:
            self._popen.send_signal(number)
        except ProcessLookupError:
            return

    def _read(self, on_lines: LineSink) -> None:
        stream = self._popen.stdout
        if stream is None:
            return
        lines = Lines(on_lines)
        for raw in iter(lambda: os.read(stream.fileno(), 65_536), b""):
            lines.feed(raw)
        lines.close()
        stream.close()


class Lines:
    """Cuts a byte stream into timed lines and hands them on in batches; a timer flushes what waits."""

    def __init__(self, sink: LineSink) -> None:
        self._sink = sink
        self._rest = b""
        self._waiting: list[tuple[int, str]] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def feed(self, raw: bytes) -> None:
        """Take more output."""
        *whole, self._rest = (self._rest + raw).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            whole.append(self._rest)
            self._rest = b""
        now = int(time.time() * 1000)
        with self._lock:
            self._waiting += [(now, line.decode("utf-8", "replace")[:LONGEST_LINE]) for line in whole]
            full = len(self._waiting) >= BATCH_LINES
            if self._waiting and not full and self._timer is None:
                self._timer = threading.Timer(BATCH_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()
        if full:
            self.flush()

    def flush(self) -> None:
        """Hand on every whole line."""
        with self._lock:
            batch, self._waiting, self._timer = self._waiting, [], None
        for start in range(0, len(batch), BATCH_LINES):
            try:
                self._sink(batch[start : start + BATCH_LINES])
            except Exception:  # the outermost edge of two threads: a program must never stop because its log cannot be kept
                LOG.exception("%d lines of a program were lost", len(batch))

    def close(self) -> None:
        """Hand on everything, a last line without its end included."""
        if self._rest:
            self.feed(b"\n")
        timer = self._timer
        if timer is not None:
            timer.cancel()
        self.flush()


class Launcher:
    """Starts programs from one long-lived thread and remembers them on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        self._requests: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._serve, name="sagemaker-launcher", daemon=True)
        self._thread.start()

    def start(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, on_lines: LineSink) -> Process:
        """Start a program under its guard; OSError when the interpreter cannot be started."""
        future: Future[subprocess.Popen[bytes]] = Future()

        def spawn() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), *command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                bufsize=0,
            )

        self._requests.put((spawn, future))
        popen = future.result(30)
        mark = self._folder / str(popen.pid)
        mark.write_text(start_time(popen.pid) or "", encoding="utf-8")
        return Process(popen, mark, on_lines)

    def close(self) -> None:
        """End the starting thread; guards that still run die with it."""
        self._requests.put(None)
        self._thread.join(5)

    def _serve(self) -> None:
        while (request := self._requests.get()) is not None:
            spawn, future = request
            try:
                future.set_result(spawn())
            except OSError as error:
                future.set_exception(error)

    def _sweep(self) -> None:
        """Kill what an earlier launcher left: guards that are the same process as then, and their sessions."""
        marks = {int(path.name): path for path in self._folder.iterdir() if path.name.isdigit()}
        for pid, path in marks.items():
            if start_time(pid) not in (None, path.read_text(encoding="utf-8")):
                path.unlink(missing_ok=True)
        sessions = {pid for pid, path in marks.items() if path.exists()}
        for entry in Path("/proc").iterdir() if sessions and Path("/proc").is_dir() else ():
            fields = _stat(int(entry.name)) if entry.name.isdigit() else None
            if fields and int(fields[3]) in sessions:
                _kill(int(entry.name))
        for pid in sessions:
            marks[pid].unlink(missing_ok=True)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
