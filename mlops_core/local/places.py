"""Where the local platform of one clone keeps its state, and which ports it uses.

    places = Places.of(project=Path("."), environ=os.environ)
    places.state              # keyed by the project's path; MLOPS_STATE overrides

Two users or two clones never share a folder or a port.
"""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_core.errors import EnvironmentBroken


def project_root() -> Path:
    """The clone this package runs from; `EnvironmentBroken` when it was installed without its locks and templates."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "locks").is_dir() or not (root / "cloudformation").is_dir():
        raise EnvironmentBroken(f"{root} is no clone of the project.", remedy="Clone the repository and run `make setup` there.")
    return root


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Places:
    """The folders of one clone's local platform."""

    project: Path
    state: Path

    @classmethod
    def of(cls, project: Path, environ: Mapping[str, str]) -> Places:
        """Folders for a clone; raises `EnvironmentBroken` when the state folder cannot be made."""
        home = Path(environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", "/tmp")) / ".local" / "state")  # noqa: S108
        key = f"{project.name}-{hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:10]}"
        state = Path(environ["MLOPS_STATE"]) if environ.get("MLOPS_STATE") else home / "mlops" / key
        try:
            state.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EnvironmentBroken(
                f"the state folder {state} cannot be made: {error.strerror}.", remedy="Set MLOPS_STATE to a folder of yours."
            ) from error
        return cls(project=project, state=state.resolve())

    @property
    def environments(self) -> Path:
        """The folder of the image and runtime environments (shared by all states of this clone)."""
        return self.project / ".envs"

    @property
    def logs(self) -> Path:
        """The folder of the servers' logs."""
        return self.state / "logs"

    def ports(self) -> tuple[int, int]:
        """The ports of AWS and GitHub: those of last time while they are free (URLs stay good), otherwise fresh ones."""
        path = self.state / "ports.json"
        if path.exists():
            kept = json.loads(path.read_text())
            if is_free(kept["aws"]) and is_free(kept["github"]):
                return kept["aws"], kept["github"]
        fresh = {"aws": free_port(), "github": free_port()}
        path.write_text(json.dumps(fresh))
        return fresh["aws"], fresh["github"]
