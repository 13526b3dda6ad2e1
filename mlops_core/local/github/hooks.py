"""Webhooks: signed by HMAC-SHA256, delivered from a queue that survives a crash, four at a time, logged and repeatable.

    hooks.create(repository, url="http://127.0.0.1:9/hook", secret="…", events=["issues"])
    hooks.queue(event)           # a listener of Events
    hooks.start(); …; hooks.stop()

GitHub itself tries once and lets people redeliver; this one also repeats an unanswered delivery after 1, 5 and 25 s.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import sqlite3
import ssl
import threading
import time
import urllib.error
import urllib.request
import uuid
from functools import cached_property
from typing import Any

from mlops_core.local.github.answers import not_found, refused
from mlops_core.local.github.database import Database, Row, now
from mlops_core.local.github.events import Event

_LOG = logging.getLogger(__name__)
_PAUSES_S = (1.0, 5.0, 25.0)
_TIMEOUT_S = 10.0
_WORKERS = 4
_FAREWELL_S = 2.0


def signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        """GitHub follows no redirect of a hook."""


class Hooks:
    """The hooks of all repositories, their deliveries and the thread that sends them."""

    def __init__(self, database: Database, ca_bundle: str = "") -> None:
        self._database = database
        self._wake = threading.Condition()
        self._stopping = False
        self._ca_bundle = ca_bundle
        self._threads = [threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True) for number in range(_WORKERS)]

    def start(self) -> None:
        """Begin to send, starting with what an earlier process left."""
        self._database.run("update deliveries set state = 'pending' where state = 'sending'")
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End within two seconds; a delivery that is still under way then is sent again at the next start, under its old id."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        deadline = time.monotonic() + _FAREWELL_S
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def create(self, repository: Row, *, url: Any, secret: str, events: list[str]) -> Row:
        """A new active hook; a ping is queued for it."""
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise refused("Hook", "url", "invalid", f"{url!r} is no http or https address")
        key = self._database.insert(
            "hooks", repository=repository["id"], url=url, secret=secret, events=json.dumps(events or ["push"]), created_at=now()
        )
        self._deliver(key, "ping", "", {"zen": "Keep it logically awesome.", "hook_id": key, "hook": {"id": key, "events": events}})
        return self.find(repository, key)

    def change(self, repository: Row, key: int, *, secret: str, events: list[str]) -> Row:
        """Give a hook another secret and other events."""
        self._database.update("hooks", self.find(repository, key)["id"], secret=secret, events=json.dumps(events))
        return self.find(repository, key)

    def find(self, repository: Row, key: int) -> Row:
        """One hook of a repository."""
        row = self._database.row("select * from hooks where id = ? and repository = ?", key, repository["id"])
        if row is None:
            raise not_found()
        return row

    def select(self, repository: Row) -> list[Row]:
        """Every hook of a repository."""
        return self._database.rows("select * from hooks where repository = ? order by id", repository["id"])

    def delete(self, repository: Row, key: int) -> None:
        """Remove a hook; its deliveries stay in the log."""
        self._database.run("delete from hooks where id = ?", self.find(repository, key)["id"])

    def deliveries(self, hook: Row) -> list[Row]:
        """The newest 100 deliveries."""
        return self._database.rows("select * from deliveries where hook = ? order by id desc limit 100", hook["id"])

    def delivery(self, hook: Row, key: int) -> Row:
        """One delivery."""
        row = self._database.row("select * from deliveries where id = ? and hook = ?", key, hook["id"])
        if row is None:
            raise not_found()
        return row

    def redeliver(self, hook: Row, key: int) -> int:
        """Send the same payload under the same delivery id once more; the new row's id."""
        old = self.delivery(hook, key)
        return self._insert(hook["id"], old["guid"], old["event"], old["action"] or "", old["payload"], redelivery=1)

    def queue(self, event: Event) -> None:
        """Write one delivery for each hook that asked for the event."""
        for hook in self.select(event.repository):
            wanted = json.loads(hook["events"])
            if hook["active"] and (event.name in wanted or "*" in wanted):
                self._deliver(hook["id"], event.name, event.action, event.payload)

    def _deliver(self, hook: int, event: str, action: str, payload: dict[str, Any]) -> None:
        self._insert(hook, str(uuid.uuid4()), event, action, json.dumps(payload))

    def _insert(self, hook: int, guid: str, event: str, action: str, payload: str, *, redelivery: int = 0) -> int:
        key = self._database.insert(
            "deliveries", hook=hook, guid=guid, event=event, action=action or None, payload=payload, state="pending",
            redelivery=redelivery, delivered_at=now(),
        )  # fmt: skip
        with self._wake:
            self._wake.notify()
        return key

    def _work(self) -> None:
        while not self._stopping:
            row = self._take()
            if row is not None:
                self._send(row)
                continue
            with self._wake:
                if not self._stopping:
                    self._wake.wait(timeout=0.5)

    def _take(self) -> Row | None:
        with self._database.transaction():
            query = "select * from deliveries where state = 'pending' and next_at <= ? order by id limit 1"
            row = self._database.row(query, time.time())
            if row is not None:
                self._database.update("deliveries", row["id"], state="sending")
            return row

    def _send(self, row: Row) -> None:
        hook = self._database.row("select * from hooks where id = ?", row["hook"])
        if hook is None:
            self._database.update("deliveries", row["id"], state="dropped")
            return
        began = time.monotonic()
        status, answer = self._post(hook, row)
        done = status is not None and status < 500
        attempts = row["attempts"] + 1
        again = not done and attempts <= len(_PAUSES_S)
        self._record(
            row["id"], state="pending" if again else ("ok" if status and status < 400 else "failed"), attempts=attempts,
            status=status, answer=answer, duration=round(time.monotonic() - began, 3), delivered_at=now(),
            next_at=time.time() + _PAUSES_S[attempts - 1] if again else 0,
        )  # fmt: skip
        if again:
            _LOG.info("delivery %s of %s was not taken (%s); trying again", row["guid"], row["event"], status)

    def _record(self, key: int, **values: Any) -> None:
        try:
            self._database.update("deliveries", key, **values)
        except sqlite3.ProgrammingError:
            # The platform stopped meanwhile and let go of the file; the row still says `sending`.
            if not self._stopping:
                raise

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context()
        if self._ca_bundle:
            context.load_verify_locations(cafile=self._ca_bundle)
        return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _NoRedirect())

    def _post(self, hook: Row, row: Row) -> tuple[int | None, str]:
        body = row["payload"].encode()
        headers = {
            "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/local", "X-GitHub-Event": row["event"], "Accept": "*/*",
            "X-GitHub-Delivery": row["guid"], "X-GitHub-Hook-ID": str(hook["id"]), "X-GitHub-Hook-Installation-Target-Type": "repository",
            "X-GitHub-Hook-Installation-Target-ID": str(hook["repository"]),
        }  # fmt: skip
        if hook["secret"]:
            headers["X-Hub-Signature-256"] = signature(hook["secret"], body)
        request = urllib.request.Request(hook["url"], data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                return response.status, response.read(4096).decode(errors="replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(4096).decode(errors="replace")
        except (OSError, ValueError) as error:
            return None, f"no answer: {error}"
