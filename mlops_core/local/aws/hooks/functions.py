"""Lambda: invocations run in our isolated workers instead of MiniStack's own interpreter and environment."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.hooks.authority import SESSION_SECONDS, Authority
from mlops_core.local.aws.hooks.names import private
from mlops_core.local.aws.host import AccessDenied
from mlops_core.local.aws.workers import Call, Function, Settings, WorkerPool

_REAP_SECONDS = 30.0
_RENEW_SECONDS = 3600.0


class Functions:
    """Answers invocations from a worker pool with the keys of each function's own role."""

    def __init__(self, config: AwsConfig, authority: Authority) -> None:
        settings = Settings(
            python=config.lambda_python,
            folder=config.state / "lambda",
            endpoint=config.endpoint,
            ca_bundle=config.ca_bundle,
            region=config.region,
            limits=config.limits,
        )
        self.pool = WorkerPool(settings)
        self._authority = authority
        self._keys: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}
        self._digests: dict[int, tuple[bytes, str]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def install(self) -> None:
        """Take over the execution of every zipped function."""
        lambdas = private("services.lambda_svc")
        trace_id = lambdas._xray_trace_id_for_invocation

        def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
            return self._execute(function, event, request_id or str(uuid.uuid4()), trace_id)

        def invalidate(name: str, *_: Any, **__: Any) -> None:
            self.pool.forget(name)

        lambdas._execute_function_warm = execute
        write = lambdas._write_code_blob

        def write_blob(code: bytes) -> str:
            """MiniStack hashes every archive at every save; the digest is known here."""
            digest = self._digest(code)
            return digest if (Path(lambdas.CODE_BLOB_DIR) / f"{digest}.zip").exists() else str(write(code))

        lambdas._write_code_blob = write_blob
        lambdas.invalidate_worker = invalidate
        threading.Thread(target=self._reap, daemon=True, name="lambda-reaper").start()

    def close(self) -> None:
        """End every worker."""
        self._closing.set()
        self.pool.close()

    def _reap(self) -> None:
        while not self._closing.wait(_REAP_SECONDS):
            self.pool.reap()

    def _execute(self, record: dict[str, Any], event: Any, request_id: str, trace_id: Callable[..., Any]) -> dict[str, Any]:
        config = record.get("config") or record
        code = record.get("code_zip")
        if not code:
            error = {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": "The function has no code."}
            return {"body": error, "error": True, "log": ""}
        try:
            ready = self._function(config, code)
        except AccessDenied as error:
            return {"body": {"errorType": "AccessDeniedException", "errorMessage": str(error)}, "error": True, "log": ""}
        call = Call(event=event, request_id=request_id, arn=config.get("FunctionArn", ""), trace_id=trace_id(config))
        outcome = self.pool.run(ready, call)
        answer = {"body": outcome.body, "log": outcome.log.rstrip("\n")}
        return {**answer, "error": True} if outcome.failed else answer

    def _function(self, config: dict[str, Any], code: bytes) -> Function:
        arn, name = str(config.get("FunctionArn", "")), str(config.get("FunctionName", "unknown"))
        unqualified = ":".join(arn.split(":")[:7])
        return Function(
            name=name,
            arn=unqualified,
            version=str(config.get("Version", "$LATEST")),
            handler=str(config.get("Handler", "index.handler")),
            digest=self._digest(code),
            archive=lambda: code,
            environment=(config.get("Environment") or {}).get("Variables") or {},
            keys=self._keys_of(unqualified, str(config.get("Role", ""))),
            timeout_seconds=float(config.get("Timeout", 3)),
            memory_mb=int(config.get("MemorySize", 128)),
            log_group=str((config.get("LoggingConfig") or {}).get("LogGroup") or ""),
        )

    def _digest(self, code: bytes) -> str:
        """Hashing 40 MB for every call would cost more than the call, so the digest is kept as long as the bytes object lives on."""
        known = self._digests.get(id(code))
        if known is None or known[0] is not code:
            if len(self._digests) > 256:
                self._digests.clear()
            known = self._digests[id(code)] = (code, hashlib.sha256(code).hexdigest())
        return known[1]

    def _keys_of(self, function_arn: str, role_arn: str) -> dict[str, str]:
        """Keys of the function's role, which must trust Lambda; renewed an hour before they end."""
        with self._lock:
            made, keys = self._keys.get((function_arn, role_arn), (0.0, {}))
            if not keys or time.monotonic() - made > SESSION_SECONDS - _RENEW_SECONDS:
                session = self._authority.assume(role_arn, "lambda.amazonaws.com", function_arn.rsplit(":", 1)[-1][:64])
                keys = {
                    "AWS_ACCESS_KEY_ID": session.access_key,
                    "AWS_SECRET_ACCESS_KEY": session.secret_key,
                    "AWS_SESSION_TOKEN": session.session_token,
                }
                self._keys[(function_arn, role_arn)] = (time.monotonic(), keys)
        return keys
