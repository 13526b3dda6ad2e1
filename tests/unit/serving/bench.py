"""A small packed model, a clock without a loop, and a server on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import CategoricalColumn, FeatureSpec, NumericColumn
from mlops_core.contracts.model import ColumnSchema, Manifest
from mlops_core.features.graph import FEATURES, SCORE, assemble
from mlops_core.serving.app import App, Reply, Request, Response
from mlops_core.serving.main import Server
from mlops_core.serving.model import ServedModel, load

COLUMNS = (
    ColumnSchema(name="age", type="int64", required=True),
    ColumnSchema(name="gain", type="float64"),
    ColumnSchema(name="sex", type="string", required=True, categories=("Female", "Male")),
)
ROW = {"age": 39, "gain": 2174.0, "sex": "Male"}
LABELS = {"binary": ("no 100%", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}


def spec_of(task: Any) -> FeatureSpec:
    return FeatureSpec(
        task=task,
        target="income",
        numeric=(NumericColumn(name="age", type="int64", fill=40.0), NumericColumn(name="gain", type="float64", fill=0.0)),
        categorical=(CategoricalColumn(name="sex", fill="Male", categories=("Female", "Male")),),
        labels=LABELS[task],
        missing_values="median",
        scaling="none",
    )


def graph_of(task: Any, *, broken: bool = False) -> bytes:
    """A linear model over age, gain, Female, Male."""
    width = 3 if task == "multiclass" else 1
    weights = np.linspace(-0.02, 0.02, 4 * width, dtype=np.float32).reshape(4, width) * np.array(
        [[1], [0.01], [10], [10]], dtype=np.float32
    )
    bias = np.full(width, np.nan if broken else 0.1, dtype=np.float32)
    last = {"binary": "Sigmoid", "multiclass": "Softmax", "regression": "Identity"}[task]
    nodes = [
        helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(weights)),
        helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(bias)),
        helper.make_node("Gemm", [FEATURES, "w", "b"], ["linear"]),
        helper.make_node(last, ["linear"], [SCORE]),
    ]
    return assemble(spec_of(task), nodes)


def smoke_of(graph: bytes) -> list[dict[str, Any]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feeds = {"age": np.array([[39]]), "gain": np.array([[2174.0]]), "sex": np.array([["Male"]], dtype=object)}
    score = [float(value) for value in session.run(["score"], feeds)[0][0]]
    return [{"row": ROW, "score": score, "label": None}]


def pack(folder: Path, task: Any = "binary", *, broken: bool = False, **changes: Any) -> Path:
    """An unpacked model archive as the packaging job leaves it."""
    graph = graph_of(task, broken=broken)
    smoke = smoke_of(graph_of(task))
    spec = spec_of(task)
    files = {
        "model.onnx": graph,
        "spec.json": spec.model_dump_json().encode(),
        "smoke.json": json.dumps({"tolerance": 1e-5, "rows": smoke}).encode(),
    }
    values: dict[str, Any] = {
        "model_name": "income", "version": "1.2.3", "run_id": "r1", "task": task, "algorithm": "xgboost", "hyperparameters": {}, "seed": 1,
        "columns": COLUMNS, "labels": spec.labels, "target": "income", "metrics": {}, "weights_digest": "0" * 64, "dataset_uri": "s3://b-x/d",
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}, "dataset_version": "v1.0.0",
        "dataset_digest": "0" * 64, "spec_digest": digest(spec), "code_commit": "", "issue_url": "", "image": "serve", "libraries": {},
        "licences": {}, "parity_rows": 1, "parity_max_delta": 0.0,
    }  # fmt: skip
    manifest = Manifest(**(values | changes))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return folder


class Turn:
    """A loop's turn by hand: `run` does what was put off."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] = []

    def call_soon(self, callback: Callable[[], object]) -> object:
        self.waiting.append(callback)
        return None

    def in_background(self, work: Callable[[], Response], done: Reply) -> None:
        self.waiting.append(lambda: done(work()))

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


class Asked:
    """An app with its turn; `post` answers at once."""

    def __init__(self, model: ServedModel) -> None:
        self.turn = Turn()
        self.app = App(model, self.turn)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        answers: list[Response] = []
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.app.answer(Request(method, path, named, body), answers.append)
        self.turn.run()
        assert len(answers) == 1
        return answers[0]

    def post(self, content: object, **headers: str) -> Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.ask("POST", "/invocations", body, **({"content_type": "application/json"} | headers))


def asked(folder: Path, task: Any = "binary") -> Asked:
    return Asked(load(pack(folder, task)))


@asynccontextmanager
async def serving(model: ServedModel) -> AsyncIterator[tuple[Server, int]]:
    """A server on a free port of loopback."""
    loop = asyncio.get_running_loop()
    server = Server(model, loop)
    bound: asyncio.Future[int] = loop.create_future()
    task = loop.create_task(server.run("127.0.0.1", 0, bound.set_result))
    try:
        yield server, await bound
    finally:
        server.stop()
        await asyncio.wait_for(task, 5)


async def exchange(port: int, *requests: bytes, answers: int | None = None) -> list[tuple[int, dict[str, str], bytes]]:
    """Send raw requests over one connection and read the answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
    await writer.drain()
    found = [await asyncio.wait_for(answer_of(reader), 5) for _ in range(len(requests) if answers is None else answers)]
    writer.close()
    await writer.wait_closed()
    return found


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers, body


def http(body: bytes, *, path: str = "/invocations", method: str = "POST", extra: str = "") -> bytes:
    kind = "Content-Type: application/json\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{kind}Content-Length: {len(body)}\r\n{extra}\r\n".encode() + body
