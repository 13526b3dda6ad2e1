"""What the line itself costs and how it behaves when ten people ask at once."""

from __future__ import annotations

import csv
import io
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from mlops_core.adapters.upload_s3 import upload
from mlops_core.cli import platform as cli_platform
from mlops_core.cli import seed
from mlops_core.cli.console import Console
from mlops_core.cli.follow import wait_for_run
from mlops_core.cli.history import check_chains, read
from mlops_core.cli.platform import Platform
from mlops_core.contracts.history import HistoryRecord
from mlops_core.contracts.request import TrainingRequest
from mlops_core.contracts.run import RunState
from mlops_core.errors import MlopsError
from mlops_core.intake.render import render_body
from mlops_core.local.github.run_logs import read_jobs
from mlops_core.runs.state import read_run

ROUNDS = 3
RUNS = 10
RUN_SECONDS = 300.0
MANY_SECONDS = 900.0


@contextmanager
def started(tell: Callable[[Figure], None] = lambda _: None) -> Iterator[Platform]:
    """A platform with state of its own, stopped at the end; ``tell`` gets the seconds it took to come up."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="bench-") as state:
        os.environ["MLOPS_STATE"] = state
        began = time.monotonic()
        platform = cli_platform.start(Console(sys.stderr, sys.stderr), keep=False)
        tell(Figure("platform up", time.monotonic() - began, "s", at_most=8))
        try:
            yield platform
        finally:
            platform.supervisor.down()
            os.environ.clear()
            os.environ.update(before)


@dataclass
class Line:
    """What a person does, with the moments at which it was done."""

    platform: Platform

    def ask(self, repository: str, name: str, table: str, **more: Any) -> int:
        """Open an issue; its number."""
        asked = {"model_name": name, "task": "multiclass", "algorithm": "random_forest", "dataset": table, "target": "species"}
        request = TrainingRequest.model_validate({**asked, "metric": "accuracy", "hyperparameters": {"n_estimators": 50}, **more})
        return self.platform.open_issue(repository, f"train {name}", render_body(request))

    def upload(self, folder: Path, number: int) -> str:
        """A small table of its own; its address."""
        path = folder / f"flowers-{number}.csv"
        path.write_text(flowers(number), encoding="utf-8")
        return upload(self.platform.session(), path, bucket=self.platform.bucket, dataset="flowers")

    def label(self, repository: str, issue: int) -> float:
        """Set the label; when (seconds since the epoch)."""
        moment = time.time()
        self.platform.label(repository, issue)
        return moment

    def run_of(self, repository: str, issue: int) -> str:
        """The run that answers."""
        refused = self.platform.refusal
        return wait_for_run(self.platform.ports(), repository, issue, refused=lambda: refused(repository, issue), patience=MANY_SECONDS)

    def closed(self, run_id: str, seconds: float = RUN_SECONDS) -> RunState:
        """The state once the record is committed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.state(run_id)
            if state is not None and state.outcome is not None and state.history_path:
                return state
            time.sleep(0.5)
        raise SystemExit(f"run {run_id} was not closed within {seconds:.0f} s")

    def state(self, run_id: str) -> RunState | None:
        """What is known of a run now."""
        try:
            return read_run(self.platform.ports(), run_id)
        except MlopsError:
            return None

    def jobs(self, run_id: str) -> list[tuple[float, float]]:
        """When each job's body began and ended, as SageMaker says, in order."""
        client = self.platform.session().client("sagemaker")
        told = [
            client.describe_processing_job(ProcessingJobName=item["ProcessingJobName"])
            for item in client.list_processing_jobs(NameContains=run_id, MaxResults=50)["ProcessingJobSummaries"]
        ]
        told += [
            client.describe_training_job(TrainingJobName=item["TrainingJobName"])
            for item in client.list_training_jobs(NameContains=run_id, MaxResults=50)["TrainingJobSummaries"]
        ]
        return sorted(_span(item) for item in told)


def _span(job: Mapping[str, Any]) -> tuple[float, float]:
    began = job.get("ProcessingStartTime") or job["TrainingStartTime"]
    ended = job.get("ProcessingEndTime") or job["TrainingEndTime"]
    return float(began.timestamp()), float(ended.timestamp())


def flowers(number: int) -> str:
    """180 rows of an easy table, different for each number."""
    chance = random.Random(number)
    kinds = enumerate(("setosa", "versicolor", "virginica"))
    rows = [(round(chance.gauss(4 + 2 * n, 0.4), 3), round(chance.gauss(3 - n, 0.4), 3), name) for n, name in kinds for _ in range(60)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("length", "width", "species"))
    writer.writerows(rows)
    return out.getvalue()


def overhead() -> Iterator[Figure]:
    """Seconds that the line adds: a run less its job bodies, by webhook and by workflow; label to data job; the platform's start."""
    up: list[Figure] = []
    with started(up.append) as platform, tempfile.TemporaryDirectory() as folder:
        line = Line(platform)
        yield from up
        for way, repository in (("webhook", seed.LOCAL_REPOSITORY), ("workflow", seed.EXAMPLE_REPOSITORY)):
            found = [_one(line, repository, f"{way}-{number}", Path(folder)) for number in range(ROUNDS)]
            note = f"median of {ROUNDS}; the first, cold one {found[0]['overhead']:.1f} s"
            yield Figure(f"overhead of a run by {way}", statistics.median(each["overhead"] for each in found), "s", at_most=10, note=note)
            note = f"median of {ROUNDS}; the first {found[0]['data']:.1f} s"
            yield Figure(f"label to data job by {way}", statistics.median(each["data"] for each in found), "s", at_most=30, note=note)
            yield Figure(f"whole run by {way}", statistics.median(each["run"] for each in found), "s", note="from label to record")
        yield _start_step(platform)


def _one(line: Line, repository: str, name: str, folder: Path) -> dict[str, float]:
    issue = line.ask(repository, name, line.upload(folder, len(name) * 1000 + ord(name[-1])))
    labelled = line.label(repository, issue)
    state = line.closed(line.run_of(repository, issue))
    whole = time.time() - labelled
    if state.outcome != "succeeded" or state.ended_at is None:
        raise SystemExit(f"{state.run_id} ended {state.outcome}: {state.reason}")
    spans = line.jobs(state.run_id)
    ran = datetime.fromisoformat(state.ended_at).timestamp() - datetime.fromisoformat(state.started_at).timestamp()
    return {"overhead": ran - sum(end - begin for begin, end in spans), "data": spans[0][0] - labelled, "run": whole}


def _start_step(platform: Platform) -> Figure:
    """The start step of the newest workflow run, by its log's times (whole seconds)."""
    spent: list[float] = []
    for log in sorted((platform.places.state / "github" / "runs").glob("*/log.jsonl")):
        for job in read_jobs(log):
            steps = [step for step in job.steps if step.name == "Start the run" and step.completed_at]
            spent += [_moment(step.completed_at) - _moment(step.started_at) for step in steps]
    return Figure("start action, after its install", spent[-1] if spent else float("nan"), "s", at_most=3, note="by its log, whole seconds")


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def ten() -> Iterator[Figure]:
    """Ten runs started at once against the same ten, one after the other."""
    with started() as platform, tempfile.TemporaryDirectory() as folder:
        line = Line(platform)
        repository = seed.LOCAL_REPOSITORY
        tables = [line.upload(Path(folder), number) for number in range(RUNS)]
        issues = [line.ask(repository, f"together-{number}", table, endpoint=False) for number, table in enumerate(tables)]
        began = time.monotonic()
        for issue in issues:
            line.label(repository, issue)
        # All names first: an issue points to its run only while that run lives.
        answering = [line.run_of(repository, issue) for issue in issues]
        together = [line.closed(run_id, MANY_SECONDS) for run_id in answering]
        took = time.monotonic() - began
        alone = []
        for number, table in enumerate(tables):
            issue = line.ask(repository, f"alone-{number}", table, endpoint=False)
            line.label(repository, issue)
            alone.append(line.closed(line.run_of(repository, issue)))
        yield from _compared(platform, repository, issues, (together, alone))
        yield Figure("ten at once, all records committed", took, "s")


def _compared(platform: Platform, repository: str, issues: list[int], runs: tuple[list[RunState], list[RunState]]) -> Iterator[Figure]:
    folders = platform.clones()
    records: dict[str, HistoryRecord] = {record.run.run_id: record for folder in folders for record in read(folder)}
    for folder in folders:
        check_chains(folder)
    together, alone = ([records[state.run_id] for state in group if state.run_id in records] for group in runs)
    succeeded = sum(record.run.outcome == "succeeded" for record in together)
    weights = [(weights_of(one), weights_of(other)) for one, other in zip(together, alone, strict=True)]
    comments = [len(platform.github_call("GET", f"/repos/{repository}/issues/{issue}/comments")) for issue in issues]
    yield Figure("ten at once: models", succeeded, at_least=RUNS)
    yield Figure("weights digests equal to solo runs", sum(bool(one) and one == other for one, other in weights), at_least=RUNS)
    yield Figure("living comments, one an issue", sum(count == 1 for count in comments), at_least=RUNS)
    yield Figure("records in unbroken chains", len(together), at_least=RUNS, note="every record's predecessor was checked")


def weights_of(record: HistoryRecord) -> str:
    """Digest of the model's weights; empty where nothing was packaged."""
    return record.manifest.weights_digest if record.manifest else ""
