"""Data capture: what an endpoint was asked and what it answered, as JSON lines in S3.

    capture = Capture(host, settings)
    capture.take("census", "blue", plan=plan, exchange=exchange)     # cheap: keeps the record in memory
    capture.flush()                              # the housekeeper writes one object per endpoint and variant

Objects are named ``ENDPOINT/VARIANT/yyyy/mm/dd/hh/MM-SS-mmm-UUID.jsonl`` below the destination, as SageMaker names them.
Source: "Capture Data" (AWS documentation).
"""

from __future__ import annotations

import base64
import json
import logging
import random
import tempfile
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlops_core.local.aws.host import AccessDenied, Host, NoSuchObject
from mlops_core.local.aws.sagemaker.store import Record

LOG = logging.getLogger(__name__)
FLUSH_BYTES = 4 * 1024 * 1024
PARTS = (("Input", "endpointInput", "INPUT"), ("Output", "endpointOutput", "OUTPUT"))


@dataclass(frozen=True)
class Exchange:
    """One invocation as captured."""

    request: bytes
    request_type: str
    answer: bytes
    answer_type: str
    inference_id: str
    custom_attributes: str


class Capture:
    """Buffers by endpoint and variant; thread-safe."""

    def __init__(self, host: Host, folder: Path, seed: int | None) -> None:
        self._host = host
        self._folder = folder
        self._random = random.Random(seed)  # noqa: S311 (a sample of traffic, not a secret)
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str, str, str | None, str], list[str]] = {}
        self._bytes = 0
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, endpoint: str, variant: str, *, plan: Record, exchange: Exchange) -> bool:
        """Keep one exchange when the configuration samples it; True when it is time to flush."""
        config = plan["Capture"]
        if self._random.random() * 100 >= config["InitialSamplingPercentage"]:
            return False
        line = json.dumps(record_of(config, exchange))
        key = (endpoint, variant, config["DestinationS3Uri"], config.get("KmsKeyId"), plan["Variants"][0]["RoleArn"])
        with self._lock:
            self._waiting.setdefault(key, []).append(line)
            self._bytes += len(line)
            return self._bytes >= FLUSH_BYTES

    def flush(self) -> None:
        """Write everything that waits."""
        with self._lock:
            batch, self._waiting, self._bytes = self._waiting, {}, 0
        for (endpoint, variant, destination, kms_key, role), lines in batch.items():
            bucket, _, prefix = destination.removeprefix("s3://").partition("/")
            moment = datetime.now(UTC)
            name = f"{moment:%M-%S}-{moment.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            key = "/".join(part for part in (prefix.strip("/"), endpoint, variant, f"{moment:%Y/%m/%d/%H}", name) if part)
            self._write(role, f"s3://{bucket}/{key}", lines, kms_key=kms_key)

    def _write(self, role: str, uri: str, lines: list[str], *, kms_key: str | None) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with tempfile.NamedTemporaryFile("w", dir=self._folder, suffix=".jsonl", encoding="utf-8") as part:
            part.write("\n".join(lines) + "\n")
            part.flush()
            try:
                self._host.write_object(role, bucket, key, Path(part.name), kms_key)
            except (AccessDenied, NoSuchObject) as error:
                LOG.warning("data capture lost %d records of %s: %s", len(lines), uri, error)


def record_of(config: Record, exchange: Exchange) -> Record:
    """One line of a capture file."""
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    bodies = {"Input": (exchange.request, exchange.request_type), "Output": (exchange.answer, exchange.answer_type)}
    headers = config.get("CaptureContentTypeHeader", {})
    data = {
        name: {"observedContentType": bodies[word][1], "mode": mode, **encoded(*bodies[word], headers)}
        for word, name, mode in PARTS
        if word in modes or "InputAndOutput" in modes
    }
    metadata: Record = {"eventId": str(uuid.uuid4()), "inferenceTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    if exchange.custom_attributes:
        metadata["customAttributes"] = [exchange.custom_attributes]
    if exchange.inference_id:
        metadata["inferenceId"] = exchange.inference_id
    return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}


def encoded(body: bytes, content_type: str, headers: Mapping[str, list[str]]) -> dict[str, str]:
    """A body as text when its type is captured as CSV or JSON, else as base64."""
    kind = content_type.partition(";")[0].strip().lower()
    names = {
        "CSV": headers.get("CsvContentTypes", ["text/csv"]),
        "JSON": headers.get("JsonContentTypes", ["application/json", "application/jsonlines"]),
    }
    for encoding, types in names.items():
        if kind in types:
            try:
                return {"data": body.decode("utf-8"), "encoding": encoding}
            except UnicodeDecodeError:
                break
    return {"data": base64.b64encode(body).decode(), "encoding": "BASE64"}
