"""Install what the steps need once per runner, then become the step: ``python3 install.py STEP``.

Standard library only.  The packages are those of ``locks/actions.txt`` of this same commit, by hash, in a virtual environment keyed by
the lock's digest and the interpreter, below ``MLOPS_ACTIONS_CACHE``, ``RUNNER_TOOL_CACHE`` or ``RUNNER_TEMP`` (the first that can be
written).  Our own code is not installed: it runs from this checkout.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "locks" / "actions.txt"
OLDEST = (3, 11)
# The steps run with our code and the lock's packages only: nothing of the caller's Python settings or working folder is imported.
REMOVED = re.compile(r"PYTHON|VIRTUAL_ENV|BASH_ENV|ENV$|LD_|DYLD_|NODE_OPTIONS")


class InstallError(Exception):
    """What is missing and what to do, in one line."""


def environment() -> dict[str, str]:
    """The environment of the installer and the step."""
    return {name: value for name, value in os.environ.items() if not REMOVED.match(name)}


def cache() -> Path:
    """The first folder that can be written."""
    tried = []
    for name in ("MLOPS_ACTIONS_CACHE", "RUNNER_TOOL_CACHE", "RUNNER_TEMP"):
        if not os.environ.get(name):
            continue
        folder = Path(os.environ[name]) / "mlops-actions"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            tried.append(str(folder))
            continue
        if os.access(folder, os.W_OK):
            return folder
        tried.append(str(folder))
    raise InstallError(f"no folder for the environment can be written (tried: {', '.join(tried) or 'none'}); set MLOPS_ACTIONS_CACHE.")


def key() -> str:
    """Lock, interpreter and processor in 16 digits: a change of any makes a new environment."""
    parts = [LOCK.read_bytes(), sys.version.encode(), platform.machine().encode(), sys.executable.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def commands(folder: Path) -> list[list[str]]:
    """How the environment is made: by uv where it is on the path, otherwise by venv and pip."""
    python = str(folder / "bin" / "python")
    checked = ["--quiet", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)]
    uv = shutil.which("uv")
    if uv:
        # Compiled here once, and not by the first step that is timed.
        return [
            [uv, "venv", "--quiet", "--no-project", "--no-config", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--no-config", "--compile-bytecode", "--python", python, *checked],
        ]
    return [
        [sys.executable, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", *checked],
    ]


def install() -> Path:
    """The interpreter of the finished environment; made once, also when steps start side by side."""
    folder = cache() / key()
    done = folder / ".complete"
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            for command in commands(folder):
                ended = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, check=False)
                if ended.returncode != 0:
                    raise InstallError(
                        f"{Path(command[0]).name} ended with {ended.returncode} while installing locks/actions.txt; run the job again."
                    )
            done.touch()
    return folder / "bin" / "python"


def prepared(arguments: list[str]) -> Path:
    """The interpreter for a step that exists, on a Python that is new enough."""
    steps = sorted(path.parent.name for path in (ROOT / "actions").glob("*/action.yml"))
    if sys.version_info < OLDEST:
        raise InstallError(f"Python {platform.python_version()} is too old; the runner needs 3.11 or newer (use ubuntu-24.04).")
    if len(arguments) != 1 or arguments[0] not in steps:
        raise InstallError(f"name one step of: {', '.join(steps)}.")
    return install()


def main(arguments: list[str]) -> int:
    """Install and become the step; 9 when this machine lacks something."""
    try:
        python = prepared(arguments)
    except InstallError as error:
        sys.stdout.write(f"::error title=mlops::{error}\n")
        return 9
    # -P keeps the working folder off the import path: a caller's repository may hold a folder of any name.
    command = [str(python), "-P", "-m", f"mlops_core.entrypoints.{arguments[0]}"]
    sys.stdout.flush()
    return os.execve(python, command, {**environment(), "PYTHONPATH": str(ROOT)})  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
