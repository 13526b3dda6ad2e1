"""Each mutating call is carried out once: its key and the digest of its arguments are claimed in the ledger.

    result = once(ports, "training", tool, arguments, now)

A repeated key returns the first result; the same key with other arguments is refused; a call that is still under way asks the caller to
try again; a failed call gives its claim back, so that a retry runs (tools adopt what an earlier try made).
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_jsonable_python

from mlops_core.contracts.base import digest
from mlops_core.errors import Conflict, Stale, Unavailable
from mlops_core.ports import Item, Ports
from mlops_core.runs.names import CLAIM_SECONDS
from mlops_core.tool import Tool

LEASE_SECONDS = 90
"""How long a call may be under way before a repeated one takes over; the server's own time-out is shorter."""


def once(ports: Ports, word: str, tool: Tool, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Carry out a mutating call, or return what its first carrying out returned."""
    if not tool.mutating:
        return tool.call(ports, arguments)
    pk = f"CALL#{word}#{arguments['key']}"
    content = digest({"tool": tool.name, "arguments": to_jsonable_python(arguments)})
    claim: Item = {"digest": content, "status": "running", "until": _now(ports) + LEASE_SECONDS}
    expires = _now(ports) + CLAIM_SECONDS
    there = ports.ledger.claim(pk, "RESULT", claim, expires_at=expires)
    if there is not None:
        if there["digest"] != content:
            headline = f"the key of this call of {tool.name} was used for another call."
            raise Conflict(headline, remedy="Use one key per call.", code="E-KEY-REUSED")
        if there["status"] == "done":
            stored: dict[str, Any] | None = json.loads(str(there["result"]))
            return stored
        _take_over(ports, pk, there, claim)
    try:
        result = tool.call(ports, arguments)
    except BaseException:
        # Whatever went wrong, an unfinished call must not answer for the next try.
        ports.ledger.delete(pk, "RESULT")
        raise
    ports.ledger.put(pk, "RESULT", {"digest": content, "status": "done", "result": json.dumps(result)}, expires_at=expires)
    return result


def _take_over(ports: Ports, pk: str, there: Item, claim: Item) -> None:
    busy = Unavailable("the same call is still under way.", remedy="Call again with the same key.", code="E-KEY-BUSY")
    if int(there.get("until") or 0) > _now(ports):
        raise busy
    try:
        ports.ledger.replace(pk, "RESULT", claim, expected={"until": there.get("until")}, expires_at=_now(ports) + CLAIM_SECONDS)
    except Stale:
        raise busy from None


def _now(ports: Ports) -> int:
    return int(ports.clock.now().timestamp())
