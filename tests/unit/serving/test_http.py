"""The server on a real socket."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_core.serving import main as main_module
from mlops_core.serving.app import BODY_LIMIT
from mlops_core.serving.main import main
from mlops_core.serving.model import load
from tests.unit.serving.bench import ROW, answer_of, exchange, http, pack, serving

BODY = json.dumps(ROW).encode()


def test_pipelined_requests_are_answered_in_their_order(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (_, port):
            answers = await exchange(port, http(BODY), http(b"", path="/ping", method="GET"), http(b"x"), http(BODY))
            assert [status for status, _, _ in answers] == [200, 200, 400, 200]
            assert answers[0][2] == answers[3][2]
            assert answers[0][1]["x-mlops-model"].startswith("income/1.2.3/")
            assert answers[0][1]["x-amzn-sagemaker-custom-attributes"] == answers[0][1]["x-mlops-model"]

    asyncio.run(scene())


def test_many_connections_at_once_get_their_own_answers(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (server, port):
            bodies = [json.dumps(ROW | {"age": age}).encode() for age in range(60)]
            alone = [(await exchange(port, http(body)))[0][2] for body in bodies]
            together = await asyncio.gather(*(exchange(port, *[http(body)] * 5) for body in bodies))
            assert [[answer[2] for answer in answers] for answers in together] == [[body] * 5 for body in alone]
            assert server.app.metrics.in_flight == 0

    asyncio.run(scene())


def test_a_body_over_six_megabytes_is_413_stated_or_streamed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (_, port):
            ((status, headers, _),) = await exchange(port, http(b" " * (BODY_LIMIT + 1)))
            assert (status, headers["connection"]) == (413, "close")
            chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
            head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            ((status, _, _),) = await exchange(port, head, *[chunk] * 7, answers=1)
            assert status == 413
            ((status, _, _),) = await exchange(port, http(b" " * BODY_LIMIT))
            assert status == 400

    asyncio.run(scene())


def test_chunks_and_a_head_asked_to_continue_are_understood(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (_, port):
            head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            chunks = f"{len(BODY) - 5:x}\r\n".encode() + BODY[:-5] + b"\r\n5\r\n" + BODY[-5:] + b"\r\n0\r\n\r\n"
            ((status, _, _),) = await exchange(port, head + chunks)
            assert status == 200
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(http(BODY, extra="Expect: 100-continue\r\n")[: -len(BODY)])
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(BODY)
            assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
            writer.close()

    asyncio.run(scene())


def test_what_is_no_http_and_heads_too_large_are_refused(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (_, port):
            ((status, _, _),) = await exchange(port, b"\x16\x03\x01 hello\r\n\r\n")
            assert status == 400
            ((status, _, _),) = await exchange(port, http(BODY, extra=f"X-Long: {'a' * 70_000}\r\n"))
            assert status == 431

    asyncio.run(scene())


def test_a_client_that_goes_away_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (server, port):
            for _ in range(20):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(http(BODY) * 3)
                writer.transport.abort()
            await asyncio.sleep(0.1)
            assert server.app.metrics.in_flight == 0
            assert (await exchange(port, http(BODY)))[0][0] == 200

    asyncio.run(scene())


def test_a_head_request_gets_no_body(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(http(b"", path="/docs", method="HEAD", extra="Connection: close\r\n"))
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b"\r\n\r\n")
            writer.close()

    asyncio.run(scene())


def test_the_program_serves_until_sigterm_and_finishes_what_it_began(tmp_path: Path) -> None:
    pack(tmp_path / "model")
    environment = {"SAGEMAKER_BASE_DIR": str(tmp_path), "SAGEMAKER_BIND_TO_PORT": "0", "MLOPS_BIND_HOST": "127.0.0.1"}
    command = [sys.executable, "-m", "mlops_core.serving.main", "serve"]
    program = subprocess.Popen(command, env=environment | {"PYTHONPATH": str(Path.cwd())}, stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        port = json.loads(program.stdout.readline())["port"]
        rows = json.dumps({"instances": [ROW] * 40_000}).encode()

        async def scene() -> None:
            asking = asyncio.create_task(exchange(port, http(rows)))
            await asyncio.sleep(0.15)
            started = time.monotonic()
            program.send_signal(signal.SIGTERM)
            ((status, _, body),) = await asking
            assert status == 200
            assert len(json.loads(body)["predictions"]) == 40_000
            assert await asyncio.to_thread(program.wait, 10) == 0
            assert time.monotonic() - started < 10

        asyncio.run(scene())
    finally:
        program.kill()
        program.wait()
        assert program.stdout is not None
        program.stdout.close()


def test_busy_clients_lose_no_answer_when_the_server_stops(tmp_path: Path) -> None:
    async def client(port: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for count in range(1_000_000):
            writer.write(http(BODY))
            status, headers, _ = await asyncio.wait_for(answer_of(reader), 5)
            assert status == 200
            if headers.get("connection") == "close":
                writer.close()
                return count
        return 0

    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (server, port):
            asking = [asyncio.create_task(client(port)) for _ in range(20)]
            await asyncio.sleep(0.3)
            server.stop()
            assert min(await asyncio.gather(*asking)) > 0
            assert server.app.metrics.in_flight == 0

    asyncio.run(scene())


def test_half_a_request_and_a_client_that_never_reads_do_not_hold_up_the_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_module, "GRACE_SECONDS", 0.5)

    async def scene() -> None:
        async with serving(load(pack(tmp_path))) as (server, port):
            _, half = await asyncio.open_connection("127.0.0.1", port)
            half.write(http(BODY)[:-5])
            _, deaf = await asyncio.open_connection("127.0.0.1", port, limit=1)
            deaf.transport.pause_reading()  # type: ignore[attr-defined]
            deaf.write(http(b"", path="/docs", method="GET") * 3000)
            await asyncio.sleep(0.3)
            started = time.monotonic()
            server.stop()
            await asyncio.sleep(0.1)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            half.close()
            deaf.transport.abort()
        assert time.monotonic() - started < 3

    asyncio.run(scene())


def test_the_program_says_what_keeps_it_from_serving(tmp_path: Path) -> None:
    assert main(["serve"], {"SAGEMAKER_BASE_DIR": str(tmp_path)}) == 9
    assert main([], {}) == 2
    pack(tmp_path / "model")
    assert main(["serve"], {"SAGEMAKER_BASE_DIR": str(tmp_path), "SAGEMAKER_BIND_TO_PORT": "http"}) == 2


def test_the_server_needs_nothing_but_its_own_lock() -> None:
    program = "import sys, mlops_core.serving.main, uvloop; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split())
    assert {"onnxruntime", "numpy", "httptools", "uvloop"} <= loaded
    assert not loaded & {
        "pyarrow",
        "duckdb",
        "sklearn",
        "xgboost",
        "jinja2",
        "matplotlib",
        "boto3",
        "onnx",
        "pandas",
        "fastapi",
        "starlette",
    }
