"""One row of JSON a request: our server against FastAPI with XGBoost, interleaved in one run, and the ratio.

    python benchmarks/serving.py MODEL_FOLDER --peer-python .envs/serving-peer/bin/python
    uv venv .envs/serving-peer && uv pip install -p .envs/serving-peer/bin/python fastapi uvicorn[standard] xgboost-cpu numpy

MODEL_FOLDER is an unpacked model archive of a binary XGBoost model (``native/xgboost.json`` beside ``model.onnx``); the bars are meant for
100 trees.  The load comes from ``wrk`` when it is installed, else from the generator below, which is slower than our server and so
understates it.  Both servers are one process; answers are compared before anything is timed, and our validation and metrics are on: the
run ends with an error when our server has not counted every row that it scored.  Everything is stopped at the end; figures go to
``build/bench/serving.json`` and the exit code is 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from benchmarks.figures import Figure, keep, table

ROUNDS = 3
BARRED = 64
"""Connections at which the bars hold."""
Measured = dict[str, tuple[float, float]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_ours(folder: Path, port: int) -> subprocess.Popen[bytes]:
    base = Path(tempfile.mkdtemp(prefix="serving-bench-"))
    (base / "model").symlink_to(folder.resolve())
    names = {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": str(port), "MLOPS_BIND_HOST": "127.0.0.1"}
    return subprocess.Popen([sys.executable, "-m", "mlops_core.serving.main", "serve"], env=os.environ | names, stdout=subprocess.DEVNULL)


def start_peer(python: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [
        python,
        "-m",
        "uvicorn",
        "--app-dir",
        str(Path(__file__).parent),
        "serving_peer:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    return subprocess.Popen(command, env=os.environ | {"MODEL": str(folder.resolve())})


def ask(port: int, body: bytes) -> list[dict[str, object]]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  our own address
        found: list[dict[str, object]] = json.load(answer)["predictions"]
        return found


def wait_for(port: int, body: bytes) -> list[dict[str, object]]:
    deadline = time.monotonic() + 60
    while True:
        try:
            return ask(port, body)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


class Load(asyncio.Protocol):
    """One connection of the built-in generator: ask, wait, ask again."""

    def __init__(self, request: bytes, times: list[float]) -> None:
        self.request, self.times = request, times
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if found and length and len(rest) >= int(length.group(1)):
            self.times.append(time.perf_counter() - self.started)
            self.buffer = b""
            self.send()


def built_in(port: int, body: bytes, connections: int, seconds: float) -> tuple[float, float]:
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    times: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        opened = [await loop.create_connection(lambda: Load(head.encode() + body, times), "127.0.0.1", port) for _ in range(connections)]
        await asyncio.sleep(seconds)
        for transport, _ in opened:
            transport.abort()

    try:
        import uvloop

        uvloop.run(run())
    except ImportError:
        asyncio.run(run())
    return len(times) / seconds, statistics.quantiles(times, n=100)[98] * 1000


def with_wrk(port: int, body: bytes, connections: int, seconds: float) -> tuple[float, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.method="POST"\nwrk.headers["Content-Type"]="application/json"\nwrk.body=[==[{body.decode()}]==]\n')
        script.flush()
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds:g}s",
            "--latency",
            "-s",
            script.name,
            f"http://127.0.0.1:{port}/invocations",
        ]
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    rate, late = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    if rate is None or late is None or "Non-2xx" in text:
        raise SystemExit(f"wrk did not get good answers:\n{text}")
    return float(rate.group(1)), float(late.group(1)) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[late.group(2)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", default="1,16,64")
    arguments = parser.parse_args()
    row = json.loads((arguments.folder / "smoke.json").read_text())["rows"][0]["row"]
    body = json.dumps({"instances": [row]}).encode()
    ports = {"mlops": free_port(), "fastapi": free_port()}
    servers = [start_ours(arguments.folder, ports["mlops"]), start_peer(arguments.peer_python, arguments.folder, ports["fastapi"])]
    figures: list[Figure] = []
    try:
        agree(ports, body)
        generator = "wrk" if shutil.which("wrk") else "the built-in generator"
        print(f"load: {generator}, {arguments.seconds:g} s, median of {ROUNDS} interleaved rounds, {trees(arguments.folder)} trees")
        for connections in map(int, arguments.connections.split(",")):
            figures.extend(told(connections, measure(ports, body, connections, arguments.seconds)))
            sys.stderr.write(f"  {connections} connections: {figures[-2].measured:,.0f}/s, P99 {figures[-1].measured:.2f} ms\n")
        validated(ports["mlops"])
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(10)
    print(table(figures))
    print(f"\nkept in {keep('serving', figures, folder=Path('build') / 'bench')}")
    return int(not all(figure.met for figure in figures))


def trees(folder: Path) -> int:
    """How many trees the native model holds."""
    return len(json.loads((folder / "native" / "xgboost.json").read_text())["learner"]["gradient_booster"]["model"]["trees"])


def agree(ports: dict[str, int], body: bytes) -> None:
    """Both servers give one answer to the same row."""
    ours, peers = wait_for(ports["mlops"], body)[0], wait_for(ports["fastapi"], body)[0]
    if ours["label"] != peers["label"] or abs(float(str(ours["score"])) - float(str(peers["score"]))) > 1e-5:
        raise SystemExit(f"the servers disagree: {ours} and {peers}")


def measure(ports: dict[str, int], body: bytes, connections: int, seconds: float) -> Measured:
    """Requests/s and P99 in ms of each server: medians of interleaved rounds."""
    load = with_wrk if shutil.which("wrk") else built_in
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ports}
    for _ in range(ROUNDS):
        for name, port in ports.items():
            found[name].append(load(port, body, connections, seconds))
    return {
        name: (statistics.median(rate for rate, _ in each), statistics.median(late for _, late in each)) for name, each in found.items()
    }


def told(connections: int, found: Measured) -> Iterator[Figure]:
    """The figures of one number of connections; the bars hold at 64."""
    (rate, late), (peer_rate, peer_late) = found["mlops"], found["fastapi"]
    barred = connections == BARRED
    peer = f"FastAPI + xgboost {peer_rate:,.0f}/s, P99 {peer_late:.2f} ms"
    yield Figure(f"{connections} connections: times FastAPI", rate / peer_rate, at_least=5.0 if barred else None, note=peer)
    yield Figure(f"{connections} connections: requests/s", rate, note="goal 25,000" if barred else "")
    yield Figure(f"{connections} connections: P99", late, "ms", at_most=20.0 if barred else None, note="goal 10" if barred else "")


def validated(port: int) -> None:
    """Our server counted what it scored and refuses a wrong field: neither metrics nor validation were off."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    rows, requests = re.search(r"^mlops_rows_total (\d+)$", text, re.MULTILINE), re.search(r'path="/invocations",status="200"} (\d+)', text)
    try:
        ask(port, b'{"instances": [{"no such field": 1}]}')
    except urllib.error.HTTPError as error:
        if error.code == 400 and rows and requests and int(rows[1]) == int(requests[1]) > 0:
            return
    raise SystemExit("validation or metrics were off while the load ran")


if __name__ == "__main__":
    sys.exit(main())
