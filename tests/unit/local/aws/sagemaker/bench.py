"""What the tests of the local SageMaker share: a service, its host, programs, and requests that are right."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_core.local.aws.sagemaker.service import Service, create
from tests.unit.local.aws.sagemaker.memory_host import ROLE, MemoryHost

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mlops-work:1"
SERVE_IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mlops-serve:1"
DONE = ("Completed", "Failed", "Stopped", "InService")


class Refused(Exception):
    """An error answer: its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass
class TestConfig:
    """What the supervisor would configure, with short times."""

    __test__ = False
    images: Mapping[str, Mapping[str, Any]]
    state: Path
    region: str = "eu-central-1"
    account: str = "123456789012"
    stop_grace_s: float = 0.5
    endpoint_grace_s: float = 0.5
    health_timeout_s: float = 30.0
    sync_interval_s: float = 0.2
    metric_interval_s: float = 0.1
    capture_interval_s: float = 0.2
    revive_interval_s: float = 0.1
    parallel_jobs: int = 2
    seed: int | None = 7


@dataclass
class Bench:
    """One service under test."""

    host: MemoryHost
    service: Service
    bin: Path
    config: TestConfig
    loop: asyncio.Runner = field(default_factory=asyncio.Runner)

    @classmethod
    def open(cls, folder: Path) -> Bench:
        host = MemoryHost(folder)
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "python").symlink_to(sys.executable)
        images = {
            "mlops-work": {"bin": str(bin_folder), "entrypoint": ["python", str(folder / "work.py")]},
            "mlops-serve": {"bin": str(bin_folder), "entrypoint": ["python", str(folder / "serve.py")]},
        }
        for bucket in ("data", "out"):
            host.make_bucket(bucket)
        config = TestConfig(images, folder)
        return cls(host, create(host, config), bin_folder, config)

    def reopen(self) -> None:
        """A new service on the same state, as after a restart."""
        self.service.close()
        self.service = create(self.host, self.config)
        self.service.resume()

    def close(self) -> None:
        """End everything."""
        self.service.close()
        self.loop.close()

    def program(self, name: str, text: str) -> Path:
        path = self.host.state / name
        path.write_text(text, encoding="utf-8")
        return path

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        headers = {"X-Amz-Target": f"SageMaker.{operation}"}
        status, _, body = self.loop.run(self.service.handle("POST", "/", headers, json.dumps(request).encode(), {}))
        answer: dict[str, Any] = json.loads(body or b"{}")
        if status != 200:
            raise Refused(answer["__type"], answer["message"])
        return answer

    def train(self, name: str, **changes: Any) -> dict[str, Any]:
        return self.call("CreateTrainingJob", **{**training_request(name), **changes})

    def process(self, name: str, **changes: Any) -> dict[str, Any]:
        return self.call("CreateProcessingJob", **{**processing_request(name), **changes})

    def invoke(self, endpoint: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """InvokeEndpoint; header names with ``_`` for ``-``."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.loop.run(self.service.handle("POST", f"/endpoints/{endpoint}/invocations", names, body, {}))

    def deploy(self, endpoint: str, *variants: tuple[str, str, float], **config: Any) -> None:
        """An endpoint with variants (name, model mark, weight); a mark is what the program answers."""
        self.config_of(f"{endpoint}-config", *variants, **config)
        self.call("CreateEndpoint", EndpointName=endpoint, EndpointConfigName=f"{endpoint}-config")

    def config_of(self, name: str, *variants: tuple[str, str, float], **config: Any) -> None:
        """An endpoint configuration with a model of its own for each variant."""
        parts = []
        for variant, mark, weight in variants:
            self.model_of(f"{name}-{variant}", mark)
            part = {"VariantName": variant, "ModelName": f"{name}-{variant}", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
            parts.append({**part, "InitialVariantWeight": weight})
        self.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=parts, **config)

    def model_of(self, name: str, mark: str) -> None:
        """A model whose archive holds one file, ``mark``."""
        self.host.put("data", f"models/{name}.tar.gz", archive({"mark": mark.encode()}))
        container = {"Image": SERVE_IMAGE, "ModelDataUrl": f"s3://data/models/{name}.tar.gz"}
        self.call("CreateModel", ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)

    def served(self, name: str, within_s: float = 40) -> dict[str, Any]:
        """The endpoint's description once it is settled."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            answer = self.call("DescribeEndpoint", EndpointName=name)
            if answer["EndpointStatus"] in ("InService", "Failed"):
                return answer
            time.sleep(0.02)
        raise AssertionError(f"{name} is not settled: {answer}")

    def ended(self, name: str, kind: str = "Training", within_s: float = 40) -> dict[str, Any]:
        """The job's description once its state is terminal."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            answer = self.call(f"Describe{kind}Job", **{f"{kind}JobName": name})
            if answer[f"{kind}JobStatus"] in DONE:
                return answer
            time.sleep(0.02)
        raise AssertionError(f"{name} did not end: {answer}")

    def until(self, condition: Any, within_s: float = 30) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            time.sleep(0.02)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A ``.tar.gz`` of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def training_request(name: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://out/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def processing_request(name: str) -> dict[str, Any]:
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    }
