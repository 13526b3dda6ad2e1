"""Starting and stopping speak plainly when something is in the way."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from mlops_core.errors import Conflict, EnvironmentBroken
from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.process import LocalAws


def _config(state: Path, port: int, python: Path = Path(sys.executable)) -> AwsConfig:
    return AwsConfig(port=port, state=state, python=python, lambda_python=Path(sys.executable))


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"port {port} of 127.0.0.1 is taken"):
            LocalAws(_config(tmp_path, port)).start()


def test_a_missing_interpreter_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBroken, match="interpreter /nowhere/python is missing"):
        LocalAws(_config(tmp_path, 1, Path("/nowhere/python"))).start()


def test_the_environment_has_keys_of_its_own_that_stay(tmp_path: Path) -> None:
    aws = LocalAws(_config(tmp_path, 4566))
    first = aws.environment()
    assert first == LocalAws(_config(tmp_path, 4566)).environment()
    assert first["AWS_ENDPOINT_URL"] == "https://127.0.0.1:4566"
    assert first["AWS_ACCESS_KEY_ID"] != "test"
    assert len(first["AWS_SECRET_ACCESS_KEY"]) == 40
    assert (tmp_path / "root.json").stat().st_mode & 0o077 == 0


def test_stopping_what_does_not_run_does_nothing_and_a_strangers_process_is_left_alone(tmp_path: Path) -> None:
    aws = LocalAws(_config(tmp_path, 4566))
    aws.stop()
    aws.pid_file.write_text(str(os.getppid()))
    aws.stop()
    assert not aws.healthy()
