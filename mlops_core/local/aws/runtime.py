"""The program inside a Lambda worker: imports one handler, then answers one JSON line for each JSON line it reads.

    python -I -S runtime.py      (started by `mlops_core.local.aws.workers`, never by hand)

Standard library only.  The first line names the handler; each later line is one invocation.  Answers go to the first standard output; what
the handler prints goes to standard error, where a marker line ends each invocation's log.  The process ends when its input ends, so no
worker outlives the host.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

LOG_END = "\x00end-of-invocation"
_MAX_ANSWER_BYTES = 6_291_556


class Context:
    """What AWS hands to a handler as its second argument."""

    identity = None
    client_context = None

    def __init__(self, function: dict[str, Any], call: dict[str, Any]) -> None:
        self.function_name = function["name"]
        self.function_version = function["version"]
        self.memory_limit_in_mb = function["memory"]
        self.invoked_function_arn = call["arn"]
        self.aws_request_id = call["request_id"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.tenant_id = None
        self._deadline = time.monotonic() + float(call["timeout"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's time-out."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main() -> None:
    """Serve invocations until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lines = _lines()
    function = json.loads(lines.get())
    sys.path.insert(0, function["code"])
    try:
        handler = _load(function["handler"])
    except Exception as error:  # the edge of the platform: whatever the module does is the function's answer
        _answer(answers, _import_failure(function["handler"], error))
        return
    _answer(answers, {"ready": True})
    while True:
        call = json.loads(lines.get())
        _answer(answers, _invoke(handler, call["event"], Context(function, call), call.get("trace_id")))


def _lines() -> queue.Queue[str]:
    """Input lines as they come; the end of the input ends the process even while a handler runs."""
    waiting: queue.Queue[str] = queue.Queue()

    def pump() -> None:
        for line in sys.stdin:
            waiting.put(line)
        os._exit(0)

    threading.Thread(target=pump, daemon=True).start()
    return waiting


def _load(name: str) -> Callable[[Any, Context], Any]:
    module, _, attribute = name.replace("/", ".").rpartition(".")
    handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), attribute)
    return handler


def _import_failure(handler: str, error: Exception) -> dict[str, Any]:
    module = handler.rpartition(".")[0]
    if isinstance(error, ImportError):
        return {"failure": {"errorType": "Runtime.ImportModuleError", "errorMessage": f"Unable to import module '{module}': {error}"}}
    if isinstance(error, AttributeError):
        return {"failure": {"errorType": "Runtime.HandlerNotFound", "errorMessage": f"Handler '{handler}' missing: {error}"}}
    return {"failure": _described(error)}


def _described(error: BaseException) -> dict[str, Any]:
    trace = traceback.format_exception(error)
    return {"errorType": type(error).__name__, "errorMessage": str(error), "requestId": "", "stackTrace": trace[1:-1]}


def _invoke(handler: Callable[[Any, Context], Any], event: Any, context: Context, trace_id: str | None) -> dict[str, Any]:
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    try:
        return _fitting({"result": handler(event, context)})
    except SystemExit as error:
        return {"failure": {"errorType": "Runtime.ExitError", "errorMessage": f"Runtime exited with status {error.code}"}, "exit": True}
    except Exception as error:  # the edge of the platform: a handler's exception is its answer
        failure = _described(error)
        failure["requestId"] = context.aws_request_id
        sys.stderr.write(f"[ERROR] {failure['errorType']}: {failure['errorMessage']}\n{traceback.format_exc()}")
        return {"failure": failure}


def _fitting(answer: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(json.dumps(answer["result"], ensure_ascii=False).encode("utf-8", "replace"))
    except (TypeError, ValueError) as error:
        return {"failure": {"errorType": "Runtime.MarshalError", "errorMessage": f"Unable to marshal response: {error}"}}
    if size > _MAX_ANSWER_BYTES:
        message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({_MAX_ANSWER_BYTES} bytes)."
        return {"failure": {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}}
    return answer


def _answer(out: TextIO, answer: dict[str, Any]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(2, f"{LOG_END}\n".encode())
    out.write(json.dumps(answer) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
