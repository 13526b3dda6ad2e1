"""The tables of the quality benchmark that are not files already: halves of a public set, and what scikit-learn bundles.

path = table("bike 2011", data=FOLDER, out=scratch)
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

BUNDLED = ("breast_cancer", "iris", "wine", "digits")


def table(name: str, *, data: Path, out: Path) -> Path | None:
    """The file of a table, made below ``out`` where it is made here; None when a set is missing from the folder of data sets."""
    if name in BUNDLED:
        return _kept(out / f"{name}.csv", lambda: _bundled(name))
    if name in PARTS:
        source, rows = PARTS[name]
        whole = data / source / "data.csv"
        return _kept(out / f"{name.replace(' ', '-')}.csv", lambda: _part(whole, rows)) if whole.exists() else None
    return next((path for path in (data / name / "data.csv", data / name / "data.csv.gz") if path.exists()), None)


def _kept(path: Path, rows: Callable[[], Iterable[Sequence[object]]]) -> Path:
    if not path.exists():
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows())
    return path


def _bundled(name: str) -> list[list[object]]:
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    header = [str(column).replace(" ", "_") for column in found.feature_names]
    labels = [str(label) for label in found.target_names]
    return [[*header, "target"], *([*row, labels[label]] for row, label in zip(found.data.tolist(), found.target.tolist(), strict=True))]


def _part(whole: Path, rows: slice) -> list[list[str]]:
    with whole.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    return [header, *lines[rows]]


PARTS = {
    "bike 2011": ("bike_sharing", slice(0, 8645)),
    "bike 2012": ("bike_sharing", slice(8645, None)),
    "elec2 first": ("elec2", slice(0, 31_718)),
    "elec2 last": ("elec2", slice(31_718, None)),
}
"""Part -> (set, which rows): the two years of the bike rentals; the first 70 % and the last 30 % of the electricity prices."""
