"""The errors this service answers with, each with the code and the HTTP status that AWS documents.

raise validation("Could not find model \\"arn:…\\".")

ApiError
├── ValidationException      400, a value that the service model or the local platform does not admit
├── ResourceNotFound         400, stop and tag calls on what does not exist
├── ResourceInUse            400, a job name that was used before
├── ResourceLimitExceeded    400, more than the local platform holds
├── ConflictException        400, the object is in another state than the call needs
├── AccessDeniedException    400, a policy says no
└── InternalFailure          500, an answer that would break the service model: a defect of this platform
"""

from __future__ import annotations

import json


class ApiError(Exception):
    """An error answer; ``code`` is the name clients see, ``status`` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def body(self) -> bytes:
        """The answer's JSON; both spellings of the message, because AWS's own errors differ in it."""
        text = str(self)
        return json.dumps({"__type": self.code, "message": text, "Message": text}).encode()


class ProgramFailed(Exception):
    """A job or a variant could not run; the text becomes its ``FailureReason``."""


def validation(message: str) -> ApiError:
    """A ValidationException."""
    return ApiError("ValidationException", message)


def not_found(message: str = "Requested resource not found.") -> ApiError:
    """A ResourceNotFound."""
    return ApiError("ResourceNotFound", message)


def in_use(message: str) -> ApiError:
    """A ResourceInUse."""
    return ApiError("ResourceInUse", message)


def limit_exceeded(message: str) -> ApiError:
    """A ResourceLimitExceeded."""
    return ApiError("ResourceLimitExceeded", message)


def conflict(message: str) -> ApiError:
    """A ConflictException."""
    return ApiError("ConflictException", message)


def access_denied(message: str) -> ApiError:
    """An AccessDeniedException."""
    return ApiError("AccessDeniedException", message)


def internal(message: str) -> ApiError:
    """An InternalFailure."""
    return ApiError("InternalFailure", message, 500)
