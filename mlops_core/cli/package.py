"""`mlops package`: build the Lambda archives."""

from __future__ import annotations

import argparse
from pathlib import Path

from mlops_core.cli.console import Console

HELP = "Build the Lambda archives (python3.13, arm64) and compare them with this machine's."
EXAMPLE = "  mlops package --out build/lambda"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--out", type=Path, default=Path("build/lambda"), metavar="FOLDER")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Build both targets of both archives and print size and digest."""
    from mlops_core.local.environments import find_uv
    from mlops_core.local.places import project_root
    from mlops_core.platform.archives import build_all

    project = project_root()
    for archive in build_all(project=project, out=arguments.out, uv=find_uv(project)):
        console.say(
            f"{archive.name:<12} {archive.target:<8} {archive.path.stat().st_size / 2**20:6.1f} MB  {archive.digest[:16]}  {archive.path}"
        )
    return 0
