"""Whole runs in memory: the three machines from their files, the agents behind them, the real server and client, jobs that end as told.

walker = Walker(world())
run = walker.start(threshold=0.9)
ended = walker.run(run)                  # walks the pipeline; an unsuccessful end is brought to the history agent, as EventBridge does
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.agents import history, judge
from mlops_core.capabilities.issue import start_run
from mlops_core.contracts.job import JobStatus
from mlops_core.contracts.model import ModelRecord
from mlops_core.errors import MlopsError
from tests.unit.mcp_server import world as w
from tests.unit.stepfunctions.interpreter import Call, Ended, TaskError, load, walk

NOBODY = TaskError("States.Timeout")


def _nobody_answers(_walker: Walker, _token: str) -> Any:
    raise NOBODY


@dataclass
class Walker:
    """``statuses`` ends jobs by the last part of their name (default completed); ``auc`` is what validation looks measure, in order."""

    memory: MemoryPorts
    statuses: dict[str, JobStatus] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    auc: list[float] = field(default_factory=lambda: [0.92])
    served_score: float = 0.25
    operator: Callable[[Walker, str], Any] = _nobody_answers
    before: Callable[[Call], None] = lambda _call: None

    def __post_init__(self) -> None:
        self.line = w.Line(self.memory)
        self._looks = 0

    def start(self, **request: object) -> str:
        """Start a run the way intake does; returns its id."""
        return start_run(self.memory.ports, w.approved(**request)).run_id

    def run(self, run: str) -> Ended:
        """Walk the pipeline to its end, and close an unsuccessful one."""
        ended = walk(load("pipeline"), {"run_id": run}, answer=self.answer, name=run)
        if ended.status != "SUCCEEDED":
            self.end(run, ended.status, error=ended.error, cause=ended.cause)
        return ended

    def end(self, run: str, status: str, *, error: str = "", cause: str = "") -> None:
        """What the rule on unsuccessful ends does."""
        arn = f"{w.PIPELINE.replace(':stateMachine:', ':execution:')}:{run}"
        facts = self.memory.machines.executions[arn]
        self.memory.machines.executions[arn] = replace(facts, status=status, error=error, cause=cause)
        self.line.act("history", history.ACTIONS, {"action": "ended", "run_id": run, "execution_arn": arn, "status": status})

    def answer(self, call: Call) -> Any:
        """One task: a nested machine, a wait, or an agent's action."""
        self.before(call)
        if "startExecution" in call.resource:
            return self._nested(call)
        word = call.function.removesuffix("Agent").lower()
        if word == "judge":
            return judge.handler(call.payload, None)
        try:
            if call.resource.endswith(".waitForTaskToken"):
                return self._wait(word, call)
            return self._act(word, call.payload)
        except MlopsError as error:
            raise TaskError(type(error).__name__, json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})) from error

    def _act(self, word: str, event: dict[str, Any]) -> Any:
        found = self.line.act(word, import_module(f"mlops_core.agents.{word}").ACTIONS, event)
        if word == "deployment" and event["action"] == "apply":
            kept = {name: value for name, value in event["pointer"].items() if name in ModelRecord.model_fields}
            record = ModelRecord.model_validate({**_REST, **kept})
            self.memory.endpoints.answers[event["pointer"]["endpoint"]] = w.serving_answer(record, self.served_score)
        return json.loads(json.dumps(found))

    def _wait(self, word: str, call: Call) -> Any:
        self._act(word, call.payload) if word != "notification" else self._ask(call)
        if word == "notification":
            return self.operator(self, call.payload["token"])
        self._finish(call.payload["run_id"], call.payload["job"])
        return {}

    def _ask(self, call: Call) -> None:
        self.memory.machines.waiting.add(call.payload["token"])
        self._act("notification", call.payload)

    def _nested(self, call: Call) -> Any:
        machine = "deploy" if "Deploy" in call.function else "job"
        ended = walk(load(machine), call.payload, answer=self.answer, name=call.arguments["Name"])
        if ended.status == "SUCCEEDED":
            return ended.output
        told = {"ExecutionArn": "arn", "Status": ended.status, "Error": ended.error, "Cause": ended.cause}
        raise TaskError("States.TaskFailed", json.dumps(told))

    def _finish(self, run: str, job: str) -> None:
        step = job.removeprefix(f"mlops-{run}-")
        status = self.statuses.get(step, "completed")
        uri = self.memory.jobs.facts[job].output_uri
        if status == "completed":
            uri = self._write(run, step, uri)
        facts = {"output_uri": uri, "seconds": 5, "billable_seconds": 5, "exit_message": self.messages.get(step, "")}
        self.memory.jobs.finish(job, status, **facts)

    def _write(self, run: str, step: str, uri: str) -> str:
        folder = uri.rstrip("/")
        if step.startswith("data"):
            w.put(self.memory, f"{folder}/profile.json", w.profile())
        elif step.startswith("train"):
            return f"{folder}/job/output/model.tar.gz"
        elif step.startswith("pack"):
            w.package(self.memory, run, self.line.state(run).model_version)
        else:
            auc = self.auc[min(self._looks, len(self.auc) - 1)]
            self._looks += step.startswith("eval")
            w.put(self.memory, f"{folder}/results.json", w.results(run, "test" if step.startswith("test") else "validation", auc))
            self.memory.objects.write(f"{folder}/confusion_matrix.png", b"png")
        return uri


_REST = {"metrics": {}, "metric": "roc_auc", "dataset_digest": "", "created_at": ""}
