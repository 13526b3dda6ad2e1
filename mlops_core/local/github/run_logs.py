"""The log of a run: act's JSON lines, read as jobs with steps.

for job in read_jobs(folder / "log.jsonl"):
    print(job.name, job.conclusion, [step.name for step in job.steps])
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIMIT_BYTES = 20_000_000
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HIDDEN_STEPS = {"Set up job", "Complete job"}


@dataclass
class Step:
    """One step; ``conclusion`` is empty while it runs."""

    name: str
    number: int
    started_at: str
    completed_at: str = ""
    conclusion: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass
class Job:
    """One job; ``conclusion`` is empty while it runs, ``summary`` is the Markdown its steps left for people."""

    name: str
    started_at: str
    completed_at: str = ""
    conclusion: str = ""
    steps: list[Step] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    summary: str = ""


def read_jobs(path: Path) -> list[Job]:
    """The jobs so far, in the order they began; a half-written last line is left out."""
    jobs: dict[str, Job] = {}
    for record in _records(path):
        name = str(record.get("job") or "").strip()
        if name:
            _take(jobs.setdefault(name, Job(_shown(name), str(record.get("time")))), record)
    found = list(jobs.values())
    # act also speaks for the calling job itself; it has no steps of its own.
    return [job for job in found if job.steps or job.conclusion] or found


def _records(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open("rb") as stream:
        text = stream.read(LIMIT_BYTES).decode(errors="replace")
    records = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _shown(name: str) -> str:
    return " / ".join(name.split("/")[1:]) or name


def _take(job: Job, record: dict[str, Any]) -> None:
    text = _COLOUR.sub("", str(record.get("msg") or "")).rstrip("\n")
    moment = str(record.get("time"))
    job.completed_at = moment
    if record.get("jobResult"):
        job.conclusion = str(record["jobResult"])
        return
    if record.get("command") == "summary":
        content = str(record.get("content") or "")
        if content not in job.summary:  # act tells a composite action's summary twice: for its inner step and for itself
            job.summary += content
        return
    step = _step(job, record, moment)
    lines = step.lines if step else job.lines
    if text and not text.lstrip().startswith(("⭐", "LocalRepositoryCache")):
        lines.append(text)
    identifiers = record.get("stepID") or record.get("stepid") or []
    if step and record.get("stepResult") and len(identifiers) == 1 and record.get("stage", "Main") == "Main":
        step.conclusion, step.completed_at = str(record["stepResult"]), moment


def _step(job: Job, record: dict[str, Any], moment: str) -> Step | None:
    name = str(record.get("step") or "").partition("\n")[0]
    if not name or name in _HIDDEN_STEPS:
        return None
    found = next((step for step in job.steps if step.name == name), None)
    if found is None:
        found = Step(name, len(job.steps) + 1, moment)
        job.steps.append(found)
    return found


def plain_text(jobs: list[Job]) -> str:
    """The whole log as text."""
    lines = []
    for job in jobs:
        lines.append(f"== {job.name}: {job.conclusion or 'in progress'}")
        lines += job.lines
        for step in job.steps:
            lines.append(f"-- {step.name}: {step.conclusion or 'in progress'}")
            lines += step.lines
    return "\n".join(lines) + "\n"
