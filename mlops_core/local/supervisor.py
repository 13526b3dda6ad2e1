"""Starts and stops the two servers of the local platform, and says how they are.

    with Supervisor(places, environments) as platform:      # stops what it started
        platform.aws.environment()                           # variables an SDK client needs
    Supervisor(places, environments).up(keep=True)           # leaves both servers running; down() stops them

One supervisor at a time holds the state folder; a second one is refused by name.  Both servers listen on 127.0.0.1 only.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from mlops_core.errors import Conflict, EnvironmentBroken
from mlops_core.local.aws.config import AwsConfig, Image, Limits
from mlops_core.local.aws.process import LocalAws
from mlops_core.local.environments import Environments
from mlops_core.local.github.config import CloudWatchConfig, GithubConfig
from mlops_core.local.github.process import LocalGithub
from mlops_core.local.places import Places

ISSUER = "https://token.actions.githubusercontent.com"
SERVER_FUNCTION = "mlops-server"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Status:
    """One server: its name, whether it answers, its URL and process id."""

    name: str
    running: bool
    url: str
    pid: int


@dataclass
class Supervisor:
    """The two servers of one clone; ``suite`` maps ``OWNER/mlops@REF`` to the checkout that stands in for it."""

    places: Places
    environments: Environments
    suite: Mapping[str, Path] = field(default_factory=dict)
    lambda_environment: Mapping[str, str] = field(default_factory=dict)
    only: Literal["all", "aws"] = "all"
    _lock: IO[str] | None = None

    def up(self, *, keep: bool, tell: Tell = lambda _: None) -> None:
        """Start both servers and wait until they answer; with ``keep`` they outlive this process.

        Raises `Conflict` when the platform of this state folder runs already, `EnvironmentBroken` with the log's last lines when a
        server does not come up.
        """
        self._hold()
        if self.status_of("aws").running:
            raise Conflict("the local platform is running already.", remedy="Use it, or stop it with `mlops local down`.")
        aws_port, github_port = self.places.ports()
        tell("environments")
        with ThreadPoolExecutor(4) as pool:
            made = dict(zip(names := ("ministack", "lambda", "work", "serve"), pool.map(self.environments.ensure, names), strict=True))
        admin_token = self._admin_token()
        self.aws_config = self._aws(aws_port, made, keep=keep)
        self.aws = LocalAws(self.aws_config)
        self.github_config = self._github(github_port, admin_token)
        self.github = LocalGithub(self.github_config)
        tell("servers")
        try:
            if self.only == "all":
                self.github.start()
            self.aws.start()
            if self.only == "all":
                self.github.wait_healthy(20)
            self.aws.wait_healthy(20)
        except BaseException:
            self.down()
            raise
        self._record(keep=keep)

    def down(self) -> None:
        """Stop what runs for this state folder, whoever started it; no process is left."""
        record = self._recorded()
        for server in (getattr(self, "github", None), getattr(self, "aws", None)):
            if server is not None:
                server.stop()
        for name in ("github", "aws"):
            _end(int(str(record.get(name, {}).get("pid", 0))), str(record.get(name, {}).get("started", "")))
        self._record_path.unlink(missing_ok=True)
        self._release()

    def reset(self) -> None:
        """Stop, and forget everything the platform kept."""
        self.down()
        for child in self.places.state.iterdir():
            shutil.rmtree(child, ignore_errors=True) if child.is_dir() else child.unlink(missing_ok=True)

    def attach(self) -> None:
        """Use the servers that an earlier `up` left running; `EnvironmentBroken` when there are none."""
        if not self.status_of("aws").running:
            raise EnvironmentBroken("the local platform is not running.", remedy="Start it with `mlops local up`.")
        self.aws_config = AwsConfig.read(self.places.state / "aws.json")
        self.aws = LocalAws(self.aws_config)
        github = self.places.state / "github.json"
        if github.exists():
            self.github_config = GithubConfig.read(github)
            self.github = LocalGithub(self.github_config)

    def status_of(self, name: str) -> Status:
        """How one server is, from the record and its process."""
        known = self._recorded().get(name, {})
        pid = int(str(known.get("pid", 0)))
        return Status(name, _alive(pid, str(known.get("started", ""))), str(known.get("url", "")), pid)

    def __enter__(self) -> Self:
        self.up(keep=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.down()

    def _aws(self, port: int, made: Mapping[str, Path], *, keep: bool) -> AwsConfig:
        config = AwsConfig(
            port=port,
            state=self.places.state / "aws",
            python=made["ministack"] / "bin" / "python",
            lambda_python=made["lambda"] / "bin" / "python",
            jwks={ISSUER: self.places.state / "github" / "jwks.json"},
            images={
                "mlops-work": Image(made["work"] / "bin", ("mlops-job",)),
                "mlops-serve": Image(made["serve"] / "bin", ("mlops-serve",)),
            },
            limits=Limits(reserved={SERVER_FUNCTION: 4}),
            die_with_parent=not keep,
        )
        config.write(self.places.state / "aws.json")
        return config

    def _github(self, port: int, admin_token: str) -> GithubConfig:
        aws = self.aws
        tools = self.places.state / "tools"
        (tools / "bin").mkdir(parents=True, exist_ok=True)
        _link(tools / "bin" / "uv", self.environments.uv)
        _link(tools / "bin" / "python3", Path(os.path.realpath(self.environments.folder / "lambda" / "bin" / "python")))
        visible = {name: value for name, value in aws.environment().items() if "KEY" not in name and "TOKEN" not in name}
        config = GithubConfig(
            port=port,
            state=self.places.state,
            admin_token=admin_token,
            actions=dict(self.suite),
            runner_environment={**_network(os.environ), **visible, "MLOPS_ACTIONS_CACHE": str(tools / "cache")},
            cloudwatch=CloudWatchConfig(endpoint=aws.endpoint, environment=aws.environment()),
            act=str(Path(sys.executable).with_name("act")),
            python_path=str(tools / "bin"),
        )
        config.write(self.places.state / "github.json")
        return config

    def _admin_token(self) -> str:
        path = self.places.state / "admin-token"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text()

    def _record(self, *, keep: bool) -> None:
        content: dict[str, object] = {"kept": keep, "aws": _entry(int(self.aws.pid_file.read_text()), self.aws.endpoint)}
        if self.only == "all":
            content["github"] = _entry(self.github.pid, self.github.url)
        self._record_path.write_text(json.dumps(content))

    @property
    def _record_path(self) -> Path:
        return self.places.state / "platform.json"

    def _recorded(self) -> dict[str, dict[str, object]]:
        try:
            return dict(json.loads(self._record_path.read_text()))
        except (OSError, ValueError):
            return {}

    def _hold(self) -> None:
        handle = (self.places.state / "supervisor.flock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            raise Conflict(
                f"another mlops command is using {self.places.state}.", remedy="Wait for it to end, or set MLOPS_STATE to another folder."
            ) from error
        self._lock = handle

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _network(environ: Mapping[str, str]) -> dict[str, str]:
    """What this machine needs to reach its package index: proxies, certificates, uv's and pip's own settings; never a credential of AWS."""
    names = {"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
    found = {name: value for name, value in environ.items() if name in names or name.startswith(("UV_", "PIP_"))}
    return {"UV_CACHE_DIR": str(Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"), **found}


def _entry(pid: int, url: str) -> dict[str, object]:
    return {"pid": pid, "started": _started(pid), "url": url}


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _started(pid: int) -> str:
    """The kernel's start time of a process, so that a reused process id is not mistaken for ours (empty where /proc is missing)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _alive(pid: int, started: str) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return not started or _started(pid) == started


def _end(pid: int, started: str, patience: float = 8.0) -> None:
    """SIGTERM to the server, SIGKILL to its group when it does not leave."""
    if not _alive(pid, started):
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while _alive(pid, started) and time.monotonic() < deadline:
        time.sleep(0.05)
    if _alive(pid, started):
        os.killpg(os.getpgid(pid), signal.SIGKILL)
