"""The real local platform for flow tests: environments from their locks, and one deployed platform per session."""

from __future__ import annotations

import csv
import io
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3  # noqa: TID251 - its default session is forgotten here
import pytest

from mlops_core.adapters import invoke_lambda
from mlops_core.cli import platform as cli_platform
from mlops_core.cli.console import Console
from mlops_core.cli.platform import Platform
from mlops_core.contracts.run import RunState
from mlops_core.errors import NotFound
from mlops_core.local.environments import Environments, find_uv
from mlops_core.local.places import project_root

RUN_SECONDS = 240.0


@pytest.fixture(scope="session", autouse=True)
def made_environments() -> Environments:
    """The environments of the host and the images, made once; the paths that other fixtures read are set."""
    root = project_root()
    found = Environments(project=root, folder=root / ".envs", uv=find_uv(root))
    os.environ.setdefault("MLOPS_MINISTACK_PYTHON", str(found.ensure("ministack") / "bin" / "python"))
    os.environ.setdefault("MLOPS_LAMBDA_PYTHON", str(found.ensure("lambda") / "bin" / "python"))
    return found


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A deployed platform with state of its own; everything is stopped at the end."""
    before = dict(os.environ)
    os.environ["MLOPS_STATE"] = str(tmp_path_factory.mktemp("platform"))
    # Another platform of this session may have left its keys in the SDK's default session and in a kept client.
    boto3.DEFAULT_SESSION = None
    invoke_lambda._client.cache_clear()
    started = cli_platform.start(Console(sys.stdout, sys.stderr), keep=False)
    yield started
    started.supervisor.down()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def flowers() -> Callable[[int], bytes]:
    """A small table whose class is easy: ``species`` by two measures, 60 rows a class, different for each seed."""

    def make(seed: int) -> bytes:
        chance = random.Random(seed)
        rows = [
            (
                round(chance.gauss(4.0 + 2 * number, 0.4), 3),
                round(chance.gauss(3.0 - number, 0.4), 3),
                chance.choice(["north", "south"]),
                name,
            )
            for number, name in enumerate(("setosa", "versicolor", "virginica"))
            for _ in range(60)
        ]
        chance.shuffle(rows)
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(("length", "width", "region", "species"))
        writer.writerows(rows)
        return out.getvalue().encode()

    return make


def until(platform: Platform, run_id: str, reached: Callable[[RunState], bool], seconds: float = RUN_SECONDS) -> RunState:
    """The run's state once ``reached`` holds; fails with the last state when it does not within the time."""
    from mlops_core.runs.state import read_run

    deadline = time.monotonic() + seconds
    state = None
    while time.monotonic() < deadline:
        try:
            state = read_run(platform.ports(), run_id)
        except NotFound:  # the claim of an issue is a moment older than the state of its run
            state = None
        if state is not None and reached(state):
            return state
        time.sleep(0.3)
    pytest.fail(f"run {run_id} did not get there within {seconds:.0f} s: {state}")


def write(folder: Path, name: str, content: bytes) -> Path:
    """A file with content."""
    path = folder / name
    path.write_bytes(content)
    return path
