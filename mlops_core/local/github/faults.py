"""Bad answers on demand, so that clients can be tested against GitHub's bad days.

    faults.add({"method": "POST", "path": "/comments$", "status": 502, "times": 2, "body": "<html>", "headers": {}})

Kept in memory only: a restart ends them.
"""

from __future__ import annotations

import re
import threading
from typing import Any

from mlops_core.local.github.answers import Answer, refused


class Faults:
    """Answers that stand in for the next matching calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []

    def add(self, fault: dict[str, Any]) -> None:
        """Arm one fault; ``path`` is a regular expression over the path, ``times`` counts down."""
        unknown = set(fault) - {"method", "path", "status", "times", "body", "headers"}
        if unknown or "status" not in fault:
            raise refused("Fault", min(unknown) if unknown else "status", "invalid", "allowed: method, path, status, times, body, headers")
        with self._lock:
            self._waiting.append({"times": 1, "method": "", "path": "", "body": "", "headers": {}, **fault})

    def clear(self) -> None:
        """Answer truthfully again."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Answer | None:
        """The fault that this call meets, or None."""
        with self._lock:
            for fault in self._waiting:
                if fault["method"] in {"", method} and re.search(fault["path"], path):
                    fault["times"] -= 1
                    if fault["times"] <= 0:
                        self._waiting.remove(fault)
                    body = fault["body"]
                    plain = isinstance(body, str)
                    content = "text/html; charset=utf-8" if plain else "application/json; charset=utf-8"
                    return Answer(int(fault["status"]), body.encode() if plain else body, fault["headers"], content)
        return None
