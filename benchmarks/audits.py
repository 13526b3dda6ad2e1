"""Published audits of decisions that are given, counted anew by `mlops_core.evaluation.groups`.

    python -m benchmarks audits --data FOLDER       # FOLDER/compas/data.csv, FOLDER/adult/data.csv

compas: ProPublica's notebook (compas-analysis, "two year recidivism"), positive = score_text is not Low; adult: the labels themselves, and
fairlearn's quick-start tree.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from mlops_core.contracts.findings import GroupAudit
from mlops_core.evaluation.groups import audit_classes

Array = np.ndarray[Any, Any]
COMPAS = {"African-American": ((990, 805, 532, 1369), 0.4485, 0.2799), "Caucasian": ((1139, 349, 461, 505), 0.2345, 0.4772)}
"""Counts (survived low, high, recidivated low, high), false positive rate, false negative rate."""


def measure(data: Path) -> Iterator[Figure]:
    """Each audit whose data are there."""
    if (data / "compas" / "data.csv").is_file():
        yield from compas(data / "compas" / "data.csv")
    if (data / "adult" / "data.csv").is_file():
        yield from adult(data / "adult" / "data.csv")


def compas(path: Path) -> Iterator[Figure]:
    """Twelve numbers: four counts and two rates for each of two groups."""
    rows = _columns(path, ("race", "score_text", "two_year_recid"))
    names, groups = np.unique(rows["race"], return_inverse=True)
    y, high = rows["two_year_recid"] == "1", rows["score_text"] != "Low"
    found = audit_classes("race", names.tolist(), groups, y=y, predicted=high)
    for name, (counts, false_positive, false_negative) in COMPAS.items():
        inside = rows["race"] == name
        counted = np.bincount(2 * y[inside] + high[inside], minlength=4).tolist()
        row = _group(found, name)
        equal = sum(one == other for one, other in zip(counted, counts, strict=True))
        equal += round(row["false_positive_rate"], 4) == false_positive
        equal += round(1 - row["true_positive_rate"], 4) == false_negative
        rates = f"FPR {row['false_positive_rate']:.4f}, FNR {1 - row['true_positive_rate']:.4f}, counts {counted}"
        yield Figure(f"compas, {name}: numbers that equal the published ones", equal, "of 6", at_least=6, note=rates)


def adult(path: Path) -> Iterator[Figure]:
    """The labels' own rates, and accuracy and selection rate of fairlearn's tree, fitted and judged on all rows."""
    from sklearn.tree import DecisionTreeClassifier

    with path.open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    target = header[-1]
    rows = _columns(path, tuple(header))
    y = np.char.strip(np.char.rstrip(rows[target].astype(str), ".")) == ">50K"
    names, groups = np.unique(np.char.strip(rows["sex"].astype(str)), return_inverse=True)
    labels = audit_classes("sex", names.tolist(), groups, y=y, predicted=y).gaps["selection_rate"]
    yield Figure("adult, labels: distance of the difference from 0.1945", abs(labels.difference.value - 0.1945), at_most=5e-4)
    ratio = labels.ratio.value if labels.ratio else 0.0
    yield Figure("adult, labels: distance of the ratio from 0.360", abs(ratio - 0.360), at_most=5e-4, note=f"{ratio:.4f}")
    features = _one_hot({name: values for name, values in rows.items() if name != target})
    tree = DecisionTreeClassifier(min_samples_leaf=10, max_depth=4, random_state=0).fit(features, y)
    found = audit_classes("sex", names.tolist(), groups, y=y, predicted=tree.predict(features))
    for name, accuracy, selection in (("Female", 0.9251, 0.0635), ("Male", 0.8042, 0.2135)):
        row = _group(found, name)
        gap = max(abs(row["accuracy"] - accuracy), abs(row["selection_rate"] - selection))
        note = f"accuracy {row['accuracy']:.4f}, selection rate {row['selection_rate']:.4f}"
        yield Figure(f"adult, tree, {name}: distance from fairlearn's figures", gap, at_most=1e-3, note=note)


def _group(found: GroupAudit, name: str) -> dict[str, float]:
    row = next(row for row in found.groups if row.name == name)
    return {str(figure): interval.value for figure, interval in row.figures.items()}


def _columns(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([row[name] for row in rows]) for name in names}


def _one_hot(columns: dict[str, Array]) -> Array:
    parts = []
    for values in columns.values():
        try:
            parts.append(values.astype(np.float64).reshape(-1, 1))
        except ValueError:
            parts.append((values.reshape(-1, 1) == np.unique(values)).astype(np.float64))
    return np.hstack(parts)
