"""Plain git clones, pushes and is refused."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flows.local.github.conftest import Platform

pytestmark = [pytest.mark.flow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def git(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    where = ["-C", str(folder)] if folder else []
    person = ["-c", "user.name=W", "-c", "user.email=w@example.com", "-c", "credential.helper=", "-c", "core.askPass="]
    return subprocess.run(
        ["git", *where, *person, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0"},
    )


def remote(platform: Platform, login: str, name: str = "alice/models") -> str:
    user = f"{login}:{platform.tokens[login]}@" if login else ""
    return platform.server.url.replace("http://", f"http://{user}") + f"/{name}.git"


def work(platform: Platform, folder: Path, login: str, name: str = "alice/models") -> Path:
    assert git("clone", "-q", remote(platform, login, name), str(folder)).returncode == 0
    (folder / f"{login}.txt").write_text(secrets.token_hex(2_000_000))  # too large for one request body: git sends it in chunks
    git("add", ".", folder=folder)
    git("commit", "-q", "-m", f"by {login}", folder=folder)
    return folder


def test_a_writer_pushes_and_the_push_is_told(platform: Platform, tmp_path: Path) -> None:
    folder = work(platform, tmp_path / "w", "wendy")
    done = git("push", "-q", "origin", "HEAD:main", folder=folder)
    assert done.returncode == 0, done.stderr
    head = git("rev-parse", "HEAD", folder=folder).stdout.strip()
    assert platform.repository("wendy").get_branch("main").commit.sha == head
    event = next(item for item in platform.admin.events("alice/models") if item["event"] == "push")
    assert (event["actor"], event["payload"]["after"], event["payload"]["commits"][0]["added"]) == ("wendy", head, ["wendy.txt"])


@pytest.mark.parametrize("login", ["tina", "rita", "stranger"])
def test_without_write_permission_nothing_is_pushed(platform: Platform, tmp_path: Path, login: str) -> None:
    folder = work(platform, tmp_path / login, login)
    done = git("push", "-q", "origin", "HEAD:refs/heads/mine", folder=folder)
    assert done.returncode != 0
    assert "403" in done.stderr


def test_a_false_password_and_no_password_push_nothing(platform: Platform, tmp_path: Path) -> None:
    folder = work(platform, tmp_path / "w2", "wendy")
    for url in (remote(platform, ""), platform.server.url.replace("http://", "http://wendy:false@") + "/alice/models.git"):
        assert git("push", "-q", url, "HEAD:refs/heads/mine", folder=folder).returncode != 0


def test_a_private_repository_is_cloned_by_its_people_only(platform: Platform, tmp_path: Path) -> None:
    platform.admin.create_repository("alice", "secret", files={"README.md": b"# s\n"}, private=True)
    platform.admin.set_permission("alice/secret", "rita", "read")
    assert git("clone", "-q", remote(platform, "rita", "alice/secret"), str(tmp_path / "ok")).returncode == 0
    for login in ("", "stranger"):
        assert git("clone", "-q", remote(platform, login, "alice/secret"), str(tmp_path / f"no{login}")).returncode != 0


def test_a_protected_branch_refuses_a_push(platform: Platform, tmp_path: Path) -> None:
    """abuse row 50: also by git itself."""
    platform.admin.create_repository("alice", "shielded", files={"README.md": b"# s\n"})
    platform.admin.set_permission("alice/shielded", "wendy", "write")
    platform.admin.protect_branch("alice/shielded", "main", ["alice"])
    folder = work(platform, tmp_path / "s", "wendy", "alice/shielded")
    assert git("push", "-q", "origin", "HEAD:main", folder=folder).returncode != 0
    assert git("push", "-q", "origin", "HEAD:refs/heads/topic", folder=folder).returncode == 0


@pytest.mark.parametrize("path", ["HEAD", "config", "objects/info/packs", "../../github.sqlite"])
def test_only_the_smart_protocol_is_served(platform: Platform, path: str) -> None:
    done = subprocess.run(
        ["curl", "-s", "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", f"{platform.server.url}/alice/models.git/{path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout in {"404", "303"}
