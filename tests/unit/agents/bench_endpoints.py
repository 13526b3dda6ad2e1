"""The endpoints port over the local SageMaker's service, with real serving processes that behave as the test says.

endpoints = BenchEndpoints(bench, {"1.1.0": "constant"})      # how a version answers; every other one answers well
memory = replace(world(), endpoints=endpoints)
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlops_core.errors import Conflict
from mlops_core.facts import Answer, Capture, EndpointFacts, Variant
from tests.unit.local.aws.sagemaker.bench import SERVE_IMAGE, Bench, Refused, archive
from tests.unit.local.aws.sagemaker.memory_host import ROLE
from tests.unit.local.aws.sagemaker.serving_program import HANDLER, IMPORTS, LISTEN

PROGRAM = (
    IMPORTS
    + """
MARK = json.loads(Path(os.environ["SAGEMAKER_BASE_DIR"], "model", "mark").read_text())
WAY = MARK["way"]
if WAY == "never healthy":
    sys.exit(3)
"""
    + HANDLER
    + """    def tell(self, status, body):
        self.answer(status, body, X_Amzn_SageMaker_Custom_Attributes=MARK["identity"])
    def do_POST(self):
        row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["instances"][0]
        if WAY == "5xx":
            return self.tell(500, b"boom")
        if WAY == "slow":
            time.sleep(0.3)
        score = {"constant": 0.5, "nan": float("nan")}.get(WAY, row["age"] / 100)
        rows = [{"label": "no", "score": score}] * (2 if WAY == "wrong shape" else 1)
        self.tell(200, b"<html>" if WAY == "no json" else json.dumps({"predictions": rows}).encode())
"""
    + LISTEN
)


@dataclass
class BenchEndpoints:
    """Endpoints of one bench; ``ways`` says how a version's process behaves."""

    bench: Bench
    ways: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bench.program("serve.py", PROGRAM)

    def create_model(self, name: str, *, model_uri: str, environment: Mapping[str, str], tags: Mapping[str, str]) -> None:
        version = tags["mlops:version"]
        identity = f"{tags['mlops:model']}/{version}/{environment['MLOPS_ARCHIVE_DIGEST'][:12]}"
        mark = json.dumps({"way": self.ways.get(version, "well"), "identity": identity, "of": model_uri})
        self.bench.host.put("data", f"models/{name}.tar.gz", archive({"mark": mark.encode()}))
        container = {"Image": SERVE_IMAGE, "ModelDataUrl": f"s3://data/models/{name}.tar.gz"}
        self._make("CreateModel", ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)

    def create_config(self, name: str, variants: Sequence[Variant], *, capture: Capture | None, tags: Mapping[str, str]) -> None:
        assert tags
        assert capture
        parts = [
            {"VariantName": item.name, "ModelName": item.model, "InitialInstanceCount": 1, "InstanceType": item.instance_type}
            for item in variants
        ]
        self._make("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=parts)

    def configs(self, contains: str) -> list[str]:
        found = self.bench.call("ListEndpointConfigs", NameContains=contains, SortBy="CreationTime", SortOrder="Descending", MaxResults=100)
        return [item["EndpointConfigName"] for item in found["EndpointConfigs"]]

    def delete_config(self, name: str) -> None:
        self.bench.call("DeleteEndpointConfig", EndpointConfigName=name)

    def delete_model(self, name: str) -> None:
        self.bench.call("DeleteModel", ModelName=name)

    def create(self, endpoint: str, config_name: str, *, tags: Mapping[str, str]) -> None:
        assert tags
        self._make("CreateEndpoint", EndpointName=endpoint, EndpointConfigName=config_name)

    def update(self, endpoint: str, config_name: str) -> None:
        self.bench.call("UpdateEndpoint", EndpointName=endpoint, EndpointConfigName=config_name)

    def delete(self, endpoint: str) -> None:
        self.bench.call("DeleteEndpoint", EndpointName=endpoint)

    def describe(self, endpoint: str) -> EndpointFacts | None:
        try:
            found = self.bench.call("DescribeEndpoint", EndpointName=endpoint)
        except Refused:
            return None
        weights = {item["VariantName"]: float(item["CurrentWeight"]) for item in found.get("ProductionVariants", [])}
        config = found.get("EndpointConfigName", "")
        return EndpointFacts(endpoint, found["EndpointStatus"], config, weights, found.get("FailureReason", ""))

    def invoke(self, endpoint: str, body: bytes, *, content_type: str = "application/json") -> Answer:
        begin = time.perf_counter()
        status, headers, content = self.bench.invoke(endpoint, body, Content_Type=content_type)
        lower = {name.lower(): value for name, value in headers.items()}
        attributes = lower.get("x-amzn-sagemaker-custom-attributes", "")
        return Answer(status, content, attributes, "AllTraffic", (time.perf_counter() - begin) * 1000)

    def _make(self, operation: str, **request: Any) -> None:
        try:
            self.bench.call(operation, **request)
        except Refused as error:
            if "already existing" not in str(error):
                raise
            raise Conflict(str(error), code="E-NAME-TAKEN") from error
