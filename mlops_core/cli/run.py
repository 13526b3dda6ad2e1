"""`mlops run`: the whole line on the user's own table, or on a filled form."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.cli import request as flags
from mlops_core.cli.console import Console
from mlops_core.cli.data import add
from mlops_core.cli.issue import read_form
from mlops_core.cli.result import Document, collect, summary
from mlops_core.contracts.request import TrainingRequest
from mlops_core.errors import InvalidRequest, NotFound
from mlops_core.reporting.messages import plain as word

if TYPE_CHECKING:
    from mlops_core.cli.platform import Platform

HELP = "Run the whole line on this machine: upload, issue, label, seven phases, served model."
EXAMPLE = """  mlops run --data customers.csv --target churned
  mlops run --data adult.csv.gz --test adult-test.csv.gz --target income --positive '>50K' --algorithm xgboost --json result.json
  mlops run examples/issues/house-prices.md --data houses.csv    # a filled form; the file takes the place of its dataset
  mlops run --data customers.csv --target churned --protected sex --policy rules.yml     # rules: docs/how-to/policy.md"""
PLACE, TEST_PLACE = "s3://bucket/datasets/name/raw/file.csv", "s3://bucket/datasets/name/raw/test.csv"
"""Stand for the uploaded files while the flags are checked."""
EXIT_BY_OUTCOME = {"succeeded": 0, "refused": 4, "expired": 4}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("form", nargs="?", type=Path, metavar="ISSUE.md", help="a filled form instead of the flags")
    flags.configure(parser)
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="the rules that judge it, as .github/mlops.yml; they hold until other ones are given"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the whole result to this file")
    parser.add_argument("--keep", action="store_true", help="leave the local platform running afterwards")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Follow one run to its end; exit 0 only for an accepted model."""
    check(arguments, console)
    from mlops_core.cli.platform import opened

    with opened(console, keep=arguments.keep) as platform:
        document = perform(arguments, platform, console)
    for told in summary(document):
        console.say(told)
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return EXIT_BY_OUTCOME.get(str(document["outcome"]), 7)


def check(arguments: argparse.Namespace, console: Console) -> None:
    """Refuse what cannot work before anything starts, and settle the task."""
    check_policy(arguments.policy)
    if arguments.form is not None:
        if arguments.target:
            raise InvalidRequest("a filled form and --target were given.", remedy="Write the target in the form.")
        read_form(arguments.form)
        if arguments.data is None:
            return
    elif arguments.data is None or arguments.target is None:
        raise InvalidRequest("--data and --target are needed (or a filled form).", remedy="See `mlops run --help`.")
    for path in filter(None, (arguments.data, arguments.test)):
        if not path.is_file():
            raise NotFound(f"there is no file {str(path)!r}.", remedy="Check the path.")
        if path.stat().st_size > 8 * 2**30:
            raise InvalidRequest(
                f"{path.name!r} has {path.stat().st_size / 2**30:.1f} GB; at most 8 GB are read here.", remedy="Take a sample."
            )
    columns = flags.columns_of(arguments.data)
    if arguments.form is not None:
        return
    flags.refuse_unknown_columns(arguments, columns)
    if not arguments.task:
        arguments.task = flags.infer_task(arguments.data, arguments.target, arguments.positive)
        console.note(word(arguments.language, "terminal.task", task=arguments.task, column=arguments.target))
    test = TEST_PLACE if arguments.test else None
    request = flags.build(arguments, dataset=PLACE, test_dataset=test, task=arguments.task)
    flags.refuse_what_the_form_would(request)


def check_policy(path: Path | None) -> None:
    """`NotFound`, or `InvalidRequest` (E-POLICY) that names the line; no file is no fault."""
    from mlops_core.runs.policy import parse_policy

    if path is None:
        return
    if not path.is_file():
        raise NotFound(f"there is no file {str(path)!r}.", remedy="Check the path.")
    try:
        parse_policy(path.read_bytes())
    except InvalidRequest as error:
        raise InvalidRequest(error.headline, remedy=f"Correct {path.name}.", code=error.code) from error


def perform(arguments: argparse.Namespace, platform: Platform, console: Console) -> Document:
    """Upload, open and label the issue, follow, collect."""
    from mlops_core.cli.platform import LOCAL_REPOSITORY
    from mlops_core.intake.render import render_answers
    from mlops_core.runs.policy import PATH

    if arguments.policy is not None:
        platform.put_file(LOCAL_REPOSITORY, PATH, arguments.policy.read_bytes())
    if arguments.form is not None:
        body, title = _filled(arguments, platform, console), f"train: {arguments.form.stem}"
    else:
        request = _request(arguments, platform, console)
        body, title = render_answers(request), f"train: {request.model_name}"
    issue = platform.open_issue(LOCAL_REPOSITORY, title, body)
    console.note(word(arguments.language, "terminal.issue", address=platform.issue_url(LOCAL_REPOSITORY, issue)))
    platform.label(LOCAL_REPOSITORY, issue)
    return finish(platform, LOCAL_REPOSITORY, issue, console)


def finish(platform: Platform, repository: str, issue: int, console: Console) -> Document:
    """Follow the run of a labelled issue to its end and collect its result."""
    from mlops_core.cli.follow import follow, wait_for_run

    ports = platform.ports()
    run_id = wait_for_run(ports, repository, issue, refused=lambda: platform.refusal(repository, issue))
    state = follow(ports, run_id, console)
    return collect(
        ports,
        state,
        issue_url=platform.issue_url(repository, issue),
        report_url=platform.raw_url(repository, state.report_path) if state.report_path else "",
        endpoint_url=platform.endpoint_url(state.endpoint) if state.endpoint else "",
    )


def _filled(arguments: argparse.Namespace, platform: Platform, console: Console) -> str:
    """The form's text; files that were given are uploaded and named in it."""
    body = read_form(arguments.form)
    for field, path in (("dataset", arguments.data), ("test_dataset", arguments.test)):
        if path is not None:
            name = flags.model_name(arguments)
            body = flags.with_answer(body, field, add(platform.session(), path, platform.bucket, name, console))
    return body


def _request(arguments: argparse.Namespace, platform: Platform, console: Console) -> TrainingRequest:
    name = flags.model_name(arguments)
    uri = add(platform.session(), arguments.data, platform.bucket, name, console)
    test = add(platform.session(), arguments.test, platform.bucket, name, console) if arguments.test else None
    return flags.build(arguments, dataset=uri, test_dataset=test, task=arguments.task)
