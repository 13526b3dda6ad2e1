"""The peers of the evaluation benchmark, run by an interpreter of their own (scikit-learn, fairlearn, pandas, pyarrow; nothing of ours).

    PYTHON benchmarks/evaluation_peer.py loop FILE      # scikit-learn, looped over groups and segments
    PYTHON benchmarks/evaluation_peer.py frame FILE     # scikit-learn overall, fairlearn's MetricFrame for groups and segments

Prints one JSON document: seconds from opening the file to the last figure, peak memory in MiB, and every figure.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

Figures = dict[str, float]


def overall(y: Any, score: Any) -> Figures:
    """Every figure of some rows, as scikit-learn computes it."""
    from sklearn import metrics

    named = score >= 0.5
    return {
        "accuracy": metrics.accuracy_score(y, named),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, named),
        "precision": metrics.precision_score(y, named, zero_division=0),
        "recall": metrics.recall_score(y, named, zero_division=0),
        "specificity": metrics.recall_score(y, named, pos_label=0, zero_division=0),
        "f1": metrics.f1_score(y, named, zero_division=0),
        "mcc": metrics.matthews_corrcoef(y, named),
        "roc_auc": metrics.roc_auc_score(y, score),
        "average_precision": metrics.average_precision_score(y, score),
        "log_loss": metrics.log_loss(y, score, labels=[0, 1]),
        "brier": metrics.brier_score_loss(y, score, pos_label=1),
    }


def curves(y: Any, score: Any) -> dict[str, list[float]]:
    """Both curves and the calibration table of the whole."""
    from sklearn import metrics
    from sklearn.calibration import calibration_curve

    metrics.roc_curve(y, score)
    metrics.precision_recall_curve(y, score)
    share, mean = calibration_curve(y, score, n_bins=10)
    return {"calibration_share": share.tolist(), "calibration_mean": mean.tolist()}


def loop(path: str) -> dict[str, Any]:
    """scikit-learn over the whole and over every value of both columns."""
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(path, read_dictionary=["group", "segment"])
    y, score = table.column("label").to_numpy().astype(np.int8), table.column("score").to_numpy()
    found: dict[str, Any] = {"whole": overall(y, score), **curves(y, score)}
    for name in ("group", "segment"):
        column = table.column(name).unify_dictionaries().combine_chunks()
        codes = column.indices.to_numpy()
        found[name] = {}
        for code, value in enumerate(column.dictionary.to_pylist()):
            inside = codes == code
            found[name][value] = overall(y[inside], score[inside])
    return found


def frame(path: str) -> dict[str, Any]:
    """scikit-learn overall and fairlearn's MetricFrame over both columns, as its users write it."""
    import numpy as np
    import pandas as pd
    from fairlearn.metrics import MetricFrame
    from sklearn import metrics

    table = pd.read_parquet(path)
    y, score = table["label"].to_numpy().astype(np.int8), table["score"].to_numpy()
    found: dict[str, Any] = {"whole": overall(y, score), **curves(y, score)}
    named = (score >= 0.5).astype(np.int8)
    decided: dict[str, Callable[..., Any]] = {
        "accuracy": metrics.accuracy_score,
        "balanced_accuracy": metrics.balanced_accuracy_score,
        "precision": partial(metrics.precision_score, zero_division=0),
        "recall": partial(metrics.recall_score, zero_division=0),
        "specificity": partial(metrics.recall_score, pos_label=0, zero_division=0),
        "f1": partial(metrics.f1_score, zero_division=0),
        "mcc": metrics.matthews_corrcoef,
    }
    scored: dict[str, Callable[..., Any]] = {
        "roc_auc": metrics.roc_auc_score,
        "average_precision": metrics.average_precision_score,
        "log_loss": partial(metrics.log_loss, labels=[0, 1]),
        "brier": partial(metrics.brier_score_loss, pos_label=1),
    }
    for name in ("group", "segment"):
        by_decision = MetricFrame(metrics=decided, y_true=y, y_pred=named, sensitive_features=table[name]).by_group
        by_score = MetricFrame(metrics=scored, y_true=y, y_pred=score, sensitive_features=table[name]).by_group
        found[name] = {value: {**by_decision.loc[value].to_dict(), **by_score.loc[value].to_dict()} for value in by_decision.index}
    return found


def main() -> None:
    """One peer on one file."""
    run = {"loop": loop, "frame": frame}[sys.argv[1]]
    started = time.perf_counter()
    found = run(sys.argv[2])
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": time.process_time(), "peak_mib": peak, **found}, default=float))


if __name__ == "__main__":
    main()
