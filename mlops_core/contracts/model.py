"""The packaged model: its manifest, its metadata record and the production pointer.

Packaging job (``mlops-job packaging``): ``processing/input/config/config.json`` (`PackagingJobConfig`),
``processing/input/training/{model.tar.gz,output.tar.gz}``, ``processing/input/prepared/`` (validation split) and
``processing/input/evaluation/`` (results.json of the test look).

It checks that ONNX scores equal the training process's predictions (|Δ| ≤ 1e-5·max(1,|score|) on every validation row), makes smoke
rows, and writes below ``processing/output/package``: ``manifest.json`` and ``model.tar.gz`` (normalised times, owners and order) with
``model.onnx``, ``spec.json``, ``manifest.json``, ``smoke.json`` and ``native/…``; beside them ``inference_code/Dockerfile`` and
``inference_code/requirements.txt`` for an image of the model's own.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_core.contracts.base import Digest, Message, ModelName
from mlops_core.contracts.request import MetricName, Scalar, Task
from mlops_core.contracts.verdict import Interval

SemanticVersion = Annotated[str, Field(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")]
FIRST_VERSION = "1.0.0"
"""Of every model; nothing lies before it to go back to."""


class PackagingJobConfig(Message):
    """What goes into the manifest that the job cannot see in its inputs."""

    run_id: str
    model_name: ModelName
    version: SemanticVersion
    issue_url: str
    code_commit: str
    dataset_uri: str
    dataset_version: str
    image: str
    parent_version: SemanticVersion | None = None


class ColumnSchema(Message):
    """One input column of the served model; ``categories`` only for text, for the generated API description."""

    name: str
    type: str
    required: bool = False
    categories: tuple[str, ...] = ()


class Manifest(Message):
    """What a served model says of itself; its canonical JSON is signed by the KMS key."""

    format: int = 1
    model_name: ModelName
    version: SemanticVersion
    run_id: str
    task: Task
    algorithm: str
    hyperparameters: dict[str, Scalar]
    seed: int
    columns: tuple[ColumnSchema, ...]
    labels: tuple[str, ...]
    target: str
    metrics: dict[MetricName, Interval]
    files: dict[str, Digest]
    weights_digest: Digest
    dataset_uri: str
    dataset_version: str
    dataset_digest: Digest
    spec_digest: Digest
    code_commit: str
    issue_url: str
    image: str
    libraries: dict[str, str]
    licences: dict[str, str]
    parity_rows: int
    parity_max_delta: float
    parent_version: SemanticVersion | None = None
    image_files: dict[str, Digest] = Field(default_factory=dict)


class Signature(Message):
    """A KMS signature over ``sha256(canonical(manifest))`` and over the archive's digest (ECDSA_SHA_256, base64)."""

    key_id: str
    algorithm: str = "ECDSA_SHA_256"
    manifest_digest: Digest
    archive_digest: Digest
    signature: str


class ModelRecord(Message):
    """One registered version as the registry and the champion record keep it."""

    model_name: ModelName
    version: SemanticVersion
    run_id: str
    package_arn: str
    model_uri: str
    archive_digest: Digest
    metrics: dict[MetricName, float]
    metric: MetricName
    dataset_digest: str
    created_at: str


class ProductionPointer(Message):
    """`mlops/models/<name>/production.json`: which version serves; git tells who set it and when."""

    model_name: ModelName
    version: SemanticVersion
    package_arn: str
    model_uri: str
    archive_digest: Digest
    run_id: str
    endpoint: str
    set_by: str
    reason: str
    previous: SemanticVersion | None = None
