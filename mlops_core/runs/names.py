"""How runs, rows and resources are named: every name derives from ids, so that a repeated call finds what the first one made.

run_id("income", "octo/churn", 7, digest, generation=0)      # income-1a2b3c4d-g0
"""

from __future__ import annotations

import hashlib
import re

from mlops_core.errors import InvalidRequest

STATE = "STATE"
CLAIM = "CLAIM"
CLAIM_SECONDS = 7 * 86_400
_TRICKS = re.compile(r"[\\?#%@:*]")


def run_id(model_name: str, repository: str, issue: int, request_digest: str, generation: int) -> str:
    """The id of a run, at most 40 characters: model name (24), 8 digits of its origin, generation."""
    origin = hashlib.sha256(f"{repository}|{issue}|{request_digest}".encode()).hexdigest()[:8]
    return f"{model_name[:24].strip('-')}-{origin}-g{generation}"


def run_key(run: str) -> str:
    """Partition of a run's state."""
    return f"RUN#{run}"


def generation_key(repository: str, issue: int, request_digest: str) -> str:
    """Partition of a request's generations."""
    return f"REQUEST#{repository}#{issue}#{request_digest}"


def issue_key(repository: str, issue: int) -> str:
    """Partition of the one live run of an issue."""
    return f"ISSUE#{repository}#{issue}"


def operator_key(run: str) -> str:
    """Partition of the token a run waits on for an operator."""
    return f"TOKEN#OPERATOR#{run}"


def run_uri(bucket: str, run: str, name: str) -> str:
    """A run's own document."""
    return f"s3://{bucket}/runs/{run}/{name}"


def endpoint(model_name: str) -> str:
    """The endpoint of a model."""
    return f"mlops-{model_name}"


def group(model_name: str) -> str:
    """The model package group of a model."""
    return f"mlops-{model_name}"


def serving(model_name: str, version: str, commit: str) -> str:
    """Name of the model and the endpoint config of one version set by one pointer commit."""
    return f"mlops-{model_name}-{version.replace('.', '-')}-{commit[:8]}"


def safe_uri(uri: str, *, below: str) -> str:
    """The URI if it names an object below a prefix of ours, in plain ASCII and without tricks; `InvalidRequest` says what is wrong."""
    strange = next((character for character in uri if not 0x21 <= ord(character) <= 0x7E), None)
    if strange is not None:
        raise InvalidRequest(f"the object URI holds the character U+{ord(strange):04X}; only plain ASCII is allowed.", code="E-DATA-URI")
    allowed = f"allowed are objects below {below}"
    if not uri.startswith(below) or uri == below:
        remedy = "Upload it there with `mlops data add FILE`."
        raise InvalidRequest(f"the object is not in this account's data; {allowed}.", remedy=remedy, code="E-DATA-URI")
    parts = uri.removeprefix("s3://").split("/")
    if _TRICKS.search("/".join(parts)) or any(part in {"", ".", ".."} or part.endswith(".") for part in parts):
        raise InvalidRequest(f"the object URI holds '..', '//', '%', '?', '#' or an end dot; {allowed}, plainly.", code="E-DATA-URI")
    return uri
