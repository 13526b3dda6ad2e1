"""`mlops data add`: upload a data file and print its URI."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

from mlops_core.cli.console import Console
from mlops_core.errors import InvalidRequest

HELP = "Upload a CSV (plain or .gz) or Parquet file to datasets/ and print the URI for the form."
EXAMPLE = (
    "  mlops data add customers.csv --dataset customers --bucket my-bucket\n  mlops data add customers.parquet --dataset customers --local"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("add",))
    parser.add_argument("file", type=Path)
    parser.add_argument("--dataset", metavar="ID", help="the dataset's id (lower case, digits, hyphens); default: from the file's name")
    parser.add_argument("--bucket", help="the suite's bucket on AWS (default: MLOPS_BUCKET)")
    parser.add_argument("--local", action="store_true", help="upload to the running local platform instead of AWS")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Upload and print the URI."""
    from mlops_core.adapters.shell import session_of_shell

    if arguments.local:
        from mlops_core.cli.platform import attached

        platform = attached(console)
        console.say(add(platform.session(), arguments.file, platform.bucket, arguments.dataset, console))
        return 0
    bucket = arguments.bucket or os.environ.get("MLOPS_BUCKET", "")
    if not bucket:
        raise InvalidRequest("no bucket was named.", remedy="Give --bucket, set MLOPS_BUCKET, or use --local.")
    console.say(add(session_of_shell(), arguments.file, bucket, arguments.dataset, console))
    return 0


def add(session: Any, path: Path, bucket: str, dataset: str | None, console: Console) -> str:
    """Upload one file under a dataset id, showing progress; returns the URI."""
    from mlops_core.adapters.upload_s3 import upload

    identity = dataset or re.sub(r"[^a-z0-9]+", "-", path.name.split(".")[0].lower()).strip("-") or "data"
    if len(identity) > 40 or not re.fullmatch(r"[a-z0-9](?:-?[a-z0-9])*", identity):
        raise InvalidRequest(f"dataset id {identity!r} is not allowed; use lower case letters, digits and single hyphens, at most 40.")
    with console.progress(f"upload {path.name}", path.stat().st_size if path.is_file() else 0) as advance:
        return upload(session, path, bucket=bucket, dataset=identity, progress=advance)
