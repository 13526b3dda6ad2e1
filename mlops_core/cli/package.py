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
    """Build both targets of both archives, print size and digest; `Refused` names what differs between the targets."""
    from mlops_core.errors import Refused
    from mlops_core.local.environments import find_uv
    from mlops_core.local.places import project_root
    from mlops_core.platform.archives import AWS, Builder, Name, differences, host

    project = project_root()
    builder = Builder(project=project, uv=find_uv(project), folder=arguments.out.resolve())
    names: tuple[Name, ...] = ("agent", "server")
    for name in names:
        built = [builder.build(name, target) for target in (AWS, host())]
        for archive in built:
            packages = len(archive.packages)
            size = f"{archive.bytes / 1e6:6.1f} MB  {packages:3d} packages"
            console.say(f"{name:<8} {archive.target.name:<6} {size}  {archive.digest[:16]}  {archive.path}")
        found = differences(*built)
        if found:
            raise Refused(f"the archives of {name} differ: {'; '.join(found[:5])}.", remedy="Renew the lock with `make locks`.")
    return 0
