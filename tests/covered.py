"""Make the environments of a coverage run write down what they execute.

    python tests/covered.py TREE FOLDER      # TREE: the copy of the project that is measured, FOLDER: where everything of the run lies

Normal runs know nothing of this: `tests/coverage.sh` calls it on a copy of the project with environments of its own.  Three ways in:

- environments with site-packages (pytest and the commands, the host of the local AWS, both images) get a ``.pth`` file that starts
  `coverage` in every process, whatever its variables are;
- Lambda workers start without site-packages (``-I -S``), so their interpreter becomes a script that starts `coverage` and then the
  runtime;
- processes that end by SIGTERM, ``os._exit`` or ``exec`` save first (``sigterm`` and ``patch`` below).

Code that runs from a wheel, an archive or an exported suite is mapped back to ``mlops_core/`` when the pieces are combined.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlops_core.local.environments import Environments, find_uv

RULES = """[run]
include = */mlops_core/*
data_file = {folder}/data/.coverage
parallel = true
sigterm = true
patch = _exit, execv
disable_warnings = no-data-collected, module-not-imported, couldnt-parse, already-imported, include-ignored, trace-changed

[paths]
source =
    {tree}/mlops_core/
    */mlops_core/

[report]
show_missing = false
skip_covered = true
precision = 1
exclude_also =
    if TYPE_CHECKING:
    if __name__ == .__main__.:
    @overload
    ^ +\\.\\.\\.$
"""
START = """import os
os.environ["COVERAGE_PROCESS_START"] = {rules!r}
try:
    import coverage
    coverage.process_startup()
finally:
    os.environ.pop("COVERAGE_PROCESS_START", None)
"""
WORKER = """import sys
sys.path.append({library!r})
import covered_start  # noqa: F401
sys.path.remove({library!r})
import runpy
runpy.run_path(sys.argv[1], run_name="__main__")
"""
INTERPRETER = """#!/bin/sh
if [ "$1 $2" = "-I -S" ]; then shift 2; exec {python} -I -S {worker} "$@"; fi
exec {python} "$@"
"""


def main(tree: Path, folder: Path) -> None:
    """Write the rules, then prepare every environment of the tree."""
    library = folder / "library"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    rules = folder / "rules.ini"
    rules.write_text(RULES.format(folder=folder, tree=tree), encoding="utf-8")
    uv = find_uv(tree)
    subprocess.run([str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(library), "coverage"], check=True)
    (library / "covered_start.py").write_text(START.format(rules=str(rules)), encoding="utf-8")
    (library / "covered_worker.py").write_text(WORKER.format(library=str(library)), encoding="utf-8")
    environments = Environments(project=tree, folder=tree / ".envs", uv=uv)
    for name in ("ministack", "work", "serve"):
        count_in(environments.ensure(name), library)
    count_workers(environments.ensure("lambda") / "bin" / "python", library)
    count_in(tree / ".venv", library)


def count_in(environment: Path, library: Path) -> None:
    """Start `coverage` in every process of an environment."""
    for packages in environment.glob("lib/python*/site-packages"):
        line = f"import sys; sys.path.append({str(library)!r}); import covered_start; sys.path.remove({str(library)!r})\n"
        (packages / "zz_covered.pth").write_text(line, encoding="utf-8")


def count_workers(python: Path, library: Path) -> None:
    """Put a script in the place of the workers' interpreter."""
    real = python.resolve()
    if real == python:
        return  # done by an earlier run
    python.unlink()
    python.write_text(INTERPRETER.format(python=real, worker=library / "covered_worker.py"), encoding="utf-8")
    python.chmod(0o755)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
