"""Entry point of every container program.

    mlops-job data | training | train | evaluation | packaging

``train`` is what SageMaker passes to a training image and means ``training``.  Exit code 0, the error's own code, 1 for an error we did
not foresee, 143 after SIGTERM.  The reason lies in ``output/message`` (``output/failure`` for training) as JSON of at most 1 KB.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from mlops_core import journal
from mlops_core.errors import InvalidRequest, JobFailed, MlopsError
from mlops_core.jobs.contract import JobFolder, base_folder, log, one_line

MODULES = {"data": "data", "training": "training", "train": "training", "evaluation": "evaluation", "packaging": "packaging"}
STOPPED = 143


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one job and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    settings = os.environ if environ is None else environ
    folder = base_folder(settings)
    _learn_secrets(settings)
    if len(arguments) != 1 or arguments[0] not in MODULES:
        sys.stderr.write(f"usage: mlops-job {' | '.join(MODULES)}\n")
        return InvalidRequest.exit_code

    def stop(_number: int, _frame: FrameType | None) -> None:
        _leave(folder, training=MODULES[arguments[0]] == "training")

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        return _run(arguments[0], folder)
    finally:
        signal.signal(signal.SIGTERM, previous)
        folder.clean()


def _run(word: str, folder: JobFolder) -> int:
    started = time.monotonic()
    training = MODULES[word] == "training"
    try:
        importlib.import_module(f"mlops_core.jobs.{MODULES[word]}").run(folder)
    except MlopsError as error:
        return _failed(folder, error, training=training)
    except MemoryError as error:
        _trace(error)
        return _failed(folder, _too_small(), training=training)
    except Exception as error:
        _trace(error)
        if type(error).__name__ == "OutOfMemoryException":
            return _failed(folder, _too_small(), training=training)
        headline = f"the {MODULES[word]} job hit an error it does not know: {type(error).__name__}: {str(error)[:300]}"
        _failed(folder, JobFailed(headline, remedy="The log holds the trace; please report it.", code="E-JOB-001"), training=training)
        return 1
    log(f"{MODULES[word]} done in {time.monotonic() - started:.2f} s")
    return 0


def _too_small() -> JobFailed:
    return JobFailed(
        "the job ran out of memory.",
        remedy="Choose a larger instance type, or drop columns that the model does not need.",
        code="E-JOB-005",
    )


def _failed(folder: JobFolder, error: MlopsError, *, training: bool) -> int:
    sys.stderr.write(one_line(f"{error.code}: {error}") + "\n")
    folder.report(error, training=training)
    return error.exit_code


def _learn_secrets(environ: Mapping[str, str]) -> None:
    """The job's credentials must not reach its log or its message, whatever prints them."""
    for name, value in environ.items():
        if name.endswith(("_KEY", "_TOKEN", "_PASSWORD", "_SECRET", "_ACCESS_KEY_ID")):
            journal.learn(value)


def _trace(error: BaseException) -> None:
    """The trace for the log, indented: a message of several lines cannot begin a line that passes for a metric."""
    for line in "".join(traceback.format_exception(error)).splitlines():
        sys.stderr.write(f"  {one_line(line)}\n")


def _leave(folder: JobFolder, *, training: bool) -> NoReturn:
    """After SIGTERM: leave the reason and end the process at once.

    Not by an exception: wherever it is raised, a library may lose it in a callback and take half of the data for all, or die of it in
    the middle of an import.
    """
    error = JobFailed("the job was stopped before it was done.", code="E-JOB-004")
    with suppress(OSError):
        folder.report(error, training=training)
    folder.clean()
    # Past the stream, which may be in the middle of another line.
    os.write(2, f"{error.code}: {error}\n".encode())
    os._exit(STOPPED)


if __name__ == "__main__":
    sys.exit(main())
