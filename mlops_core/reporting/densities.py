"""Drawings that count rows: score distributions by class, and measured against predicted with its errors.

    score_charts(y, scores, results, t)                     # binary tasks
    error_charts(y, predicted, target="price", t=t)         # regressions

What they draw are bins and squares of at least ten rows; classes under ten rows are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.reporting.drawings import Chart, Plane, Rect, merged
from mlops_core.reporting.pages import Words, named

Array = np.ndarray[Any, Any]
_SCORE_BINS = 30
_ERROR_BINS = 41
_FINEST = 64
_KEPT = 0.9
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
    plane = Plane(0, 1, 0, max(height for bins in parts for _, _, height in bins))
    kinds = ["bar", "bar second"]
    bars = [plane.bar(*item, kind=kind) for kind, bins in zip(kinds, parts, strict=False) for item in bins]
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
    cells, hidden = _cells(square, y, predicted)
    density = Chart(
        title=t("plot.residuals"),
        alt=t("report.residuals_alt", rows=rows),
        plane=square,
        x_label=t("report.measured_axis", target=name),
        y_label=t("report.predicted_axis", target=name),
        note=t("report.residuals_note", rows=rows, hidden=f"{hidden:,}"),
        rects=tuple(cells),
        lines=(square.line((low, high), (low, high), "chance"),),
    )
    return [density, _spread(predicted - y, name, t)]


def _spread(errors: Array, name: str, t: Words) -> Chart:
    edge = float(np.quantile(np.abs(errors), _OUTER)) or 1.0
    bins = histogram(errors, low=-edge, high=edge, bins=_ERROR_BINS)
    plane = Plane(-edge, edge, 0, max((height for _, _, height in bins), default=1.0))
    return Chart(
        title=t("report.errors"),
        alt=t("report.errors_alt"),
        plane=plane,
        x_label=t("report.error_axis", target=name),
        y_label=t("report.share_axis"),
        note=t("report.errors_note", rows=f"{len(errors):,}"),
        rects=tuple(plane.bar(*item) for item in bins),
        lines=(plane.line((0, 0), (0, plane.y_high), "chance"),),
    )


def histogram(values: Array, *, low: float, high: float, bins: int) -> list[tuple[float, float, float]]:
    """Bins (low, high, height) of at least ten rows; the height is the share of the rows per width of one of ``bins`` even bins.

    What lies outside counts in the outer bins.
    """
    end = high if high > low else low + 1
    counts, edges = np.histogram(np.clip(values, low, high), bins=bins, range=(low, end))
    width = (end - low) / bins
    joined = merged(edges.tolist(), counts.tolist(), least=SMALLEST_GROUP)
    return [(start, stop, rows / len(values) * width / (stop - start)) for start, stop, rows in joined]


def _cells(plane: Plane, measured: Array, predicted: Array) -> tuple[list[Rect], int]:
    """Squares of at least ten rows and how many rows are in none; opacity grows with the logarithm of rows per area.

    A square is quartered while quarters of ten rows hold nine tenths of it: many rows draw a fine picture, few a coarse one.
    """
    low, high = plane.x_low, plane.x_high if plane.x_high > plane.x_low else plane.x_low + 1
    places = [np.clip(((values - low) / (high - low) * _FINEST).astype(int), 0, _FINEST - 1) for values in (measured, predicted)]
    counts = np.zeros((_FINEST, _FINEST), dtype=np.int64)
    np.add.at(counts, tuple(places), 1)
    found = _quartered(counts, 0, 0, _FINEST)
    densities = [np.log1p(rows / side**2 * _FINEST) for _, _, side, rows in found]
    faint, full = min(densities, default=0.0), max(densities, default=1.0)
    step = (high - low) / _FINEST
    width, height = (plane.right - plane.left) / _FINEST, (plane.bottom - plane.top) / _FINEST
    cells = [
        Rect(
            plane.x(low + across * step), plane.y(low + (up + side) * step), round(width * side, 1), round(height * side, 1),
            kind="cell", opacity=round(float(0.1 + 0.9 * (density - faint) / ((full - faint) or 1.0)), 2), title=f"{rows:,}",
        )
        for density, (across, up, side, rows) in zip(densities, found, strict=True)
    ]  # fmt: skip
    return cells, len(measured) - sum(rows for *_, rows in found)


def _quartered(counts: Array, across: int, up: int, side: int) -> list[tuple[int, int, int, int]]:
    rows = int(counts[across : across + side, up : up + side].sum())
    if rows < SMALLEST_GROUP:
        return []
    half = side // 2
    if half:
        corners = [(across + right, up + top) for right in (0, half) for top in (0, half)]
        held = [int(counts[x : x + half, y : y + half].sum()) for x, y in corners]
        if sum(count for count in held if count >= SMALLEST_GROUP) >= _KEPT * rows:
            return [cell for x, y in corners for cell in _quartered(counts, x, y, half)]
    return [(across, up, side, rows)]
