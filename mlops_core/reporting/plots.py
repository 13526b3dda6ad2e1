"""PNG pictures of one look at a split, for the living comment.

    confusion_png(path, results)      # counts, shaded by the share of each true class
    roc_png(path, results)
    residuals_png(path, y, predicted, target="price")

Labels are English and only in characters that the bundled font has: a class whose name it cannot draw is shown as "class 3".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.contracts.verdict import Interval
from mlops_core.reporting.figures import figure

Array = np.ndarray[Any, Any]
INK, MUTED, GRID, ACCENT = "#1f2328", "#59636e", "#d8dee4", "#0b5cad"
_BLUES = LinearSegmentedColormap.from_list("mlops", ["#f6f8fa", "#9ec5ee", ACCENT, "#083a70"])
_DENSITY = LinearSegmentedColormap.from_list("mlops-density", ["#cfe1f4", ACCENT, "#083a70"])
_CYCLE = (
    "#0b5cad",
    "#c4501b",
    "#1a7f5a",
    "#8250a8",
    "#a07400",
    "#bf3989",
    "#57606a",
    "#2f9fb8",
    "#7a4a1e",
    "#5b7f1a",
    "#c02b3c",
    "#3f51b5",
)
_MOST_NUMBERED = 12
_MOST_NAMED = 30
_LONGEST_NAME = 18


def class_names(labels: Sequence[str]) -> list[str]:
    """Labels as the font can draw them, shortened; "class N" where it cannot."""
    drawable = _charmap()
    names = []
    for number, label in enumerate(labels, start=1):
        short = label if len(label) <= _LONGEST_NAME else label[: _LONGEST_NAME - 1] + "…"
        names.append(short if short.strip() and all(ord(character) in drawable for character in short) else f"class {number}")
    return names


def _charmap() -> dict[int, int]:
    return dict(FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap())


def _figure(width: float, height: float, panels: int = 1) -> tuple[Figure, Any]:
    drawing = Figure(figsize=(width, height), dpi=160, facecolor="white")
    FigureCanvasAgg(drawing)
    axes = drawing.subplots(1, panels)
    for axis in [axes] if panels == 1 else axes:
        axis.tick_params(colors=MUTED, labelsize=9, length=0)
        for side in axis.spines.values():
            side.set_color(GRID)
    return drawing, axes


def _titles(axis: Any, title: str, x: str, y: str) -> None:
    axis.set_title(title, fontsize=11, color=INK, loc="left", pad=10, parse_math=False)
    axis.set_xlabel(x, fontsize=9.5, color=MUTED, parse_math=False)
    axis.set_ylabel(y, fontsize=9.5, color=MUTED, parse_math=False)


def _save(drawing: Figure, path: Path) -> None:
    drawing.savefig(path, bbox_inches="tight", pad_inches=0.18, metadata={"Software": None})


def confusion_png(path: Path, results: EvaluationResults) -> None:
    """Counts of true against predicted classes; the shade is the share of the true class."""
    cells = np.array(results.confusion)
    size = len(cells)
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    side = min(9.0, 3.2 + 0.62 * size)
    drawing, axis = _figure(side + 0.6, side)
    picture = axis.imshow(shares, cmap=_BLUES, vmin=0, vmax=1)
    named = size <= _MOST_NAMED
    names = class_names(results.labels) if named else []
    axis.set_xticks(range(len(names)), names, rotation=0 if size <= 3 else 45, ha="center" if size <= 3 else "right")
    axis.set_yticks(range(len(names)), names)
    for tick in [*axis.get_xticklabels(), *axis.get_yticklabels()]:
        tick.set_parse_math(False)
    if size <= _MOST_NUMBERED:
        for row in range(size):
            for column in range(size):
                colour = "white" if shares[row, column] > 0.45 else INK
                text = f"{cells[row, column]:,}\n{shares[row, column]:.1%}"
                axis.text(column, row, text, ha="center", va="center", fontsize=10 if size < 6 else 7, color=colour, linespacing=1.5)
    bar = drawing.colorbar(picture, ax=axis, fraction=0.045, pad=0.03, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0 %", "50 %", "100 %"], fontsize=8, color=MUTED)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    _titles(axis, f"Confusion matrix, {results.split} split, {results.rows:,} rows", "Predicted class", "True class")
    _save(drawing, path)


def roc_png(path: Path, results: EvaluationResults) -> None:
    """The ROC curve; one against the rest for several classes."""
    drawing, axis = _figure(6.0, 5.4)
    axis.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 4)), label="chance (AUC 0.5)")
    names = dict(zip(results.labels, class_names(results.labels), strict=True))
    area = results.metrics.get("roc_auc")
    for number, curve in enumerate(results.roc):
        label = _roc_label(area) if len(results.roc) == 1 else names.get(curve.name, curve.name)
        axis.plot(curve.x, curve.y, color=_CYCLE[number % len(_CYCLE)], linewidth=2, label=label)
    axis.grid(color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_aspect("equal")
    axis.set_xlim(-0.01, 1.01)
    axis.set_ylim(-0.01, 1.01)
    legend = axis.legend(loc="lower right", fontsize=8.5, frameon=True, edgecolor=GRID, labelcolor=INK, title_fontsize=8.5)
    if len(results.roc) > 1 and area is not None:
        legend.set_title(_roc_label(area).replace("model", "mean of the classes"))
    for text in legend.get_texts():
        text.set_parse_math(False)
    title = f"ROC curve, {results.split} split, {results.rows:,} rows"
    if len(results.roc) > 1:
        title = f"ROC curves, one class against the rest, {results.split} split, {results.rows:,} rows"
    _titles(axis, title, "False positive rate", "True positive rate")
    _save(drawing, path)


def _thousands(value: float, _place: int) -> str:
    return f"{value:,.10g}"


def _roc_label(area: Interval | None) -> str:
    return "model" if area is None else f"model, AUC {figure(area.value)} (95 %: {figure(area.low)}–{figure(area.high)})"


def _rows_bar(drawing: Figure, axis: Any, density: Any) -> None:
    """The scale of a density of rows, logarithmic; none where every cell holds fewer than ten."""
    if not len(density.get_array()):
        axis.text(0.5, 0.5, f"no cell holds {SMALLEST_GROUP} rows", transform=axis.transAxes, ha="center", color=MUTED, fontsize=9)
        return
    density.set_norm(LogNorm(SMALLEST_GROUP, max(SMALLEST_GROUP + 1, float(density.get_array().max()))))
    bar = drawing.colorbar(density, ax=axis, fraction=0.045, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("rows (log scale)", fontsize=8.5, color=MUTED)
    bar.ax.tick_params(labelsize=8, colors=MUTED, length=0)


def residuals_png(path: Path, results: EvaluationResults, pairs: tuple[Array, Array], *, target: str) -> None:
    """Measured against predicted as a density, and the distribution of the errors; ``pairs`` is (measured, predicted)."""
    measured, predicted = pairs
    name = class_names([target])[0].replace("class 1", "target")
    drawing, (left, right) = _figure(11.4, 4.8, panels=2)
    drawing.subplots_adjust(wspace=0.3)
    low, high = float(min(measured.min(), predicted.min())), float(max(measured.max(), predicted.max()))
    margin = (high - low) * 0.02 or 1.0
    limits = (low - margin, high + margin)
    left.plot(limits, limits, color=MUTED, linewidth=1, linestyle=(0, (4, 4)), label="predicted = measured")
    cells = int(np.clip(np.sqrt(len(measured) / 8), 6, 48))
    density = left.hexbin(
        measured, predicted, gridsize=cells, cmap=_DENSITY, mincnt=SMALLEST_GROUP, extent=(*limits, *limits), linewidths=0.1
    )
    left.set_xlim(limits)
    left.set_ylim(limits)
    _rows_bar(drawing, left, density)
    left.legend(loc="upper left", fontsize=8.5, frameon=False, labelcolor=INK)
    _titles(left, f"Predicted against measured, {results.split} split, {results.rows:,} rows", f"Measured {name}", f"Predicted {name}")
    errors = predicted - measured
    edge = float(np.quantile(np.abs(errors), 0.995)) or 1.0
    right.hist(errors.clip(-edge, edge), bins=61, color=ACCENT)
    right.axvline(0, color=MUTED, linewidth=1, linestyle=(0, (4, 4)))
    right.grid(color=GRID, linewidth=0.6, axis="y")
    right.set_axisbelow(True)
    _titles(right, "Errors (the outer 0.5 % at the edges)", f"Predicted less measured {name}", "Rows")
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(5))
        axis.xaxis.set_major_formatter(FuncFormatter(_thousands))
    left.yaxis.set_major_formatter(FuncFormatter(_thousands))
    _save(drawing, path)
