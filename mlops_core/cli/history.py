"""`mlops history`: the committed records of a repository, read from a clone or from the local GitHub."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from mlops_core.cli.console import Console, plain
from mlops_core.contracts.history import HistoryRecord
from mlops_core.errors import NotFound, Refused

HELP = "List or show the history records of a repository, and check that their chain is unbroken."
EXAMPLE = "  mlops history list --in ../my-models\n  mlops history list --local\n  mlops history show census-income-1a2b3c4d-g0 --local"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("list", "show"))
    parser.add_argument("run_id", nargs="?", help="which record to show")
    parser.add_argument(
        "--in", dest="folder", type=Path, default=Path(), metavar="CLONE", help="a clone of the caller's repository (default: here)"
    )
    parser.add_argument("--local", action="store_true", help="read the running local platform's repositories instead")
    parser.add_argument("--json", action="store_true", help="print the record as JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """List or show."""
    folders = _local_clones(console) if arguments.local else [arguments.folder]
    records = sorted(((folder, record) for folder in folders for record in read(folder)), key=lambda item: item[1].run.started_at)
    if arguments.action == "list":
        for _, record in records:
            state = record.run
            where = f"{plain(state.repository)}#{state.issue}"
            console.say(f"{state.run_id:<42} {state.outcome or '?':<10} {state.model_version or '-':<8} {state.started_at}  {where}")
        for folder in folders:
            check_chains(folder)
        return 0
    found = next((item for item in records if item[1].run.run_id == arguments.run_id), None)
    if found is None:
        raise NotFound(f"there is no record of run {arguments.run_id!r}.", remedy="`mlops history list` shows the runs.")
    console.say(_shown(*found, as_json=arguments.json))
    return 0


def read(folder: Path) -> Iterator[HistoryRecord]:
    """Every record below ``training_history/`` of a clone."""
    for path in sorted((folder / "training_history").glob("*/*.json")):
        if path.name != "index.json":
            yield HistoryRecord.model_validate_json(path.read_bytes())


def check_chains(folder: Path) -> None:
    """`Refused` names the first record whose predecessor's digest does not fit."""
    from mlops_core.reporting.history import verify_chain

    for model in sorted((folder / "training_history").glob("*/")):
        records = [
            HistoryRecord.model_validate_json(path.read_bytes()) for path in sorted(model.glob("*.json")) if path.name != "index.json"
        ]
        problems = verify_chain(records)
        if problems:
            raise Refused(
                f"the history of {model.name} was changed: {' '.join(problems)}", remedy="Restore the records from git.", code="E-HISTORY"
            )


def _shown(folder: Path, record: HistoryRecord, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False)
    page = folder / "training_history" / record.run.request.model_name / f"{record.run.run_id}.md"
    return page.read_text(encoding="utf-8")


def _local_clones(console: Console) -> list[Path]:
    from mlops_core.cli.platform import attached

    return attached(console).clones()
