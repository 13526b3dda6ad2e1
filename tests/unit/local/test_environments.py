"""Environments are made once, never changed, and removed when nobody uses them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlops_core.errors import EnvironmentBroken
from mlops_core.local.environments import Environments, find_uv, source_digest

UV = """#!/bin/sh
echo "$@" >> {log}
case "$1 $2" in
  "venv --quiet") mkdir -p "$5/bin" "$5/lib/python3.11/site-packages";;
  "build --quiet") mkdir -p "$5"; touch "$5/mlops_actions-1-py3-none-any.whl";;
esac
"""


def make(folder: Path) -> Environments:
    """A project with one lock and a uv that only writes down what it was asked."""
    (folder / "mlops_core").mkdir()
    (folder / "mlops_core" / "a.py").write_text("A = 1\n")
    (folder / "pyproject.toml").write_text("[project]\n")
    (folder / "locks").mkdir()
    for name in ("work", "ministack"):
        (folder / "locks" / f"{name}.txt").write_text("numpy==2\n")
    uv = folder / "uv"
    uv.write_text(UV.format(log=folder / "log"))
    uv.chmod(0o755)
    return Environments(project=folder, folder=folder / ".envs", uv=uv)


def asked(folder: Path) -> list[str]:
    """First two words of each uv command so far."""
    return [" ".join(line.split()[:2]) for line in (folder / "log").read_text().splitlines()]


def test_what_is_made_already_is_found_without_a_program(tmp_path: Path) -> None:
    environments = make(tmp_path)
    made = environments.ensure("work")
    commands = asked(tmp_path)
    begin = time.perf_counter()
    assert environments.ensure("work") == made
    assert time.perf_counter() - begin < 0.3
    assert asked(tmp_path) == commands


def test_changed_sources_get_a_folder_of_their_own_and_leave_the_running_one_alone(tmp_path: Path) -> None:
    environments = make(tmp_path)
    first = environments.ensure("work")
    before = sorted((path, path.stat().st_mtime_ns) for path in first.rglob("*"))
    (tmp_path / "mlops_core" / "a.py").write_text("A = 2\n")
    second = environments.ensure("work")
    assert first != second
    assert sorted((path, path.stat().st_mtime_ns) for path in first.rglob("*")) == before
    assert asked(tmp_path).count("pip sync") == 1


def test_the_image_sees_the_packages_of_its_lock(tmp_path: Path) -> None:
    made = make(tmp_path).ensure("work")
    (link,) = made.rglob("lock.pth")
    assert str(made.with_name(made.name.rpartition("-")[0]) / "lib") in link.read_text()


def test_a_build_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    environments = make(tmp_path)
    made = environments.ensure("ministack")
    (made / ".ready").unlink()
    environments.ensure("ministack")
    assert asked(tmp_path).count("pip sync") == 2


def test_old_environments_go_and_those_of_running_platforms_stay(tmp_path: Path) -> None:
    environments = make(tmp_path)
    used = environments.ensure("work")
    environments.claim([used], tmp_path / "state")
    (tmp_path / "mlops_core" / "a.py").write_text("A = 2\n")
    unused = environments.ensure("work")
    old = time.time() - 7200
    for path in [*(tmp_path / ".envs").glob("*/.ready"), *(tmp_path / ".envs").glob("*/.used/*")]:
        os.utime(path, (old, old))
    assert environments.prune(lambda state: state == tmp_path / "state") == [unused]
    assert used.exists()
    assert environments.prune(lambda _: False) == sorted([used, used.with_name(used.name.rpartition("-")[0])])


def test_what_was_made_within_the_hour_is_not_removed(tmp_path: Path) -> None:
    environments = make(tmp_path)
    environments.ensure("work")
    assert environments.prune(lambda _: False) == []


def test_a_failing_uv_is_told_in_its_own_words(tmp_path: Path) -> None:
    environments = make(tmp_path)
    environments.uv.write_text("#!/bin/sh\necho no network >&2\nexit 2\n")
    with pytest.raises(EnvironmentBroken, match="no network"):
        environments.ensure("ministack")


def test_a_missing_lock_and_a_missing_uv_name_the_next_act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentBroken, match="make locks"):
        make(tmp_path).ensure("serve")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("UV", raising=False)
    with pytest.raises(EnvironmentBroken, match="make setup"):
        find_uv(tmp_path)


def test_the_digest_follows_sources_but_no_caches(tmp_path: Path) -> None:
    make(tmp_path)
    before = source_digest(tmp_path)
    (tmp_path / "mlops_core" / "__pycache__").mkdir()
    (tmp_path / "mlops_core" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert source_digest(tmp_path) == before
    (tmp_path / "mlops_core" / "a.py").write_text("A = 3\n")
    assert source_digest(tmp_path) != before
