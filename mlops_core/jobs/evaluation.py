"""The evaluation job: score one split with the packed model, measure it, write figures, pictures and a report.

    SAGEMAKER_BASE_DIR=/tmp/job mlops-job evaluation

Contract: `mlops_core.contracts.evaluation`.  The model is read from its archive as ONNX plus JSON; nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import DataProfile, FeatureSpec, Finding
from mlops_core.contracts.evaluation import DriftBaseline, EvaluationJobConfig, EvaluationResults
from mlops_core.contracts.findings import Figure
from mlops_core.contracts.request import MetricName
from mlops_core.contracts.training import TrainingReport
from mlops_core.errors import InvalidRequest, JobFailed
from mlops_core.evaluation.columns import group_column, slice_columns
from mlops_core.evaluation.drift_baseline import label_shares, score_bins
from mlops_core.evaluation.floors import lowest_slices
from mlops_core.evaluation.groups import audited
from mlops_core.evaluation.importance import MOST_INPUTS, REPEATS, Shuffling, importance, sampled_rows
from mlops_core.evaluation.intervals import Estimate
from mlops_core.evaluation.look import Look, Training, look
from mlops_core.evaluation.resampling import Resampling
from mlops_core.evaluation.slices import worst_slices
from mlops_core.evaluation.subsets import rows_of
from mlops_core.evaluation.traps import traps
from mlops_core.features.feeds import feeds_of, read_batches, targets_of
from mlops_core.features.typing import input_name
from mlops_core.jobs.archive import read_archive
from mlops_core.jobs.champion import champion_figures
from mlops_core.jobs.contract import JobFolder, log, read_message, write_message
from mlops_core.jobs.pins import hold

Array = np.ndarray[Any, Any]
ROW = "__row"
LARGE_GRAPH = 4_000_000
"""Bytes of a graph from which importance looks at fewer rows: a forest of unlimited depth takes 50 times as long a row as boosted trees."""
RIVAL_RESAMPLES = 100
"""The champion's figures are compared, its intervals are not."""


@dataclass(frozen=True)
class Model:
    """The training artifact: graph, specification, the training process's own report (absent in foreign archives), digest of the graph."""

    session: Any
    spec: FeatureSpec
    report: TrainingReport | None
    digest: str
    size: int


@dataclass(frozen=True)
class Scored:
    """One split after the model: row numbers, targets, raw scores, and the graph's inputs for a sample of the rows (places in ``y``)."""

    rows: Array
    y: Array
    scores: Array
    sample: Array
    feeds: dict[str, Array]


def run(folder: JobFolder) -> int:
    """Do the job; 0, or an error of ours that says what is wrong."""
    started = time.perf_counter()
    config = folder.config(EvaluationJobConfig)
    model = read_model(folder.input("model") / "model.tar.gz")
    prepared = folder.input("prepared")
    profile = read_message(prepared / "profile.json", DataProfile)
    _check_same_preparation(config, model, read_message(prepared / "spec.json", FeatureSpec))
    hold(prepared, ("spec.json", f"{config.split}/data.parquet"))
    split = prepared / config.split / "data.parquet"
    scored = score(model, split, sample=lambda rows: sample_of(config, model, rows))
    log(f"scored {len(scored.y):,} rows in {time.perf_counter() - started:.2f} s")
    training = Training(model.spec.labels, _shares(profile, model.spec), _mean(profile, model.spec))
    seen = look(
        model.spec.task, scored.y, scored.scores, training=training, resampling=Resampling(config.seed, config.resamples), bins=config.bins
    )
    log(f"measured after {time.perf_counter() - started:.2f} s")
    depth = depth_of(config, model, scored, seen, split)
    rival = Resampling(config.seed, RIVAL_RESAMPLES)
    version, figures = champion_figures(folder.input("champion"), model.spec, split, resampling=rival, bins=config.bins)
    log(f"looked into slices, groups and inputs after {time.perf_counter() - started:.2f} s")
    out = folder.output("evaluation")
    results = results_of(config, model, seen, seconds=time.perf_counter() - started).model_copy(
        update={**depth, "champion_version": version, "champion": figures}
    )
    results = results.model_copy(update={"findings": (*results.findings, *uncompared(results))})
    write_message(out / "results.json", results)
    write_message(out / "drift_baseline.json", drift_of(config, model, seen, scored=scored, profile=profile))
    _write_predictions(out / "predictions.parquet", model.spec, scored, seen)
    _write_pictures(out, results, scored, target=model.spec.target)
    _write_report(out / "report.html", config, model, results, scored=scored, profile=profile)
    for name, interval in results.metrics.items():
        log(f"#metric {config.split}:{name}={interval.value:.9g};")
    return 0


def read_model(path: Path) -> Model:
    """The model of an archive; `JobFailed` (E-EVAL-006) when the graph is not the one its training wrote."""
    files = read_archive(path, ("model.onnx", "spec.json"), optional=("training.json",))
    graph = files["model.onnx"]
    known = hashlib.sha256(graph).hexdigest()
    report = TrainingReport.model_validate_json(files["training.json"]) if "training.json" in files else None
    if report is not None and report.onnx_digest != known:
        raise JobFailed(f"model.onnx is {known[:12]}, its training wrote {report.onnx_digest[:12]}.", code="E-EVAL-006")
    options = onnxruntime.SessionOptions()
    # Two threads add a tree ensemble's terms in another order: one keeps scores equal to serving's, bit by bit.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return Model(session, FeatureSpec.model_validate_json(files["spec.json"]), report, known, len(graph))


def _check_same_preparation(config: EvaluationJobConfig, model: Model, prepared: FeatureSpec) -> None:
    if digest(model.spec) != digest(prepared):
        raise InvalidRequest(
            f"the model was trained on preparation {digest(model.spec)[:12]}, the split belongs to {digest(prepared)[:12]}.",
            remedy="Evaluate on the preparation the model was trained on.",
            code="E-EVAL-007",
        )
    if config.task != model.spec.task:
        raise InvalidRequest(f"the model's task is {model.spec.task}, the job was told {config.task}.", code="E-EVAL-007")


def sample_of(config: EvaluationJobConfig, model: Model, rows: int) -> Array:
    """The rows whose inputs are shuffled: fewer of a wide table or a large graph, by size and not by the clock, so that runs agree."""
    scorings = max(10_000, min(60_000, 60_000 * LARGE_GRAPH // model.size))
    inputs = min(MOST_INPUTS, max(1, len(input_columns(model.spec))))
    most = min(config.importance_rows, max(100, scorings // (REPEATS * inputs)))
    return sampled_rows(rows, most=most, seed=config.seed) if config.importance_rows else np.empty(0, dtype=np.int64)


def input_columns(spec: FeatureSpec) -> dict[str, str]:
    """The column behind every input of the graph."""
    names = [column.name for column in spec.numeric] + [column.name for column in spec.categorical]
    return {input_name(name): name for name in names}


def score(model: Model, path: Path, *, sample: Callable[[int], Array] = lambda _: np.empty(0, dtype=np.int64)) -> Scored:
    """Targets and scores of a split, read in batches so that memory stays bounded."""
    if not path.is_file():
        raise InvalidRequest(f"the split {path.parent.name} holds no data.parquet.", code="E-JOB-002")
    rows, targets, scores = [], [], []
    chosen = sample(pq.read_metadata(path).num_rows)
    kept: list[dict[str, Array]] = []
    passed = 0
    for batch in read_batches(path):
        try:
            targets.append(targets_of(batch, model.spec))
        except KeyError as error:
            raise JobFailed(
                f"the {path.parent.name} split holds the class {str(error)[:80]}, which training never saw.",
                remedy="Use the stratified split, or drop classes with too few rows.",
                code="E-EVAL-008",
            ) from error
        feeds = feeds_of(batch, model.spec)
        scores.append(model.session.run(["score"], feeds)[0])
        inside = chosen[np.searchsorted(chosen, passed) : np.searchsorted(chosen, passed + len(batch))] - passed
        kept.append({name: values[inside] for name, values in feeds.items()})
        passed += len(batch)
        rows.append(np.asarray(batch.column(ROW)) if ROW in batch.schema.names else np.arange(len(batch)))
    if not targets:
        raise JobFailed("the split holds no rows, so nothing can be measured.", code="E-EVAL-001")
    sampled = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    return Scored(np.concatenate(rows), np.concatenate(targets), np.concatenate(scores), chosen, sampled)


def uncompared(results: EvaluationResults) -> list[Finding]:
    """W-EVAL-004 for protected columns that the split lacks, or of which it holds no two groups of ten rows."""
    alone = [audit.attribute for audit in results.groups if len(audit.groups) < 2]
    names = (*results.protected_absent, *alone)
    return [Finding(code="W-EVAL-004", columns=names, values={"split": results.split, "columns": len(names)})] if names else []


def depth_of(config: EvaluationJobConfig, model: Model, scored: Scored, seen: Look, split: Path) -> dict[str, Any]:
    """Worst slices, groups of protected columns and importance, as fields of the results."""
    spec = model.spec
    rows = rows_of(spec.task, scored.y, scored.scores, classes=len(spec.labels))
    resampling = Resampling(config.seed, config.resamples)
    columns = slice_columns(split, list(dict.fromkeys([*input_columns(spec).values(), *config.protected])))
    slices = worst_slices(
        columns,
        seen.losses,
        loss="absolute_error" if spec.task == "regression" else "brier",
        metric=config.metric,
        figures=lambda inside: rows.inside(inside).intervals(resampling),
    )
    groups = {name: group_column(split, name) for name in config.protected}
    shuffling = Shuffling(lambda feeds: model.session.run(["score"], feeds)[0], scored.feeds, input_columns(spec), rows.y[scored.sample])
    return {
        "slices": slices.model_copy(
            update={"lowest": lowest_slices(columns, rows, seen.predicted, least=config.slice_rows), "lowest_rows": config.slice_rows}
        ),
        "groups": tuple(audited(name, found, rows, seen.predicted) for name, found in groups.items() if found),
        "protected_absent": tuple(name for name, found in groups.items() if not found),
        "importance": importance(shuffling, task=spec.task, metric=config.metric, classes=len(spec.labels), seed=config.seed)
        if len(scored.sample)
        else None,
    }


def _shares(profile: DataProfile, spec: FeatureSpec) -> tuple[float, ...]:
    shares = profile.class_shares
    return tuple(shares[label] for label in spec.labels) if spec.labels and set(spec.labels) <= set(shares) else ()


def _mean(profile: DataProfile, spec: FeatureSpec) -> float | None:
    return next((column.mean for column in profile.columns if column.name == spec.target), None)


def results_of(config: EvaluationJobConfig, model: Model, seen: Look, *, seconds: float) -> EvaluationResults:
    """The figures as the contract's message."""
    asked: list[MetricName] = [name for name in get_args(MetricName) if name in seen.metrics]
    return EvaluationResults(
        run_id=config.run_id,
        task=config.task,
        metric=config.metric,
        split=config.split,
        rows=seen.rows,
        labels=model.spec.labels,
        metrics={name: seen.metrics[name].interval for name in asked},
        baseline={name: seen.baseline[name] for name in get_args(MetricName) if name in seen.baseline},
        baseline_rule=seen.baseline_rule,
        confusion=seen.confusion,
        roc=seen.curves.roc,
        per_class=seen.per_class,
        score_quantiles=seen.score_quantiles,
        interval_methods={name: seen.metrics[name].method for name in asked},
        left_out=seen.left_out,
        hidden_groups=seen.hidden_groups,
        measures={name: _figure(estimate, seen.baseline.get(name)) for name, estimate in seen.metrics.items()},
        precision_recall=seen.curves.precision_recall,
        calibration=seen.curves.calibration,
        thresholds=seen.curves.thresholds,
        residuals=seen.residuals,
        learning_curve=model.report.learning_curve if model.report else {},
        findings=tuple(traps(seen, split=config.split, labels=model.spec.labels)),
        model_digest=model.digest,
        seconds=round(seconds, 3),
    )


def _figure(estimate: Estimate, baseline: float | None) -> Figure:
    found = estimate.interval
    return Figure(value=found.value, low=found.low, high=found.high, method=estimate.method, baseline=baseline)


def drift_of(config: EvaluationJobConfig, model: Model, seen: Look, *, scored: Scored, profile: DataProfile) -> DriftBaseline:
    """The reference for monitoring: score bins of this split, and the training profile's columns."""
    scores = scored.scores.astype(np.float64)
    edges, shares = score_bins(scores.max(axis=1) if model.spec.task == "multiclass" else scores.ravel())
    return DriftBaseline(
        model_digest=model.digest,
        spec_digest=digest(model.spec),
        split=config.split,
        rows=seen.rows,
        score_edges=edges,
        score_shares=shares,
        label_shares=label_shares(seen.predicted, model.spec.labels) if model.spec.labels else {},
        columns=profile.columns,
    )


def _write_predictions(path: Path, spec: FeatureSpec, scored: Scored, seen: Look) -> None:
    columns: dict[str, Any] = {ROW: pa.array(scored.rows, pa.int64()), "y": pa.array(scored.y, pa.float64())}
    if spec.labels:
        columns["label"] = pa.DictionaryArray.from_arrays(pa.array(seen.predicted, pa.int32()), pa.array(spec.labels))
    wide = scored.scores.reshape(len(scored.y), -1).astype(np.float64)
    columns |= {f"score_{index}": pa.array(wide[:, index]) for index in range(wide.shape[1])}
    pq.write_table(pa.table(columns), path, compression="zstd")


def _write_pictures(out: Path, results: EvaluationResults, scored: Scored, *, target: str) -> None:
    from mlops_core.reporting import plots

    if results.task == "regression":
        plots.residuals_png(out / "residuals.png", results, (scored.y, scored.scores.ravel().astype(np.float64)), target=target)
        return
    plots.confusion_png(out / "confusion_matrix.png", results)
    if results.roc:
        plots.roc_png(out / "roc_curve.png", results)


def _write_report(
    path: Path, config: EvaluationJobConfig, model: Model, results: EvaluationResults, *, scored: Scored, profile: DataProfile
) -> None:
    from mlops_core.reporting.report import Subject, render_report

    subject = Subject(config=config, results=results, profile=profile, training=model.report, target=model.spec.target)
    path.write_text(render_report(subject, scored.y, scored.scores.astype(np.float64)), encoding="utf-8")
