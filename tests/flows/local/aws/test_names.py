"""MiniStack's private names are where the hooks expect them, and a moved one stops the host with its name."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.flow
_ROOT = Path(__file__).parents[4]
_CHECK = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("launcher", sys.argv[1] + "/mlops_core/local/aws/launcher.py")
launcher = importlib.util.module_from_spec(spec); spec.loader.exec_module(launcher)
from pathlib import Path
launcher._find_package(Path(sys.argv[1]) / "mlops_core")
from mlops_core.local.aws.hooks import names
if len(sys.argv) > 2: names.NAMES["services.sts"] += " " + sys.argv[2]
names.check()
"""


def _check(*moved: str) -> subprocess.CompletedProcess[str]:
    python = os.environ.get("MLOPS_MINISTACK_PYTHON") or str(_ROOT / ".envs" / "ministack" / "bin" / "python")
    if not Path(python).exists():
        pytest.skip("MiniStack's environment is not installed; set MLOPS_MINISTACK_PYTHON")
    return subprocess.run([python, "-I", "-c", _CHECK, str(_ROOT), *moved], capture_output=True, text=True, timeout=60, check=False)


def test_every_private_name_is_in_its_place() -> None:
    done = _check()
    assert done.returncode == 0, done.stderr


def test_a_name_that_moved_is_told() -> None:
    done = _check("_a_name_that_moved")
    assert done.returncode != 0
    assert "lacks services.sts._a_name_that_moved" in done.stderr
