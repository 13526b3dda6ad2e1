"""Jobs that a test ends by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlops_core.contracts.job import TERMINAL, JobFacts, JobKind, JobStatus
from mlops_core.errors import Conflict, NotFound
from mlops_core.facts import ProcessingJob, TrainingJob


@dataclass
class MemoryJobs:
    """Jobs by name; `finish` sets a terminal state."""

    asked: dict[str, ProcessingJob | TrainingJob] = field(default_factory=dict)
    facts: dict[str, JobFacts] = field(default_factory=dict)

    def start_processing(self, job: ProcessingJob) -> None:
        """Start."""
        self._start("processing", job)

    def start_training(self, job: TrainingJob) -> None:
        """Start."""
        self._start("training", job)

    def _start(self, kind: JobKind, job: ProcessingJob | TrainingJob) -> None:
        if job.name in self.asked:
            raise Conflict(f"the job name {job.name} was used before.", code="E-JOB-NAME")
        self.asked[job.name] = job
        output = job.output_uri if isinstance(job, TrainingJob) else job.outputs[0][1]
        self.facts[job.name] = JobFacts(job=job.name, kind=kind, status="running", instance_type=job.instance_type, output_uri=output)

    def describe(self, kind: JobKind, name: str) -> JobFacts:
        """Facts of a job."""
        found = self.facts.get(name)
        if found is None or found.kind != kind:
            raise NotFound(f"there is no {kind} job {name}.", code="E-JOB-MISSING")
        return found

    def tags(self, kind: JobKind, name: str) -> dict[str, str]:
        """Tags of a job."""
        self.describe(kind, name)
        return dict(self.asked[name].tags)

    def stop(self, kind: JobKind, name: str) -> bool:
        """Stop a job unless it has ended."""
        if self.describe(kind, name).status in TERMINAL:
            return False
        self.finish(name, "stopped")
        return True

    def finish(self, name: str, status: JobStatus, **facts: object) -> None:
        """End a job."""
        self.facts[name] = self.facts[name].model_copy(update={"status": status, **facts})
