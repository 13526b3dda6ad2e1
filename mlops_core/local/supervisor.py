"""Starts and stops the two servers of the local platform, and says how they are.

    with Supervisor(places, environments) as platform:      # stops what it started
        platform.aws.environment()                           # variables an SDK client needs
    Supervisor(places, environments).up(keep=True)           # leaves both servers running; down() stops them

One supervisor at a time holds the state folder; a second one is refused by name, or attaches and keeps the platform up while it works.
Both servers listen on 127.0.0.1 only.  What runs is written down before it answers, so that a later command can always stop it.
"""

from __future__ import annotations

import contextlib
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
from typing import IO, Any, Literal, Self

from mlops_core.errors import Conflict, EnvironmentBroken
from mlops_core.local.aws.config import AwsConfig, Image, Limits
from mlops_core.local.aws.process import LocalAws
from mlops_core.local.environments import NAMES, Environments
from mlops_core.local.github.config import CloudWatchConfig, GithubConfig
from mlops_core.local.github.process import LocalGithub
from mlops_core.local.github.run_processes import end_processes_of
from mlops_core.local.interrupts import Workers, deferred, ignored
from mlops_core.local.places import Places

ISSUER = "https://token.actions.githubusercontent.com"
SERVER_FUNCTION = "mlops-server"
RECORD = "platform.json"
KEPT = (
    *("aws", "github", "suite", "tools", "clones", "logs", "admin-token"),
    *("aws.json", "github.json", "outputs.json", "ports.json", RECORD),
)
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
    closing: IO[str] | None = None
    _lock: IO[str] | None = None

    def up(self, *, keep: bool, tell: Tell = lambda _: None) -> None:
        """Start both servers and wait until they answer; with ``keep`` they outlive this process.

        Raises `Conflict` when the platform of this state folder runs already, `EnvironmentBroken` with the log's last lines when a
        server does not come up.
        """
        self.launch(keep=keep, tell=tell)
        try:
            self.wait_for("github")
            self.wait_for("aws")
        except BaseException:
            self.down()
            raise

    def launch(self, *, keep: bool, tell: Tell = lambda _: None) -> None:
        """Start both servers without waiting for their answers; see `up` for the errors."""
        if self.running:
            raise Conflict("the local platform is running already.", remedy="Use it, or stop it with `mlops local down`.")
        self.hold()
        try:
            self._clear_the_way(tell)
            self._launch(keep=keep, tell=tell)
        except BaseException:
            self.down()
            raise

    def _clear_the_way(self, tell: Tell) -> None:
        """Stop what an end without goodbye left, and say what that end may have cost."""
        if self._recorded():
            tell("the platform was not stopped properly last time: its newest logs and metrics may be lost")
            tell("everything else is brought back; runs that were in flight are closed as failed and can be labelled again")
            self._stop_servers()

    def _launch(self, *, keep: bool, tell: Tell) -> None:
        aws_port, github_port = self.places.ports()
        tell("environments")
        with Workers(len(NAMES)) as pool:
            made = dict(zip(NAMES, pool.map(self.environments.ensure, NAMES), strict=True))
        self.environments.claim(list(made.values()), self.places.state)
        self.aws_config = self._aws(aws_port, made, keep=keep)
        self.aws = LocalAws(self.aws_config)
        self.github_config = self._github(github_port, self._admin_token(), made["lambda"], keep=keep)
        self.github = LocalGithub(self.github_config)
        tell("servers")
        self.aws.pid_file.unlink(missing_ok=True)
        with deferred():
            if self.only == "all":
                self.github.start()
            self._record(keep=keep)
            self.aws.start()
            self._record(keep=keep)

    def wait_for(self, name: Literal["aws", "github"], seconds: float = 60.0) -> None:
        """Return when a server answers; `EnvironmentBroken` with the end of its log when it does not."""
        if name == "aws":
            self.aws.wait_healthy(seconds)
        elif self.only == "all":
            self.github.wait_healthy(seconds)

    def ready(self) -> None:
        """Write down that the platform is deployed: other commands may use it now.  Environments that nobody uses any more are removed."""
        self._write_record({**self._recorded(), "ready": True})
        self.environments.prune(lambda state: state.exists() and _any_alive(state / RECORD))

    def down(self) -> None:
        """Stop what runs for this state folder, whoever started it; no process is left, and no signal interrupts it."""
        with ignored():
            self._stop_servers()
            self.release()
            if self.closing is not None:
                self.closing.close()

    def _stop_servers(self) -> None:
        record = self._recorded()
        known = [(int(record[name]["pid"]), str(record[name]["started"])) for name in ("github", "aws") if name in record]
        own = [server.stop for name in ("github", "aws") if (server := getattr(self, name, None)) is not None]
        with ThreadPoolExecutor(4) as pool:
            for ended in [pool.submit(stop) for stop in own]:
                ended.result()
            for other in [pool.submit(_end, *process) for process in known]:
                other.result()
        end_processes_of(self.places.state / "github" / "runs")
        self._record_path.unlink(missing_ok=True)

    def reset(self) -> None:
        """Stop, and forget everything the platform kept; other files of the folder are left alone."""
        self.down()
        for name in KEPT:
            path = self.places.state / name
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)

    def attach(self) -> None:
        """Use the servers that an earlier `up` left running; `EnvironmentBroken` when there are none."""
        if not self.status_of("aws").running:
            raise EnvironmentBroken("the local platform is not running.", remedy="Start it with `mlops local up`.")
        self.aws_config = AwsConfig.read(self.places.state / "aws.json")
        self.aws = LocalAws(self.aws_config)
        if "github" in self._recorded():
            self.github_config = GithubConfig.read(self.places.state / "github.json")
            self.github = LocalGithub(self.github_config)
        else:
            self.only = "aws"

    @property
    def running(self) -> bool:
        """Whether every server that was started still runs."""
        record = self._recorded()
        started = [name for name in ("aws", "github") if name in record]
        return "aws" in started and all(self.status_of(name).running for name in started)

    @property
    def is_ready(self) -> bool:
        """Whether the running platform is deployed, so that commands can use it."""
        return self.running and bool(self._recorded().get("ready"))

    def status_of(self, name: str) -> Status:
        """How one server is, from the record and its process."""
        known = self._recorded().get(name, {})
        pid = int(known.get("pid", 0))
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

    def _github(self, port: int, admin_token: str, bare: Path, *, keep: bool) -> GithubConfig:
        aws = self.aws
        tools = self.places.state / "tools"
        (tools / "bin").mkdir(parents=True, exist_ok=True)
        _link(tools / "bin" / "uv", self.environments.uv)
        _link(tools / "bin" / "python3", Path(os.path.realpath(bare / "bin" / "python")))
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
            die_with_parent=not keep,
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
        content: dict[str, object] = {"kept": keep}
        if self.aws.pid_file.exists():
            content["aws"] = _entry(int(self.aws.pid_file.read_text()), self.aws.endpoint)
        if self.only == "all":
            content["github"] = _entry(self.github.pid, self.github.url)
        self._write_record(content)

    @property
    def _record_path(self) -> Path:
        return self.places.state / RECORD

    def _recorded(self) -> dict[str, Any]:
        return _read_record(self._record_path)

    def _write_record(self, content: Mapping[str, object]) -> None:
        staging = self._record_path.with_suffix(".new")
        staging.write_text(json.dumps(content))
        staging.replace(self._record_path)

    def hold(self) -> None:
        """Become the one supervisor of the state folder; `Conflict` when there is another."""
        if self._lock is not None:
            return
        handle = (self.places.state / "supervisor.flock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            raise Conflict(
                f"another mlops command is using {self.places.state}.", remedy="Wait for it to end, or set MLOPS_STATE to another folder."
            ) from error
        self._lock = handle

    def release(self) -> None:
        """Let another supervisor have the state folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def use(self) -> IO[str] | None:
        """Count as a user of the running platform until the answered file is closed; None when it is being stopped."""
        return self._users(fcntl.LOCK_SH)

    def unused(self) -> IO[str] | None:
        """Admit no further user until the answered file is closed; None while another command uses the platform."""
        return self._users(fcntl.LOCK_EX)

    def _users(self, kind: int) -> IO[str] | None:
        handle = (self.places.state / "users.flock").open("w")
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return None
        return handle


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
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return "" if fields[0] in "XZ" else fields[19]  # a dead process that nobody waited for is no process
    except (OSError, IndexError):
        return ""


def _read_record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _any_alive(record: Path) -> bool:
    entries = [value for value in _read_record(record).values() if isinstance(value, dict)]
    return any(_alive(int(entry["pid"]), str(entry["started"])) for entry in entries)


def _alive(pid: int, started: str) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return bool(started) == Path("/proc/self/stat").exists() and _started(pid) == started


def _end(pid: int, started: str, patience: float = 20.0) -> None:
    """SIGTERM to the server, SIGKILL to its group when it does not leave."""
    deadline = time.monotonic() + patience
    with contextlib.suppress(ProcessLookupError):
        if _alive(pid, started):
            os.kill(pid, signal.SIGTERM)
        while _alive(pid, started) and time.monotonic() < deadline:
            time.sleep(0.03)
        if _alive(pid, started):
            os.killpg(pid, signal.SIGKILL)
