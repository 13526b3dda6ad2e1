"""The history record of a closed run, committed into its model's chain.

    path, commit = write_record(ports, run_id)

Git is the truth; a copy of each record in S3 saves reading them all again, and is used only when its digest is the one the index names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import ValidationError

from mlops_core.contracts.base import digest
from mlops_core.contracts.history import HistoryRecord
from mlops_core.contracts.model import Manifest
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Policy
from mlops_core.errors import Conflict, Defect, MlopsError, NotFound
from mlops_core.facts import CommitFacts
from mlops_core.ports import Ports, Reader
from mlops_core.runs import commits, names, packages, page
from mlops_core.runs.state import change_run, read_run

GENESIS = "0" * 64
_RECORD_LIMIT = 8 << 20


def folder_of(model_name: str) -> str:
    """Where a model's records lie in the repository."""
    return f"training_history/{model_name}"


def write_record(ports: Ports, run_id: str) -> tuple[str, CommitFacts]:
    """Append the run to its model's chain, rebuild the index, and return the record's path and commit; once, however often called."""
    from mlops_core.reporting.history import next_record, record_bytes, render_history_markdown, render_index

    state = read_run(ports, run_id)
    if state.outcome is None:
        raise Conflict(f"the run {run_id} is not closed yet.", remedy="Close it first.", code="E-RECORD-OPEN")
    folder = folder_of(state.request.model_name)
    path = f"{folder}/{run_id}.md"
    draft = _draft(ports, state.model_copy(update={"history_path": path}))
    appended: list[HistoryRecord] = []

    def build(reader: Reader) -> Mapping[str, bytes | None]:
        appended.clear()
        records = _records(ports, reader, folder)
        if any(item.run.run_id == run_id for item in records):
            return {}
        record = next_record(records[-1] if records else None, draft)
        appended.append(record)
        index, readme = render_index([*records, record])
        return {
            f"{folder}/{run_id}.json": record_bytes(record),
            path: render_history_markdown(record).encode(),
            f"{folder}/index.json": index.encode(),
            f"{folder}/README.md": readme.encode(),
        }

    made = commits.commit(ports, state.repository, f"Record run {run_id} ({state.outcome})", build)
    for record in appended:
        ports.objects.write(_copy(ports, run_id), record_bytes(record), content_type="application/json")
    change_run(ports, run_id, lambda found: found.model_copy(update={"history_path": path}))
    return path, made


def _records(ports: Ports, reader: Reader, folder: str) -> list[HistoryRecord]:
    """Every record that the index names, in order."""
    body = reader(f"{folder}/index.json")
    if body is None:
        return []
    try:
        entries = [(str(item["run_id"]), str(item["digest"])) for item in json.loads(body)["records"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Defect(f"{folder}/index.json was edited by hand.", remedy="Revert that commit; it is rebuilt, never edited.") from error
    return [_known(ports, run, wanted) or _committed(reader, f"{folder}/{run}.json") for run, wanted in entries]


def _known(ports: Ports, run: str, wanted: str) -> HistoryRecord | None:
    try:
        record = HistoryRecord.model_validate_json(ports.objects.read(_copy(ports, run), limit=_RECORD_LIMIT))
    except (MlopsError, ValidationError):
        return None
    return record if digest(record) == wanted else None


def _committed(reader: Reader, path: str) -> HistoryRecord:
    body = reader(path)
    if body is None:
        raise Defect(f"the index names {path}, which is not there.", remedy="Revert the commit that removed it.", code="E-RECORD-CHAIN")
    return HistoryRecord.model_validate_json(body)


def _copy(ports: Ports, run: str) -> str:
    return names.run_uri(ports.settings.require("bucket"), run, "record.json")


def _draft(ports: Ports, state: RunState) -> HistoryRecord:
    manifest = _manifest(ports, state)
    policy = ports.objects.read(names.run_uri(ports.settings.require("bucket"), state.run_id, "policy.json"))
    return HistoryRecord(
        sequence=0,
        previous=GENESIS,
        run=state,
        policy=Policy.model_validate_json(policy),
        validation=page.results(ports, state.evaluation_uri) if state.evaluation_uri else None,
        test=page.results(ports, state.test_evaluation_uri) if state.test_evaluation_uri else None,
        manifest=manifest,
        test_looks=_looks(ports, state),
        libraries=dict(manifest.libraries) if manifest else {},
    )


def _manifest(ports: Ports, state: RunState) -> Manifest | None:
    if not state.model_uri:
        return None
    try:
        return packages.read_manifest(ports, state.model_uri.removesuffix(packages.ARCHIVE))
    except NotFound:
        return None


def _looks(ports: Ports, state: RunState) -> int:
    dataset = state.request.dataset.split("/")[4] if state.request.dataset.count("/") > 4 else ""
    row = ports.ledger.get(f"DATASET#{dataset}", f"LOOKS#{state.dataset_version}") or {}
    return int(row.get("count") or 0)
