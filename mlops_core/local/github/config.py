"""Where the local GitHub listens, what it keeps and what its workflows get.

config = GithubConfig(port=8400, state=Path("state"), admin_token="…")
config.write(Path("github.json"))
GithubConfig.read(Path("github.json")) == config
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mlops_core.errors import InvalidRequest

ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True)
class CloudWatchConfig:
    """The CloudWatch whose dashboards the pages draw; ``environment`` holds AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_CA_BUNDLE."""

    endpoint: str
    environment: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"


@dataclass(frozen=True)
class GithubConfig:
    """Everything the server is told; it reads no environment variable of its own.

    ``actions`` maps ``OWNER/mlops@REF`` to a checkout that stands in for that reference.  ``runner_environment`` reaches every workflow
    step and must hold no secret.  ``python_path`` is the folder put first on the steps' PATH.
    With ``die_with_parent`` the server ends, runs included, when the process that started it is gone.
    """

    port: int
    state: Path
    admin_token: str
    actions: Mapping[str, Path] = field(default_factory=dict)
    runner_environment: Mapping[str, str] = field(default_factory=dict)
    act: str = ""
    cloudwatch: CloudWatchConfig | None = None
    python_path: str = ""
    log_level: str = "info"
    die_with_parent: bool = False

    @property
    def url(self) -> str:
        """The origin that people and machines use."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """PyGithub's ``base_url`` and the runner's GITHUB_API_URL."""
        return f"{self.url}/api/v3"

    @property
    def folder(self) -> Path:
        """The only folder this server writes to."""
        return self.state / "github"

    @property
    def jwks_path(self) -> Path:
        """The public keys of the OIDC issuer, for whoever verifies its tokens."""
        return self.folder / "jwks.json"

    @property
    def ca_bundle(self) -> str:
        """The certificates that webhooks trust: those of the runner's AWS_CA_BUNDLE, empty for this machine's own."""
        return self.runner_environment.get("AWS_CA_BUNDLE", "")

    @classmethod
    def read(cls, path: Path) -> GithubConfig:
        """The configuration in a JSON file; raises `InvalidRequest` when the file is no configuration."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            message = f"{path} is no readable configuration of the local GitHub: {error}."
            raise InvalidRequest(message, remedy="Start it with `mlops local up`.") from error
        return cls.from_json(raw)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> GithubConfig:
        """The configuration as plain JSON values; unknown keys are refused by name."""
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(raw) - known)
        if unknown:
            message = f"unknown key {unknown[0]!r} in the local GitHub's configuration; allowed: {', '.join(sorted(known))}."
            raise InvalidRequest(message, remedy="Remove it.")
        values = dict(raw)
        values["state"] = Path(values["state"])
        values["actions"] = {name: Path(folder) for name, folder in values.get("actions", {}).items()}
        if values.get("cloudwatch"):
            values["cloudwatch"] = CloudWatchConfig(**values["cloudwatch"])
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values that `from_json` reads back."""
        values = asdict(self)
        values["state"] = str(self.state.resolve())
        values["actions"] = {name: str(folder.resolve()) for name, folder in self.actions.items()}
        return values

    def write(self, path: Path) -> None:
        """Write the file for its owner's eyes only, because it carries the admin token."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.to_json(), indent=2), encoding="utf-8")
