"""One supervisor at a time, users counted, records that name processes beyond doubt."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_core.errors import Conflict, EnvironmentBroken
from mlops_core.local.environments import Environments
from mlops_core.local.places import Places
from mlops_core.local.supervisor import Supervisor


@pytest.fixture
def server() -> Iterator[subprocess.Popen[bytes]]:
    """Some process in a session of its own, as the servers are."""
    process = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def supervisor(folder: Path) -> Supervisor:
    """The supervisor of a state folder; nothing is started."""
    return Supervisor(Places(project=folder, state=folder), Environments(project=folder, folder=folder / ".envs", uv=Path("uv")))


def started(pid: int) -> str:
    """The kernel's start time of a process."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]


def record(folder: Path, pid: int, since: str, **more: object) -> None:
    """What an earlier supervisor wrote down."""
    entry = {"pid": pid, "started": since, "url": "https://127.0.0.1:1"}
    (folder / "platform.json").write_text(json.dumps({"aws": entry, **more}))


def test_a_second_supervisor_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first, second = supervisor(tmp_path), supervisor(tmp_path)
    first.hold()
    with pytest.raises(Conflict, match="another mlops command"):
        second.hold()
    first.down()
    second.hold()
    second.release()


def test_the_platform_is_not_stopped_while_another_command_uses_it(tmp_path: Path) -> None:
    owner, guest = supervisor(tmp_path), supervisor(tmp_path)
    using = guest.use()
    assert using is not None
    assert owner.unused() is None
    using.close()
    alone = owner.unused()
    assert alone is not None
    assert guest.use() is None
    alone.close()


def test_a_recorded_server_is_found_and_stopped_by_another_supervisor(tmp_path: Path, server: subprocess.Popen[bytes]) -> None:
    record(tmp_path, server.pid, started(server.pid), ready=True)
    found = supervisor(tmp_path)
    assert (found.running, found.is_ready, found.status_of("aws").pid) == (True, True, server.pid)
    found.down()
    assert server.wait() == -signal.SIGTERM
    assert not found.running
    assert not (tmp_path / "platform.json").exists()


def test_a_stranger_with_a_used_process_id_is_left_alone(tmp_path: Path, server: subprocess.Popen[bytes]) -> None:
    for since in ("1", ""):
        record(tmp_path, server.pid, since)
        found = supervisor(tmp_path)
        assert not found.running
        found.down()
        time.sleep(0.05)
        assert server.poll() is None


def test_a_platform_that_is_still_deploying_is_not_ready(tmp_path: Path, server: subprocess.Popen[bytes]) -> None:
    record(tmp_path, server.pid, started(server.pid))
    assert (supervisor(tmp_path).running, supervisor(tmp_path).is_ready) == (True, False)


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_broken_record_means_that_nothing_runs(tmp_path: Path, content: str) -> None:
    (tmp_path / "platform.json").write_text(content)
    assert not supervisor(tmp_path).running
    with pytest.raises(EnvironmentBroken, match="mlops local up"):
        supervisor(tmp_path).attach()


def test_reset_forgets_the_platform_and_leaves_other_files_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "aws" / "s3").mkdir(parents=True)
    (tmp_path / "outputs.json").write_text("{}")
    (tmp_path / "github").symlink_to(tmp_path / "aws")
    supervisor(tmp_path).reset()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".flock") == ["thesis.tex"]
