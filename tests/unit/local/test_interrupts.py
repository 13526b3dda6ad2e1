"""Signals: what is started is written down first, what waits is ended, what stops is not disturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_core.local.interrupts import Interrupted, Workers, deferred, end_children, ignored, raising


@pytest.fixture(autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """A suite that was started in the background ignores SIGINT, one below nohup SIGHUP; these tests are about commands that hear them."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, found in before.items():
        signal.signal(number, found)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_each_signal_ends_a_command_with_the_shells_own_code(number: signal.Signals, code: int) -> None:
    def command() -> None:
        with raising():
            signal.raise_signal(number)
            time.sleep(5)

    with pytest.raises(Interrupted) as ended:
        command()
    assert ended.value.exit_code == code


def test_a_signal_waits_until_a_server_is_written_down(tmp_path: Path) -> None:
    record = tmp_path / "record"

    def start() -> None:
        with raising(), deferred():
            signal.raise_signal(signal.SIGINT)
            record.write_text("42")

    with pytest.raises(Interrupted):
        start()
    assert record.read_text() == "42"


def test_a_second_ctrl_c_does_not_disturb_the_stopping() -> None:
    stopped = False
    with raising(), ignored():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.raise_signal(number)
        stopped = True
    assert stopped


def test_handlers_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with raising():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_the_shell_ignores_stays_ignored() -> None:
    program = (
        "import signal\nfrom mlops_core.local.interrupts import raising\n"
        "with raising():\n    signal.raise_signal(signal.SIGHUP)\nprint('alive')"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", 'trap "" HUP; exec "$0" -c "$1"', sys.executable, program], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("alive\n", 0), done.stderr


def test_programs_that_threads_wait_for_are_ended_with_the_block() -> None:
    def build() -> None:
        with raising(), Workers(2) as pool:
            for _ in range(3):
                pool.submit(subprocess.run, ["/bin/sleep", "60"], check=False)
            time.sleep(0.2)
            signal.raise_signal(signal.SIGTERM)

    begin = time.monotonic()
    with pytest.raises(Interrupted):
        build()
    assert time.monotonic() - begin < 10


def test_servers_in_sessions_of_their_own_are_not_children_to_end() -> None:
    server = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    try:
        end_children()
        time.sleep(0.2)
        assert server.poll() is None
    finally:
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
