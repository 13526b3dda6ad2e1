"""Vector drawings for the HTML pages: numbers in, SVG coordinates out; colours by style sheet, texts by the page's own fonts.

    plane = Plane(0, 1, 0, 1, square=True)
    Chart(title="…", alt="…", plane=plane, x_label="…", y_label="…", lines=(plane.line(xs, ys),))

Text stays text, so Japanese needs no font of ours and a screen reader finds it.  Ticks stand at 1, 2, 2.5 or 5 times a power of ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Ticks = tuple[tuple[float, str], ...]
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Rect:
    """A bar or a cell in box coordinates; ``kind`` is its class in the style sheet."""

    x: float
    y: float
    width: float
    height: float
    kind: str = "bar"
    opacity: float = 1.0
    title: str = ""


@dataclass(frozen=True)
class Line:
    """A polyline."""

    points: str
    kind: str = "curve"
    title: str = ""


@dataclass(frozen=True)
class Dot:
    """A point."""

    x: float
    y: float
    radius: float = 3.5
    kind: str = ""
    title: str = ""


@dataclass(frozen=True)
class Plane:
    """Where values lie in the box: ``left`` … ``right`` across, ``bottom`` … ``top`` upwards."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    square: bool = False

    @property
    def height(self) -> int:
        """Of the whole box."""
        return 340 if self.square else 250

    left, right, top, width = 54, 350, 8, 360

    @property
    def bottom(self) -> int:
        """Of the plane."""
        return self.height - 42

    def x(self, value: float) -> float:
        """Across; values beyond the ends stay at the ends."""
        return round(self.left + (self.right - self.left) * _place(value, self.x_low, self.x_high), 1)

    def y(self, value: float) -> float:
        """Upwards."""
        return round(self.bottom - (self.bottom - self.top) * _place(value, self.y_low, self.y_high), 1)

    def line(self, xs: Sequence[float], ys: Sequence[float], kind: str = "curve", title: str = "") -> Line:
        """A polyline through the points."""
        return Line(" ".join(f"{self.x(x)},{self.y(y)}" for x, y in zip(xs, ys, strict=True)), kind, title)

    def bar(self, low: float, high: float, value: float, *, kind: str = "bar", title: str = "") -> Rect:
        """A bar from the plane's foot up to a value, with a hair of air to its neighbour."""
        x, top = self.x(low), self.y(value)
        width = self.x(high) - x
        return Rect(x, top, round(max(0.5, width - min(1.0, width / 8)), 1), round(self.bottom - top, 1), kind=kind, title=title)

    def dot(self, x: float, y: float, *, radius: float = 3.5, kind: str = "", title: str = "") -> Dot:
        """A point."""
        return Dot(self.x(x), self.y(y), round(radius, 1), kind, title)

    @property
    def x_ticks(self) -> Ticks:
        """Places and labels below the plane."""
        return tuple((self.x(value), label) for value, label in ticks(self.x_low, self.x_high, most=5))

    @property
    def y_ticks(self) -> Ticks:
        """Places and labels left of the plane."""
        return tuple((self.y(value), label) for value, label in ticks(self.y_low, self.y_high, most=6))


@dataclass(frozen=True)
class Chart:
    """One drawing with its words; ``legend`` pairs a class of the style sheet with a text."""

    title: str
    alt: str
    plane: Plane
    x_label: str
    y_label: str
    note: str = ""
    rects: tuple[Rect, ...] = ()
    lines: tuple[Line, ...] = ()
    dots: tuple[Dot, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Label:
    """A word in a drawing; ``title`` is what it says in full."""

    x: float
    y: float
    text: str
    title: str = ""


@dataclass(frozen=True)
class HeatMap:
    """The lower half of a square of cells with its figures; names stand in the steps of the stairs, at the end of a row, above a column.

    The opacity of a cell is a share of the deepest colour on which its figure can still be read.
    """

    alt: str
    width: float
    height: float
    cells: tuple[Rect, ...]
    figures: tuple[Label, ...]
    names: tuple[Label, ...]


def merged(edges: Sequence[float], counts: Sequence[int], *, least: int) -> list[tuple[float, float, int]]:
    """Bins (low, high, rows) joined from left to right until each holds ``least`` rows; what is left over joins the last one."""
    found: list[tuple[float, float, int]] = []
    start, held = edges[0], 0
    for place, count in enumerate(counts):
        if not held and not count:
            start = edges[place + 1]
            continue
        held += count
        if held >= least:
            found.append((start, edges[place + 1], held))
            start, held = edges[place + 1], 0
    if held and found:
        low, high, rows = found[-1]
        last = max(edge for edge, count in zip(edges[1:], counts, strict=True) if count)
        found[-1] = (low, max(high, last), rows + held)
    return found


def ticks(low: float, high: float, *, most: int) -> list[tuple[float, str]]:
    """At most ``most`` round values from low to high with labels that tell them apart."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [(low, compact(low))]
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in _STEPS if power * factor >= raw * 0.999999)
    first = math.ceil(low / step - 1e-9)
    values = [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
    top = max((abs(value) for value in values), default=0.0)
    return [(value, compact(value, step, top)) for value in values]


def compact(value: float, step: float = 0.0, top: float = 0.0) -> str:
    """A number for an axis: ``0.25``, ``1,200``, ``45k``, ``1.5M``, ``2e-05``; ``step`` decides the places, ``top`` the letter of all."""
    size = max(abs(value), step, top)
    for limit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            scale = 1e3 if letter == "k" else limit
            return f"{_trim(value / scale, step / scale)}{letter}" if value else "0"
    return _trim(value, step) if size >= 1e-3 or not size else f"{value:.2g}"


def _trim(value: float, step: float) -> str:
    places = max(0, min(6, -math.floor(math.log10(step) - 1e-9))) if step else 3
    text = f"{value:,.{places + 1}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float, low: float, high: float) -> float:
    """Where a value lies between two others, 0 … 100."""
    return 100 * _place(value, low, high)


def _place(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / ((high - low) or 1.0)))
