"""A running local GitHub with a repository, its people and their tokens."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from github import Auth, Github  # noqa: TID251 - PyGithub is the independent client
from github.Repository import Repository  # noqa: TID251

from mlops_core.local.github.admin import Admin
from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.process import LocalGithub

ACT = Path(sys.executable).parent / "act"
PEOPLE = {"alice": "admin", "wendy": "write", "tina": "triage", "rita": "read"}


@dataclass
class Platform:
    """A server, its administration and how to call it as somebody."""

    server: LocalGithub
    admin: Admin
    tokens: dict[str, str]

    def client(self, token: str) -> Github:
        """PyGithub as product code makes it."""
        pauses: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0}
        return Github(auth=Auth.Token(token), base_url=self.server.api_url, per_page=100, retry=None, **pauses)

    def repository(self, login: str, name: str = "alice/models") -> Repository:
        """A repository as a person sees it."""
        return self.client(self.tokens[login]).get_repo(name)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def populate(server: LocalGithub) -> Platform:
    admin = Admin(server.url, server.config.admin_token)
    for login in [*PEOPLE, "stranger"]:
        admin.create_person(login)
    admin.create_repository("alice", "models", files={"README.md": b"# models\n"})
    for login, role in PEOPLE.items():
        admin.set_permission("alice/models", login, role)
    return Platform(server, admin, {login: admin.create_token(login) for login in [*PEOPLE, "stranger"]})


@pytest.fixture(scope="session")
def make_platform(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AbstractContextManager[Platform]]:
    @contextmanager
    def make(**more: Any) -> Iterator[Platform]:
        state = tmp_path_factory.mktemp("state")
        server = LocalGithub(GithubConfig(port=unused_port(), state=state, admin_token="admin-token", act=str(ACT), **more))
        server.start()
        try:
            server.wait_healthy()
            yield populate(server)
        finally:
            server.stop()

    return make


@pytest.fixture(scope="module")
def platform(make_platform: Callable[..., AbstractContextManager[Platform]]) -> Iterator[Platform]:
    with make_platform() as made:
        yield made


@pytest.fixture
def free_port() -> int:
    return unused_port()
