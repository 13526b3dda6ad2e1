"""Numbers, times and small drawings as text.

figure(0.92761)                     # '0.9276'
duration("…T10:00:00Z", "…T10:01:23Z")   # 83.0 seconds
spark([0.5, 0.7, 0.8])              # '▁▅█'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from mlops_core.contracts.verdict import Interval

_BLOCKS = "▁▂▃▄▅▆▇█"
ROUNDING = 1e-12
"""What is nearer to nothing is the rest of a subtraction."""


def figure(value: float) -> str:
    """Four significant places or so, with thousands separators: 0.9276, 12.35, 47,231.4."""
    size = abs(value) if abs(value) > ROUNDING else 0.0
    if size >= 1_000_000:
        return f"{value:,.0f}"
    if size >= 1000:
        return f"{value:,.1f}"
    if size >= 10:
        return f"{value:.2f}"
    if size >= 0.001 or size == 0:
        return f"{value if size else 0.0:.4f}"
    return f"{value:.3g}"


def number(value: float) -> str:
    """A value of the data: whole numbers without places (``17``, ``1,500``), others as `figure` shows them."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else figure(value)


def day(seconds: float) -> str:
    """A moment of the data, in seconds since 1970, as its date (UTC)."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%d")


def interval(value: Interval) -> str:
    """``0.9276 (0.9240–0.9311)``: the figure with its 95 % interval."""
    return f"{figure(value.value)} ({figure(value.low)}–{figure(value.high)})"


def moment(stamp: str) -> datetime:
    """A contract's time stamp as an aware datetime."""
    return datetime.fromisoformat(stamp)


def duration(start: str, end: str) -> float:
    """Seconds between two stamps, never negative."""
    return max(0.0, (moment(end) - moment(start)).total_seconds())


def span(seconds: float) -> str:
    """``0.4 s``, ``42 s``, ``3 min 05 s``, ``2 h 14 min``: units that English and Japanese readers share."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def dollars(value: float) -> str:
    """``$0.0042`` below a dollar, ``$12.34`` above."""
    return f"${value:.4f}" if value < 1 else f"${value:,.2f}"


def spark(values: Sequence[float], width: int = 24) -> str:
    """A line of blocks from the least to the greatest of the last values; empty for fewer than three."""
    recent = [value for value in values if math.isfinite(value)][-width:]
    if len(recent) < 3:
        return ""
    low, high = min(recent), max(recent)
    if high == low:
        return _BLOCKS[0] * len(recent)
    return "".join(_BLOCKS[round((value - low) / (high - low) * (len(_BLOCKS) - 1))] for value in recent)
