"""Durability: ``kill -9`` loses at most half a second of settings, and no item of a table and no secret that was answered.

MiniStack saves at a clean stop only.  Here each changed service is saved by itself: tables and secrets before their answer is sent, the
rest within `_DELAY_SECONDS`.  Items of tables and executions, which grow with every run, are saved as changes (see `changes`).  Logs and
metric data are no change: they are saved with the next change of their service and may be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mlops_core.local.aws.hooks.changes import Changes, Executions, Items
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
_INVOKED = ("/invocations", "/invoke-async")
"""Ends of the paths that call a function or an endpoint."""
_ATTEMPTS = 5


class Durability:
    """Saves changed services; `close` saves what is left."""

    def __init__(self) -> None:
        self._app = private("app")
        self._persistence = private("core.persistence")
        self._folder = Path(self._persistence.STATE_DIR)
        self._items, self._executions = Items(self._folder, self._persistence), Executions(self._folder, self._persistence)
        self._changes: dict[str, Changes] = {each.service: each for each in (self._items, self._executions)}
        self._dirty: set[str] = set()
        self._noted: set[str] = set()
        self._wake = threading.Condition()
        self._saving: dict[str, threading.Lock] = {}
        self._closed = False

    def install(self, *, on_restored: Callable[[], None]) -> None:
        """Watch requests and stack resources for changes; ``on_restored`` runs once what was saved is back."""
        for name, handler in list(self._app.SERVICE_HANDLERS.items()):
            self._app.SERVICE_HANDLERS[name] = self._watched(name, handler)
        self._watch_stacks()
        self._watch_tables()
        self._persistence.save_state = self._save
        load, restore = self._app.load_state, self._app._load_persisted_state

        def load_state(name: str) -> Any:
            return self._changes[name].restored(load(name)) if name in self._changes else load(name)

        def restored() -> None:
            restore()
            threading.Thread(target=on_restored, daemon=True, name="close-interrupted").start()

        self._app.load_state, self._app._load_persisted_state = load_state, restored
        threading.Thread(target=self._write, daemon=True, name="durability").start()

    def close(self) -> None:
        """Save everything that is still unsaved."""
        with self._wake:
            self._closed = True
            self._noted.update(self._changes)
            self._wake.notify_all()
        self._flush()

    def changed(self, names: Iterable[str]) -> None:
        """Mark services as changed."""
        with self._wake:
            self._dirty.update(names)
            self._wake.notify_all()

    def execution_changed(self, execution: dict[str, Any]) -> None:
        """Mark an execution of a state machine as started or ended."""
        self._executions.note(execution)
        self._note(self._executions.service)

    def _note(self, name: str) -> None:
        """Mark a service whose changes are recorded."""
        with self._wake:
            self._noted.add(name)
            self._wake.notify_all()

    def _watched(self, name: str, handler: Any) -> Any:
        registered = self._app.SERVICE_REGISTRY[name]
        key = registered.get("state_key", registered["module"])
        keys = (key, *registered.get("sub_modules", ()))

        async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
            answer = await handler(method, path, headers, body, query)
            action = _action(headers, body, query)
            if answer[0] >= 400 or not _changes(action, method, path, headers):
                return answer
            recorded = key in self._changes and action in self._changes[key].actions
            if name in _AT_ONCE:
                await asyncio.to_thread(self._record if recorded else self._store, key)
            elif recorded:
                self._note(key)
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

    def _watch_tables(self) -> None:
        """A table that is filled from a backup or an import changes at once, behind the request."""
        tables = private("services.dynamodb")
        self._items.install(tables)
        replaced = tables._items_replaced

        def items_replaced(table: dict[str, Any]) -> None:
            replaced(table)
            self.changed({self._items.service})

        tables._items_replaced = items_replaced

    def _loaded(self) -> list[str]:
        return list(self._app._build_persistence_save_dict())

    def _write(self) -> None:
        while not self._closed:
            with self._wake:
                self._wake.wait_for(lambda: self._dirty or self._noted or self._closed)
            time.sleep(_DELAY_SECONDS)
            self._flush()

    def _flush(self) -> None:
        with self._wake:
            names, self._dirty = self._dirty, set()
            noted, self._noted = self._noted - names, set()
        for name in sorted(names):
            self._store(name)
        for name in sorted(noted):
            self._record(name)
            if self._changes[name].many:
                self._store(name)

    def _record(self, name: str) -> None:
        """Write down what changed; when that has become much, the service is saved whole in the background."""
        try:
            self._changes[name].record()
        except OSError as error:
            _LOG.warning("the changes of %s could not be recorded, all of it is saved instead: %s", name, error)
            self.changed({name})
        else:
            if name in _AT_ONCE and self._changes[name].many:
                self._note(name)

    def _store(self, name: str) -> None:
        get_state, changes = self._app._build_persistence_save_dict().get(name), self._changes.get(name)
        if get_state is None:
            return
        with self._saving.setdefault(name, threading.Lock()):
            for attempt in range(_ATTEMPTS):
                # State is copied while requests go on: a container that grew meanwhile is simply read again.
                with contextlib.suppress(RuntimeError):
                    if changes is not None:
                        changes.set_aside()
                    state = get_state()
                    if state is not None and self._save(name, state) and changes is not None:
                        changes.forget()
                    return
                time.sleep(0.01 * (attempt + 1))
        _LOG.warning("the state of %s could not be saved; it is tried again with its next change", name)

    def _save(self, name: str, state: Any) -> bool:
        """Write a service's state whole, in MiniStack's own form, ten times as fast as MiniStack does."""
        form = {"__ministack_format__": self._persistence._state_format_version(name), "payload": state}
        path = self._folder / f"{name}.json"
        staging = path.with_suffix(".json.tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            staging.write_text(json.dumps(form, default=self._persistence._json_default), encoding="utf-8")
            staging.replace(path)
        except (OSError, TypeError, ValueError) as error:
            _LOG.warning("the state of %s could not be saved: %s", name, error)
            return False
        return True


def _action(headers: dict[str, str], body: bytes, query: Any) -> str:
    """The action that a request names, empty for services that name it by method and path."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if not action and isinstance(query, dict):
        action = (query.get("Action") or [""])[0]
    if not action and b"Action=" in body[:4096]:
        action = body.split(b"Action=", 1)[1].split(b"&", 1)[0].decode("latin-1")
    return action


def _changes(action: str, method: str, path: str, headers: dict[str, str]) -> bool:
    if action:
        return not action.startswith(_READS) and action not in _EPHEMERAL
    if path.endswith(_INVOKED):
        return False
    return method not in ("GET", "HEAD", "OPTIONS") and not headers.get("x-amz-content-sha256", "").startswith("STREAMING")
