"""`mlops issue parse`: what the suite reads out of a filled form."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mlops_core.cli.console import Console
from mlops_core.errors import NotFound

HELP = "Parse a filled issue form as the suite would: all problems at once, or the request as JSON."
EXAMPLE = """  mlops issue parse examples/issues/census-income.md --bucket my-bucket
  gh issue view 7 --json body -q .body | mlops issue parse --bucket my-bucket"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("parse",))
    parser.add_argument("file", nargs="?", type=Path, help="a file with the issue's body; standard input when left out")
    parser.add_argument("--bucket", required=True, help="the bucket whose datasets/ are allowed")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the request, or every problem (exit code 2)."""
    from mlops_core.intake.body import parse_body
    from mlops_core.intake.problems import RequestRefused

    if arguments.file is not None and not arguments.file.is_file():
        raise NotFound(f"there is no file {str(arguments.file)!r}.", remedy="Check the path.")
    body = arguments.file.read_text(encoding="utf-8") if arguments.file else sys.stdin.read()
    try:
        parsed = parse_body(body, bucket=arguments.bucket)
    except RequestRefused as refused:
        for line in refused.lines():
            console.say(line)
        return refused.exit_code
    console.say(json.dumps(parsed.request.model_dump(mode="json"), indent=2, ensure_ascii=False))
    return 0
