"""A running local GitHub with a repository, its people and their tokens."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
        return Github(
            auth=Auth.Token(token), base_url=self.server.api_url, seconds_between_requests=0, seconds_between_writes=0, per_page=100, retry=None
        )

    def repository(self, login: str, name: str = "alice/models") -> Repository:
        """A repository as a person sees it."""
        return self.client(self.tokens[login]).get_repo(name)


def free_port() -> int:
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


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    config = GithubConfig(port=free_port(), state=tmp_path_factory.mktemp("state"), admin_token="admin-token", act=str(ACT))
    server = LocalGithub(config)
    server.start()
    try:
        server.wait_healthy()
        yield populate(server)
    finally:
        server.stop()
