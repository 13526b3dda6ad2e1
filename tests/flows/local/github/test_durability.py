"""What was answered is kept, whenever the server is killed."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from github import GithubException  # noqa: TID251 - PyGithub is the independent client
from requests import RequestException

from mlops_core.local.github.git import GitRepository
from mlops_core.local.github.process import LocalGithub

if TYPE_CHECKING:
    from tests.flows.local.github.conftest import Platform

pytestmark = [pytest.mark.flow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def write_until_killed(platform: Platform, number: int, kept: list[int], files: list[str]) -> None:
    """Comments and commits, each noted once the server has answered."""
    repository = platform.repository("wendy")
    issue = repository.get_issue(number)
    try:
        for count in range(10_000):
            kept.append(issue.create_comment(f"comment {count}").id)
            name = f"files/{count}.txt"
            repository.create_file(name, f"add {count}", b"x")
            files.append(name)
    except (GithubException, RequestException):
        return


def test_every_answered_comment_and_commit_survives_kill_minus_nine(make_platform: Any) -> None:
    with make_platform() as platform:
        number = platform.repository("wendy").create_issue("written to").number
        kept: list[int] = []
        files: list[str] = []
        writer = threading.Thread(target=write_until_killed, args=(platform, number, kept, files))
        writer.start()
        deadline = time.monotonic() + 20
        while len(files) < 10:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(platform.server.pid, 9)
        writer.join(timeout=30)
        git = platform.server.config.folder / "git" / "alice" / "models.git"
        (git / "refs" / "heads" / "main.lock").touch()  # what a git that died with the server leaves
        again = LocalGithub(platform.server.config)
        again.start()
        try:
            again.wait_healthy()
            repository = platform.repository("wendy")
            assert set(kept) <= {comment.id for comment in repository.get_issue(number).get_comments()}
            present = {entry.path for entry in repository.get_git_tree("main", recursive=True).tree}
            assert set(files) <= present
            GitRepository(git).run("fsck", "--strict")
            repository.create_file("after.txt", "goes on", b"x")
        finally:
            again.stop()
