"""The local GitHub as a child process.

github = LocalGithub(config)
github.start()
github.wait_healthy()
…
github.stop()
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from pathlib import Path

from mlops_core.errors import EnvironmentBroken
from mlops_core.local.github.config import ISSUER, GithubConfig

# `-m` finds the package from here, wherever the caller stands and however it was installed.
_PACKAGES = Path(__file__).parents[3]


class LocalGithub:
    """One server process; its log is ``state/github/server.log``."""

    issuer = ISSUER

    def __init__(self, config: GithubConfig) -> None:
        self.config = config
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The origin of the pages and of git."""
        return self.config.url

    @property
    def api_url(self) -> str:
        """PyGithub's ``base_url``."""
        return self.config.api_url

    @property
    def jwks_path(self) -> Path:
        """The issuer's public keys; the file exists once the server is healthy."""
        return self.config.jwks_path

    @property
    def log_path(self) -> Path:
        """What the server says."""
        return self.config.folder / "server.log"

    @property
    def pid(self) -> int:
        """The process id, 0 before the start."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the server; `wait_healthy` says when it answers."""
        self.config.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.config.folder.resolve() / "config.json"
        self.config.write(path)
        command = [sys.executable, "-m", "mlops_core.local.github", "--config", str(path)]
        if self.config.die_with_parent:
            command += ["--parent", str(os.getpid())]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=_PACKAGES
            )

    def healthy(self) -> bool:
        """Whether the server answers now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.config.port, timeout=2)
        try:
            connection.request("GET", "/_local/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_healthy(self, timeout_s: float = 15.0) -> None:
        """Return when the server answers; raises `EnvironmentBroken` with the end of its log when it ends or stays silent."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            ended = self._process is not None and self._process.poll() is not None
            if not ended and self.healthy():
                return
            if ended:
                break
            time.sleep(0.05)
        tail = "\n".join(self.log_path.read_text(errors="replace").splitlines()[-8:]) if self.log_path.exists() else ""
        message = f"the local GitHub does not answer on {self.url}. The end of its log:\n{tail}\n"
        raise EnvironmentBroken(message, remedy=f"See {self.log_path}; is port {self.config.port} taken?")

    def stop(self, timeout_s: float = 15.0) -> None:
        """End the server and its runs; a server that does not end in time is killed."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
