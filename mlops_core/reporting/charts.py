"""The curves of an evaluation report, drawn from what the look wrote down: ROC, precision-recall, calibration, residuals, learning.

    charts = curve_charts(results, t)      # only what the results hold; every chart names its rows

Nothing here reads a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.findings import Calibration, Curve, MeasureName, ResidualBin
from mlops_core.contracts.request import MetricName
from mlops_core.reporting.drawings import Chart, Dot, Line, Plane
from mlops_core.reporting.figures import figure
from mlops_core.reporting.pages import Words, named, share

_HUES = 12
_SYNONYMS = {"logloss": "log_loss", "mlogloss": "log_loss", "auc": "roc_auc"}
_MOST_LEARNED = 2
_FEW_POINTS = 12
Legend = tuple[tuple[str, str], ...]


def curve_charts(results: EvaluationResults, rows: Mapping[str, int], t: Words) -> list[Chart]:
    """Every chart that the figures allow, in reading order; ``rows`` are those of every split."""
    made = [
        _roc(results, t),
        _precision_recall(results, t),
        _calibration(results, t),
        _tenths(results, t),
        *_learning(results, rows, t),
    ]
    return [chart for chart in made if chart is not None]


def _said(*sentences: str) -> str:
    """Sentences after each other; Japanese ones without a blank between."""
    return " ".join(filter(None, sentences)).replace("。 ", "。")


def _hued(names: Sequence[str]) -> tuple[list[str], Legend]:
    """A class of the style sheet per series, and the legend when there are several."""
    if len(names) == 1:
        return ["curve"], ()
    kinds = [f"k{number % _HUES}" for number in range(len(names))]
    return [f"curve {kind}" for kind in kinds], tuple((kind, named(name, 30)) for kind, name in zip(kinds, names, strict=True))


def _lines(plane: Plane, curves: Sequence[Curve]) -> tuple[tuple[Line, ...], Legend]:
    kinds, legend = _hued([curve.name for curve in curves])
    return tuple(plane.line(curve.x, curve.y, kind, named(curve.name)) for curve, kind in zip(curves, kinds, strict=True)), legend


def _roc(results: EvaluationResults, t: Words) -> Chart | None:
    if not results.roc:
        return None
    plane = Plane(0, 1, 0, 1, square=True)
    lines, legend = _lines(plane, results.roc)
    area = results.metrics.get("roc_auc")
    told = "" if area is None else t("report.roc_area", value=figure(area.value), low=figure(area.low), high=figure(area.high))
    return Chart(
        title=t("plot.roc_curve"),
        alt=t("report.roc_alt", count=len(results.roc)),
        plane=plane,
        x_label=t("report.false_rate"),
        y_label=t("report.true_rate"),
        note=_said(told, t("report.roc_note", rows=f"{results.rows:,}")),
        lines=(plane.line((0, 1), (0, 1), "chance"), *lines),
        legend=legend,
    )


def _precision_recall(results: EvaluationResults, t: Words) -> Chart | None:
    curves = results.precision_recall
    if not curves:
        return None
    plane = Plane(0, 1, 0, 1, square=True)
    lines, legend = _lines(plane, curves)
    base = results.measures.get("average_precision")
    chance = base.baseline if base is not None and len(curves) == 1 else None
    told = "" if base is None else t("report.pr_area", value=figure(base.value), low=figure(base.low), high=figure(base.high))
    note = t("report.pr_note", rows=f"{results.rows:,}") if chance is None else t(
        "report.pr_note_base", rows=f"{results.rows:,}", share=share(chance)
    )  # fmt: skip
    return Chart(
        title=t("plot.precision_recall"),
        alt=t("report.pr_alt", count=len(curves)),
        plane=plane,
        x_label=t("metric.recall"),
        y_label=t("metric.precision"),
        note=_said(told, note),
        lines=(*(() if chance is None else (plane.line((0, 1), (chance, chance), "chance"),)), *lines),
        legend=legend,
    )


def _calibration(results: EvaluationResults, t: Words) -> Chart | None:
    tables = [table for table in results.calibration if table.bins]
    if not tables:
        return None
    plane = Plane(0, 1, 0, 1, square=True)
    kinds, legend = _hued([table.name for table in tables])
    lines: list[Line] = [plane.line((0, 1), (0, 1), "chance")]
    dots: list[Dot] = []
    for table, kind in zip(tables, kinds, strict=True):
        lines.append(plane.line([item.score for item in table.bins], [item.rate.value for item in table.bins], kind))
        if len(tables) == 1:
            lines += [plane.line((item.score, item.score), (item.rate.low, item.rate.high), "whisker") for item in table.bins]
        dots += _calibration_dots(plane, table, kind.removeprefix("curve").strip(), t)
    hidden = sum(table.hidden_bins for table in tables)
    note = t("report.calibration_note", rows=f"{results.rows:,}", ece=", ".join(figure(table.ece) for table in tables[:_HUES]))
    return Chart(
        title=t("plot.calibration"),
        alt=t("report.calibration_alt", count=sum(len(table.bins) for table in tables)),
        plane=plane,
        x_label=t("report.calibration_x"),
        y_label=t("report.calibration_y"),
        note=_said(note, t("report.calibration_hidden", count=hidden) if hidden else ""),
        lines=tuple(lines),
        dots=tuple(dots),
        legend=legend,
    )


def _calibration_dots(plane: Plane, table: Calibration, kind: str, t: Words) -> list[Dot]:
    return [
        plane.dot(
            item.score, item.rate.value, kind=kind, title=t("report.calibration_dot", share=share(item.rate.value), rows=f"{item.rows:,}")
        )
        for item in table.bins
    ]


def _tenths(results: EvaluationResults, t: Words) -> Chart | None:
    """Where a regression errs: the mean and the spread of the error by what was predicted."""
    bins: tuple[ResidualBin, ...] = results.residuals.bins if results.residuals is not None else ()
    if len(bins) < 2:
        return None
    edge = max(abs(item.mean) + item.deviation for item in bins) or 1.0
    plane = Plane(bins[0].low, bins[-1].high, -edge, edge)
    middles = [(item.low + item.high) / 2 for item in bins]
    whiskers = [
        plane.line((x, x), (item.mean - item.deviation, item.mean + item.deviation), "whisker")
        for x, item in zip(middles, bins, strict=True)
    ]
    dots = [
        plane.dot(x, item.mean, title=t("report.tenth_dot", mean=figure(item.mean), rows=f"{item.rows:,}"))
        for x, item in zip(middles, bins, strict=True)
    ]
    return Chart(
        title=t("report.tenths"),
        alt=t("report.tenths_alt", count=len(bins)),
        plane=plane,
        x_label=t("report.tenths_x"),
        y_label=t("report.tenths_y"),
        note=t("report.tenths_note", rows=f"{results.rows:,}"),
        lines=(plane.line((plane.x_low, plane.x_high), (0, 0), "chance"), *whiskers),
        dots=tuple(dots),
    )


def _learning(results: EvaluationResults, rows: Mapping[str, int], t: Words) -> list[Chart]:
    """Training and validation over rounds or rows: the request's own metric and one more figure."""
    curve = results.learning_curve
    axis = "round" if "round" in curve else "rows"
    grouped: dict[str, dict[str, tuple[float, ...]]] = {}
    for name, values in curve.items():
        part, _, measure = name.rpartition(":")
        if part and len(values) > 1:
            grouped.setdefault(measure, {})[part] = values
    ordered = sorted(grouped.items(), key=lambda item: item[0] != results.metric)
    across = (curve.get(axis) or (), t(f"report.learning_{axis}"))
    return [_learned(measure, series, across, rows, t) for measure, series in ordered[:_MOST_LEARNED]]


def _learned(
    measure: str, series: dict[str, tuple[float, ...]], across: tuple[Sequence[float], str], rows: Mapping[str, int], t: Words
) -> Chart:
    places, axis = across
    values = [value for line in series.values() for value in line]
    xs = places or range(1, len(next(iter(series.values()))) + 1)
    low, high = min(values), max(values)
    plane = Plane(min(xs), max(xs), low, high if high > low else low + 1)
    lines, dots, legend = [], [], []
    for number, (part, line) in enumerate(series.items()):
        kind = f"k{number % _HUES}"
        lines.append(plane.line(xs, line, f"curve {kind}"))
        dots += [plane.dot(x, y, kind=kind, title=figure(y)) for x, y in zip(xs, line, strict=True)] if len(line) <= _FEW_POINTS else []
        name = t(f"report.split_{part}")
        legend.append((kind, t("report.group", label=name, rows=f"{rows[part]:,}") if part in rows else name))
    return Chart(
        title=t("report.learning", metric=metric_title(measure, t)),
        alt=t("report.learning_alt", metric=metric_title(measure, t), count=len(xs), axis=axis),
        plane=plane,
        x_label=axis,
        y_label=metric_title(measure, t),
        note=t("report.learning_note"),
        lines=tuple(lines),
        dots=tuple(dots),
        legend=tuple(legend),
    )


def metric_title(name: str, t: Words) -> str:
    """A figure's name in words; one that the catalogue does not know stays as it is."""
    name = _SYNONYMS.get(name, name)
    if name in get_args(MetricName):
        return t(f"metric.{name}")
    return t(f"measure.{name}") if name in get_args(MeasureName) else named(name, 40)
