"""Ctrl-C, SIGTERM and a closed terminal, so that a command leaves no process behind whenever they come.

    with raising():                  # SIGINT, SIGTERM and SIGHUP raise `Interrupted` in the main thread
        with deferred():             # a server is started and written down: a signal waits for the end of the block
            ...
        with ignored():              # everything is being stopped: a second Ctrl-C changes nothing
            ...

Programs that this process waits for (uv, compilers) are asked to end before `Interrupted` is raised, because a thread may be waiting for
them.  Servers lead sessions of their own and are not meant.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal asked this command to end; ``exit_code`` is 128 and the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Let the three signals raise `Interrupted`; one that the caller's shell ignores (nohup, a background job) stays ignored."""
    with _handling(_interrupt):
        yield


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Hold signals back until the block has ended; the first one is delivered then."""
    waiting: list[int] = []
    with _handling(lambda number, _: waiting.append(number)):
        yield
    if waiting:
        signal.raise_signal(waiting[0])


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """Drop signals: what stops the platform must reach its end."""
    with _handling(lambda *_: None):
        yield


class Workers(ThreadPoolExecutor):
    """Threads that run programs: when the block fails or is interrupted, the programs are ended and the threads waited for."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._given: list[Future[Any]] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """As every executor's."""
        given = super().submit(function, *arguments, **named)
        self._given.append(given)
        return given

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self.shutdown(wait=False, cancel_futures=True)
            while not all(given.done() for given in self._given):
                end_children()
                time.sleep(0.05)
        self.shutdown(wait=True)


def end_children() -> None:
    """Ask the programs that this process started in its own process group to end."""
    own = os.getpgrp()
    for pid in _children():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(pid) == own:
                os.kill(pid, signal.SIGTERM)


@contextlib.contextmanager
def _handling(handler: signal._HANDLER) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    changed = [number for number, found in before.items() if found not in (signal.SIG_IGN, None)]
    try:
        for number in changed:
            signal.signal(number, handler)
        yield
    finally:
        for number in changed:
            signal.signal(number, before[number])


def _interrupt(number: int, _: FrameType | None) -> None:
    if number == signal.SIGHUP:
        _leave_the_terminal()
    end_children()
    raise Interrupted(number)


def _leave_the_terminal() -> None:
    """A closed terminal answers every write with an error, which must not stop the clean-up."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            if stream.isatty():
                os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _children() -> list[int]:
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        listed = subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, text=True, check=False)
        return [int(pid) for pid in listed.stdout.split()]
    found = []
    for entry in proc.iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(entry.name))
    return found
