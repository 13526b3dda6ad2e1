"""Errors that people can act on.

    raise InvalidRequest("metric 'acc' is not measured here; choose one of accuracy, f1, roc_auc.",
                         code="E-PARSE-007", remedy="Edit the issue's \\"Metric\\" field and label it again.")

The tree (a leaf's class name is also the error name in the state machines)::

    MlopsError
    ├── Terminal                 repeating the call cannot help
    │   ├── InvalidRequest       2   the request, file or command is wrong
    │   ├── Unauthorized         3   the person or role may not do this
    │   ├── Refused              4   a rule, a policy or the judge said no
    │   ├── NotFound             5   what was named does not exist
    │   ├── Conflict             6   somebody else holds or already did it
    │   ├── JobFailed            7   a job or an endpoint ended badly
    │   ├── Unsupported          8   named honestly: not offered here
    │   ├── EnvironmentBroken    9   this machine lacks something
    │   └── Defect              10   a rule of ours is broken: report it
    └── Retryable                the same call may succeed later
        ├── Throttled           20   told to slow down; `retry_after` seconds when known
        ├── Unavailable         21   no answer, or a 5xx
        └── Stale               22   a head or version moved under us
"""

from __future__ import annotations


class MlopsError(Exception):
    """Headline, remedy and code of one failure; ``str(error)`` is the headline followed by the remedy."""

    exit_code = 1
    retryable = False

    def __init__(self, headline: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(f"{headline} {remedy}".strip())
        self.headline = headline
        self.remedy = remedy
        self.code = code


class Terminal(MlopsError):
    """Repeating the same call cannot help."""


class Retryable(MlopsError):
    """The same call may succeed later."""

    retryable = True


class InvalidRequest(Terminal):
    """The request, file or command is wrong."""

    exit_code = 2


class Unauthorized(Terminal):
    """The person or the role may not do this."""

    exit_code = 3


class Refused(Terminal):
    """A rule, a policy or the judge said no."""

    exit_code = 4


class NotFound(Terminal):
    """What was named does not exist."""

    exit_code = 5


class Conflict(Terminal):
    """Somebody else holds it, or it was done already."""

    exit_code = 6


class JobFailed(Terminal):
    """A job or an endpoint ended badly; the headline carries its reason."""

    exit_code = 7


class Unsupported(Terminal):
    """The feature, field or operation is not offered here."""

    exit_code = 8


class EnvironmentBroken(Terminal):
    """The machine lacks something: a port, a file, a program."""

    exit_code = 9


class Defect(Terminal):
    """An assumption of ours is broken; please report it."""

    exit_code = 10


class Throttled(Retryable):
    """Told to slow down; ``retry_after`` holds seconds when the service named them."""

    exit_code = 20

    def __init__(self, headline: str, *, remedy: str = "", code: str = "", retry_after: float | None = None) -> None:
        super().__init__(headline, remedy=remedy, code=code)
        self.retry_after = retry_after


class Unavailable(Retryable):
    """No answer, or an answer of the 5xx kind."""

    exit_code = 21


class Stale(Retryable):
    """A head, version or condition moved between reading and writing."""

    exit_code = 22
