"""`mlops rollback`: serve an earlier version again, by a commit of the production pointer."""

from __future__ import annotations

import argparse
import json
import os
import time

from mlops_core.cli.console import Console
from mlops_core.contracts.model import ProductionPointer
from mlops_core.errors import Conflict, JobFailed, NotFound, Unavailable
from mlops_core.ports import Ports

HELP = "Point production back to an earlier version; the endpoint follows and three witnesses confirm it."
EXAMPLE = "  mlops rollback census-income --local\n  mlops rollback census-income --to 1.0.0 --reason 'latency'"
WAIT_SECONDS = 1800.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", help="the model's name")
    parser.add_argument("--to", metavar="X.Y.Z", help="the version to serve (default: the one before)")
    parser.add_argument("--reason", default="rolled back by an operator", help="kept in the pointer")
    parser.add_argument("--local", action="store_true", help="on the running local platform instead of AWS")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the pointer, start the deploy machine, wait for its end."""
    from mlops_core.adapters.assemble import ports_for_cli

    if arguments.local:
        from mlops_core.cli.platform import attached

        ports = attached(console).ports()
    else:
        ports = ports_for_cli(os.environ)
    current, wanted = plan(ports, arguments.name, arguments.to, arguments.reason)
    commit = point(ports, wanted, current.version)
    console.note(f"production of {wanted.model_name} points to {wanted.version} (commit {commit[:12]})")
    deploy(ports, wanted.model_name, commit)
    console.say(f"{wanted.endpoint} serves {wanted.version} again (was {current.version})")
    return 0


def plan(ports: Ports, name: str, version: str | None, reason: str) -> tuple[ProductionPointer, ProductionPointer]:
    """The pointer as it is and as it shall be; `NotFound` names the versions there are."""
    from mlops_core.runs import models, names, pointers

    current = pointers.read(ports, models.home(ports, name), name)
    if current is None:
        raise NotFound(f"{name} has never been in production.", remedy="`mlops history list` shows what ran.")
    target = version or current.previous
    if target is None:
        raise NotFound(f"{name} {current.version} is the first version in production.", remedy="Name one with --to.")
    if target == current.version:
        raise Conflict(f"{name} serves {target} already.", remedy="Name another version with --to.")
    found = {}
    for item in ports.registry.packages(names.group(name)):
        package = ports.registry.describe(item.arn)
        found[package.properties.get("semantic_version", "")] = package
    if target not in found:
        raise NotFound(
            f"{name} has no registered version {target!r}; it has {', '.join(sorted(found))}.", remedy="Name one of them with --to."
        )
    package = found[target]
    wanted = current.model_copy(
        update={
            "version": target,
            "package_arn": package.arn,
            "model_uri": package.model_uri,
            "archive_digest": package.properties["archive_digest"],
            "run_id": package.properties["run_id"],
            "set_by": os.environ.get("USER", "operator")[:64],
            "reason": reason[:300],
            "previous": current.version,
        }
    )
    return current, wanted


def point(ports: Ports, wanted: ProductionPointer, expected: str) -> str:
    """Commit the pointer; the commit."""
    from mlops_core.capabilities.deployment import commit_pointer

    return str(commit_pointer(ports, wanted.model_name, wanted, expected)["commit"])


def deploy(ports: Ports, name: str, commit: str) -> None:
    """Run the deploy machine for a pointer commit; `JobFailed` with its reason, `Unavailable` when it takes too long."""
    body = json.dumps({"event": {"model_name": name, "pointer_commit": commit}})
    arn, _ = ports.machines.start(ports.settings.require("deploy_arn"), f"rollback-{name[:24]}-{commit[:12]}-{int(time.time())}", body)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = ports.machines.describe(arn)
        if found.status == "SUCCEEDED":
            return
        if found.status != "RUNNING":
            remedy = "The pointer in git names the version that serves; read the endpoint's log."
            raise JobFailed(f"the deployment ended as {found.status}: {found.error}: {found.cause}", remedy=remedy)
        time.sleep(0.5)
    raise Unavailable(f"the deployment of {name} did not end within {WAIT_SECONDS:.0f} s.", remedy="Look at the execution, then try again.")
