"""Lambda workers: isolated processes, bounded and fair."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_core.local.aws.config import Limits
from mlops_core.local.aws.workers import Call, Function, Outcome, Settings, WorkerPool

PYTHON = Path(sys.base_prefix) / "bin" / "python3"
SLEEPER = "import os, time\ndef handler(event, context):\n    time.sleep(event)\n    return os.getpid()\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    limits = Limits(per_function=2, total=3, reserved={"server": 1}, idle_seconds=0.0)
    return Settings(PYTHON, tmp_path / "lambda", "https://127.0.0.1:1", tmp_path / "ca.pem", "us-east-1", limits)


@pytest.fixture
def pool(settings: Settings) -> Iterator[WorkerPool]:
    made = WorkerPool(settings)
    yield made
    made.close()


def _function(name: str, source: str, **rest: Any) -> Function:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("index.py", source)
    told: dict[str, Any] = {"version": "$LATEST", "handler": "index.handler", "environment": {}, "keys": {}, "timeout_seconds": 10.0}
    return Function(name=name, arn=f"arn:{name}", digest=f"{name}{hash(source)}", archive=archive.getvalue, **{**told, **rest})


def _run(pool: WorkerPool, function: Function, event: Any = None) -> Outcome:
    return pool.run(function, Call(event, "request-1", f"{function.arn}:alias"))


def test_a_worker_is_used_again_and_told_what_called_it(pool: WorkerPool) -> None:
    source = "import os\ndef handler(event, context):\n    return [os.getpid(), context.invoked_function_arn, context.aws_request_id]\n"
    first, second = (_run(pool, _function("one", source)) for _ in range(2))
    assert (first.cold, second.cold) == (True, False)
    assert first.body == second.body
    assert first.body[1:] == ["arn:one:alias", "request-1"]


def test_what_a_call_prints_is_its_own_log(pool: WorkerPool) -> None:
    source = "import sys\nprint('loaded')\ndef handler(event, context):\n    print(event)\n    sys.stderr.write('no newline')\n"
    function = _function("log", source)
    first = _run(pool, function, "first").log
    assert first.startswith("loaded\n")
    assert {"first", "no newline"} <= set(first.split("\n"))
    began = time.monotonic()
    assert "first" not in _run(pool, function, "second").log
    assert time.monotonic() - began < 0.2


def test_time_left_counts_down_from_the_functions_timeout(pool: WorkerPool) -> None:
    function = _function("left", "def handler(event, context):\n    return context.get_remaining_time_in_millis()\n", timeout_seconds=7.0)
    assert 5000 < _run(pool, function).body <= 7000


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import missing_module_xyz\n", "Runtime.ImportModuleError"),
        ("other = 1\n", "Runtime.HandlerNotFound"),
        ("def handler(event, context):\n    raise KeyError('k')\n", "KeyError"),
        ("def handler(event, context):\n    return {1, 2}\n", "Runtime.MarshalError"),
        ("def handler(event, context):\n    return 'x' * 7_000_000\n", "Function.ResponseSizeTooLarge"),
        ("import os\ndef handler(event, context):\n    os._exit(3)\n", "Runtime.ExitError"),
        ("import sys\ndef handler(event, context):\n    sys.exit(3)\n", "Runtime.ExitError"),
        ("import time\ndef handler(event, context):\n    time.sleep(9)\n", "Sandbox.Timedout"),
        ("1/0\n", "ZeroDivisionError"),
    ],
)
def test_a_failure_carries_awss_name(pool: WorkerPool, source: str, kind: str) -> None:
    outcome = _run(pool, _function("failing", source, timeout_seconds=1.0))
    assert outcome.failed
    assert outcome.body["errorType"] == kind


def test_a_worker_lives_on_after_an_exception_and_not_after_an_exit(pool: WorkerPool) -> None:
    source = "import os\ndef handler(event, context):\n    if event == 'raise': raise ValueError(event)\n"
    source += "    if event == 'exit': os._exit(1)\n    return os.getpid()\n"
    function = _function("life", source)
    pid = _run(pool, function).body
    assert _run(pool, function, "raise").failed
    assert _run(pool, function).body == pid
    assert _run(pool, function, "exit").failed
    assert _run(pool, function).body != pid


def test_a_changed_variable_or_archive_gets_a_new_worker_and_forget_ends_the_old(pool: WorkerPool) -> None:
    source = "import os\ndef handler(event, context):\n    return [os.getpid(), os.environ.get('V')]\n"
    old = _run(pool, _function("changing", source)).body
    new = _run(pool, _function("changing", source, environment={"V": "2", "AWS_REGION": "forged"})).body
    assert new[1] == "2"
    assert old[0] != new[0]
    pool.forget("changing")
    assert pool.count("changing") == 0


def test_calls_wait_in_turn_at_the_caps_and_the_reserved_function_does_not(pool: WorkerPool) -> None:
    outcomes: list[Outcome] = []
    functions = [_function(name, SLEEPER) for name in ("a", "b") for _ in range(4)]
    threads = [threading.Thread(target=lambda one=one: outcomes.append(_run(pool, one, 0.3))) for one in functions]
    for each in threads:
        each.start()
    time.sleep(0.4)
    assert pool.count("a") <= 2
    assert pool.count("a") + pool.count("b") <= 3
    began = time.monotonic()
    assert not _run(pool, _function("server", SLEEPER), 0).failed
    assert time.monotonic() - began < 1.5
    for each in threads:
        each.join()
    assert len(outcomes) == 8
    assert not any(one.failed for one in outcomes)


def test_an_idle_worker_of_another_function_gives_way(pool: WorkerPool) -> None:
    for name in ("a", "b", "c", "d", "e"):
        assert not _run(pool, _function(name, SLEEPER), 0).failed
    assert sum(pool.count(name) for name in "abcde") == 3


def test_idle_workers_are_ended(pool: WorkerPool) -> None:
    pid = _run(pool, _function("idle", SLEEPER), 0).body
    time.sleep(0.05)
    pool.reap()
    assert pool.count() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_temporary_files_are_wiped_at_start_and_code_is_kept(settings: Settings) -> None:
    pool = WorkerPool(settings)
    source = "import os, tempfile\ndef handler(event, context):\n    return tempfile.mkstemp()[1]\n"
    left = Path(_run(pool, _function("tmp", source)).body)
    assert left.is_relative_to(settings.folder)
    pool.close()
    assert not left.exists()
    (settings.folder / "tmp" / "stale").mkdir()
    WorkerPool(settings).close()
    assert not (settings.folder / "tmp" / "stale").exists()
    assert len(list((settings.folder / "code").iterdir())) == 1
