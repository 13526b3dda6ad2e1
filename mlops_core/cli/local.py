"""`mlops local`: the embedded AWS and GitHub."""

from __future__ import annotations

import argparse
from collections import deque

from mlops_core.cli.console import Console
from mlops_core.errors import NotFound

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
    parser.add_argument("name", nargs="?", help="which log: aws, github")
    parser.add_argument("--only", choices=("all", "aws"), default="all", help="start the local AWS alone, with nothing deployed")
    parser.add_argument("--lines", type=int, default=60, metavar="N", help="how many lines of a log")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Carry out one action."""
    actions = {"up": _up, "status": _status, "logs": _logs, "down": _down, "reset": _reset}
    return actions[arguments.action](arguments, console)


def _up(arguments: argparse.Namespace, console: Console) -> int:
    from mlops_core.cli.platform import start

    platform = start(console, keep=True, only=arguments.only)
    for line in platform.description():
        console.say(line)
    return 0


def _status(_: argparse.Namespace, console: Console) -> int:
    from mlops_core.cli.platform import supervisor

    found = supervisor()
    states = [found.status_of(name) for name in ("aws", "github")]
    for state in states:
        console.say(f"{state.name:<8} running  {state.url}  pid {state.pid}" if state.running else f"{state.name:<8} stopped")
    console.say(f"state    {found.places.state}")
    return 0 if all(state.running for state in states) else 3


def _logs(arguments: argparse.Namespace, console: Console) -> int:
    from mlops_core.cli.platform import supervisor

    folder = supervisor().places.logs
    files = {
        path.stem: path
        for root in (folder, folder.parent / "aws" / "logs", folder.parent / "github" / "logs")
        for path in sorted(root.glob("*.log"))
    }
    if arguments.name is None:
        for name, path in files.items():
            console.say(f"{name:<12} {path}")
        return 0
    if arguments.name not in files:
        raise NotFound(
            f"there is no log {arguments.name!r}; there are {', '.join(files) or 'none yet'}.",
            remedy="Start the platform with `mlops local up`.",
        )
    with files[arguments.name].open(encoding="utf-8", errors="replace") as handle:
        for line in deque(handle, maxlen=arguments.lines):
            console.say(line.rstrip("\n"))
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
