"""Deploys the templates of ``cloudformation/`` in order; the same for AWS and for the local platform.

    artifacts = Artifacts(agent=agent.path, server=server.path, machines=Path("stepfunctions"), templates=Path("cloudformation"))
    outputs = deploy(stacks, {"Prefix": "mlops", "Repositories": "owner/repo", …}, artifacts, progress=print)
    outputs["PipelineArn"]

Stacks of one wave are deployed side by side; each gets the parameters that its template names, from what the caller gave and from the
outputs of earlier waves.  Repeating a deployment changes what changed and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

WAVES: tuple[tuple[str, ...], ...] = (
    ("storage", "signing"),
    ("topics", "roles", "server-policy", "agents", "machines", "github", "trail"),
    ("server", "events", "retraining", "webhook", "alarms"),
)
ARTIFACT_FOLDER = "artifacts"


class Stacks(Protocol):
    """CloudFormation as a deployment sees it."""

    def parameters(self, template: str) -> frozenset[str]:
        """Names of a template's parameters."""

    def apply(self, name: str, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Create or update a stack, wait for it, and return its outputs; raises `JobFailed` with the first resource that failed."""

    def upload(self, bucket: str, key: str, path: Path) -> None:
        """Store a file unless the key exists."""


@dataclass(frozen=True)
class Artifacts:
    """Files that templates refer to: the two archives, the folder of machine definitions, the folder of templates."""

    agent: Path
    server: Path
    machines: Path
    templates: Path


Progress = Callable[[str], None]


def deploy(stacks: Stacks, parameters: Mapping[str, str], artifacts: Artifacts, progress: Progress = lambda _: None) -> dict[str, str]:
    """Deploy every wave and return all outputs; raises the first stack's error after its wave has settled."""
    known = {"Prefix": "mlops", **parameters}
    for number, wave in enumerate(WAVES):
        with ThreadPoolExecutor(len(wave)) as pool:
            futures = {name: pool.submit(_apply, stacks, name, artifacts.templates, known) for name in wave}
        for name, future in futures.items():
            known.update(future.result())
            progress(name)
        if number == 0:
            known.update(_upload(stacks, known["BucketName"], artifacts))
            progress("artifacts")
    return known


def stack_names() -> list[str]:
    """Every template in the order of deployment."""
    return [name for wave in WAVES for name in wave]


def _apply(stacks: Stacks, name: str, templates: Path, known: Mapping[str, str]) -> dict[str, str]:
    template = (templates / f"{name}.yaml").read_text(encoding="utf-8")
    asked = stacks.parameters(template)
    return stacks.apply(f"{known['Prefix']}-{name}", template, {key: value for key, value in known.items() if key in asked})


def _upload(stacks: Stacks, bucket: str, artifacts: Artifacts) -> dict[str, str]:
    files = {
        "AgentArchiveKey": artifacts.agent,
        "ServerArchiveKey": artifacts.server,
        "PipelineDefinitionKey": artifacts.machines / "pipeline.asl.json",
        "JobDefinitionKey": artifacts.machines / "job.asl.json",
        "DeployDefinitionKey": artifacts.machines / "deploy.asl.json",
    }
    keys = {parameter: _key(path) for parameter, path in files.items()}
    with ThreadPoolExecutor(len(files)) as pool:
        list(pool.map(lambda parameter: stacks.upload(bucket, keys[parameter], files[parameter]), files))
    return {"ArtifactBucket": bucket, **keys}


def _key(path: Path) -> str:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return f"{ARTIFACT_FOLDER}/{digest[:32]}/{path.name.split('-')[0] if path.suffix == '.zip' else path.stem}{path.suffix}"
