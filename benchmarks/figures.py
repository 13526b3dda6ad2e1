"""A measured figure beside its bar, and the tables and files that keep them.

figure = Figure("adult, XGBoost: accuracy", 0.8722, at_least=0.868)
print(table([figure]))
keep("bars", [figure], folder=Path("build/bench"))
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measurement; without a bar it is told for information."""

    name: str
    measured: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return (self.at_least is None or self.measured >= self.at_least) and (self.at_most is None or self.measured <= self.at_most)

    @property
    def bar(self) -> str:
        """The bar in words."""
        if self.at_least is not None:
            return f"≥ {shown(self.at_least)}"
        return f"≤ {shown(self.at_most)}" if self.at_most is not None else ""


def shown(value: float) -> str:
    """A number for people."""
    if not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table."""
    rows = [
        (each.name, each.bar, f"{shown(each.measured)} {each.unit}".strip(), "" if each.met else "MISSED", each.note) for each in figures
    ]
    lines = ["| figure | bar | measured | | note |", "| :-- | --: | --: | :-- | :-- |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def keep(name: str, figures: Sequence[Figure], *, folder: Path) -> Path:
    """Write the figures with the machine they were measured on to ``FOLDER/NAME.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    load = os.getloadavg()
    document = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version(), "load": load},
        "figures": [asdict(each) | {"met": each.met} for each in figures],
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
