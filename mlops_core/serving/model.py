"""A packed model, checked and ready to answer.

    model = load(Path("/opt/ml/model"), archive_digest="")
    model.score([[39, "State-gov", …]])      # float32 [N, K], rows in the order of the schema
    model.healthy()                          # one smoke row, compared with the answer of the day it was packed

Every file that the manifest names is compared with its digest before it is used; ``native/`` is never opened.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from pydantic import ValidationError

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import FeatureSpec
from mlops_core.contracts.model import ColumnSchema, Manifest
from mlops_core.errors import EnvironmentBroken
from mlops_core.features.typing import MISSING_INT64, input_name

Array = np.ndarray[Any, Any]
Value = float | int | str | None
_FILES = ("model.onnx", "spec.json", "smoke.json")
_DTYPES: dict[str, Any] = {"float64": np.float64, "int64": np.int64, "string": object, "datetime": np.float64}
_MISSING: dict[str, Value] = {"float64": float("nan"), "int64": MISSING_INT64, "string": "", "datetime": float("nan")}


@dataclass(frozen=True)
class SmokeRow:
    """One made-up row in schema order with the answer it must get."""

    values: tuple[Value, ...]
    score: tuple[float, ...]


@dataclass(frozen=True)
class ServedModel:
    """The session and what is known of the model; ``identity`` is ``name/version/digest`` for the witness header."""

    session: Any
    manifest: Manifest
    smoke: tuple[SmokeRow, ...]
    tolerance: float
    identity: str

    @property
    def columns(self) -> tuple[ColumnSchema, ...]:
        """The inputs in the order of the schema, which is the order of a CSV row."""
        return self.manifest.columns

    def score(self, rows: Sequence[Sequence[Value]]) -> Array:
        """Scores [N, K] of typed rows; missing values are already in the form that `missing` gives."""
        feeds: dict[str, Array] = {}
        if len(rows) == 1:
            # One array a type instead of one a column: making fourteen arrays of one cell takes as long as scoring them.
            for names, places, dtype in self._groups:
                values = [rows[0][place] for place in places]
                feeds.update(zip(names, np.array(values, dtype=dtype).reshape(len(places), 1, 1), strict=True))
        else:
            for column, cells in zip(self.columns, zip(*rows, strict=True), strict=True):
                feeds[input_name(column.name)] = np.array(cells, dtype=_DTYPES[column.type]).reshape(len(rows), 1)
        scores: Array = self.session.run(["score"], feeds)[0]
        return scores

    @cached_property
    def _groups(self) -> tuple[tuple[tuple[str, ...], tuple[int, ...], Any], ...]:
        """Input names and places of the columns of each type."""
        kinds = dict.fromkeys(column.type for column in self.columns)
        placed = {kind: tuple(place for place, column in enumerate(self.columns) if column.type == kind) for kind in kinds}
        return tuple(
            (tuple(input_name(self.columns[place].name) for place in places), places, _DTYPES[kind]) for kind, places in placed.items()
        )

    def healthy(self) -> bool:
        """Whether the first smoke row still gets its answer."""
        return self._agrees(self.smoke[0])

    def check(self) -> None:
        """`EnvironmentBroken` when a smoke row gets another answer than on the day the model was packed."""
        for number, row in enumerate(self.smoke):
            if not self._agrees(row):
                raise EnvironmentBroken(f"the model answers smoke row {number} differently from when it was packed.", code="E-SERVE-003")

    def _agrees(self, row: SmokeRow) -> bool:
        scores = self.score([row.values])[0]
        return len(scores) == len(row.score) and all(
            abs(float(found) - expected) <= self.tolerance * max(1.0, abs(expected))
            for found, expected in zip(scores, row.score, strict=True)
        )


def missing(kind: str) -> Value:
    """How a missing value of a column type travels into the graph."""
    return _MISSING[kind]


def load(folder: Path, *, archive_digest: str = "") -> ServedModel:
    """The model of a folder; `EnvironmentBroken` (E-SERVE-001 … 003) when a file is absent, changed or the model does not answer."""
    manifest = _manifest(folder)
    files = {name: _verified(folder, name, manifest) for name in _FILES}
    spec = FeatureSpec.model_validate_json(files["spec.json"])
    if digest(spec) != manifest.spec_digest:
        raise EnvironmentBroken("spec.json is not the one the manifest names.", code="E-SERVE-002")
    options = onnxruntime.SessionOptions()
    # Two threads add trees in another order and would change the last bits; one also leaves the other cores to other processes.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(files["model.onnx"], options, providers=["CPUExecutionProvider"])
    smoke = json.loads(files["smoke.json"])
    model = ServedModel(
        session=session,
        manifest=manifest,
        smoke=tuple(_smoke_row(item, manifest.columns) for item in smoke["rows"]),
        tolerance=float(smoke["tolerance"]),
        identity=f"{manifest.model_name}/{manifest.version}/{(archive_digest or digest(manifest))[:12]}",
    )
    model.check()
    return model


def _manifest(folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    except OSError as error:
        remedy = "Mount the unpacked model archive there."
        raise EnvironmentBroken(f"there is no manifest.json in {folder}.", remedy=remedy, code="E-SERVE-001") from error
    except ValidationError as error:
        raise EnvironmentBroken(f"manifest.json is no manifest: {error.errors()[0]['msg']}.", code="E-SERVE-001") from error


def _verified(folder: Path, name: str, manifest: Manifest) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise EnvironmentBroken(f"the model folder lacks {name}.", code="E-SERVE-001") from error
    found = hashlib.sha256(content).hexdigest()
    if manifest.files.get(name) != found:
        raise EnvironmentBroken(f"{name} is not the file the manifest names ({found[:12]}).", code="E-SERVE-002")
    return content


def _smoke_row(item: dict[str, Any], columns: Sequence[ColumnSchema]) -> SmokeRow:
    row = item["row"]
    values = tuple(missing(column.type) if row.get(column.name) is None else row[column.name] for column in columns)
    return SmokeRow(values, tuple(float(value) for value in item["score"]))
