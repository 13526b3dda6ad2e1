"""The environments that stand in for runtimes and images, each made of its own lock.

    environments = Environments(project=Path("."), folder=Path(".envs"), uv=find_uv(Path(".")))
    environments.ensure("work")          # -> .envs/work-<lock>-<sources>, holding locks/work.txt and this project's wheel

A folder is never changed once it is made: its name carries the digests of its lock and of the sources, so a running job keeps the code
it started with.  An image whose lock lacks a dependency fails here as it would on AWS, and nothing of the developer's own environment is
visible in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_core.errors import EnvironmentBroken

NAMES = ("ministack", "lambda", "work", "serve")
WITH_PACKAGE = frozenset({"work", "serve"})
KEEP_SECONDS = 3600.0


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
        """The folder of environment ``name`` made of ``locks/<name>.txt`` (and the sources), built when it is missing.

        ``lambda`` is bare: a Lambda worker sees its archive only.  Raises `EnvironmentBroken` with uv's own words when building fails.
        """
        base = self.folder / f"{name}-{self._lock_digest(name)}"
        self._once(base, lambda: self._install_lock(name, base))
        if name not in WITH_PACKAGE:
            return base
        sources = source_digest(self.project)
        image = base.with_name(f"{base.name}-{sources}")
        self._once(image, lambda: self._install_package(image, base, sources))
        return image

    def claim(self, made: list[Path], state: Path) -> None:
        """Write down that the platform of a state folder runs from these environments, so that `prune` leaves them alone."""
        for environment in made:
            mark = environment / ".used" / hashlib.sha256(str(state).encode()).hexdigest()[:16]
            mark.parent.mkdir(exist_ok=True)
            mark.write_text(str(state))
            if environment.name.count("-") > 1:
                self.claim([environment.with_name(environment.name.rpartition("-")[0])], state)

    def prune(self, running: Callable[[Path], bool]) -> list[Path]:
        """Remove environments of older locks and sources; ``running`` says whether the platform of a state folder still runs.

        What was made or claimed within the last hour stays: somebody may be about to use it.
        """
        gone = []
        for ready in sorted(self.folder.glob("*-*/.ready")):
            environment = ready.parent
            marks = list(environment.glob(".used/*"))
            last = max(path.stat().st_mtime for path in (ready, *marks))
            if time.time() - last < KEEP_SECONDS or any(running(Path(mark.read_text())) for mark in marks):
                continue
            with self._lock(environment.name):
                ready.unlink(missing_ok=True)
                shutil.rmtree(environment, ignore_errors=True)
            gone.append(environment)
        return gone

    def _once(self, target: Path, build: Callable[[], None]) -> None:
        if (target / ".ready").exists():
            return
        with self._lock(target.name):
            if (target / ".ready").exists():
                return
            shutil.rmtree(target, ignore_errors=True)
            self._uv("venv", "--quiet", "--python", sys.executable, str(target))
            build()
            (target / ".ready").touch()

    def _install_lock(self, name: str, target: Path) -> None:
        python = str(target / "bin" / "python")
        if name != "lambda":
            self._uv("pip", "sync", "--quiet", "--require-hashes", "--python", python, str(self._lock_file(name)))
        if self.extra and name in WITH_PACKAGE:
            self._uv("pip", "install", "--quiet", "--python", python, *self.extra)

    def _install_package(self, target: Path, base: Path, sources: str) -> None:
        """This project alone, seeing the packages of the lock's environment."""
        python = str(target / "bin" / "python")
        self._uv("pip", "install", "--quiet", "--no-deps", "--compile-bytecode", "--python", python, str(self._wheel(sources)))
        for packages in base.glob("lib/python*/site-packages"):
            own = target / packages.relative_to(base)
            (own / "lock.pth").write_text(f"import site; site.addsitedir({str(packages)!r})\n", encoding="utf-8")

    def _wheel(self, sources: str) -> Path:
        out = self.folder / "wheels" / sources
        with self._lock("wheel"):
            if not list(out.glob("*.whl")):
                for old in out.parent.glob("*"):
                    if time.time() - old.stat().st_mtime > KEEP_SECONDS:
                        shutil.rmtree(old, ignore_errors=True)
                self._uv("build", "--quiet", "--wheel", "--out-dir", str(out), str(self.project))
        return next(iter(out.glob("*.whl")))

    def _lock_file(self, name: str) -> Path:
        path = self.project / "locks" / f"{name}.txt"
        if not path.exists():
            raise EnvironmentBroken(f"{path} is missing.", remedy="Run mlops from a clone of the project, or `make locks`.")
        return path

    def _lock_digest(self, name: str) -> str:
        content = b"" if name == "lambda" else self._lock_file(name).read_bytes()
        return hashlib.sha256(content + sys.version.encode() + " ".join(self.extra).encode()).hexdigest()[:12]

    def _uv(self, *arguments: str) -> None:
        done = subprocess.run([str(self.uv), *arguments], capture_output=True, text=True, check=False, cwd=self.project)
        if done.returncode:
            last = "\n".join(done.stderr.strip().splitlines()[-6:])
            raise EnvironmentBroken(
                f"uv {arguments[0]} {arguments[1]} failed:\n{last}", remedy="Check the network and the disk, then try again."
            )

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{name}.flock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
