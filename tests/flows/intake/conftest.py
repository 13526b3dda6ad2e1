"""What the flows of intake share: act, and the steps' environment installed once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PATH = "/usr/local/bin:/usr/bin:/bin"


@pytest.fixture(scope="session")
def act() -> str:
    """The act binary beside this interpreter or on the path."""
    beside = Path(sys.executable).with_name("act")
    found = str(beside) if beside.exists() else shutil.which("act")
    if found is None:
        pytest.skip("act is not installed")
    return found


@pytest.fixture(scope="session")
def cache() -> Path:
    """The steps' environment, installed once with the developer's own settings for the package index."""
    folder = ROOT / ".envs" / "actions"
    folder.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "MLOPS_ACTIONS_CACHE": str(folder)}
    for name in ("GITHUB_EVENT_PATH", "GITHUB_OUTPUT"):
        environ.pop(name, None)
    python = shutil.which("python3", path=PATH)
    done = subprocess.run(
        [str(python), str(ROOT / "actions" / "install.py"), "parse"], env=environ, capture_output=True, text=True, check=False
    )
    assert "GITHUB_EVENT_PATH" in done.stdout, done.stdout + done.stderr
    return folder
