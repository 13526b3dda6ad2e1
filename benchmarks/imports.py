"""What a cold start costs: import of each agent from its archive, sizes of the archives, import of the start action.

Each agent is imported as a Lambda worker does it (``python -I -S``, the unpacked archive alone on the path), in a fresh process.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from mlops_core.local.environments import find_uv
from mlops_core.local.places import project_root
from mlops_core.platform.archives import AWS, Builder, Name, host

ROUNDS = 7
NEVER = ("numpy", "pandas", "sklearn", "mcp", "sagemaker", "duckdb")
NO_AGENT = {"__init__", "handler", "following"}
PROGRAM = (
    "import sys, time, json; sys.path.insert(0, {path!r}); began = time.perf_counter(); import {module}; "
    "print(json.dumps([time.perf_counter() - began, [name for name in {never!r} if name in sys.modules]]))"
)


def measure() -> Iterator[Figure]:
    """Build both archives for AWS and for this machine, then import from the latter."""
    project = project_root()
    builder = Builder(project=project, uv=find_uv(project), folder=project / ".envs" / "archives")
    names: tuple[Name, ...] = ("agent", "server")
    for name in names:
        for target in (AWS, host()):
            archive = builder.build(name, target)
            yield Figure(f"archive {name}, {target.name}", archive.bytes / 1e6, "MB", at_most=40, note=f"{len(archive.packages)} packages")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            with zipfile.ZipFile(builder.build(name, host()).path) as archive_file:
                archive_file.extractall(Path(folder) / name)
        words = sorted(path.stem for path in (project / "mlops_core" / "agents").glob("*.py") if path.stem not in NO_AGENT)
        for word in words:
            yield imported(f"import of agent {word}", f"mlops_core.agents.{word}", Path(folder) / "agent", at_most=0.35)
        yield imported("import of the MCP server", "mlops_core.mcp_server.main", Path(folder) / "server", never=())
    yield start_action(project)


def imported(
    title: str, module: str, path: Path, *, at_most: float | None = None, python: tuple[str, ...] = (), never: tuple[str, ...] = NEVER
) -> Figure:
    """Median seconds of an import in a fresh process; a module that must stay out makes it infinite."""
    program = PROGRAM.format(path=str(path), module=module, never=never)
    spent, loaded = [], set()
    for _ in range(ROUNDS):
        command = [*(python or (sys.executable, "-I", "-S")), "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, found = json.loads(done.stdout.splitlines()[-1])
        spent.append(seconds)
        loaded |= set(found)
    note = f"imports {', '.join(sorted(loaded))}" if loaded else f"median of {ROUNDS}, least {min(spent):.3f} s"
    return Figure(title, float("inf") if loaded else statistics.median(spent), "s", at_most=at_most, note=note)


def start_action(project: Path) -> Figure:
    """Import of the start action's code with the packages of ``locks/actions.txt`` alone."""
    uv, lock = find_uv(project), project / "locks" / "actions.txt"
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/bin/python"
        for command in (
            ["venv", "--quiet", "--python", sys.executable, folder],
            ["pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", python, str(lock)],
        ):
            subprocess.run([str(uv), *command], check=True)
        modules = "mlops_core.entrypoints.start, boto3, github"
        return imported("import of the start action with its SDKs", modules, project, at_most=3, python=(python, "-P"), never=())
