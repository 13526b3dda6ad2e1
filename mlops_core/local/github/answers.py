"""What a handler answers, in GitHub's shape.

return Answer(201, {"id": 1})
raise ApiError(422, "Validation Failed", errors=[invalid("Issue", "title", "missing_field")])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Answer:
    """Status, body (JSON value, or bytes with their content type) and further headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


class ApiError(Exception):
    """A refusal that the caller sees as GitHub's ``message``, ``errors`` and ``documentation_url``."""

    def __init__(
        self, status: int, message: str, *, errors: list[dict[str, str]] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The refusal as an answer."""
        body: dict[str, Any] = {"message": self.message, "documentation_url": DOCUMENTATION, "status": str(self.status)}
        if self.errors:
            body["errors"] = self.errors
        return Answer(self.status, body, self.headers)


def invalid(resource: str, name: str, code: str, message: str = "") -> dict[str, str]:
    """One entry of ``errors``; ``code`` is GitHub's: missing_field, invalid, already_exists, custom, unprocessable."""
    entry = {"resource": resource, "field": name, "code": code}
    if message:
        entry["message"] = message
    return entry


def refused(resource: str, name: str, code: str, message: str = "") -> ApiError:
    """A 422 with one entry."""
    return ApiError(422, "Validation Failed", errors=[invalid(resource, name, code, message)])


def not_found() -> ApiError:
    """The answer for what is missing and for what the caller may not know of."""
    return ApiError(404, "Not Found")
