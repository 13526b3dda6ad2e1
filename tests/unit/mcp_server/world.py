"""A world for tests: in-memory ports behind the real server, agents with the real client, and jobs whose outputs a test writes."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any, ClassVar

from mlops_core.adapters.in_memory import MemoryPorts, in_memory_ports
from mlops_core.agents.handler import Action, Agent, act
from mlops_core.contracts.approval import ApprovedRequest
from mlops_core.contracts.base import Message, canonical
from mlops_core.contracts.dataset import ColumnProfile, DataProfile
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.model import Manifest, ModelRecord
from mlops_core.contracts.request import TrainingRequest
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Interval
from mlops_core.facts import Answer, IssueFacts, Permission
from mlops_core.mcp_server.client import Client
from mlops_core.mcp_server.main import answer, transport_of
from mlops_core.runs.state import read_run

REPOSITORY = "octo/churn"
BUCKET = "lake"
RAW = f"s3://{BUCKET}/datasets/adult/raw/train.csv.gz"
PIPELINE = "arn:aws:states:us-east-1:000000000000:stateMachine:mlops-pipeline"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:mlops-server"
ZERO = "0" * 64


def request(**changes: object) -> TrainingRequest:
    """A plain request."""
    values = {"model_name": "income", "task": "binary", "dataset": RAW, "target": "income", "metric": "roc_auc"}
    return TrainingRequest.model_validate(values | changes)


def approved(**changes: object) -> ApprovedRequest:
    """The request as intake hands it over."""
    return ApprovedRequest(
        request=request(**changes), repository=REPOSITORY, issue=7, author="ana", approved_by="wataru", body_digest="b" * 64, path="webhook"
    )


def world(**settings: str) -> MemoryPorts:
    """Ports with one issue, one data file and two people."""
    given = {"work_image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/mlops-work:1", **settings}
    memory = in_memory_ports(
        bucket=BUCKET, repositories=REPOSITORY, pipeline_arn=PIPELINE, alarm_topic_arn="arn:aws:sns:us-east-1:0:alarms", cost_note="local",
        server_function="mlops-server", webhook_secret="hook", **given,
    )  # fmt: skip
    memory.objects.write(RAW, b"age,income\n1,yes\n")
    url = f"https://github.com/{REPOSITORY}/issues/7"
    memory.repository.issues[REPOSITORY, 7] = IssueFacts(7, "train: income", "", "ana", "open", ("mlops:train",), url)
    memory.repository.people |= {"wataru": Permission("write", human=True), "tom": Permission("triage", human=True)}
    return memory


class Line:
    """Agents over the real client and the real server; every line is closed after its test (``tests/unit/conftest.py``)."""

    opened: ClassVar[list[Line]] = []

    def __init__(self, memory: MemoryPorts) -> None:
        self.memory = memory
        self.transport = transport_of(memory.ports)
        Line.opened.append(self)

    def invoke(self, function: str, payload: bytes) -> bytes:
        """Carry a payload as Lambda would."""
        return json.dumps(answer(self.transport, json.loads(payload), f"{ARN}:{function.partition(':')[2]}")).encode()

    def client(self, word: str) -> Client:
        """A client of one alias."""
        return Client(f"mlops-server:{word}", self.invoke)

    def act(self, word: str, actions: Mapping[str, Action], event: dict[str, Any]) -> dict[str, Any]:
        """One action of one agent."""
        return act(Agent(word, self.client(word), self.memory.settings), actions, event)

    def state(self, run_id: str) -> RunState:
        """The run's state."""
        return read_run(self.memory.ports, run_id)


def put(memory: MemoryPorts, uri: str, message: Message) -> None:
    """Store a message as JSON."""
    memory.objects.write(uri, canonical(message))


def profile(rows: int = 30_000) -> DataProfile:
    """What a data job wrote."""
    columns = (
        ColumnProfile(name="age", type="float64", rows=rows, missing=0, distinct=70),
        ColumnProfile(name="sex", type="string", rows=rows, missing=0, distinct=2),
    )
    return DataProfile(
        raw_digest="a" * 64, rows_read=rows, duplicate_rows=0, dropped_rows=0, rows={"train": rows, "validation": 6_000, "test": 10_000},
        columns=columns, class_shares={"yes": 0.25, "no": 0.75}, seconds=1.0, feature_count=100, spec_digest="c" * 64,
    )  # fmt: skip


def results(run_id: str, split: str, auc: float = 0.92) -> EvaluationResults:
    """What an evaluation job wrote."""
    return EvaluationResults.model_validate(
        {
            "run_id": run_id, "task": "binary", "metric": "roc_auc", "split": split, "rows": 6000, "labels": ["no", "yes"],
            "metrics": {"roc_auc": {"value": auc, "low": auc - 0.01, "high": auc + 0.01}}, "baseline": {"roc_auc": 0.5},
            "baseline_rule": "majority_class", "confusion": [[10, 2], [3, 20]], "model_digest": "d" * 64, "seconds": 0.5,
        }
    )  # fmt: skip


SMOKE = {"tolerance": 1e-5, "rows": [{"row": {"age": 37, "sex": "Male"}, "score": [0.25], "label": "no"}]}


def package(memory: MemoryPorts, run_id: str, version: str, model: str = "income") -> ModelRecord:
    """Write what a packaging job writes and return the record."""
    folder = f"s3://{BUCKET}/models/{model}/{version}/"
    smoke = json.dumps(SMOKE).encode()
    manifest = Manifest(
        model_name=model, version=version, run_id=run_id, task="binary", algorithm="xgboost", hyperparameters={"max_depth": 6}, seed=42,
        columns=(), labels=("no", "yes"), target="income", metrics={"roc_auc": Interval(value=0.9, low=0.89, high=0.91)},
        files={"smoke.json": hashlib.sha256(smoke).hexdigest()}, weights_digest="e" * 64, dataset_uri=RAW, dataset_version="v1.0.0",
        dataset_digest="a" * 64, spec_digest="c" * 64, code_commit="", issue_url="", image="serve", libraries={"xgboost": "3"},
        licences={}, parity_rows=1, parity_max_delta=0.0,
    )  # fmt: skip
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as opened:
        for name, body in {"manifest.json": canonical(manifest), "smoke.json": smoke}.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            opened.addfile(member, io.BytesIO(body))
    memory.objects.write(f"{folder}model.tar.gz", archive.getvalue())
    put(memory, f"{folder}manifest.json", manifest)
    return ModelRecord(
        model_name=model, version=version, run_id=run_id, package_arn="", model_uri=f"{folder}model.tar.gz",
        archive_digest=hashlib.sha256(archive.getvalue()).hexdigest(), metrics={"roc_auc": 0.9}, metric="roc_auc",
        dataset_digest="a" * 64, created_at="2026-11-21T10:00:00Z",
    )  # fmt: skip


def serving_answer(record: ModelRecord, score: float = 0.25) -> Answer:
    """What the endpoint replies when it serves a record."""
    body = {"predictions": [{"label": "no", "score": score, "probabilities": {"no": 1 - score, "yes": score}}]}
    witness = f"{record.model_name}/{record.version}/{record.archive_digest[:12]}"
    return Answer(200, json.dumps(body).encode(), witness, "AllTraffic", 3.5)
