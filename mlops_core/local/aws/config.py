"""Settings of the local AWS, written by the supervisor and read by the host process.

    config = AwsConfig(port=4566, state=Path("/tmp/state/aws"), python=Path("ms/bin/python"), lambda_python=Path("bare/bin/python3"))
    config.write(config.state / "config.json")
    AwsConfig.read(Path("/tmp/state/aws/config.json")) == config

Standard library only: the host process reads it in MiniStack's own environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mlops_core.errors import InvalidRequest


@dataclass(frozen=True)
class Image:
    """One container image as an environment: the folder of its executables and the entry point to run from it."""

    bin: Path
    entrypoint: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """How many Lambda workers may live at once.

    ``per_function`` and ``total`` count processes; ``reserved`` maps a function name to workers of its own that do not count in ``total``,
    so that waiting callers cannot starve the function they wait for. ``idle_seconds`` is how long an unused worker is kept.
    """

    per_function: int = 4
    total: int = 16
    reserved: Mapping[str, int] = field(default_factory=dict)
    idle_seconds: float = 300.0


@dataclass(frozen=True)
class AwsConfig:
    """Everything the host process needs; every path is absolute."""

    port: int
    state: Path
    python: Path
    lambda_python: Path
    account: str = "000000000000"
    region: str = "us-east-1"
    jwks: Mapping[str, Path] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    log_level: str = "WARNING"
    journal: bool = True
    die_with_parent: bool = True

    @property
    def endpoint(self) -> str:
        """The one URL of all services."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_bundle(self) -> Path:
        """The certificate that clients must trust."""
        return self.state / "tls" / "ca.pem"

    @property
    def journal_file(self) -> Path:
        """Where authorisation decisions are appended."""
        return self.state / "journal.jsonl"

    def write(self, path: Path) -> None:
        """Save as JSON, readable by the owner only."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), default=str, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> AwsConfig:
        """Load what `write` saved; `InvalidRequest` names an unknown or missing key."""
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        unknown = sorted(set(raw) - {each.name for each in fields(cls)})
        if unknown:
            raise InvalidRequest(f"setting {unknown[0]!r} of the local AWS is not known.", remedy=f"Remove it from {path}.")
        for name in ("state", "python", "lambda_python"):
            if name not in raw:
                raise InvalidRequest(f"setting {name!r} of the local AWS is missing.", remedy=f"Add it to {path}.")
            raw[name] = Path(raw[name])
        raw["jwks"] = {issuer: Path(file) for issuer, file in raw.get("jwks", {}).items()}
        raw["images"] = {name: Image(Path(one["bin"]), tuple(one["entrypoint"])) for name, one in raw.get("images", {}).items()}
        raw["limits"] = Limits(**raw.get("limits", {}))
        return cls(**raw)
