"""Durability: ``kill -9`` loses at most half a second of settings, and no item of a table and no secret that was answered.

MiniStack saves at a clean stop only.  Here each changed service is saved by itself: tables and secrets before their answer is sent, the
rest within `_DELAY_SECONDS`.  Logs and metric data are not changes: they are saved with the next change of their service and may be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from mlops_core.local.aws.hooks.names import private

_LOG = logging.getLogger("mlops.local.aws")
_DELAY_SECONDS = 0.4
_AT_ONCE = frozenset({"dynamodb", "secretsmanager"})
_READS = (
    "Get",
    "List",
    "Describe",
    "Head",
    "Query",
    "Scan",
    "BatchGet",
    "TransactGet",
    "Lookup",
    "Filter",
    "Test",
    "Validate",
    "Simulate",
    "Estimate",
)
_EPHEMERAL = frozenset(
    {
        "PutLogEvents",
        "PutMetricData",
        "Invoke",
        "InvokeFunction",
        "AssumeRole",
        "AssumeRoleWithWebIdentity",
        "Encrypt",
        "Decrypt",
        "Sign",
        "Verify",
    }
    | {"GenerateDataKey", "GenerateRandom", "PutObject", "UploadPart", "Publish"}
)
_ATTEMPTS = 5


class Durability:
    """Saves changed services; `close` saves what is left."""

    def __init__(self) -> None:
        self._app = private("app")
        self._save = private("core.persistence").save_state
        self._dirty: set[str] = set()
        self._wake = threading.Condition()
        self._saving = threading.Lock()
        self._closed = False

    def install(self, *, on_restored: Callable[[], None]) -> None:
        """Watch requests and stack resources for changes; ``on_restored`` runs once what was saved is back."""
        for name, handler in list(self._app.SERVICE_HANDLERS.items()):
            self._app.SERVICE_HANDLERS[name] = self._watched(name, handler)
        self._watch_stacks()
        restore = self._app._load_persisted_state

        def restored() -> None:
            restore()
            threading.Thread(target=on_restored, daemon=True, name="close-interrupted").start()

        self._app._load_persisted_state = restored
        threading.Thread(target=self._write, daemon=True, name="durability").start()

    def close(self) -> None:
        """Save everything that is still unsaved."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self._flush()

    def changed(self, names: Iterable[str]) -> None:
        """Mark services as changed."""
        with self._wake:
            self._dirty.update(names)
            self._wake.notify_all()

    def _watched(self, name: str, handler: Any) -> Any:
        registered = self._app.SERVICE_REGISTRY[name]
        key = registered.get("state_key", registered["module"])
        keys = (key, *registered.get("sub_modules", ()))

        async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
            answer = await handler(method, path, headers, body, query)
            if answer[0] < 400 and _changes(method, headers, body, query):
                if name in _AT_ONCE:
                    await asyncio.to_thread(self._store, key)
                else:
                    self.changed(keys if name != "cloudformation" else self._loaded())
            return answer

        return handle

    def _watch_stacks(self) -> None:
        """A stack's resources are made in the background, behind the request: each one marks every loaded service."""
        stacks = private("services.cloudformation.stacks")
        provision, delete, update = stacks._provision_resource, stacks._delete_resource, stacks._update_resource

        def marking(function: Callable[..., Any]) -> Callable[..., Any]:
            def marked(*args: Any, **kwargs: Any) -> Any:
                try:
                    return function(*args, **kwargs)
                finally:
                    self.changed(self._loaded())

            return marked

        stacks._provision_resource, stacks._delete_resource, stacks._update_resource = marking(provision), marking(delete), marking(update)

    def _loaded(self) -> list[str]:
        return list(self._app._build_persistence_save_dict())

    def _write(self) -> None:
        while not self._closed:
            with self._wake:
                self._wake.wait_for(lambda: self._dirty or self._closed)
            time.sleep(_DELAY_SECONDS)
            self._flush()

    def _flush(self) -> None:
        with self._wake:
            names, self._dirty = self._dirty, set()
        for name in sorted(names):
            self._store(name)

    def _store(self, name: str) -> None:
        get_state = self._app._build_persistence_save_dict().get(name)
        if get_state is None:
            return
        with self._saving:
            for attempt in range(_ATTEMPTS):
                # State is copied while requests go on: a container that grew meanwhile is simply read again.
                with contextlib.suppress(RuntimeError):
                    state = get_state()
                    if state is not None:
                        self._save(name, state)
                    return
                time.sleep(0.01 * (attempt + 1))
        _LOG.warning("the state of %s could not be saved; it is tried again with its next change", name)


def _changes(method: str, headers: dict[str, str], body: bytes, query: Any) -> bool:
    target = headers.get("x-amz-target", "")
    action = target.rpartition(".")[2]
    if not action and isinstance(query, dict):
        action = (query.get("Action") or [""])[0]
    if not action and b"Action=" in body[:4096]:
        action = body.split(b"Action=", 1)[1].split(b"&", 1)[0].decode("latin-1")
    if action:
        return not action.startswith(_READS) and action not in _EPHEMERAL
    return method not in ("GET", "HEAD", "OPTIONS") and not headers.get("x-amz-content-sha256", "").startswith("STREAMING")
