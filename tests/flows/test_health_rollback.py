"""A package that cannot serve never takes production: the deploy machine goes back by itself, in git, on the endpoint and on the issue."""

from __future__ import annotations

import hashlib
import io
import json
import math
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mlops_core.capabilities.notification import update_page
from mlops_core.cli import seed
from mlops_core.cli.platform import Platform
from mlops_core.contracts.base import canonical
from mlops_core.contracts.model import ModelRecord
from mlops_core.contracts.run import RunState
from mlops_core.facts import ExecutionFacts
from mlops_core.features.graph import SCORE
from mlops_core.runs import names, packages, pointers
from tests.flows.conftest import until
from tests.flows.test_line import Line, wait_for

pytestmark = pytest.mark.flow
MODEL, NEW = "steady", "frail"
ROW = json.dumps({"instances": [{"length": 4.0, "width": 3.0, "region": "north"}]}).encode()
WEAK = {"threshold": 1.0, "hyperparameters": {"n_estimators": 1, "max_depth": 1}, "max_retrains": 1, "endpoint": True}


@dataclass(frozen=True)
class Release:
    """A model in production, and how to send a package to the deploy machine for a run that waits."""

    line: Line
    served: RunState

    @property
    def platform(self) -> Platform:
        """The platform."""
        return self.line.platform

    def waiting_run(self, name: str) -> RunState:
        """A run that reached its verdict and stops there, so that nothing but the test releases for it."""
        issue = self.line.ask(seed.LOCAL_REPOSITORY, name, **WEAK)
        self.platform.label(seed.LOCAL_REPOSITORY, issue)
        run_id = self.line.run_of(seed.LOCAL_REPOSITORY, issue)
        return until(self.platform, run_id, lambda found: found.verdict is not None and found.verdict.decision == "retrain")

    def broken_package(self, name: str, version: str, run_id: str, change: Callable[[bytes], bytes]) -> ModelRecord:
        """The served package under another name and version, its graph changed, signed by the installation's own key."""
        ports = self.platform.ports()
        source = f"s3://{self.platform.bucket}/models/{MODEL}/{self.served.model_version}/"
        folder = f"s3://{self.platform.bucket}/models/{name}/{version}/"
        archive, manifest = changed(ports.objects.read(f"{source}model.tar.gz", limit=1 << 28), name, version, change)
        ports.objects.write(f"{folder}model.tar.gz", archive, content_type="application/gzip")
        ports.objects.write(f"{folder}manifest.json", manifest, content_type="application/json")
        signature = packages.sign(ports, folder)
        ports.registry.ensure_group(names.group(name), "a test")
        properties = {"semantic_version": version, "run_id": run_id, "archive_digest": signature.archive_digest}
        arn = ports.registry.register(names.group(name), model_uri=f"{folder}model.tar.gz", properties=properties, description="a test")
        ports.registry.approve(arn, approved=True, reason="a test")
        facts = {"package_arn": arn, "model_uri": f"{folder}model.tar.gz", "archive_digest": signature.archive_digest}
        rest: dict[str, Any] = {"metrics": {}, "metric": "accuracy", "dataset_digest": "0" * 64, "created_at": "2026-01-01T00:00:00Z"}
        return ModelRecord(model_name=name, version=version, run_id=run_id, **facts, **rest)

    def deploy(self, run_id: str, record: ModelRecord) -> ExecutionFacts:
        """The deploy machine's end."""
        machines = self.platform.ports().machines
        body = json.dumps({"event": {"run_id": run_id, "record": record.model_dump(mode="json")}})
        arn, _ = machines.start(self.platform.outputs["DeployArn"], f"{run_id}-by-hand-{int(time.time())}", body)
        ended: ExecutionFacts = wait_for(lambda: (found := machines.describe(arn)).status != "RUNNING" and found, seconds=180)
        return ended


def changed(archive: bytes, name: str, version: str, change: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    """The archive with a changed graph and the manifest that names it."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        members = {item.name: opened.extractfile(item).read() for item in opened if item.isfile()}  # type: ignore[union-attr]
    from mlops_core.contracts.model import Manifest

    members["model.onnx"] = change(members["model.onnx"])
    manifest = Manifest.model_validate_json(members["manifest.json"])
    files = {**manifest.files, "model.onnx": hashlib.sha256(members["model.onnx"]).hexdigest()}
    members["manifest.json"] = canonical(manifest.model_copy(update={"model_name": name, "version": version, "files": files}))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        for path, content in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return out.getvalue(), members["manifest.json"]


def half(graph: bytes) -> bytes:
    """What no runtime can load."""
    return graph[: len(graph) // 2]


def times(factor: float) -> Callable[[bytes], bytes]:
    """A change that multiplies every score."""
    from onnx import TensorProto, helper, load_model_from_string

    def change(graph: bytes) -> bytes:
        model = load_model_from_string(graph)
        nodes = model.graph.node
        place = next(place for place, node in enumerate(nodes) if SCORE in node.output)
        nodes[place].output[list(nodes[place].output).index(SCORE)] = "before"
        model.graph.initializer.append(helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor]))
        nodes.insert(place + 1, helper.make_node("Mul", ["before", "factor"], [SCORE]))
        return bytes(model.SerializeToString())

    return change


@pytest.fixture(scope="module")
def release(platform: Platform, flowers: Callable[[int], bytes], tmp_path_factory: pytest.TempPathFactory) -> Release:
    line = Line.of(platform, tmp_path_factory.mktemp("data"), flowers(4), dataset="steady")
    return Release(line, line.served(seed.LOCAL_REPOSITORY, MODEL))


def test_a_version_that_cannot_serve_is_pointed_back_and_the_earlier_one_answers(release: Release) -> None:
    run = release.waiting_run(MODEL)
    ended = release.deploy(run.run_id, release.broken_package(MODEL, "1.0.1", run.run_id, half))
    assert (ended.status, ended.error) == ("FAILED", "JobFailed"), ended.cause
    ports = release.platform.ports()
    pointer = pointers.read(ports, seed.LOCAL_REPOSITORY, MODEL)
    assert pointer
    assert (pointer.version, pointer.previous, pointer.set_by) == ("1.0.0", "1.0.1", "mlops")
    assert "1.0.1 did not come up" in pointer.reason
    answer = ports.endpoints.invoke(f"mlops-{MODEL}", ROW)
    assert (answer.status, answer.attributes.split("/")[:2]) == (200, [MODEL, "1.0.0"])
    facts = ports.endpoints.describe(f"mlops-{MODEL}")
    assert facts
    assert facts.status == "InService"
    assert facts.config_name.startswith(f"mlops-{MODEL}-1-0-0-")
    assert ports.ledger.get(f"LOCK#endpoint#mlops-{MODEL}", "LOCK") is None
    update_page(ports, run.run_id)  # as closing the run does: an edit that changes no status may be left out
    page = release.line.comments(seed.LOCAL_REPOSITORY, run.issue)[0]
    assert f"mlops-{MODEL} serves 1.0.0" in page.replace("\\", "").replace("`", "")


def test_a_first_version_that_cannot_serve_leaves_no_pointer_and_the_next_one_starts_anew(release: Release) -> None:
    run = release.waiting_run(NEW)
    record = release.broken_package(NEW, "1.0.0", run.run_id, half)
    assert release.deploy(run.run_id, record).status == "FAILED"
    ports = release.platform.ports()
    assert pointers.read(ports, seed.LOCAL_REPOSITORY, NEW) is None
    failed = ports.endpoints.describe(f"mlops-{NEW}")
    assert failed is None or failed.status == "Failed"
    # The failed endpoint is removed and made again: the second attempt fails for the package, not for what the first one left.
    assert release.deploy(run.run_id, record).error == "JobFailed"
    assert pointers.read(ports, seed.LOCAL_REPOSITORY, NEW) is None


@pytest.mark.parametrize(("version", "factor"), [("1.0.2", 0.0), ("1.0.3", math.nan)])
def test_a_version_that_answers_wrongly_is_pointed_back(release: Release, version: str, factor: float) -> None:
    """abuse row 90: constants and NaN; the server holds its model against the package's smoke rows before it listens."""
    run = release.waiting_run(MODEL)
    ended = release.deploy(run.run_id, release.broken_package(MODEL, version, run.run_id, times(factor)))
    assert (ended.status, ended.error) == ("FAILED", "JobFailed"), ended.cause
    assert "ended with exit code 9" in str(ended.cause)
    ports = release.platform.ports()
    pointer = pointers.read(ports, seed.LOCAL_REPOSITORY, MODEL)
    assert pointer
    assert (pointer.version, pointer.previous) == ("1.0.0", version)
    answer = ports.endpoints.invoke(f"mlops-{MODEL}", ROW)
    assert (answer.status, answer.attributes.split("/")[:2]) == (200, [MODEL, "1.0.0"])
