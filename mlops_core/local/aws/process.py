"""Starts and stops the local AWS as a process of its own.

    aws = LocalAws(config)
    aws.start(); aws.wait_healthy(10)
    subprocess.run(["aws", "s3", "ls"], env={**os.environ, **aws.environment()})
    aws.stop()

Standard library only.  The process leads its own group, writes ``logs/aws.log`` and ``aws.pid`` in the
state folder and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from mlops_core.errors import Conflict, EnvironmentBroken, Unavailable
from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.launcher import credentials

_LAUNCHER = Path(__file__).with_name("launcher.py")
_STOP_SECONDS = 15.0
_LOG_TAIL_CHARACTERS = 2_000


class LocalAws:
    """One local AWS of one state folder."""

    def __init__(self, config: AwsConfig) -> None:
        self.config = config
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """``https://127.0.0.1:PORT``, for every service."""
        return self.config.endpoint

    @property
    def ca_bundle(self) -> Path:
        """The certificate that clients must trust; it exists once the host is healthy."""
        return self.config.ca_bundle

    @property
    def log_file(self) -> Path:
        """Everything the host prints."""
        return self.config.state / "logs" / "aws.log"

    @property
    def pid_file(self) -> Path:
        """The process id of a running host."""
        return self.config.state / "aws.pid"

    def environment(self) -> dict[str, str]:
        """The variables that point any AWS SDK or the AWS CLI at this host as its root user."""
        keys = credentials(self.config.state)
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "AWS_DEFAULT_REGION": self.config.region,
            "AWS_REGION": self.config.region,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Start the process; `Conflict` when the port is taken, `EnvironmentBroken` when its interpreter is missing."""
        for interpreter in (self.config.python, self.config.lambda_python):
            if not os.access(interpreter, os.X_OK):
                raise EnvironmentBroken(
                    f"the interpreter {interpreter} is missing.", remedy="Run 'make install' to bring the platform's parts."
                )
        self._claim_port()
        self.config.write(self.config.state / "config.json")
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [self.config.python, "-I", _LAUNCHER, self.config.state / "config.json"],
                cwd=self.config.state,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid_file.write_text(f"{self._process.pid}\n", encoding="ascii")

    def wait_healthy(self, seconds: float) -> None:
        """Return once requests are answered; `EnvironmentBroken` when the process ended, `Unavailable` when time ran out."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                raise EnvironmentBroken(
                    f"the local AWS ended with status {self._process.returncode}: {self._log_tail()}", remedy=f"Read {self.log_file}."
                )
            if self.healthy():
                return
            time.sleep(0.03)
        raise Unavailable(f"the local AWS did not answer within {seconds:.0f} s.", remedy=f"Read {self.log_file}.")

    def healthy(self) -> bool:
        """Whether the host answers now."""
        if not self.ca_bundle.exists():
            return False
        try:
            trust = ssl.create_default_context(cafile=str(self.ca_bundle))
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2, context=trust) as answer:  # noqa: S310
                return "services" in json.load(answer)
        except (OSError, ValueError):
            return False

    def stop(self) -> None:
        """End the host and everything it started; nothing happens when it does not run."""
        pid = self._process.pid if self._process is not None else self._recorded_pid()
        if pid is None:
            return
        _signal(pid, signal.SIGTERM)
        if not self._ended(pid, _STOP_SECONDS):
            _signal_group(pid, signal.SIGKILL)
            self._ended(pid, _STOP_SECONDS)
        _signal_group(pid, signal.SIGKILL)
        self._process = None
        self.pid_file.unlink(missing_ok=True)

    def _ended(self, pid: int, seconds: float) -> bool:
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            return self._process.poll() is not None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and _alive(pid):
            time.sleep(0.05)
        return not _alive(pid)

    def _recorded_pid(self) -> int | None:
        """The process of the pid file, when it is still our launcher and not a stranger with a used number."""
        try:
            pid = int(self.pid_file.read_text(encoding="ascii"))
            command = Path(f"/proc/{pid}/cmdline")
            ours = _alive(pid) and (not command.exists() or os.fsencode(_LAUNCHER) in command.read_bytes())
        except (OSError, ValueError):
            return None
        return pid if ours else None

    def _claim_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.config.port))
            except OSError as error:
                raise Conflict(
                    f"port {self.config.port} of 127.0.0.1 is taken.", remedy="Stop what uses it, or set another port for the local AWS."
                ) from error

    def _log_tail(self) -> str:
        text = self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""
        return text[-_LOG_TAIL_CHARACTERS:]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
