"""Drawings that count rows: score distributions by class, and measured against predicted with its errors.

    score_charts(y, scores, results, t)                     # binary tasks
    error_charts(y, predicted, target="price", t=t)         # regressions

What they draw are counts in bins; classes under ten rows are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.reporting.drawings import Chart, Plane, Rect
from mlops_core.reporting.pages import SMALLEST_GROUP, Words, named

Array = np.ndarray[Any, Any]
_SCORE_BINS = 30
_ERROR_BINS = 41
_CELLS = 45
_OUTER = 0.995


def score_charts(y: Array, scores: Array, results: EvaluationResults, t: Words) -> list[Chart]:
    """Per class of a binary task the distribution of the score."""
    if results.task != "binary":
        return []
    groups = [(label, scores.ravel()[y == index]) for index, label in enumerate(results.labels)]
    shown = [(label, values) for label, values in groups if len(values) >= SMALLEST_GROUP]
    if not shown:
        return []
    parts = [histogram(values, low=0.0, high=1.0, bins=_SCORE_BINS) for _, values in shown]
    plane = Plane(0, 1, 0, max(share for shares, _ in parts for share in shares))
    kinds = ["bar", "bar second"]
    bars = [bar for kind, (shares, edges) in zip(kinds, parts, strict=False) for bar in _bars(plane, shares, edges, kind)]
    legend = [
        (kind.removeprefix("bar").strip(), t("report.group", label=named(label, 30), rows=f"{len(values):,}"))
        for kind, (label, values) in zip(kinds, shown, strict=False)
    ]
    chart = Chart(
        title=t("report.scores"),
        alt=t("report.scores_alt"),
        plane=plane,
        x_label=t("report.score_axis", positive=named(results.labels[-1], 30)),
        y_label=t("report.share_axis"),
        note=t("report.scores_note"),
        rects=tuple(bars),
        lines=(plane.line((0.5, 0.5), (0, plane.y_high), "chance"),),
        legend=tuple(legend),
    )
    return [chart]


def error_charts(y: Array, predicted: Array, *, target: str, t: Words) -> list[Chart]:
    """Measured against predicted as a density, and the errors up to their 99.5 % quantile."""
    low, high = float(min(y.min(), predicted.min())), float(max(y.max(), predicted.max()))
    square = Plane(low, high, low, high, square=True)
    name = named(target, 30)
    rows = f"{len(y):,}"
    density = Chart(
        title=t("plot.residuals"),
        alt=t("report.residuals_alt", rows=rows),
        plane=square,
        x_label=t("report.measured_axis", target=name),
        y_label=t("report.predicted_axis", target=name),
        note=t("report.residuals_note", rows=rows),
        rects=tuple(_cells(square, y, predicted)),
        lines=(square.line((low, high), (low, high), "chance"),),
    )
    errors = predicted - y
    edge = float(np.quantile(np.abs(errors), _OUTER)) or 1.0
    shares, edges = histogram(errors, low=-edge, high=edge, bins=_ERROR_BINS)
    plane = Plane(-edge, edge, 0, max(shares))
    spread = Chart(
        title=t("report.errors"),
        alt=t("report.errors_alt"),
        plane=plane,
        x_label=t("report.error_axis", target=name),
        y_label=t("report.share_axis"),
        note=t("report.errors_note", rows=rows),
        rects=tuple(_bars(plane, shares, edges, "bar")),
        lines=(plane.line((0, 0), (0, plane.y_high), "chance"),),
    )
    return [density, spread]


def histogram(values: Array, *, low: float, high: float, bins: int) -> tuple[list[float], list[float]]:
    """Shares of the rows per bin and the bins' edges; what lies outside counts in the outer bins."""
    counts, edges = np.histogram(np.clip(values, low, high), bins=bins, range=(low, high if high > low else low + 1))
    return (counts / max(1, len(values))).tolist(), edges.tolist()


def _bars(plane: Plane, shares: Sequence[float], edges: Sequence[float], kind: str) -> list[Rect]:
    return [plane.bar(edges[at], edges[at + 1], value, kind=kind) for at, value in enumerate(shares) if value]


def _cells(plane: Plane, measured: Array, predicted: Array) -> list[Rect]:
    """Squares whose opacity grows with the logarithm of the rows in them."""
    low, high = plane.x_low, plane.x_high if plane.x_high > plane.x_low else plane.x_low + 1
    counts, edges, _ = np.histogram2d(measured, predicted, bins=_CELLS, range=((low, high), (low, high)))
    top = np.log1p(counts.max())
    width, height = round((plane.right - plane.left) / _CELLS, 2), round((plane.bottom - plane.top) / _CELLS, 2)
    found = []
    for across, up in np.argwhere(counts > 0):
        opacity = round(float(0.15 + 0.85 * np.log1p(counts[across, up]) / top), 2)
        found.append(Rect(plane.x(edges[across]), round(plane.y(edges[up]) - height, 1), width, height, kind="cell", opacity=opacity))
    return found
