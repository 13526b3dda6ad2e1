"""The processes behind an endpoint: one deployment is every variant of one configuration, started, healthy, and stopped together.

    deployment = Deployment(platform, "census", plan, folder=folder)
    deployment.start()                  # returns when every variant answers /ping; ProgramFailed otherwise
    worker = deployment.variants["blue"].worker()
    deployment.stop()

Source: "Use Your Own Inference Code with Hosting Services" (AWS documentation).
"""

from __future__ import annotations

import http.client
import itertools
import random
import shutil
import socket
import tarfile
import threading
import time
import uuid
from pathlib import Path

from mlops_core.local.aws.sagemaker.errors import ApiError, ProgramFailed
from mlops_core.local.aws.sagemaker.http_pool import Pool
from mlops_core.local.aws.sagemaker.platform import Platform, mapped, program, scrubbed
from mlops_core.local.aws.sagemaker.process import Process
from mlops_core.local.aws.sagemaker.store import Record
from mlops_core.local.aws.sagemaker.transfer import Transfer

PING_SECONDS = 2.0
PORTS = (20_000, 32_000)
FIRST_PING_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5
LONGEST_REVIVE_PAUSE_SECONDS = 60.0
MAX_MEMBERS = 100_000
MAX_UNPACKED_BYTES = 20 * 1024**3


class Worker:
    """One serving process and the connections to it."""

    def __init__(self, process: Process, port: int, home: Path) -> None:
        self.process = process
        self._home = home
        self.port = port
        self.pool = Pool("127.0.0.1", port)

    def stop(self, grace_s: float) -> None:
        """SIGTERM, then SIGKILL after the grace; its own folder goes with it."""
        self.process.stop(grace_s)
        self.pool.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def healthy(self) -> bool:
        """Whether ``GET /ping`` answers 200 within two seconds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PING_SECONDS)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Variant:
    """The processes of one production variant and its share of the traffic."""

    def __init__(self, platform: Platform, endpoint: str, plan: Record, *, folder: Path) -> None:
        self._platform = platform
        self._endpoint = endpoint
        self._container: Record = plan["Container"]
        self._role = str(plan["RoleArn"])
        self._folder = folder
        settings = current(plan["Variant"])
        self._timeout_s = float(settings.get("ContainerStartupHealthCheckTimeoutInSeconds", platform.settings.health_timeout_s))
        self.name = str(settings["VariantName"])
        self.image = str(self._container["Image"])
        self.weight: float = settings["Weight"]
        self.count: int = settings["Count"]
        self.workers: list[Worker] = []
        self._turn = itertools.count()
        self._starting: list[Worker] = []
        self._change = threading.Lock()
        self._closed = False
        self._failures = 0
        self._revive_at = 0.0

    def start(self) -> None:
        """Bring the model data and start every process; returns when all are healthy."""
        self._fetch_model()
        self.scale(self.count)

    def scale(self, count: int) -> None:
        """Run this many processes."""
        with self._change:
            self._start_missing(count)
            self.count = count
            dropped, self.workers = self.workers[count:], self.workers[:count]
        for worker in dropped:
            worker.stop(self._platform.settings.endpoint_grace_s)

    def worker(self) -> Worker | None:
        """The next live process in turn; None when there is none."""
        live = [worker for worker in self.workers if worker.process.alive()]
        return live[next(self._turn) % len(live)] if live else None

    def lacking(self) -> bool:
        """Whether processes ended by themselves and it is time to start others; the pause doubles with every failed attempt."""
        return self.count > sum(worker.process.alive() for worker in self.workers) and time.monotonic() >= self._revive_at

    def revive(self) -> None:
        """Replace processes that ended by themselves; `ProgramFailed` when the new ones do not become healthy."""
        with self._change:
            dead = [worker for worker in self.workers if not worker.process.alive()]
            self.workers = [worker for worker in self.workers if worker not in dead]
            for worker in dead:
                worker.stop(0)
            self._failures += 1
            self._revive_at = time.monotonic() + min(2.0**self._failures, LONGEST_REVIVE_PAUSE_SECONDS)
            self._start_missing(self.count)
            self._failures = 0

    def stop(self) -> None:
        """SIGTERM to every process at once, SIGKILL after the grace."""
        self._closed = True
        with self._change:
            workers, self.workers = self.workers, []
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + self._platform.settings.endpoint_grace_s
        for worker in workers:
            worker.stop(max(deadline - time.monotonic(), 0))

    def kill(self) -> None:
        """End every process now."""
        self._closed = True
        for worker in [*self.workers, *self._starting]:
            worker.process.kill()
        for worker in self.workers:
            worker.stop(1)

    def _start_missing(self, count: int) -> None:
        try:
            for _ in range(count - len(self.workers)):
                self._starting.append(self._launch())
            for worker in self._starting:
                self._await_health(worker)
        except ProgramFailed:
            for worker in self._starting:
                worker.stop(0)
            raise
        else:
            self.workers = [*self.workers, *self._starting]
        finally:
            self._starting = []

    def _fetch_model(self) -> None:
        model = self._folder / "ml" / "model"
        if (self._folder / "ready").exists():
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        model.mkdir(parents=True)
        transfer = Transfer(self._platform.host, self._role)
        source = self._container.get("ModelDataSource", {}).get("S3DataSource")
        if source is not None and source["CompressionType"] == "None":
            transfer.download(source["S3Uri"], model)
        elif source is not None or "ModelDataUrl" in self._container:
            unpack(transfer.fetch(source["S3Uri"] if source is not None else self._container["ModelDataUrl"]), model)
        (self._folder / "ready").touch()

    def _launch(self) -> Worker:
        identity = f"i-{uuid.uuid4().hex[:17]}"
        home = self._folder / identity
        home.mkdir(parents=True)
        base = self._folder / "ml"
        try:
            image = self._platform.image(self.image)
        except ApiError as error:  # an image that this platform no longer has
            raise ProgramFailed(str(error)) from error
        port = free_port()
        environment = scrubbed(image, home, base)
        environment |= {name: mapped(value, base) for name, value in self._container.get("Environment", {}).items()}
        environment |= self._platform.role_environment(self._role, f"{self._endpoint}-{self.name}")
        environment["SAGEMAKER_BIND_TO_PORT"] = str(port)
        # Nothing of the local platform listens beyond this machine; a container of an account listens on all of its addresses.
        environment["MLOPS_BIND_HOST"] = "127.0.0.1"
        group, stream = f"/aws/sagemaker/Endpoints/{self._endpoint}", f"{self.name}/{identity}"
        host = self._platform.host
        process = self._platform.launcher.start(
            program(image, [*image.entrypoint, "serve"], base),
            environment=environment,
            folder=home,
            on_lines=lambda lines: host.write_logs(group, stream, lines),
        )
        return Worker(process, port, home)

    def _await_health(self, worker: Worker) -> None:
        deadline, pause = time.monotonic() + self._timeout_s, FIRST_PING_SECONDS
        while worker.process.alive() and time.monotonic() < deadline and not self._closed:
            if worker.healthy():
                return
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        code = worker.process.wait(0)
        advice = "Please check CloudWatch logs for this endpoint."
        ended = f" The program ended with exit code {code}." if code is not None else ""
        raise ProgramFailed(f"The primary container for production variant {self.name} did not pass the ping health check. {advice}{ended}")


class Deployment:
    """Every variant of one configuration."""

    def __init__(self, platform: Platform, endpoint: str, plan: Record, *, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        variants = [Variant(platform, endpoint, one, folder=folder / one["Variant"]["VariantName"]) for one in plan["Variants"]]
        self.variants = {variant.name: variant for variant in variants}
        self._random = random.Random(platform.settings.seed)  # noqa: S311 (traffic shares, not secrets)
        self._lock = threading.Lock()
        self.reweigh()

    def start(self) -> None:
        """Start every variant; on failure everything that was started is stopped."""
        try:
            for variant in self.variants.values():
                variant.start()
        except ProgramFailed:
            self.stop()
            raise

    def reweigh(self) -> None:
        """Take the variants' weights into the routing."""
        names = list(self.variants)
        self._routing = (names, list(itertools.accumulate(self.variants[name].weight for name in names)))

    def choose(self) -> Variant | None:
        """A variant by weight; None when every weight is zero."""
        names, totals = self._routing
        if len(names) == 1 and totals[0] > 0:
            return self.variants[names[0]]
        if totals[-1] <= 0:
            return None
        with self._lock:
            chosen = self._random.choices(names, cum_weights=totals)[0]
        return self.variants[chosen]

    def stop(self) -> None:
        """Stop every process and remove the folder."""
        for variant in self.variants.values():
            variant.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End every process now; the folder stays for the next start."""
        for variant in self.variants.values():
            variant.kill()


def current(variant: Record) -> Record:
    """A production variant with ``Weight`` and ``Count`` as they are now: changed, or else as configured."""
    weight = variant["CurrentWeight"] if "CurrentWeight" in variant else variant["InitialVariantWeight"]
    count = variant["CurrentInstanceCount"] if "CurrentInstanceCount" in variant else variant["InitialInstanceCount"]
    return {**variant, "Weight": float(weight), "Count": int(count)}


def free_port() -> int:
    """A TCP port on the loopback that nobody listens on, outside the range from which the kernel gives ports to clients."""
    choice = random.SystemRandom()
    while True:
        port = choice.randrange(*PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def unpack(archive: Path, folder: Path) -> None:
    """Unpack ``model.tar.gz``; `ProgramFailed` for links that lead out, devices, too many members or too many bytes."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            count, size = 0, 0
            for member in tar:
                count, size = count + 1, size + member.size
                if count > MAX_MEMBERS or size > MAX_UNPACKED_BYTES:
                    raise ProgramFailed(f"The model archive holds more than {MAX_MEMBERS} members or {MAX_UNPACKED_BYTES} bytes")
                _extract(tar, member, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ProgramFailed(f"Failed to extract model data archive for container from model.tar.gz: {error}") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """One member by tarfile's ``data`` rule; Python 3.11.0 to 3.11.3 lack it and get files and folders inside the target only."""
    if hasattr(tarfile, "data_filter"):
        tar.extract(member, folder, filter="data")
        return
    inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
    if not inside or not (member.isreg() or member.isdir()):
        raise ProgramFailed(f"The model archive holds {member.name!r}, which is no file or folder inside it")
    tar.extract(member, folder, set_attrs=False)
