"""`mlops issue parse`: what the suite reads out of a filled form."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mlops_core.cli.console import Console
from mlops_core.errors import InvalidRequest, NotFound

HELP = "Parse a filled issue form as the suite would: all problems at once, or the request as JSON."
EXAMPLE = """  mlops issue parse examples/issues/census-income.md --bucket my-bucket
  gh issue view 7 --json body -q .body | mlops issue parse --bucket my-bucket"""

LONGEST_BYTES = 262_144
"""GitHub takes 65,536 characters, each of at most four bytes."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("parse",))
    parser.add_argument("file", nargs="?", type=Path, help="a file with the issue's body; standard input when left out")
    parser.add_argument("--bucket", required=True, help="the bucket whose datasets/ are allowed")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the request, or every problem (exit code 2)."""
    from mlops_core.intake.body import parse_body
    from mlops_core.intake.problems import RequestRefused

    body = read_form(arguments.file)
    try:
        parsed = parse_body(body, bucket=arguments.bucket)
    except RequestRefused as refused:
        for line in refused.lines():
            console.say(line)
        return refused.exit_code
    console.say(json.dumps(parsed.request.model_dump(mode="json"), indent=2, ensure_ascii=False))
    return 0


def read_form(path: Path | None) -> str:
    """The text of a filled form, of standard input without a path; `InvalidRequest` when it is no text or longer than an issue may be."""
    if path is not None and not path.is_file():
        raise NotFound(f"there is no file {str(path)!r}.", remedy="Check the path.")
    with sys.stdin.buffer if path is None else path.open("rb") as file:
        raw = file.read(LONGEST_BYTES + 1)
    if len(raw) > LONGEST_BYTES:
        raise InvalidRequest(f"the form is longer than {LONGEST_BYTES:,} bytes.", remedy="Give the body of one issue.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the form is not UTF-8 text (byte {error.start + 1}).", remedy="Give the body of one issue.") from error
