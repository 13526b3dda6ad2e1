"""The packaging job: proves that the graph answers as the trained model did, then packs it with its manifest.

    mlops-job packaging        # reads and writes what contracts/model.py says

Every validation row is scored by the graph and compared with what the training process predicted; the first figure beyond
1e-5 · max(1, |score|) refuses the model (E-PACK-001), and so does one answer for all of them (E-PACK-004).  Nothing is unpickled and
nothing of the archive is executed.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import numpy as np

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import DataProfile, FeatureSpec
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.model import ColumnSchema, Manifest, PackagingJobConfig
from mlops_core.contracts.training import TrainingReport
from mlops_core.errors import Refused
from mlops_core.features.feeds import Array, feeds_of, feeds_of_rows, read_batches, session
from mlops_core.features.smoke import smoke_rows
from mlops_core.jobs.archive import OUTPUT_MEMBERS, read_archive, write_archive
from mlops_core.jobs.contract import JobFolder, log, read_message
from mlops_core.jobs.own_image import FOLDER, own_image

TOLERANCE = 1e-5
SMOKE_ROWS = 8


def run(folder: JobFolder) -> None:
    """Package the model; `Refused` (E-PACK-…) when its parts do not belong together or do not agree."""
    config = folder.config(PackagingJobConfig)
    files = read_archive(folder.input("training") / "model.tar.gz", ("model.onnx", "spec.json", "training.json"), optional=("native/.*",))
    predictions = read_archive(folder.input("training") / "output.tar.gz", ("predictions.parquet",), members=OUTPUT_MEMBERS)
    spec = FeatureSpec.model_validate_json(files["spec.json"])
    report = TrainingReport.model_validate_json(files["training.json"])
    prepared = folder.input("prepared")
    profile = read_message(prepared / "profile.json", DataProfile)
    results = read_message(folder.input("evaluation") / "results.json", EvaluationResults)
    _belong_together(files, spec, report, profile=profile, results=results)
    graph = session(files["model.onnx"])
    rows, delta = check_parity(graph, spec, prepared / "validation" / "data.parquet", predictions["predictions.parquet"])
    log(f"parity on {rows:,} validation rows: greatest difference {delta:.3g}")
    smoke = _smoke(graph, spec, profile)
    packed = {name: content for name, content in files.items() if name != "training.json"} | {"smoke.json": smoke}
    image = own_image(config)
    manifest = _manifest(config, spec, report, parts=(profile, results), files=packed, parity=(rows, delta))
    manifest = manifest.model_copy(update={"image_files": {name: _sha256(content) for name, content in sorted(image.items())}})
    text = manifest.model_dump_json(indent=2).encode() + b"\n"
    out = folder.output("package")
    (out / "model.tar.gz").write_bytes(write_archive(packed | {"manifest.json": text}))
    (out / "manifest.json").write_bytes(text)
    (out / FOLDER).mkdir()
    for name, content in image.items():
        (out / FOLDER / name).write_bytes(content)


def check_parity(graph: Any, spec: FeatureSpec, data: Path, predictions: bytes) -> tuple[int, float]:
    """Rows compared and the greatest difference relative to max(1, |score|); `Refused` (E-PACK-001) beyond the tolerance."""
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(predictions))
    names = [name for name in table.column_names if name.startswith("score_")]
    expected = np.column_stack([table.column(name).to_numpy() for name in names])
    numbers = table.column("__row").to_numpy()
    if len(expected) > 1 and bool((expected == expected[0]).all()):
        answer = ", ".join(f"{value:.6g}" for value in expected[0])
        raise Refused(
            f"the model answers every one of {len(expected):,} validation rows alike ({answer}).",
            remedy="Train with more trees or depth, or on columns that say something about the target.",
            code="E-PACK-004",
        )
    start, worst = 0, 0.0
    for batch in read_batches(data):
        end = start + batch.num_rows
        if not np.array_equal(np.asarray(batch.column("__row")), numbers[start:end]):
            raise Refused("the predictions are not of the prepared validation rows.", remedy="Train again on this data.", code="E-PACK-003")
        scores = np.asarray(graph.run(["score"], feeds_of(batch, spec))[0], dtype=np.float64)
        worst = max(worst, _difference(scores, expected[start:end], numbers[start:end]))
        start = end
    if start != len(numbers) or not start:
        raise Refused(f"{len(numbers):,} predictions and {start:,} validation rows do not match.", code="E-PACK-003")
    return start, worst


def _difference(scores: Array, expected: Array, numbers: Array) -> float:
    if scores.shape != expected.shape:
        raise Refused(f"the graph gives scores of shape {scores.shape}, training gave {expected.shape}.", code="E-PACK-001")
    delta = np.abs(scores - expected) / np.maximum(1.0, np.abs(expected))
    delta = np.where(np.isnan(delta), np.inf, delta)
    place = np.unravel_index(int(delta.argmax()), delta.shape)
    if delta[place] > TOLERANCE:
        raise Refused(
            f"the graph disagrees with training at row {int(numbers[place[0]])}: {scores[place]:.9g} against {expected[place]:.9g}.",
            remedy="The export is wrong; nothing was packaged. Please report it with the method and its hyperparameters.",
            code="E-PACK-001",
        )
    return float(delta[place])


def _belong_together(
    files: Mapping[str, bytes], spec: FeatureSpec, report: TrainingReport, *, profile: DataProfile, results: EvaluationResults
) -> None:
    """Model, report, data and evaluation must name each other's digests."""
    checks = {
        "the graph is not the one that the training report names": _sha256(files["model.onnx"]) == report.onnx_digest,
        "the specification is not the prepared data's": digest(spec) == profile.spec_digest,
        "the evaluation is of another task": results.task == spec.task == report.task,
        "the evaluation is of another model": results.model_digest in {_sha256(files["model.onnx"]), report.weights_digest},
    }
    wrong = [reason for reason, good in checks.items() if not good]
    if wrong:
        raise Refused(f"{wrong[0]}.", remedy="Package the parts of one run.", code="E-PACK-003")


def _smoke(graph: Any, spec: FeatureSpec, profile: DataProfile) -> bytes:
    """Rows and the graph's answers, one row at a time, as serving will be asked."""
    answers = []
    for row in smoke_rows(spec, profile, count=SMOKE_ROWS):
        outputs = graph.run(None, feeds_of_rows([row], spec))
        score = [float(value) for value in np.asarray(outputs[0]).reshape(-1)]
        label = spec.labels[int(np.asarray(outputs[1]).reshape(-1)[0])] if spec.labels else None
        answers.append({"row": row, "score": score, "label": label})
    return json.dumps({"tolerance": TOLERANCE, "rows": answers}, ensure_ascii=False, indent=1).encode() + b"\n"


def _manifest(
    config: PackagingJobConfig, spec: FeatureSpec, report: TrainingReport, *, parts: tuple[DataProfile, EvaluationResults],
    files: Mapping[str, bytes], parity: tuple[int, float],
) -> Manifest:  # fmt: skip
    profile, results = parts
    return Manifest(
        model_name=config.model_name, version=config.version, run_id=config.run_id, task=spec.task, algorithm=report.algorithm,
        hyperparameters=report.hyperparameters, seed=report.seed, columns=_columns(spec, profile), labels=spec.labels, target=spec.target,
        metrics=results.metrics, files={name: _sha256(content) for name, content in sorted(files.items())},
        weights_digest=report.weights_digest, dataset_uri=config.dataset_uri, dataset_version=config.dataset_version,
        dataset_digest=profile.raw_digest, spec_digest=profile.spec_digest,
        code_commit=config.code_commit, issue_url=config.issue_url, image=config.image, libraries=report.libraries,
        licences={name: licence(name) for name in report.libraries}, parity_rows=parity[0], parity_max_delta=parity[1],
        parent_version=config.parent_version,
    )  # fmt: skip


def _columns(spec: FeatureSpec, profile: DataProfile) -> tuple[ColumnSchema, ...]:
    """One entry per input; a column that was complete in training is required."""
    complete = {item.name for item in profile.columns if not item.missing}
    numeric = [
        ColumnSchema(name=item.name, type="datetime" if item.moment else item.type, required=item.name in complete) for item in spec.numeric
    ]
    text = [
        ColumnSchema(name=item.name, type="string", required=item.name in complete, categories=item.categories) for item in spec.categorical
    ]
    return (*numeric, *text)


def licence(package: str) -> str:
    """The licence that an installed package states: its expression, else its classifier, else its licence field's first line."""
    try:
        found = metadata(package)
    except PackageNotFoundError:
        return "not installed here"
    classifiers = [text.rsplit(" :: ", 1)[-1] for text in found.get_all("Classifier") or [] if text.startswith("License ::")]
    text = _stated(found, "License-Expression") or (classifiers[0] if classifiers else "") or _stated(found, "License") or "not stated"
    return text.splitlines()[0][:100]


def _stated(found: PackageMetadata, name: str) -> str:
    return str(found[name]) if name in found else ""


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
