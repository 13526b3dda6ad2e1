"""Step Functions: the machine's role is asked before each task, the machine's time-out really ends an execution, ended is ended.

MiniStack lets a state machine call anything, never sets TIMED_OUT, and lets a task that fails after an abort turn ABORTED into FAILED.
"""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mlops_core.local.aws.hooks.authority import Authority
from mlops_core.local.aws.hooks.names import private
from mlops_core.local.aws.host import AccessDenied

_RUNNING = "RUNNING"
_PAUSE = 0.15
"""Seconds that MiniStack sleeps as an execution begins, as a literal in its ``_run_execution``."""
_MAX_DATA_BYTES = 262_144
_RESTARTED = "Execution was running when service restarted"
_INTERRUPTED = "The local platform was stopped while this execution ran."
_TOLD = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "input", "output")


@dataclass
class _Walk:
    """The execution that the current thread walks: its role and the child executions it must stop with itself."""

    arn: str
    role: str
    children: list[str] = field(default_factory=list)


_walk: contextvars.ContextVar[_Walk | None] = contextvars.ContextVar("mlops_walk", default=None)
_token: contextvars.ContextVar[str] = contextvars.ContextVar("mlops_task_token", default="")


class _NoPause:
    """The clock that the interpreter uses, without the pause that it makes before the first state of every execution."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    def sleep(self, seconds: float) -> None:
        """Sleep, unless it is that pause: AWS makes none, and a run of seven executions would wait a second for nothing."""
        if seconds != _PAUSE:
            self._clock.sleep(seconds)


class Machines:
    """Wraps the interpreter of state machines."""

    def __init__(self, authority: Authority, *, changed: Callable[[dict[str, Any]], None]) -> None:
        self._authority = authority
        self._changed = changed
        self._states = private("services.stepfunctions")
        self._walks: dict[str, _Walk] = {}
        self._ended = threading.Condition()
        self._account = private("core.responses").get_account_id
        self._region = private("core.responses").get_region

    def install(self) -> None:
        """Replace the interpreter's entry points by ours around them."""
        self._states.time = _NoPause(self._states.time)
        self._wrap_runs()
        self._wrap_starts()
        self._wrap_ends()
        self._wrap_tasks()
        self._wrap_callbacks()

    def close_interrupted(self) -> None:
        """Tell the bus of executions that ran when the host was killed: MiniStack fails them as it restores, without a word to any rule."""
        for (account, region, _), execution in list(self._states._executions._data.items()):
            if execution.get("status") == "FAILED" and execution.get("cause") == _RESTARTED:
                execution |= {"error": "States.Runtime", "cause": _INTERRUPTED}
                with private("core.responses").request_scope(account, region):
                    self._states._emit_execution_status_event(execution)

    def _wrap_runs(self) -> None:
        run = self._states._run_execution

        def run_execution(exec_arn: str) -> None:
            execution = self._states._executions.get(exec_arn)
            machine = self._states._state_machines.get(execution["stateMachineArn"]) if execution else None
            if machine is None:
                run(exec_arn)
                return
            walk = self._walks[exec_arn] = _Walk(exec_arn, machine["roleArn"])
            reset = _walk.set(walk)
            watch = self._watch(execution, machine, walk)
            try:
                run(exec_arn)
            finally:
                watch.cancel()
                _walk.reset(reset)
                self._walks.pop(exec_arn, None)
                self._stop_children(walk)

        self._states._run_execution = run_execution

    def _wrap_starts(self) -> None:
        """256 KiB at most pass into and between states; the same name with the same input finds the running execution."""
        start, send, responses = self._states._start_execution, self._states._send_task_success, private("core.responses")

        def start_execution(data: dict[str, Any]) -> Any:
            given = str(data.get("input") or "{}")
            if len(given.encode()) > _MAX_DATA_BYTES:
                message = f"1 validation error detected: Value at 'input' has more than {_MAX_DATA_BYTES} bytes."
                return responses.error_response_json("ValidationException", message, 400)
            answer = start(data)
            if answer[0] == 200 or b"ExecutionAlreadyExists" not in bytes(answer[2]):
                return answer
            arn = str(data.get("stateMachineArn")).replace(":stateMachine:", ":execution:", 1) + f":{data.get('name')}"
            known = self._states._executions.get(arn)
            if known is None or known["status"] != _RUNNING or known["input"] != given:
                return answer
            return responses.json_response({"executionArn": arn, "startDate": known["startDate"]})

        def send_task_success(data: dict[str, Any]) -> Any:
            if len(str(data.get("output", "")).encode()) > _MAX_DATA_BYTES:
                return responses.error_response_json("InvalidOutput", f"The output has more than {_MAX_DATA_BYTES} bytes.", 400)
            return send(data)

        self._states._start_execution, self._states._send_task_success = start_execution, send_task_success

    def _watch(self, execution: dict[str, Any], machine: dict[str, Any], walk: _Walk) -> threading.Timer:
        """A timer that ends the execution at the machine's TimeoutSeconds; without one AWS's year is as good as never."""
        try:
            seconds = float(json.loads(machine["definition"]).get("TimeoutSeconds") or threading.TIMEOUT_MAX)
        except (ValueError, TypeError):
            seconds = threading.TIMEOUT_MAX
        context = contextvars.copy_context()
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), context.run, args=(self._time_out, execution, walk))
        timer.daemon = True
        if seconds < threading.TIMEOUT_MAX:
            timer.start()
        return timer

    def _time_out(self, execution: dict[str, Any], walk: _Walk) -> None:
        if execution["status"] != _RUNNING:
            return
        now = private("core.responses").now_iso()
        execution |= {"status": "TIMED_OUT", "error": "States.Timeout", "cause": "", "stopDate": now}
        self._states._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}})
        self._states._emit_execution_status_event(execution)
        self._stop_children(walk)
        self._wake(walk)

    def _stop_children(self, walk: _Walk) -> None:
        """AWS stops what a ``.sync`` task started when its parent ends without it."""
        for arn in walk.children:
            child = self._states._executions.get(arn)
            if child is not None and child["status"] == _RUNNING:
                self._states._stop_execution({"executionArn": arn, "error": "States.TaskFailed", "cause": "The parent execution ended."})

    def _wake(self, walk: _Walk) -> None:
        """Let the thread of an ended execution go on instead of waiting for its token."""
        for info in list(self._states._task_tokens.values()):
            if isinstance(info, dict) and info.get("mlops_walk") == walk.arn:
                info["error"] = {"Error": "States.Timeout", "Cause": "The execution ended."}
                info["event"].set()

    def _wrap_ends(self) -> None:
        fail, stop, tell = self._states._fail_execution, self._states._stop_execution, self._states._emit_execution_status_event

        def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
            if execution["status"] == _RUNNING:
                fail(execution, error, cause)

        def stop_execution(data: dict[str, Any]) -> Any:
            answer = stop(data)
            execution = self._states._executions.get(data.get("executionArn"))
            walk = self._walks.get(str(data.get("executionArn")))
            if walk is not None and execution is not None and execution["status"] == "ABORTED":
                self._stop_children(walk)
                self._wake(walk)
            return answer

        def status_changed(execution: dict[str, Any]) -> None:
            with self._ended:
                self._ended.notify_all()
            self._changed(execution)
            tell(execution)

        self._states._fail_execution, self._states._stop_execution = fail_execution, stop_execution
        self._states._emit_execution_status_event = status_changed

    def _wrap_tasks(self) -> None:
        invoke = self._states._invoke_resource

        def invoke_resource(resource: str, arguments: Any) -> Any:
            self._authorise(resource, arguments)
            result = invoke(resource, arguments)
            if len(json.dumps(result).encode()) > _MAX_DATA_BYTES:
                message = f"The task {resource} returned a result of more than {_MAX_DATA_BYTES} bytes."
                raise self._states._ExecutionError("States.DataLimitExceeded", message)
            return result

        self._states._invoke_resource = invoke_resource
        self._states._invoke_nested_start_execution_sync = self._run_nested

    def _run_nested(self, resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Start a child, wait for its end, answer as ``states:startExecution.sync`` does; MiniStack lets a used name run again."""
        status, _, body = self._states._start_execution(self._states._nested_start_execution_request(arguments))
        answer = json.loads(body)
        if status >= 400:
            name = str(answer.get("__type", "ExecutionError")).rsplit("#", 1)[-1]
            raise self._states._ExecutionError(f"StepFunctions.{name}Exception", str(answer.get("message", "")))
        child = self._states._executions[answer["executionArn"]]
        walk = _walk.get()
        if walk is not None:
            walk.children.append(answer["executionArn"])
        with self._ended:
            self._ended.wait_for(lambda: child["status"] != _RUNNING)
        told = {name[0].upper() + name[1:]: child.get(name) for name in _TOLD}
        if child["status"] != "SUCCEEDED":
            failure = {"Error": child.get("error"), "Cause": child.get("cause")}
            raise self._states._ExecutionError("States.TaskFailed", json.dumps({**told, **failure}))
        if resource.endswith(":2"):
            told["Output"] = json.loads(told["Output"] or "{}")
        return told

    def _wrap_callbacks(self) -> None:
        callback, call = self._states._invoke_with_callback, self._states._call_lambda

        def invoke_with_callback(resource: str, arguments: Any, token: str, state: Any) -> Any:
            self._authorise(resource.replace(".waitForTaskToken", ""), arguments)
            reset = _token.set(token)
            try:
                return callback(resource, arguments, token, state)
            finally:
                _token.reset(reset)

        def call_lambda(function: str, event: Any) -> Any:
            token, walk = _token.get(), _walk.get()
            info = self._states._task_tokens.get(token) if token else None
            if info is not None and walk is not None:
                info["mlops_walk"] = walk.arn
            try:
                return call(function, event)
            except self._states._ExecutionError as error:
                if info is not None:  # MiniStack swallows this and waits for the token of a function that died
                    info["error"] = {"Error": error.error, "Cause": error.cause}
                    info["event"].set()
                raise

        self._states._invoke_with_callback, self._states._call_lambda = invoke_with_callback, call_lambda

    def _authorise(self, resource: str, arguments: Any) -> None:
        walk = _walk.get()
        if walk is None:
            return
        execution = self._states._executions.get(walk.arn)
        if execution is not None and execution["status"] != _RUNNING:
            raise self._states._ExecutionError("States.Timeout", "The execution has ended.")
        try:
            self._authority.require_trust(walk.role, "states.amazonaws.com")
            for action, arn in self._wanted(resource, arguments if isinstance(arguments, dict) else {}):
                self._authority.enforce_role(walk.role, action, arn, {})
        except AccessDenied as error:
            service = "StepFunctions" if "states:start" in resource else "Lambda"
            name = f"{service}.AWS{service}Exception" if service.lower() in resource or service == "StepFunctions" else "States.TaskFailed"
            raise self._states._ExecutionError(name, str(error)) from error

    def _wanted(self, resource: str, arguments: dict[str, Any]) -> list[tuple[str, str]]:
        """The actions and resources a task needs from its machine's role; an integration that is not modelled is refused by name."""
        if ":lambda:" in resource and ":::" not in resource:
            return [("lambda:InvokeFunction", resource)]
        integration = resource.split(":::", 1)[-1]
        name, _, pattern = integration.partition(".")
        if name == "lambda:invoke":
            return [("lambda:InvokeFunction", self._function_arn(str(arguments.get("FunctionName", ""))))]
        if name == "states:startExecution":
            machine = str(arguments.get("StateMachineArn", ""))
            wanted = [("states:StartExecution", machine)]
            execution = machine.replace(":stateMachine:", ":execution:", 1) + ":*"
            return [*wanted, ("states:DescribeExecution", execution)] if pattern.startswith("sync") else wanted
        prefix = f"{self._region()}:{self._account()}"
        modelled = {
            "sns:publish": ("sns:Publish", str(arguments.get("TopicArn", ""))),
            "sqs:sendMessage": ("sqs:SendMessage", f"arn:aws:sqs:{prefix}:{str(arguments.get('QueueUrl', '')).rsplit('/', 1)[-1]}"),
            "events:putEvents": ("events:PutEvents", f"arn:aws:events:{prefix}:event-bus/default"),
            **{
                f"dynamodb:{verb}Item": (
                    f"dynamodb:{verb.capitalize()}Item",
                    f"arn:aws:dynamodb:{prefix}:table/{arguments.get('TableName', '')}",
                )
                for verb in ("get", "put", "update", "delete")
            },
        }
        if name not in modelled:
            raise self._states._ExecutionError("States.Runtime", f"{resource} is not offered by the local AWS; use lambda:invoke.")
        return [modelled[name]]

    def _function_arn(self, reference: str) -> str:
        if reference.startswith("arn:"):
            return reference
        return f"arn:aws:lambda:{self._region()}:{self._account()}:function:{reference}"
