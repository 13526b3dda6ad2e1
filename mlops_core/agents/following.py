"""Start a long job and follow it to its end, the same way for data, training, evaluation and packaging.

    LONG = LongJob(word="data", phase="data", describe="describe_data_job")
    begin(agent, LONG, run_id, job, lambda name: {...arguments of the start tool...})
    follow(agent, LONG, event, finish)

A job ends in one of five ways and none of them loops: completed, failed, stopped, max_runtime, internal_error.  An internal error of
SageMaker is tried once more under the name with ``-a2``; every other bad end raises `JobFailed` with the job's own words.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from mlops_core.agents.handler import Agent, Document, coded, key_of
from mlops_core.errors import JobFailed

RETRIED = "-a2"
_HEADLINES = {
    "failed": "the job {job} failed",
    "stopped": "the job {job} was stopped before it finished",
    "max_runtime": "the job {job} reached its maximum run time and was stopped",
    "internal_error": "SageMaker could not run the job {job}, twice",
}
_REMEDIES = {
    "failed": "Read the job's log, change the request and label the issue again.",
    "stopped": "Somebody or something stopped it; label the issue again to start anew.",
    "max_runtime": 'Raise "Maximum run time" in the issue or choose a larger instance, and label the issue again.',
    "internal_error": "This is not your request's fault; label the issue again later.",
}


@dataclass(frozen=True)
class LongJob:
    """One kind of long job: the agent's word, the phase it belongs to, the tools that start and describe it."""

    word: str
    phase: str
    start: str
    describe: str


Arguments = Callable[[str], Document]
"""Arguments of the start tool for a job name, without ``run_id``, ``job`` and ``key``."""


def job_name(run_id: str, step: str) -> str:
    """The SageMaker name of a step's first attempt: ``mlops-<run_id>-<step>``, at most 63 characters with the retry's suffix."""
    return f"mlops-{run_id}-{step}"


def begin(agent: Agent, kind: LongJob, run_id: str, *, job: str, arguments: Document) -> Document:
    """Start a job (or adopt it), record the phase as running and return the state machine's first answer."""
    agent.tools.call(kind.start, run_id=run_id, job=job, key=key_of(run_id, job), **arguments)
    return {"state": "running", "job": job, "age_seconds": 0, "detail": ""}


def follow(
    agent: Agent, kind: LongJob, event: Document, *, again: Callable[[str], None], finish: Callable[[Document], Document]
) -> Document:
    """Look at the job once: report progress, finish a completed one, retry an internal error once, raise `JobFailed` otherwise."""
    run_id, job = str(event["run_id"]), str(event["job"])
    facts: Document = agent.tools.call(kind.describe, job=job)
    status = facts["status"]
    if status in {"queued", "running"}:
        _progress(agent, kind, run_id, facts)
        return {"state": "running", "job": job, "age_seconds": facts["age_seconds"], "detail": facts["secondary"]}
    if status == "completed":
        return {"state": "completed", "job": job, "age_seconds": facts["age_seconds"], "detail": "", **finish(facts)}
    if status == "internal_error" and not job.endswith(RETRIED):
        again(job + RETRIED)
        agent.record(run_id, {"phase": phase(kind.phase, "running", line("detail.second_try"), job + RETRIED)})
        return {"state": "running", "job": job + RETRIED, "age_seconds": 0, "detail": "second try"}
    error = failure(job, facts)
    told = line("detail.failed", reason=str(coded(error))[:300])
    agent.record(run_id, {"phase": phase(kind.phase, "failed", told, job), "jobs": [job_use(facts, kind.phase)]})
    raise error


def failure(job: str, facts: Document) -> JobFailed:
    """The error of a job that ended badly: its program's headline, remedy and code where there are any, else the service's words."""
    status = str(facts["status"])
    told = _told(str(facts.get("exit_message", ""))) or _told(str(facts.get("failure", "")).removeprefix("AlgorithmError:").strip())
    if told:
        return JobFailed(str(told["headline"])[:600], remedy=str(told.get("remedy", ""))[:300], code=str(told.get("code", ""))[:40])
    reason = str(facts.get("failure") or facts.get("exit_message") or "").strip()[:600]
    headline = _HEADLINES[status].format(job=job) + (f": {reason}" if reason and status in {"failed", "internal_error"} else "")
    return JobFailed(headline.rstrip(".") + ".", remedy=_REMEDIES[status], code=f"E-JOB-{status.upper().replace('_', '-')}")


def line(key: str, **values: str | float) -> Document:
    """What happened, as a key of the catalogue and its values; the server puts it into the words of the run's language."""
    return {"key": key, "values": values}


def phase(name: str, status: str, detail: Document | None = None, job: str | None = None) -> Document:
    """A phase change for `record_progress`; ``detail`` is a `line`."""
    return {"name": name, "status": status, "detail": detail, "job": job}


def job_use(facts: Document, phase_name: str) -> Document:
    """What a finished job cost, for the cost line."""
    return {
        "job": facts["job"],
        "phase": phase_name,
        "instance_type": facts["instance_type"],
        "billable_seconds": facts["billable_seconds"],
    }


def park(agent: Agent, event: Document) -> Document:
    """Store the token that wakes the waiting state machine when the job changes; until then nothing is asked."""
    run_id, job, token = str(event["run_id"]), str(event["job"]), str(event["token"])
    agent.tools.call("park_token", run_id=run_id, job=job, token=token, key=key_of(run_id, "park", token))
    return {}


def _progress(agent: Agent, kind: LongJob, run_id: str, facts: Document) -> None:
    metrics = [[name, value] for name, value in sorted(facts.get("metrics", {}).items())]
    detail = line("detail.job", status=str(facts["secondary"])) if facts["secondary"] else None
    # Nothing new has the key of what was told before, so the server answers it without touching the run.
    agent.record(run_id, {"phase": phase(kind.phase, "running", detail, facts["job"]), "live_metrics": metrics})


def _told(text: str) -> Document | None:
    """The program's own words; the service writes the exit code behind them."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("headline"), str) else None
