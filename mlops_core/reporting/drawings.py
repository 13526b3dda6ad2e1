"""Small vector drawings for the HTML report: numbers in, SVG coordinates out, colours by style sheet.

curve_points(curve.x, curve.y)          # "20.0,300.0 …" in a 320 x 320 box
histogram(values, bins=40)              # bars with left, width, height in percent
density(measured, predicted)            # squares with opacity
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BOX = 320
_LEFT, _TOP, _SIDE = 40, 10, 270


@dataclass(frozen=True)
class Bar:
    """One bar in box coordinates with what it counts, for its tooltip."""

    x: float
    y: float
    width: float
    height: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Square:
    """One cell of a density in box coordinates; ``share`` (0 … 1) is its opacity."""

    x: float
    y: float
    side: float
    share: float
    count: int


def place(x: float, y: float) -> tuple[float, float]:
    """A point of the unit square in box coordinates, y upwards."""
    return _LEFT + x * _SIDE, _TOP + (1 - y) * _SIDE


def curve_points(xs: Sequence[float], ys: Sequence[float]) -> str:
    """A polyline's points."""
    return " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in zip(xs, ys, strict=True))


def histogram(values: Array, *, low: float, high: float, bins: int = 40) -> list[Bar]:
    """Bars of the values clipped to low … high; the tallest fills the box."""
    span = (high - low) or 1.0
    counts, edges = np.histogram(np.clip(values, low, high), bins=bins, range=(low, low + span))
    top = max(1, int(counts.max()))
    bars = []
    for number, count in enumerate(counts):
        height = count / top
        x, y = place(number / bins, height)
        bars.append(Bar(x, y, _SIDE / bins * 0.92, height * _SIDE, float(edges[number]), float(edges[number + 1]), int(count)))
    return bars


def density(measured: Array, predicted: Array, *, low: float, high: float, bins: int = 45) -> list[Square]:
    """Measured (across) against predicted (up) as squares; opacity grows with the logarithm of the count."""
    span = (high - low) or 1.0
    counts, _, _ = np.histogram2d(measured, predicted, bins=bins, range=((low, low + span), (low, low + span)))
    top = np.log1p(counts.max())
    squares = []
    for across, up in np.argwhere(counts > 0):
        x, y = place(across / bins, (up + 1) / bins)
        share = float(0.15 + 0.85 * np.log1p(counts[across, up]) / top)
        squares.append(Square(x, y, _SIDE / bins, share, int(counts[across, up])))
    return squares


def percent(value: float, low: float, high: float) -> float:
    """Where a value lies between two others, 0 … 100."""
    return float(np.clip(100 * (value - low) / ((high - low) or 1.0), 0, 100))
