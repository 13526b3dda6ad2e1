"""The processes of a workflow run, found by the one thing they all inherit: their environment names the run's folder.

    end_processes_of(folder)

Process groups do not help (act gives each step its own) and parents do not either (a killed act leaves its steps to init).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

_GRACE_S = 3.0


def processes_of(folder: Path) -> list[int]:
    """Every process of this user whose environment mentions ``folder``, this one excepted."""
    mark = f"{folder}/".encode()
    proc = Path("/proc")
    found = _by_proc(proc, mark) if (proc / "self" / "environ").exists() else _by_ps(mark)
    return [pid for pid in found if pid != os.getpid()]


def _by_proc(proc: Path, mark: bytes) -> list[int]:
    found = []
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # ended meanwhile, or another user's
                continue
    return found


def _by_ps(mark: bytes) -> list[int]:
    done = subprocess.run(["ps", "-A", "-E", "-o", "pid=,command="], capture_output=True, check=False)
    return [int(line.split(maxsplit=1)[0]) for line in done.stdout.splitlines() if mark in line]


def end_processes_of(folder: Path) -> None:
    """Ask them to end, and kill what still lives after three seconds."""
    _signal(processes_of(folder), signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline and processes_of(folder):
        time.sleep(0.05)
    _signal(processes_of(folder), signal.SIGKILL)


def _signal(family: list[int], number: signal.Signals) -> None:
    for member in family:
        try:
            os.kill(member, number)
        except ProcessLookupError:
            continue
