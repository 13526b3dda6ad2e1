"""The two Lambda archives, built from their locks for a target machine, byte for byte the same each time.

    builder = Builder(project=Path("."), uv=find_uv(Path(".")), folder=Path("build/archives"))
    agent = builder.build("agent", AWS)          # Archive: path, digest, bytes, packages
    differences(agent, builder.build("agent", host()))     # [] when names and versions agree

An archive holds the lock's packages, this package without the folders that never run in a Lambda, and bytecode that is not checked
against its source (a cold start halves).  Of botocore only the service models that our adapters use are kept; the list is `SERVICES`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mlops_core.errors import EnvironmentBroken, Refused

Name = Literal["agent", "server"]
LIMIT_BYTES = 40 * 1000 * 1000
SERVICES: dict[str, tuple[str, ...]] = {
    "agent": ("lambda", "sts"),
    "server": (
        "cloudwatch",
        "dynamodb",
        "kms",
        "lambda",
        "s3",
        "sagemaker",
        "sagemaker-runtime",
        "secretsmanager",
        "ses",
        "sesv2",
        "sns",
        "stepfunctions",
        "sts",
    ),
}
NEVER = {
    "agent": ("local", "jobs", "serving", "cli", "features", "evaluation", "entrypoints", "platform", "capabilities", "runs"),
    "server": ("local", "jobs", "serving", "cli", "features", "evaluation", "entrypoints", "platform", "agents"),
}
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Target:
    """A machine that runs an archive: Python version, platform tag as uv spells it (empty: this machine)."""

    name: str
    python: str
    platform: str = ""


AWS = Target("aws", "3.13", "aarch64-manylinux2014")


def host() -> Target:
    """This machine's Python and CPU, for the local platform."""
    return Target("host", f"{sys.version_info.major}.{sys.version_info.minor}")


@dataclass(frozen=True)
class Archive:
    """A built archive: where it lies, the digest its S3 key carries, its size in bytes, its packages as name -> version."""

    name: Name
    target: Target
    path: Path
    digest: str
    bytes: int
    packages: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Builder:
    """Builds archives below a folder and finds again what was built from the same lock and sources."""

    project: Path
    uv: Path
    folder: Path

    def build(self, name: Name, target: Target) -> Archive:
        """The archive of the present lock and sources; `EnvironmentBroken` when uv fails, `Refused` when it is over 40 MB."""
        digest = self._digest(name, target)
        path = self.folder / f"{name}-{target.name}-{digest[:16]}.zip"
        packages = self._dependencies(name, target)
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
                root = Path(scratch) / "root"
                shutil.copytree(packages, root, copy_function=os.link)
                self._copy_package(name, root)
                self._compile(root / "mlops_core", target)
                part = Path(scratch) / "part.zip"
                _zip(root, part)
                part.replace(path)
        size = path.stat().st_size
        if size > LIMIT_BYTES:
            raise Refused(
                f"{path.name} has {size / 1e6:.1f} MB, and a Lambda archive may have {LIMIT_BYTES / 1e6:.0f} here.",
                remedy="Take a package out of its lock.",
            )
        return Archive(name, target, path, digest, size, installed(packages))

    def _dependencies(self, name: Name, target: Target) -> Path:
        """The lock's packages for a target, pruned and compiled; kept, because they change far less often than our sources."""
        lock = self.project / "locks" / f"{name}.txt"
        key = hashlib.sha256(lock.read_bytes() + repr((target, SERVICES[name])).encode()).hexdigest()[:16]
        folder = self.folder / f"packages-{name}-{target.name}-{key}"
        if folder.exists():
            return folder
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            root = Path(scratch) / "root"
            self._install(lock, target, root)
            _prune(root, SERVICES[name])
            self._compile(root, target)
            root.rename(folder)
        return folder

    def _install(self, lock: Path, target: Target, root: Path) -> None:
        command = [
            str(self.uv),
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--target",
            str(root),
        ]
        command += ["--python-version", target.python, "--link-mode", "copy"]
        command += ["--python-platform", target.platform] if target.platform else ["--python", sys.executable]
        done = subprocess.run([*command, "-r", str(lock)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise EnvironmentBroken(
                f"the packages of {lock.name} cannot be brought for {target.name}: {done.stderr.strip()[-800:]}",
                remedy="Check the network and try again.",
            )

    def _copy_package(self, name: Name, root: Path) -> None:
        left_out = {self.project / "mlops_core" / folder for folder in NEVER[name]}

        def ignore(folder: str, names: list[str]) -> Iterable[str]:
            return [item for item in names if item == "__pycache__" or Path(folder, item) in left_out]

        shutil.copytree(self.project / "mlops_core", root / "mlops_core", ignore=ignore)

    def _compile(self, root: Path, target: Target) -> None:
        python = sys.executable if not target.platform else self._interpreter(target.python)
        if python is None:
            return
        command = [
            python,
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            str(root.parent),
            "-p",
            "/var/task",
            str(root),
        ]
        done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"})
        if done.returncode < 0 or b"[interrupted]" in done.stdout:  # a file that does not compile is no reason, a half-made archive is
            raise EnvironmentBroken("building an archive was interrupted.", remedy="Start again.")

    def _interpreter(self, version: str) -> str | None:
        """A Python of the target's version for its bytecode; without one the archive carries sources only and starts slower."""
        found = subprocess.run(
            [str(self.uv), "python", "find", "--no-python-downloads", version], capture_output=True, text=True, check=False
        )
        return found.stdout.strip() if found.returncode == 0 else None

    def _digest(self, name: Name, target: Target) -> str:
        total = hashlib.sha256((self.project / "locks" / f"{name}.txt").read_bytes())
        total.update(repr((target, SERVICES[name], NEVER[name])).encode())
        package = self.project / "mlops_core"
        for path in sorted(package.rglob("*")):
            inside = path.relative_to(package)
            if path.is_file() and "__pycache__" not in inside.parts and inside.parts[0] not in NEVER[name]:
                total.update(f"{inside}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()


def installed(folder: Path) -> dict[str, str]:
    """Packages below a folder by their metadata folders: name -> version."""
    found = (re.fullmatch(r"(.+)-([^-]+)\.dist-info", path.name) for path in folder.glob("*.dist-info"))
    return {item.group(1).lower().replace("_", "-"): item.group(2) for item in sorted(found, key=str) if item}


def differences(one: Archive, other: Archive) -> list[str]:
    """Packages whose presence or version differs between two targets, in words; empty when they agree."""
    names = sorted(one.packages.keys() | other.packages.keys())
    return [
        f"{name}: {one.packages.get(name, 'absent')} for {one.target.name}, {other.packages.get(name, 'absent')} for {other.target.name}"
        for name in names
        if one.packages.get(name) != other.packages.get(name)
    ]


def _prune(root: Path, services: tuple[str, ...]) -> None:
    """Leave out what never runs: service models of other services, scripts, and tests that packages ship."""
    shutil.rmtree(root / "bin", ignore_errors=True)
    for data in (root / "botocore" / "data", root / "boto3" / "data"):
        for path in data.glob("*/"):
            if path.name not in services:
                shutil.rmtree(path)
    for path in [*root.rglob("tests"), *root.glob("boto3/examples")]:
        if path.is_dir():
            shutil.rmtree(path)


def _zip(root: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for item in sorted(root.rglob("*")):
            if item.is_file():
                entry = zipfile.ZipInfo(item.relative_to(root).as_posix(), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, item.read_bytes())
