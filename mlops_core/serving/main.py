"""The program of the inference image.

    mlops-serve serve

Reads the model below ``$SAGEMAKER_BASE_DIR/model`` (default ``/opt/ml/model``), listens on ``$SAGEMAKER_BIND_TO_PORT`` (default 8080).
``$MLOPS_ARCHIVE_DIGEST`` is the digest of the archive that was unpacked there; it goes into the witness header.  SIGTERM ends the
server after the requests in flight, at most 25 seconds later.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlops_core.errors import EnvironmentBroken, InvalidRequest, MlopsError
from mlops_core.serving.app import App, Reply, Response
from mlops_core.serving.declared import check_declared
from mlops_core.serving.model import ServedModel, load
from mlops_core.serving.protocol import Connection, Connections

GRACE_SECONDS = 25.0
"""SageMaker kills after 30: what is left then ends in order, with exit code 0."""
FAREWELL_SECONDS = 0.5
SILENCE_SECONDS = 75.0
_BACKLOG = 1024
_CONNECTIONS, _OWN_FILES = 4096, 64


class LoopClock:
    """The event loop as the app sees it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-requests")

    def call_soon(self, callback: Callable[[], object]) -> object:
        """Run the callback in the loop's next turn."""
        return self._loop.call_soon(callback)

    def in_background(self, work: Callable[[], Response], done: Reply) -> None:
        """Do the work in the worker thread and hand its response to the loop."""
        future = self._worker.submit(work)
        future.add_done_callback(lambda finished: self._loop.call_soon_threadsafe(done, finished.result()))

    def close(self) -> None:
        """End the worker thread."""
        self._worker.shutdown(wait=False, cancel_futures=True)


class Server:
    """One listening socket and its connections."""

    def __init__(self, model: ServedModel, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._clock = LoopClock(loop)
        self.app = App(model, self._clock)
        self._connections = Connections(model.identity, most=_most_connections())
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Take no new connections and end after the requests in flight."""
        self.app.stopping = True
        self._stop.set()

    async def run(self, host: str, port: int, ready: Callable[[int], None]) -> None:
        """Serve until `stop`; ``ready`` is told the port."""
        factory = lambda: Connection(self.app, self._connections)  # noqa: E731  asyncio wants a factory
        server = await self._loop.create_server(factory, host, port, backlog=_BACKLOG)
        ready(server.sockets[0].getsockname()[1])
        sweeper = self._loop.create_task(self._sweep())
        await self._stop.wait()
        sweeper.cancel()
        server.close()
        began = time.monotonic()
        while self._connections.open and time.monotonic() < began + GRACE_SECONDS:
            # A busy client's next request is on its way: it gets its answer and the word "close" instead of a reset.
            if time.monotonic() > began + FAREWELL_SECONDS:
                for connection in tuple(self._connections.open):
                    connection.close_when_idle()
            await asyncio.sleep(0.02)
        self._clock.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(5)
            now = time.monotonic()
            for connection in tuple(self._connections.open):
                connection.overdue(now, silence=SILENCE_SECONDS)


def _most_connections() -> int:
    """As many as the process may open, less what it needs itself, and at most 4096."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, min(_CONNECTIONS, soft - _OWN_FILES)) if soft != resource.RLIM_INFINITY else _CONNECTIONS


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Serve until SIGTERM; 0, or the exit code of the error that kept the model from being served."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    values = os.environ if environ is None else environ
    if arguments != ["serve"]:
        sys.stderr.write("usage: mlops-serve serve\n")
        return InvalidRequest.exit_code
    started = time.monotonic()
    try:
        folder = Path(values.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "model"
        model = load(folder, archive_digest=values.get("MLOPS_ARCHIVE_DIGEST", ""))
        check_declared(model.manifest, values)
        return _serve(model, values.get("MLOPS_BIND_HOST", "0.0.0.0"), _port(values), started)  # noqa: S104  a container's one port
    except MlopsError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return error.exit_code


def _port(values: Mapping[str, str]) -> int:
    text = values.get("SAGEMAKER_BIND_TO_PORT", "8080")
    if not text.isdigit() or int(text) > 65_535:
        raise InvalidRequest(f"SAGEMAKER_BIND_TO_PORT is {text!r}; it must be a port number.", code="E-SERVE-004")
    return int(text)


def _serve(model: ServedModel, host: str, port: int, started: float) -> int:
    import uvloop

    # What was loaded stays for good: a full collection would look through all of it and hold every request for some 50 ms.
    gc.collect()
    gc.freeze()
    # While a large body is scored beside them, small requests get their turn after 1 ms instead of 5.
    sys.setswitchinterval(0.001)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = Server(model, loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        await server.run(host, port, lambda bound: _log(model, bound, time.monotonic() - started))

    try:
        uvloop.run(serve())
    except OSError as error:
        raise EnvironmentBroken(
            f"port {port} cannot be opened: {error.strerror}.", remedy="Free it or name another.", code="E-SERVE-005"
        ) from error
    return 0


def _log(model: ServedModel, port: int, seconds: float) -> None:
    line = {"event": "serving", "model": model.identity, "port": port, "seconds": round(seconds, 3)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
