"""One workflow run under act, in host mode and without Docker.

    attempt = ActRun(config, folder, plan)
    attempt.prepare()
    code = attempt.run()      # writes folder/log.jsonl as it goes
    attempt.clean()

act gives every step its own environment and HOME, so both are made fresh here.  Same token and OIDC variables reach all jobs of a run.
act does not model concurrency groups, permissions, environments or typed inputs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.git import GitRepository, environment
from mlops_core.local.github.run_logs import LIMIT_BYTES
from mlops_core.local.github.run_processes import end_processes_of

_SELF = re.compile(r"(\buses:\s+['\"]?)\$/([^\s'\"]+)")
_SHORTEST_MASK = 3


@dataclass(frozen=True)
class Plan:
    """What one run needs: where the code is, the event, and what the steps may know."""

    repository: str
    git: GitRepository
    ref: str
    sha: str
    path: str
    event: str
    payload: str
    actor: str
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    variables: Mapping[str, str]


def dotenv(values: Mapping[str, str]) -> str:
    """Lines that act's dotenv reader turns back into exactly these values."""
    lines = []
    for name, value in values.items():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n").replace("\r", "\\r")
        lines.append(f'{name}="{escaped}"\n')
    return "".join(lines)


def masks(secrets: Mapping[str, str]) -> re.Pattern[bytes] | None:
    """What must not be read in a log: each line of each secret, as it stands inside JSON.  act itself hides whole values only."""
    found = set()
    for value in secrets.values():
        for line in value.splitlines():
            if len(line.strip()) >= _SHORTEST_MASK:
                plain = json.dumps(line.strip(), ensure_ascii=False)[1:-1]
                # Go writes these three as escapes.
                found |= {plain, plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")}
    return re.compile(b"|".join(re.escape(text.encode()) for text in sorted(found, key=len, reverse=True))) if found else None


def copy_checkout(source: Path, target: Path, replacement: str) -> None:
    """Copy a checkout (what git knows or would take up, or everything) and spell ``uses: $/path`` as ``replacement.format(path)``."""
    listed = subprocess.run(
        ["git", "-C", str(source), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, env=environment(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*"), check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        for name in filter(None, listed.stdout.decode(errors="surrogateescape").split("\0")):
            origin, copy = source / name, target / name
            if origin.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, copy)
    else:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(".git", ".venv", "node_modules"), dirs_exist_ok=True)
    rewrite_self(target, replacement)


def rewrite_self(folder: Path, replacement: str) -> None:
    """Spell ``uses: $/path`` in workflows and actions in a way that act understands."""
    for pattern in (".github/workflows/*.y*ml", "action.y*ml", "**/action.y*ml"):
        for path in folder.glob(pattern):
            text = path.read_text(encoding="utf-8")
            fresh = _SELF.sub(lambda found: found.group(1) + replacement.replace("{}", found.group(2)), text)
            if fresh != text:
                path.write_text(fresh, encoding="utf-8")


class ActRun:
    """One attempt; ``folder`` is its own and keeps only the log afterwards."""

    def __init__(self, config: GithubConfig, folder: Path, plan: Plan) -> None:
        self._config = config
        self._plan = plan
        self.folder = folder.resolve()
        self._work = self.folder / "work"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def prepare(self) -> None:
        """Write the caller's checkout, the actions' copies and the files that act reads."""
        self._work.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("home", "tmp"):
            (self._work / name).mkdir(exist_ok=True)
        caller = self._work / "caller"
        clone = ["git", "clone", "--quiet", "--no-checkout", "--", str(self._plan.git.path), str(caller)]
        subprocess.run(clone, env=environment(), check=True, capture_output=True)
        branch = self._plan.ref.removeprefix("refs/heads/").removeprefix("refs/")
        origin = f"https://github.com/{self._plan.repository}.git"
        for arguments in (("checkout", "--quiet", "-B", branch, self._plan.sha), ("remote", "set-url", "origin", origin)):
            subprocess.run(["git", "-C", str(caller), *arguments], env=environment(), check=True, capture_output=True)
        rewrite_self(caller, "./{}")
        for number, (name, source) in enumerate(self._config.actions.items()):
            repository, _, reference = name.partition("@")
            copy_checkout(source, self._work / f"actions{number}", f"{repository}/{{}}@{reference}")
        for name, text in self._files().items():
            target = self._work / name
            target.touch(mode=0o600)
            target.write_text(text, encoding="utf-8")

    def _files(self) -> dict[str, str]:
        plan = self._plan
        return {"event.json": plan.payload, "env": dotenv(plan.env), "secrets": dotenv(plan.secrets), "variables": dotenv(plan.variables)}

    def command(self) -> list[str]:
        """The argument list of act."""
        plan, work = self._plan, self._work
        command = [
            self._config.act or shutil.which("act") or "act", plan.event, "--json", "--eventpath", str(work / "event.json"),
            "--workflows", plan.path, "--actor", plan.actor, "--defaultbranch", "main", "--env-file", str(work / "env"),
            "--secret-file", str(work / "secrets"), "--var-file", str(work / "variables"), "--input-file", str(work / "no-inputs"),
            "--action-offline-mode", "--no-cache-server", "--artifact-server-path", "", "--concurrent-jobs", "2",
        ]  # fmt: skip
        for platform in ("ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04"):
            command += ["-P", f"{platform}=-self-hosted"]
        for number, name in enumerate(self._config.actions):
            command += ["--local-repository", f"{name}={work / f'actions{number}'}"]
        return command

    def environment(self) -> dict[str, str]:
        """What act and so every step sees of this machine: a PATH, a fresh HOME and TMPDIR, nothing else."""
        path = os.pathsep.join(filter(None, [self._config.python_path, "/usr/local/bin:/usr/bin:/bin"]))
        home, temporary = str(self._work / "home"), str(self._work / "tmp")
        return {"PATH": path, "HOME": home, "TMPDIR": temporary, "LANG": "C.UTF-8", "XDG_CACHE_HOME": f"{home}/.cache"}

    def run(self) -> int:
        """Run to the end; act's exit code.  The log grows line by line and is cut at 20 MB."""
        (self._work / "no-inputs").touch()
        with (self.folder / "log.jsonl").open("ab", buffering=0) as log:
            self._process = subprocess.Popen(
                self.command(), cwd=self._work / "caller", env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            if self._stopped:
                end_processes_of(self._work)
            written = 0
            hidden = masks(self._plan.secrets)
            for line in self._process.stdout or ():
                written += len(line)
                if written < LIMIT_BYTES:
                    log.write(hidden.sub(b"***", line) if hidden else line)
        code = self._process.wait()
        # Steps may have left processes behind; GitHub ends such orphans too.
        end_processes_of(self._work)
        return code

    def stop(self) -> None:
        """End the run from another thread."""
        self._stopped = True
        if self._process is not None and self._process.poll() is None:
            end_processes_of(self._work)

    def clean(self) -> None:
        """Keep the log, remove everything else (secrets among it)."""
        shutil.rmtree(self._work, ignore_errors=True)

    def fail(self, reason: str) -> None:
        """Leave a reason in the log where people look for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        record = {
            "job": "run/startup",
            "level": "error",
            "msg": reason,
            "jobResult": "",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")
