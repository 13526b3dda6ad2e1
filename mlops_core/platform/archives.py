"""Lambda archives, byte for byte the same for the same lock and sources.

    agent, server = build("agent", Target.host(python), places…), build("server", Target.aws(uv), places…)
    build_all(project=Path("."), out=Path("build/lambda"), uv=Path(".tools/bin/uv"))     # both archives for both targets, compared

Each archive is its lock (``locks/agent.txt``, ``locks/server.txt``) installed for the target's Python and CPU, the part of this package
that Lambdas use, and bytecode with unchecked hashes (source times differ on every machine).  Only the service models that the adapters
name are kept of botocore: the rest is 90 % of its size.  The two targets must hold the same names and versions.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mlops_core.errors import Defect, EnvironmentBroken

NAMES = ("agent", "server")
LEFT_OUT = frozenset({"local", "cli", "jobs", "serving", "evaluation", "features", "entrypoints"})
SERVICES = {
    "agent": frozenset({"lambda", "sts"}),
    "server": frozenset(
        "cloudformation cloudwatch dynamodb events kms lambda logs s3 sagemaker sagemaker-runtime secretsmanager ses sesv2 sns stepfunctions sts".split()
    ),
}
SHARED_MODELS = frozenset({"endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json"})
MAX_BYTES = 40 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Target:
    """Where an archive runs: options for uv and the interpreter that compiles the bytecode."""

    name: str
    options: tuple[str, ...]
    python: Path

    @classmethod
    def host(cls, python: Path) -> Target:
        """This machine, for the local platform; ``python`` is the interpreter of its Lambda workers."""
        return cls("host", ("--python", str(python)), python)

    @classmethod
    def aws(cls, uv: Path) -> Target:
        """Lambda's python3.13 on arm64; a Python 3.13 is needed to compile for it (`EnvironmentBroken` otherwise)."""
        # pyenv's shims answer for versions that are not active: its real folders go first.
        pyenv = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.13*/bin"))
        search = os.pathsep.join([*map(str, pyenv), os.environ.get("PATH", "")])
        found = subprocess.run([str(uv), "python", "find", "3.13"], capture_output=True, text=True, check=False, env={**os.environ, "PATH": search})
        if found.returncode:
            raise EnvironmentBroken("there is no Python 3.13 to compile the archives with.", remedy="Install one (`uv python install 3.13`) and try again.")
        options = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.13", "--only-binary", ":all:")
        return cls("aws", options, Path(found.stdout.strip()))


@dataclass(frozen=True)
class Archive:
    """One built archive: SHA-256 of the file, and the distributions in it by name."""

    name: str
    target: str
    path: Path
    digest: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Builder:
    """Builds archives of one clone; dependencies are kept by lock, archives by content."""

    project: Path
    cache: Path
    uv: Path

    def build(self, name: str, target: Target) -> Archive:
        """One archive; an unchanged one is found, not built."""
        dependencies = self._dependencies(name, target)
        versions = installed(dependencies)
        key = hashlib.sha256(f"{dependencies.name}|{self._sources_digest()}".encode()).hexdigest()[:16]
        path = self.cache / f"{name}-{target.name}-{key}.zip"
        if not path.exists():
            sources = self._sources(key, target)
            for old in self.cache.glob(f"{name}-{target.name}-*.zip"):
                old.unlink()
            _zip([dependencies, sources], path)
            shutil.rmtree(sources)
        if path.stat().st_size > MAX_BYTES:
            raise Defect(f"archive {path.name} has {path.stat().st_size / 2**20:.1f} MB, more than 40 MB.")
        return Archive(name, target.name, path, hashlib.sha256(path.read_bytes()).hexdigest(), versions)

    def _dependencies(self, name: str, target: Target) -> Path:
        lock = self.project / "locks" / f"{name}.txt"
        mark = hashlib.sha256(lock.read_bytes() + repr(target).encode() + sys.version.encode() + repr(sorted(SERVICES[name])).encode()).hexdigest()[:16]
        folder = self.cache / "dependencies" / f"{name}-{target.name}-{mark}"
        if folder.exists():
            return folder
        for old in folder.parent.glob(f"{name}-{target.name}-*"):
            shutil.rmtree(old)
        partial = folder.with_suffix(f".{os.getpid()}")
        command = [str(self.uv), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(partial), *target.options, "-r", str(lock)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.project)
        if done.returncode:
            raise EnvironmentBroken(f"archive {name} for {target.name} cannot be resolved:\n{done.stderr[-1500:]}", remedy="Renew the lock with `make locks`.")
        _prune(partial, SERVICES[name])
        _compile(partial, target.python)
        partial.rename(folder)
        return folder

    def _sources_digest(self) -> str:
        total = hashlib.sha256()
        for path in self._package_files():
            total.update(str(path.relative_to(self.project)).encode() + b"\0" + path.read_bytes())
        return total.hexdigest()

    def _sources(self, key: str, target: Target) -> Path:
        folder = self.cache / f"sources-{key}-{target.name}-{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        for path in self._package_files():
            copy = folder / path.relative_to(self.project)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        _compile(folder, target.python)
        return folder

    def _package_files(self) -> Iterator[Path]:
        root = self.project / "mlops_core"
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).parts
            if path.is_file() and inside[0] not in LEFT_OUT and "__pycache__" not in inside:
                yield path


def build_all(*, project: Path, out: Path, uv: Path) -> list[Archive]:
    """Both archives for both targets; `Defect` names a distribution whose version differs between the targets."""
    out.mkdir(parents=True, exist_ok=True)
    builder = Builder(project=project, cache=out.resolve(), uv=uv)
    targets = (Target.aws(uv), Target.host(Path(sys.executable)))
    with ThreadPoolExecutor(2) as pool:
        built = list(pool.map(lambda pair: builder.build(*pair), [(name, target) for name in NAMES for target in targets]))
    for name in NAMES:
        first, second = (item for item in built if item.name == name)
        compare(first, second)
    return built


def compare(first: Archive, second: Archive) -> None:
    """`Defect` unless both archives hold the same distributions in the same versions (markers may leave one out on purpose)."""
    for name in sorted(first.versions.keys() & second.versions.keys()):
        if first.versions[name] != second.versions[name]:
            detail = f"{first.versions[name]} for {first.target}, {second.versions[name]} for {second.target}"
            raise Defect(f"{name} differs between the archives of {first.name}: {detail}.", remedy="Renew the lock with `make locks`.")


def installed(folder: Path) -> dict[str, str]:
    """Distributions in a folder: normalised name → version."""
    found = {}
    for path in folder.glob("*.dist-info"):
        name, _, version = path.name.removesuffix(".dist-info").partition("-")
        found[re.sub(r"[-_.]+", "-", name).lower()] = version
    return found


def _prune(folder: Path, services: frozenset[str]) -> None:
    for path in [*folder.rglob("__pycache__"), folder / "bin", *folder.glob("*/tests"), folder / "boto3" / "examples"]:
        shutil.rmtree(path, ignore_errors=True)
    (folder / ".lock").unlink(missing_ok=True)
    data = folder / "botocore" / "data"
    if not data.is_dir():
        return
    for path in data.iterdir():
        if path.is_dir() and path.name not in services:
            shutil.rmtree(path)
        elif path.is_file() and path.name.removesuffix(".gz") not in SHARED_MODELS:
            path.unlink()


def _compile(folder: Path, python: Path) -> None:
    """Bytecode next to the sources that no worker has to check; files of another Python version that do not compile are left alone."""
    command = [str(python), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/var/task", str(folder)]
    subprocess.run(command, capture_output=True, check=False)


def _zip(folders: list[Path], path: Path) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    entries = sorted(((file.relative_to(folder).as_posix(), file) for folder in folders for file in folder.rglob("*") if file.is_file()), key=lambda item: item[0])
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, file in entries:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = (0o755 if os.access(file, os.X_OK) else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, file.read_bytes())
    partial.rename(path)
