"""Endpoints: the production pointer in git, the lock, models, configs, updates, and samples that prove what serves."""

from __future__ import annotations

import json
import math
import re
from typing import Annotated, Any

from pydantic import Field

from mlops_core.contracts.base import ModelName, S3Uri
from mlops_core.contracts.model import ModelRecord, ProductionPointer, SemanticVersion
from mlops_core.errors import Conflict, NotFound, Refused, Stale, Unavailable
from mlops_core.facts import Answer, Capture, Variant
from mlops_core.ports import Ports
from mlops_core.runs import models, names, packages, pointers
from mlops_core.runs.progress import COMMON, WAITING
from mlops_core.tool import ResourceName, acts, reads

VARIANT = "AllTraffic"
INSTANCE_TYPE = "ml.m5.large"
Owner = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,127}$")]
Commit = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40})?$")]
_CONFIGS_KEPT = 5
_SMOKE_LIMIT = 1 << 20


def commit_pointer(
    ports: Ports, model_name: ModelName, pointer: ProductionPointer, expected_version: SemanticVersion | None
) -> dict[str, Any]:
    """Write the production pointer in git on top of an expected version: {commit}."""
    if pointer.model_name != model_name:
        raise Refused(f"a pointer of {pointer.model_name} cannot be the pointer of {model_name}.", code="E-POINTER-MODEL")
    return {"commit": pointers.commit_pointer(ports, models.home(ports, model_name), pointer, expected_version)}


def withdraw_pointer(ports: Ports, model_name: ModelName, version: SemanticVersion) -> dict[str, Any]:
    """Remove the production pointer of a first version that did not come up: {commit}, empty when it names another version."""
    return {"commit": pointers.withdraw_pointer(ports, models.home(ports, model_name), model_name, version)}


def read_pointer(ports: Ports, model_name: ModelName, commit: Commit = "") -> ProductionPointer | None:
    """The production pointer at a commit (the default branch's head when empty), nothing when there is none."""
    try:
        repository = models.home(ports, model_name)
    except NotFound:
        return None
    return pointers.read(ports, repository, model_name, commit)


def read_version(ports: Ports, model_name: ModelName, version: SemanticVersion) -> ModelRecord | None:
    """The record of a registered version, nothing when there is none (any more)."""
    return models.version(ports, model_name, version)


def verify_package(ports: Ports, package_arn: Annotated[str, Field(max_length=2048)]) -> dict[str, Any]:
    """Whether a registered package is approved, signed by our key and unchanged: {valid, reason}."""
    package = ports.registry.describe(package_arn)
    if package.approval != "Approved":
        return {"valid": False, "reason": f"the registry says {package.approval}"}
    problem = packages.verify(ports, package.model_uri, registered=package.properties)
    return {"valid": not problem, "reason": problem}


def take_lock(ports: Ports, endpoint: ResourceName, owner: Owner, seconds: Annotated[int, Field(ge=1, le=86_400)]) -> dict[str, Any]:
    """Hold an endpoint for one deployment; Conflict names who holds it: {owner}."""
    expires = int(ports.clock.now().timestamp()) + seconds
    there = ports.ledger.claim(f"LOCK#endpoint#{endpoint}", "LOCK", {"owner": owner}, expires_at=expires)
    if there is not None and there["owner"] != owner:
        raise Conflict(f"{there['owner']} is deploying to {endpoint}.", remedy="Wait until it has finished.", code="E-LOCK-HELD")
    return {"owner": owner}


def release_lock(ports: Ports, endpoint: ResourceName, owner: Owner) -> dict[str, Any]:
    """Give an endpoint free if this owner holds it: {released}."""
    try:
        ports.ledger.delete(f"LOCK#endpoint#{endpoint}", "LOCK", expected={"owner": owner})
    except Stale:
        return {"released": False}
    return {"released": True}


def create_serving(
    ports: Ports,
    model_name: ModelName,
    version: SemanticVersion,
    config_name: ResourceName,
    model_uri: S3Uri,
    capture: Annotated[int, Field(ge=0, le=100)],
) -> dict[str, Any]:
    """Make the model and the endpoint config of one version (both under one name), or adopt them: {config_name, adopted}."""
    bucket = ports.settings.require("bucket")
    uri = names.safe_uri(model_uri, below=f"s3://{bucket}/models/")
    archive = packages.read_signature(ports, uri.removesuffix(packages.ARCHIVE)).archive_digest
    tags = {"mlops:model": model_name, "mlops:version": version}
    environment = {"MLOPS_ARCHIVE_DIGEST": archive}
    adopted = False
    try:
        ports.endpoints.create_model(config_name, model_uri=uri, environment=environment, tags=tags)
    except Conflict as error:
        if error.code != "E-NAME-TAKEN":
            raise
        adopted = True
    sink = Capture(f"s3://{bucket}/monitoring/{model_name}/capture", capture) if capture else None
    try:
        ports.endpoints.create_config(config_name, [Variant(VARIANT, config_name, INSTANCE_TYPE)], capture=sink, tags=tags)
    except Conflict as error:
        if error.code != "E-NAME-TAKEN":
            raise
        return {"config_name": config_name, "adopted": adopted}
    return {"config_name": config_name, "adopted": False}


def apply_endpoint(ports: Ports, endpoint: ResourceName, config_name: ResourceName) -> dict[str, Any]:
    """Point an endpoint to a config, made when there is none: {action: created | updated | unchanged}."""
    there = ports.endpoints.describe(endpoint)
    if there is None:
        ports.endpoints.create(endpoint, config_name, tags={"mlops:endpoint": endpoint})
        return {"action": "created"}
    if there.status in {"Failed", "Deleting"}:
        # It never served, and SageMaker offers nothing but its removal.
        if there.status == "Failed":
            ports.endpoints.delete(endpoint)
        raise Unavailable(f"the endpoint {endpoint} had failed and is made anew.", remedy="Call again.", code="E-ENDPOINT-FAILED")
    if there.config_name == config_name:
        return {"action": "unchanged"}
    ports.endpoints.update(endpoint, config_name)
    return {"action": "updated"}


def describe_endpoint(ports: Ports, endpoint: ResourceName) -> dict[str, Any]:
    """Two of the three witnesses: {status, config_name, weights, failure}; the status is Missing when there is no endpoint."""
    found = ports.endpoints.describe(endpoint)
    if found is None:
        return {"status": "Missing", "config_name": "", "weights": {}, "failure": ""}
    return {"status": found.status, "config_name": found.config_name, "weights": dict(found.weights), "failure": found.failure}


def sample_endpoint(
    ports: Ports, endpoint: ResourceName, model_uri: S3Uri, number: Annotated[int, Field(ge=0, le=1000)] = 0
) -> dict[str, Any]:
    """The third witness: a smoke row asked of the endpoint: {model, version, latency_ms, scores, matches_smoke, problem}.

    ``number`` picks the row (they repeat when there are fewer); ``problem`` says why an answer is no answer: its status, another
    archive, a body that cannot be read, scores of another number, or a score that is no number.
    """
    folder = model_uri.removesuffix(packages.ARCHIVE)
    smoke = json.loads(ports.objects.read(f"{folder}smoke.json", limit=_SMOKE_LIMIT))
    signature = packages.read_signature(ports, folder)
    row = smoke["rows"][number % len(smoke["rows"])]
    answer = ports.endpoints.invoke(endpoint, json.dumps({"instances": [row["row"]]}).encode())
    model, version, archive = ([*answer.attributes.split("/"), "", "", ""])[:3]
    scores, problem = _scores(answer, len(row["score"]))
    problem = _stranger(answer, archive, signature.archive_digest) or problem
    matches = not problem and _close(scores, row["score"], float(smoke["tolerance"]))
    return {
        "model": model,
        "version": version,
        "latency_ms": round(answer.latency_ms, 2),
        "scores": [] if problem else scores,
        "matches_smoke": matches,
        "problem": problem,
    }


def _stranger(answer: Answer, archive: str, wanted: str) -> str:
    if answer.status == 200 and (not archive or not wanted.startswith(archive)):
        return f"the answer comes from the archive {archive or 'of no name'}, not from {wanted[:12]}"
    return ""


def _scores(answer: Answer, count: int) -> tuple[list[float], str]:
    """The scores of an answer in the order of the smoke row's, and what is wrong with it."""
    if answer.status != 200:
        return [], f"the endpoint answered {answer.status}"
    try:
        told = json.loads(answer.body)["predictions"]
        row = told[0]
        if len(told) != 1:
            return [], f"one row got {len(told)} answers"
        scores = [float(value) for value in row["probabilities"].values()] if count > 1 else [float(row["score"])]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return [], "the answer has another shape than predictions with scores"
    if len(scores) != count:
        return [], f"the answer has {len(scores)} scores, not {count}"
    if not all(map(math.isfinite, scores)):
        return [], "the answer has a score that is no number"
    return scores, ""


def _close(found: list[float], wanted: list[float], tolerance: float) -> bool:
    """Equal within the package's own tolerance."""
    return all(abs(left - right) <= tolerance * max(1.0, abs(right)) for left, right in zip(found, wanted, strict=True))


def delete_endpoint_config(ports: Ports, endpoint: ResourceName, model_name: ModelName) -> dict[str, Any]:
    """Remove a model's configs beyond the newest five and their models, never the one that serves: {removed}."""
    there = ports.endpoints.describe(endpoint)
    serving = there.config_name if there else ""
    prefix = f"{names.endpoint(model_name)}-"
    # The model churn must not sweep configs of the model churn-2.
    exact = re.compile(re.escape(prefix) + r"\d+-\d+-\d+-[0-9a-f]{8}\Z")
    ours = [name for name in ports.endpoints.configs(prefix) if exact.match(name)]
    removed = [name for name in ours[_CONFIGS_KEPT:] if name != serving]
    for name in removed:
        ports.endpoints.delete_config(name)
        ports.endpoints.delete_model(name)
    return {"removed": removed}


TOOLS = (
    *COMMON,
    *WAITING,
    acts(commit_pointer),
    acts(withdraw_pointer),
    reads(read_pointer),
    reads(read_version),
    reads(verify_package),
    acts(take_lock),
    acts(release_lock),
    acts(create_serving),
    acts(apply_endpoint),
    reads(describe_endpoint),
    reads(sample_endpoint),
    acts(delete_endpoint_config),
)
