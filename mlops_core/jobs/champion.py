"""The champion on the challenger's rows: figures that can be compared, because both models answered the same questions.

    version, metrics = champion_figures(folder.input("champion"), spec, split, resampling=…, bins=…)      # ("", {}) when they cannot

The champion's recorded figures come from its own validation rows.  On new data they are figures of another sample, so where its package
is given, and asks for nothing that these rows lack, it is scored again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.contracts.dataset import FeatureSpec
from mlops_core.contracts.model import Manifest
from mlops_core.contracts.request import MetricName
from mlops_core.contracts.verdict import Interval
from mlops_core.errors import Refused
from mlops_core.evaluation.look import Training, look
from mlops_core.evaluation.resampling import Resampling
from mlops_core.features.feeds import feeds_of, read_batches, session, targets_of
from mlops_core.jobs.archive import MODEL_MEMBERS, read_archive
from mlops_core.jobs.contract import log

NEEDED = ("model.onnx", "spec.json", "manifest.json")


def champion_figures(
    folder: Path, spec: FeatureSpec, split: Path, *, resampling: Resampling, bins: int
) -> tuple[str, dict[MetricName, Interval]]:
    """The champion's version and its metrics on a split; nothing when there is no package or it answers another question."""
    path = folder / "model.tar.gz"
    if not path.is_file():
        return "", {}
    files = read_archive(path, NEEDED, members=MODEL_MEMBERS)
    manifest, own = Manifest.model_validate_json(files["manifest.json"]), FeatureSpec.model_validate_json(files["spec.json"])
    if hashlib.sha256(files["model.onnx"]).hexdigest() != manifest.files.get("model.onnx"):
        raise Refused("the champion's graph is not the one that its manifest names.", code="E-EVAL-006")
    reason = _incomparable(own, spec, split)
    if reason:
        log(f"the champion {manifest.version} is not measured on these rows: {reason}")
        return "", {}
    y, scores = _scored(session(files["model.onnx"]), own, split)
    if not np.isfinite(scores).all():
        log(f"the champion {manifest.version} gives no number for some of these rows")
        return "", {}
    seen = look(own.task, y, scores, training=Training(own.labels, (), None), resampling=resampling, bins=bins)
    metrics = {name: seen.metrics[name].interval for name in get_args(MetricName) if name in seen.metrics}
    log(f"the champion {manifest.version} was measured on the same {len(y):,} rows")
    return manifest.version, metrics


def _incomparable(own: FeatureSpec, spec: FeatureSpec, split: Path) -> str:
    """Why the champion's figures could not be compared; empty when they can."""
    if (own.task, own.target, own.labels) != (spec.task, spec.target, spec.labels):
        return "it has another task, target or classes"
    there = {field.name: field.type for field in pq.read_schema(split)}
    wanted = {column.name: False for column in own.numeric} | {column.name: True for column in own.categorical}
    lacking = [name for name, text in wanted.items() if name not in there or pa.types.is_string(there[name]) != text]
    return f"it asks for {lacking[0]!r}, which is not there or of another type" if lacking else ""


def _scored(graph: Any, spec: FeatureSpec, split: Path) -> tuple[Any, Any]:
    targets, scores = [], []
    for batch in read_batches(split):
        targets.append(targets_of(batch, spec))
        scores.append(np.asarray(graph.run(["score"], feeds_of(batch, spec))[0], dtype=np.float64))
    return np.concatenate(targets), np.concatenate(scores)
