"""The identity token of this workflow run, asked from the runner with a time limit and three tries.

    token = identity_token(step.environ)          # a JWT for audience sts.amazonaws.com, valid for minutes

Nothing is asked on a self-hosted runner: its claims are of no use to the role's trust policy, and its disk outlives the job.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping

from mlops_core.errors import EnvironmentBroken, Refused, Unavailable

AUDIENCE = "sts.amazonaws.com"
TIMEOUT_SECONDS = 10
TRIES = 3
MAX_ANSWER_BYTES = 65_536


def refuse_foreign_runner(environ: Mapping[str, str]) -> None:
    """`Refused` unless GitHub hosts this runner (``RUNNER_ENVIRONMENT``)."""
    kind = environ.get("RUNNER_ENVIRONMENT", "")
    if kind != "github-hosted":
        raise Refused(
            f"RUNNER_ENVIRONMENT is {kind!r} here; only 'github-hosted' runners may ask for AWS credentials.",
            remedy="Let the workflow run on ubuntu-24.04 as it is written.",
            code="E-START-001",
        )


def identity_token(environ: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep) -> str:
    """A fresh token per call; `EnvironmentBroken` without the permission ``id-token: write``, `Unavailable` after three tries."""
    url, bearer = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", ""), environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    if not url or not bearer:
        raise EnvironmentBroken(
            "this job may not ask for an identity token.",
            remedy="Give the calling job 'permissions: id-token: write' as in examples/caller.",
            code="E-START-002",
        )
    if urllib.parse.urlsplit(url).scheme not in {"https", "http"}:
        raise EnvironmentBroken("the address for identity tokens is not HTTP.", code="E-START-002")
    separator = "&" if "?" in url else "?"
    request = urllib.request.Request(f"{url}{separator}audience={AUDIENCE}", headers={"Authorization": f"Bearer {bearer}"})  # noqa: S310
    last: Exception | None = None
    for attempt in range(TRIES):
        try:
            return _ask(request)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 and error.code != 429:
                raise Refused(
                    f"the runner's token service answered {error.code}.", remedy="Check the job's permissions.", code="E-START-003"
                ) from error
            last = error
        except (OSError, ValueError, KeyError, TypeError) as error:
            last = error
        if attempt + 1 < TRIES:
            sleep(0.5 * 2**attempt)
    raise Unavailable(
        f"the runner's token service did not answer {TRIES} times.", remedy="Set the label again later.", code="E-START-004"
    ) from last


def _ask(request: urllib.request.Request) -> str:
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        token = json.loads(answer.read(MAX_ANSWER_BYTES))["value"]
    if not isinstance(token, str) or token.count(".") != 2:
        raise ValueError("no token in the answer")
    return token
