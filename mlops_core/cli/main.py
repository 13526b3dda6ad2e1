"""`mlops`: one command, one module of this folder per word.

    mlops --help
    mlops run --help

Exit codes: 0 done · 1 unexpected · 2 the command, file or request is wrong · 3 not allowed · 4 refused by a rule or the judge ·
5 not found · 6 somebody else holds it · 7 a job or an endpoint failed · 8 not offered · 9 this machine lacks something ·
10 a defect of ours · 20–22 try again later · 130 interrupted, 143 and 129 ended from outside.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from mlops_core import __version__
from mlops_core.cli.console import Console
from mlops_core.errors import EnvironmentBroken, MlopsError
from mlops_core.local.interrupts import Interrupted, end_children, ignored, raising

WORDS = ("demo", "run", "local", "data", "evaluate", "issue", "rollback", "history", "mcp", "package", "explain-error")


class Command(Protocol):
    """What each module of this folder that is a word offers."""

    HELP: str
    EXAMPLE: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: argparse.Namespace, console: Console) -> int:
        """Do it and return the exit code."""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; every word carries an example."""
    parser = argparse.ArgumentParser(
        prog="mlops",
        description="From an issue to a served and watched model.",
        epilog=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mlops {__version__}")
    words = parser.add_subparsers(dest="word", metavar="COMMAND", required=True)
    for word in WORDS:
        command = load(word)
        child = words.add_parser(
            word,
            help=command.HELP,
            description=command.HELP,
            epilog=f"example:\n{command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.configure(child)
    return parser


def load(word: str) -> Command:
    """The module of a word."""
    module: Command = importlib.import_module(f"mlops_core.cli.{word.replace('-', '_')}")
    return module


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the `mlops` command; returns the exit code."""
    console = Console(sys.stdout, sys.stderr)
    try:
        with raising():
            parsed = build_parser().parse_args(arguments)
            return load(parsed.word).run(parsed, console)
    except MlopsError as error:
        console.failure(error)
        return error.exit_code
    except KeyboardInterrupt as interruption:
        return _ended(console, interruption)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        console.failure(EnvironmentBroken(f"{error}.", remedy="Check the disk, the permissions and the network, then try again."))
        return EnvironmentBroken.exit_code


def _ended(console: Console, interruption: KeyboardInterrupt) -> int:
    """The exit code after a signal; threads that still wait for an answer are not waited for."""
    with ignored(), suppress(OSError):
        end_children()
        console.note("interrupted; everything this command started was stopped.")
    code = interruption.exit_code if isinstance(interruption, Interrupted) else 130
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
