"""The environments that stand in for runtimes and images, each made of its own lock.

    environments = Environments(project=Path("."), folder=Path(".envs"), uv=find_uv(Path(".")))
    environments.ensure("work")          # -> .envs/work, holding locks/work.txt and this project's wheel

An environment is rebuilt when its lock or the sources change, so an image whose lock lacks a dependency fails here as it would on
AWS.  Nothing of the developer's own environment is visible in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_core.errors import EnvironmentBroken

WITH_PACKAGE = frozenset({"work", "serve"})


def find_uv(project: Path) -> Path:
    """The uv that the Makefile brought, else one on PATH; `EnvironmentBroken` when there is none."""
    own = project / ".tools" / "bin" / "uv"
    found = os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))
    if not found:
        raise EnvironmentBroken("uv was not found.", remedy="Run `make setup` in the project's folder once.")
    return Path(found)


def source_digest(project: Path) -> str:
    """Digest of the package's files: which code an environment or archive holds (16 hexadecimal digits)."""
    total = hashlib.sha256()
    for path in sorted((project / "mlops_core").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(str(path.relative_to(project)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    total.update((project / "pyproject.toml").read_bytes())
    return total.hexdigest()[:16]


@dataclass(frozen=True)
class Environments:
    """Makes and finds the environments below one folder."""

    project: Path
    folder: Path
    uv: Path
    extra: tuple[str, ...] = ()

    def ensure(self, name: str) -> Path:
        """The folder of environment ``name`` made of ``locks/<name>.txt``, built when it is missing or out of date.

        ``lambda`` is bare: a Lambda worker sees its archive only.  Raises `EnvironmentBroken` with uv's own words when building fails.
        """
        target = self.folder / name
        with self._lock(name):
            if self._mark(target, "lock") != self._lock_digest(name):
                shutil.rmtree(target, ignore_errors=True)
                self._uv("venv", "--quiet", "--python", sys.executable, str(target))
                if name != "lambda":
                    self._uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(target / "bin/python"), str(self._lock_file(name)))
                if self.extra and name in WITH_PACKAGE:
                    self._uv("pip", "install", "--quiet", "--python", str(target / "bin/python"), *self.extra)
                (target / ".lock").write_text(self._lock_digest(name))
            if name in WITH_PACKAGE:
                self._install_package(target)
        return target

    def _install_package(self, target: Path) -> None:
        wanted = source_digest(self.project)
        if self._mark(target, "source") == wanted:
            return
        python = str(target / "bin/python")
        self._uv("pip", "install", "--quiet", "--no-deps", "--reinstall-package", "mlops-actions", "--compile-bytecode", "--python", python, str(self._wheel(wanted)))
        (target / ".source").write_text(wanted)

    def _wheel(self, wanted: str) -> Path:
        out = self.folder / "wheels" / wanted
        with self._lock("wheel"):
            if not list(out.glob("*.whl")):
                shutil.rmtree(out.parent, ignore_errors=True)
                self._uv("build", "--quiet", "--wheel", "--out-dir", str(out), str(self.project))
        return next(iter(out.glob("*.whl")))

    def _lock_file(self, name: str) -> Path:
        path = self.project / "locks" / f"{name}.txt"
        if not path.exists():
            raise EnvironmentBroken(f"{path} is missing.", remedy="Run mlops from a clone of the project, or `make locks`.")
        return path

    def _lock_digest(self, name: str) -> str:
        content = b"" if name == "lambda" else self._lock_file(name).read_bytes()
        return hashlib.sha256(content + sys.version.encode() + " ".join(self.extra).encode()).hexdigest()

    @staticmethod
    def _mark(target: Path, kind: str) -> str:
        path = target / f".{kind}"
        return path.read_text() if path.exists() else ""

    def _uv(self, *arguments: str) -> None:
        done = subprocess.run([str(self.uv), *arguments], capture_output=True, text=True, check=False, cwd=self.project)
        if done.returncode:
            last = "\n".join(done.stderr.strip().splitlines()[-6:])
            raise EnvironmentBroken(f"uv {arguments[0]} {arguments[1]} failed:\n{last}", remedy="Check the network and the disk, then try again.")

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{name}.flock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
