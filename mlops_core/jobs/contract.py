"""The SageMaker container contract as one object: where a job reads and writes below its base folder.

    folder = JobFolder(Path("/opt/ml"))
    config = folder.config(DataJobConfig)          # processing/input/config/config.json
    raw = folder.only_file("raw")                  # the one file of processing/input/raw
    out = folder.output("prepared")                # processing/output/prepared, made

A processing container and a training container share the same base (``$SAGEMAKER_BASE_DIR``, default ``/opt/ml``); the same program
runs unchanged in either and as a local process.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from mlops_core.contracts.base import Message
from mlops_core.errors import InvalidRequest, MlopsError
from mlops_core.journal import mask

MESSAGE_BYTES = 960
"""SageMaker keeps 1,024 characters, in which it writes `AlgorithmError: ` before the message of a training and the exit code behind it."""
_IGNORED_HYPERPARAMETERS = ("_tuning", "sagemaker_")
M = TypeVar("M", bound=Message)


class JobFolder:
    """The folders of one job; nothing outside ``base`` is read or written."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def config(self, kind: type[M]) -> M:
        """``processing/input/config/config.json`` as a message; `InvalidRequest` (E-JOB-002) when absent or of another shape."""
        return read_message(self.input("config") / "config.json", kind)

    def input(self, name: str) -> Path:
        """The folder of a processing input (it may be absent)."""
        return self.base / "processing" / "input" / name

    def output(self, name: str) -> Path:
        """The folder of a processing output, made."""
        return _made(self.base / "processing" / "output" / name)

    def channel(self, name: str) -> Path:
        """The folder of a training channel."""
        return self.base / "input" / "data" / name

    @property
    def model(self) -> Path:
        """What a training job leaves here becomes ``model.tar.gz``."""
        return _made(self.base / "model")

    @property
    def training_output(self) -> Path:
        """What a training job leaves here becomes ``output.tar.gz``."""
        return _made(self.base / "output" / "data")

    @property
    def checkpoints(self) -> Path | None:
        """Where the platform keeps states of an interrupted training; None when the job has no such folder."""
        folder = self.base / "checkpoints"
        return folder if folder.is_dir() else None

    @property
    def scratch(self) -> Path:
        """A folder for temporary files; `clean` removes it."""
        return _made(self.base / "scratch")

    def clean(self) -> None:
        """Remove the temporary files."""
        shutil.rmtree(self.base / "scratch", ignore_errors=True)

    def only_file(self, name: str) -> Path:
        """The one file of a processing input; `InvalidRequest` (E-JOB-003) when there is none or more than one."""
        folder = self.input(name)
        files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
        if len(files) != 1:
            raise InvalidRequest(f"the input {name!r} holds {len(files)} files; exactly one is expected.", code="E-JOB-003")
        return files[0]

    def hyperparameters(self) -> dict[str, str]:
        """The hyperparameters as the platform writes them: all strings, the platform's own keys left out."""
        raw = self._json("hyperparameters.json")
        return {key: str(value) for key, value in raw.items() if not key.startswith(_IGNORED_HYPERPARAMETERS)}

    def threads(self) -> int:
        """Processor cores this job may use: ``num_cpus`` of resourceconfig.json when there (a local addition), else the process's own."""
        named = self._json("resourceconfig.json").get("num_cpus")
        return int(named) if isinstance(named, int) and named > 0 else len(os.sched_getaffinity(0))

    def report(self, error: MlopsError, *, training: bool) -> None:
        """Leave the error where the platform looks: ``output/failure`` of a training job, ``output/message`` of a processing job."""
        folder = _made(self.base / "output")
        (folder / ("failure" if training else "message")).write_text(failure_text(error), encoding="utf-8")

    def _json(self, name: str) -> dict[str, object]:
        path = self.base / "input" / "config" / name
        if not path.is_file():
            return {}
        loaded = json.loads(path.read_text(encoding="utf-8"))
        return loaded if isinstance(loaded, dict) else {}


def read_message(path: Path, kind: type[M]) -> M:
    """A JSON file as a message; `InvalidRequest` names the file and the first field that is wrong."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InvalidRequest(f"the job needs {path.name} in {path.parent.name}/ and it is not there.", code="E-JOB-002") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{path.name} is not a {kind.__name__}: {where}: {first['msg']}.", code="E-JOB-002") from error


def write_message(path: Path, message: Message) -> None:
    """A message as JSON, two blanks of indent, keys in the contract's order."""
    path.write_text(message.model_dump_json(indent=2) + "\n", encoding="utf-8")


def failure_text(error: MlopsError) -> str:
    """``{"code", "headline", "remedy"}`` as JSON of at most 960 bytes; the headline is cut before the remedy is."""
    headline, remedy = mask(error.headline), mask(error.remedy)
    while True:
        text = json.dumps({"code": error.code, "headline": headline, "remedy": remedy}, ensure_ascii=False)
        excess = len(text.encode()) - MESSAGE_BYTES
        if excess <= 0:
            return text
        if len(headline) > 200:
            headline = headline[: max(199, len(headline) - excess - 1)] + "…"
        elif len(remedy) > 1:
            remedy = remedy[: max(0, len(remedy) - excess - 1)] + "…"
        else:
            headline = headline[: len(headline) // 2]


def base_folder(environ: Mapping[str, str]) -> JobFolder:
    """The job's base folder from its environment."""
    return JobFolder(Path(environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")))


def log(line: str) -> None:
    """One line to the job's log, at once.

    Secrets are masked, and line ends inside are shown: text from data cannot begin a line of its own, so it cannot pass for a metric.
    """
    sys.stdout.write(one_line(line) + "\n")
    sys.stdout.flush()


def one_line(text: str) -> str:
    """Text for a log line: secrets masked, control characters as escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in mask(text))


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
