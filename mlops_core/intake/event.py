"""GitHub's payloads as the few plain facts intake needs, taken without trust.

    event = labeled_event(read_payload(Path(os.environ["GITHUB_EVENT_PATH"])))
    event.body          # the body as it was when the label was set: never read again

Raises `InvalidRequest` (``E-EVENT-001`` … ``E-EVENT-003``) naming the part that is missing or of the wrong kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_core.errors import InvalidRequest

MAX_PAYLOAD_BYTES = 8 << 20
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}\Z")
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})(?:\[bot\])?\Z")


@dataclass(frozen=True)
class Person:
    """Who acted: login and GitHub's kind of account (``User``, ``Bot``, ``Organization``, ``Mannequin``)."""

    login: str
    kind: str = "User"


@dataclass(frozen=True)
class LabeledEvent:
    """``issues`` / ``labeled``: the sender set ``label``; ``body`` is the body of that moment."""

    repository: str
    issue: int
    label: str
    body: str
    author: str
    sender: Person


@dataclass(frozen=True)
class CommentEvent:
    """``issue_comment`` / ``created`` on an issue; ``on_pull_request`` comments are never commands."""

    repository: str
    issue: int
    comment_id: int
    body: str
    sender: Person
    on_pull_request: bool


def read_payload(path: Path) -> Mapping[str, object]:
    """The event file of a workflow run; a file over 8 MiB is refused unread."""
    if path.stat().st_size > MAX_PAYLOAD_BYTES:
        raise InvalidRequest(f"the event file is larger than {MAX_PAYLOAD_BYTES} bytes.", code="E-EVENT-003")
    return parse_payload(path.read_bytes())


def parse_payload(text: bytes) -> Mapping[str, object]:
    """A payload's JSON object."""
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("the event is not JSON.", code="E-EVENT-001") from error
    if not isinstance(payload, dict):
        raise InvalidRequest("the event is not a JSON object.", code="E-EVENT-001")
    return payload


def labeled_event(payload: Mapping[str, object]) -> LabeledEvent:
    """The facts of an ``issues`` payload; any other action than ``labeled`` is refused."""
    _action(payload, "labeled")
    issue = _part(payload, "issue")
    return LabeledEvent(
        repository=_repository(payload),
        issue=_number(issue, "number"),
        label=_text(_part(payload, "label"), "name"),
        body=_body(issue),
        author=_person(issue, "user").login,
        sender=_person(payload, "sender"),
    )


def comment_event(payload: Mapping[str, object]) -> CommentEvent:
    """The facts of an ``issue_comment`` payload; an edited or deleted comment is refused: only ``created`` can be a command."""
    _action(payload, "created")
    comment, issue = _part(payload, "comment"), _part(payload, "issue")
    return CommentEvent(
        repository=_repository(payload),
        issue=_number(issue, "number"),
        comment_id=_number(comment, "id"),
        body=_body(comment),
        sender=_person(payload, "sender"),
        on_pull_request="pull_request" in issue,
    )


def _action(payload: Mapping[str, object], expected: str) -> None:
    if payload.get("action") != expected:
        raise InvalidRequest(f"only the action {expected!r} is answered here.", code="E-EVENT-002")


def _wrong(name: str) -> InvalidRequest:
    return InvalidRequest(f"the event has no usable {name!r}.", remedy="Send the event again.", code="E-EVENT-001")


def _part(payload: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = payload.get(name)
    if not isinstance(part, dict):
        raise _wrong(name)
    return part


def _text(part: Mapping[str, object], name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        raise _wrong(name)
    return value


def _body(part: Mapping[str, object]) -> str:
    return "" if part.get("body") is None else _text(part, "body")


def _number(part: Mapping[str, object], name: str) -> int:
    value = part.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(name)
    return value


def _repository(payload: Mapping[str, object]) -> str:
    name = _text(_part(payload, "repository"), "full_name")
    if not _REPOSITORY.match(name):
        raise _wrong("repository")
    return name


def _person(part: Mapping[str, object], name: str) -> Person:
    """A deleted account comes as null: GitHub shows it as ``ghost``, and so do we (it can never be authorised)."""
    value = part.get(name)
    if not isinstance(value, dict):
        return Person(login="ghost", kind="Mannequin")
    login = value.get("login")
    if not isinstance(login, str) or not _LOGIN.match(login):
        raise _wrong(name)
    return Person(login=login, kind=str(value.get("type", "")))
