"""`mlops local`: the embedded AWS and GitHub."""

from __future__ import annotations

import argparse
import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from mlops_core.cli.console import Console, plain
from mlops_core.errors import EnvironmentBroken, NotFound

HELP = "Start, look at and stop the embedded AWS and GitHub of this clone."
EXAMPLE = """  mlops local up            # start, deploy, leave running
  mlops local up --only aws # the local AWS alone: point any SDK at it
  mlops local status
  mlops local logs aws
  mlops local down
  mlops local reset         # stop and forget everything"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("up", "status", "logs", "down", "reset"))
    parser.add_argument("name", nargs="?", help="which log: aws, github, or a workflow run's; without a name they are listed")
    parser.add_argument("--only", choices=("all", "aws"), default="all", help="start the local AWS alone, with nothing deployed")
    parser.add_argument("--lines", type=int, default=60, metavar="N", help="how many lines of a log")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Carry out one action."""
    actions = {"up": _up, "status": _status, "logs": _logs, "down": _down, "reset": _reset}
    return actions[arguments.action](arguments, console)


def _up(arguments: argparse.Namespace, console: Console) -> int:
    from mlops_core.cli.platform import Platform, attached, start, supervisor

    found = supervisor()
    if not found.running:
        platform = start(console, keep=True, only=arguments.only)
    elif arguments.only == "aws":
        found.attach()
        found.only = "aws"
        platform = Platform(found, {})
    else:
        console.note("the platform is running already")
        platform = attached(console)
    for line in platform.description():
        console.say(line)
    return 0


def _status(_: argparse.Namespace, console: Console) -> int:
    from mlops_core.cli.platform import supervisor

    found = supervisor()
    states = [found.status_of(name) for name in ("aws", "github")]
    for state in states:
        console.say(f"{state.name:<8} running  {state.url}  pid {state.pid}" if state.running else f"{state.name:<8} stopped")
    if states[0].running:
        for name, jobs in queue(found.places.state / "aws" / "sagemaker" / "queue.json").items():
            console.say(f"jobs     {name} {len(jobs)}{': ' if jobs else ''}{', '.join(map(plain, jobs))}")
    console.say(f"state    {found.places.state}")
    return 0 if found.is_ready else EnvironmentBroken.exit_code


def queue(path: Path) -> dict[str, list[str]]:
    """The local SageMaker's queue as it wrote it (``running`` and ``waiting`` job names); nothing runs where there is no file yet."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    return {name: [str(job) for job in found.get(name, [])] for name in ("running", "waiting")}


def log_files(state: Path) -> dict[str, Path]:
    """Every log by the name that `mlops local logs` takes: the servers', and ``run-N`` for each workflow run, oldest first."""
    files = {"aws": state / "aws" / "logs" / "aws.log", "github": state / "github" / "server.log"}
    runs = sorted((state / "github" / "runs").glob("*/log.jsonl"), key=lambda path: path.stat().st_mtime)
    files |= {f"run-{path.parent.name}": path for path in runs}
    return {name: path for name, path in files.items() if path.exists()}


def _lines(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        from mlops_core.local.github.run_logs import plain_text, read_jobs

        yield from plain_text(read_jobs(path)).splitlines()
        return
    with path.open(encoding="utf-8", errors="replace") as handle:
        yield from handle


def _logs(arguments: argparse.Namespace, console: Console) -> int:
    from mlops_core.cli.platform import supervisor

    files = log_files(supervisor().places.state)
    if arguments.name is None:
        for name, path in files.items():
            console.say(f"{name:<12} {path}")
        return 0
    if arguments.name not in files:
        raise NotFound(
            f"there is no log {arguments.name!r}; there are {', '.join(files) or 'none yet'}.",
            remedy="Start the platform with `mlops local up`.",
        )
    for line in deque(_lines(files[arguments.name]), maxlen=max(1, arguments.lines)):
        console.say(plain(line.rstrip("\n")))
    return 0


def _down(_: argparse.Namespace, console: Console) -> int:
    from mlops_core.cli.platform import supervisor

    supervisor().down()
    console.say("stopped")
    return 0


def _reset(_: argparse.Namespace, console: Console) -> int:
    from mlops_core.cli.platform import supervisor

    supervisor().reset()
    console.say("stopped, and everything it kept is gone")
    return 0
