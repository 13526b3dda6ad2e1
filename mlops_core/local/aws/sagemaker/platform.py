"""What every part of the service shares: the host, the settings, the records, the programs, and the words AWS uses for them.

platform = Platform.open(host, config)
platform.arn("training-job", "census-1")
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mlops_core.local.aws.host import AccessDenied, Host
from mlops_core.local.aws.sagemaker.announcer import Announcer
from mlops_core.local.aws.sagemaker.errors import ProgramFailed, access_denied, validation
from mlops_core.local.aws.sagemaker.model import Model, load_model
from mlops_core.local.aws.sagemaker.process import Launcher
from mlops_core.local.aws.sagemaker.store import Store

MOUNT = "/opt/ml"
_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<repository>[a-z0-9][a-z0-9._/-]*)(?:[:@].+)?"
)


class Config(Protocol):
    """What the supervisor configures; see `Settings` for what it may leave out."""

    @property
    def images(self) -> Mapping[str, Any]:
        """ECR repository name → ``bin`` (folder of executables) and ``entrypoint`` (program, argument…), as a mapping or as attributes."""

    @property
    def state(self) -> Path:
        """The platform's folder; the service writes below ``sagemaker/`` only."""

    @property
    def region(self) -> str:
        """For example ``eu-central-1``."""

    @property
    def account(self) -> str:
        """Twelve digits."""


@dataclass(frozen=True)
class Image:
    """A container image as it exists here: an environment's executables and the program it starts."""

    bin: Path
    entrypoint: tuple[str, ...]

    @classmethod
    def of(cls, entry: Any) -> Image:
        """An image from a mapping or from any object with the two attributes."""
        if isinstance(entry, Mapping):
            return cls(Path(entry["bin"]), tuple(entry["entrypoint"]))
        return cls(Path(entry.bin), tuple(entry.entrypoint))


@dataclass(frozen=True)
class Settings:
    """The configuration with its optional parts; seconds are wall-clock seconds."""

    images: Mapping[str, Image]
    folder: Path
    region: str
    account: str
    stop_grace_s: float = 120.0
    endpoint_grace_s: float = 30.0
    health_timeout_s: float = 240.0
    sync_interval_s: float = 30.0
    metric_interval_s: float = 5.0
    capture_interval_s: float = 5.0
    revive_interval_s: float = 1.0
    parallel_jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    seed: int | None = None

    @classmethod
    def of(cls, config: Config) -> Settings:
        """Settings from any object with the required attributes; the others override the defaults."""
        names = (
            "stop_grace_s",
            "endpoint_grace_s",
            "health_timeout_s",
            "sync_interval_s",
            "metric_interval_s",
            "capture_interval_s",
            "revive_interval_s",
            "parallel_jobs",
            "seed",
        )
        given = {name: getattr(config, name) for name in names if getattr(config, name, None) is not None}
        images = {name: Image.of(entry) for name, entry in config.images.items()}
        return cls(images=images, folder=Path(config.state) / "sagemaker", region=config.region, account=config.account, **given)


@dataclass(frozen=True)
class Platform:
    """The shared parts."""

    host: Host
    settings: Settings
    store: Store
    launcher: Launcher
    model: Model
    announcer: Announcer

    @classmethod
    def open(cls, host: Host, config: Config) -> Platform:
        """Read the records, sweep what an earlier process left running."""
        settings = Settings.of(config)
        settings.folder.mkdir(parents=True, exist_ok=True)
        return cls(host, settings, Store(settings.folder), Launcher(settings.folder / "processes"), load_model(), Announcer(host))

    def arn(self, resource: str, name: str) -> str:
        """The ARN of one of our resources."""
        return f"arn:aws:sagemaker:{self.settings.region}:{self.settings.account}:{resource}/{name}"

    def image(self, uri: str) -> Image:
        """The environment behind an image URI; ValidationException when this platform has none."""
        found = _IMAGE.fullmatch(uri)
        known = ", ".join(sorted(self.settings.images)) or "none"
        if not found:
            raise validation(
                f"Image {uri} is not an ECR image URI ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG; repositories here: {known}."
            )
        if (found["account"], found["region"]) != (self.settings.account, self.settings.region):
            raise validation(
                f"Image {uri} is in another account or region than {self.settings.account} in {self.settings.region}; use its registry."
            )
        entry = self.settings.images.get(found["repository"])
        if entry is None:
            raise validation(
                f"The image {uri} does not exist: the local platform has no environment for '{found['repository']}'; it has {known}."
            )
        return entry

    def check_caller(self, headers: Mapping[str, str], check: tuple[str, str, Mapping[str, str]]) -> None:
        """AccessDeniedException unless the caller may do an action on a resource under a context."""
        try:
            self.host.enforce_caller(headers, *check)
        except AccessDenied as error:
            raise access_denied(str(error)) from error

    def check_pass_role(self, headers: Mapping[str, str], role_arn: str) -> None:
        """AccessDeniedException unless the caller may pass the role to us; ValidationException when the role does not trust us."""
        self.check_caller(headers, ("iam:PassRole", role_arn, {"iam:PassedToService": "sagemaker.amazonaws.com"}))
        try:
            self.host.assume_role(role_arn, "sagemaker.amazonaws.com", "SageMaker")
        except AccessDenied as error:
            text = "Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role."
            raise validation(f"Could not assume role {role_arn}. {text}") from error

    def role_environment(self, role_arn: str, session: str) -> dict[str, str]:
        """The variables that let a program act as its execution role, and as nobody else."""
        try:
            keys = self.host.assume_role(role_arn, "sagemaker.amazonaws.com", session[:64])
        except AccessDenied as error:
            raise ProgramFailed(f"ClientError: could not assume role {role_arn}: {error}") from error
        return {
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.session_token,
            "AWS_REGION": self.settings.region,
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_ENDPOINT_URL": self.host.endpoint_url,
            "AWS_CA_BUNDLE": str(self.host.ca_bundle),
        }


def program(image: Image, words: list[str], base: Path) -> list[str]:
    """A command line: the first word resolved in the image's executables, ``/opt/ml`` mapped to the base folder."""
    first, *rest = words
    name = Path(first).name
    path = image.bin / name
    if not path.exists() and name in ("sh", "bash"):
        path = Path("/bin") / name
    if not path.exists():
        raise ProgramFailed(
            f"ClientError: the image has no executable '{first}'; it has: {', '.join(executables(image.bin)[:20]) or 'none'}"
        )
    return [str(path), *(mapped(word, base) for word in rest)]


def executables(folder: Path) -> list[str]:
    """The names of an image's executables."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def mapped(text: str, base: Path) -> str:
    """``/opt/ml/x`` and ``--flag=/opt/ml/x`` below the base folder; any other text as it is."""
    return re.sub(rf"(^|=){MOUNT}(?=/|$)", lambda found: found.group(1) + str(base), text)


def scrubbed(image: Image, home: Path, base: Path) -> dict[str, str]:
    """The few variables every program gets; nothing of the platform's own environment."""
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": f"{image.bin}:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "SAGEMAKER_BASE_DIR": str(base),
    }


def now() -> float:
    """Seconds since the epoch, to the millisecond as AWS answers them."""
    return round(time.time(), 3)
