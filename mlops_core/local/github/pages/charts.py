"""Line charts as inline SVG, without script.

    line_chart([Series("loss", [(0.0, 1.5), (60.0, 1.1)])], limits=[1.0])

Points are (seconds since the epoch, value).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup, escape

SHADES = 6
_WIDTH, _HEIGHT = 480, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 26


@dataclass(frozen=True)
class Series:
    """One line."""

    label: str
    points: list[tuple[float, float]]


def line_chart(series: list[Series], limits: list[float]) -> Markup:
    """The chart; dashed lines mark ``limits``.  Without any point it says so."""
    points = [point for line in series for point in line.points]
    if not points:
        return Markup('<p class="blank">No data in the last three hours.</p>')
    times = _span([when for when, _ in points], 60)
    values = _round(_span([0.0, *(value for _, value in points), *limits], 1))
    parts = [_grid(times, values)]
    parts += [
        f'<line class="limit" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_y(limit, values)}" y2="{_y(limit, values)}"/>' for limit in limits
    ]
    parts += [_line(line, number % SHADES, times, values) for number, line in enumerate(series)]
    names = escape(", ".join(line.label for line in series))
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Line chart of {names}">'
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704 - numbers and escaped names only


def _span(values: list[float], least: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    return low, max(high, low + least if high == low else high)


def _round(values: tuple[float, float]) -> tuple[float, float]:
    """A wider span whose quarters are 1, 2, 2.5 or 5 times a power of ten."""
    quarter = (values[1] - values[0]) / 4
    power = 10.0 ** math.floor(math.log10(quarter))
    for factor in (1, 2, 2.5, 5, 10, 20):
        low = math.floor(values[0] / (factor * power) + 1e-9) * factor * power
        if low + 4 * factor * power >= values[1] * (1 - 1e-9):
            break
    return low, low + 4 * factor * power


def _x(when: float, times: tuple[float, float]) -> float:
    return round(_LEFT + (when - times[0]) / (times[1] - times[0]) * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(value: float, values: tuple[float, float]) -> float:
    return round(_HEIGHT - _BOTTOM - (value - values[0]) / (values[1] - values[0]) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _line(line: Series, shade: int, times: tuple[float, float], values: tuple[float, float]) -> str:
    dots = [(_x(when, times), _y(value, values), value) for when, value in sorted(line.points)]
    path = " ".join(f"{x},{y}" for x, y, _ in dots)
    marks = "".join(f'<circle class="point" cx="{x}" cy="{y}" r="2.5"><title>{value:g}</title></circle>' for x, y, value in dots)
    return f'<g class="s{shade}"><polyline class="series" points="{path}"/>{marks}</g>'


def _grid(times: tuple[float, float], values: tuple[float, float]) -> str:
    parts = []
    for step in range(5):
        value = values[0] + (values[1] - values[0]) * step / 4
        y = _y(value, values)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{value:,.4g}</text>')
    for when, anchor in ((times[0], "start"), (times[1], "end")):
        clock = datetime.fromtimestamp(when, UTC).strftime("%H:%M")
        parts.append(f'<text x="{_x(when, times)}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{clock} UTC</text>')
    return "".join(parts)
