"""Runs one program as a container runtime would: alone in its process group, gone when the platform is gone.

    python -I -S guard.py PLATFORM_PID PROGRAM ARGUMENT…

SIGTERM is passed to the program only, as ``docker stop`` does; SIGUSR1 ends the whole group at once.  When the program ends, what
it left running is killed and its exit code becomes ours (128 + n for signal n).  When the platform's process dies, even by
``kill -9``, the kernel sends SIGUSR1 here (Linux); elsewhere, and when it died before we could ask, a timer sees within a second that our
parent is not the platform any more.
"""

import contextlib
import ctypes
import os
import signal
import sys
from types import FrameType

PR_SET_PDEATHSIG = 1


def die_with_parent(number: int) -> None:
    """Ask the kernel to send a signal when the parent thread ends; does nothing where the kernel cannot."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def start(command: list[str]) -> int:
    """Start the program in its own process group and return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        os.setpgid(0, 0)
        die_with_parent(signal.SIGKILL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, a program must not inherit that
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM})
        os.execvp(command[0], command)  # noqa: S606 (no shell is wanted)
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def run(parent: int, command: list[str]) -> int:
    """Guard one program until it ends; returns the exit code to end with (0 at once when the platform is gone already)."""
    if os.getppid() != parent:
        return 0
    watched = {signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM}
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    child = start(command)

    def end_group(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)

    def pass_on(number: int, _: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    def look(*_: object) -> None:
        if os.getppid() != parent:
            end_group()

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGUSR1, end_group)
    signal.signal(signal.SIGALRM, look)
    die_with_parent(signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
    _, status = os.waitpid(child, 0)
    end_group()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(run(int(sys.argv[1]), sys.argv[2:]))
