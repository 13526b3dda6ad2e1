"""Learning curves: how train and validation figures move with more rounds, or with more rows.

    curve = Curve()
    curve.add({"round": 1, "train:logloss": 0.61, "validation:logloss": 0.63})
    curve.thinned()                                  # {"round": (1.0, …), …}, at most `POINTS` points

    for size, score in fits_by_rows(task, fit): …    # five fits on growing parts of the training rows

The axis is ``round`` (boosting) or ``rows`` (forests and linear methods); every other name is a figure of `fitting.measure`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlops_core.algorithms.fitting import Array, FitTask, measure, named

POINTS = 200
PARTS = 4
LARGEST_PART = 200_000
PART_BYTES = 1 << 28
LEAST_ROWS = 16
TRAIN_ROWS = 20_000
Scorer = Callable[[Array], Array]
Fit = Callable[[Array, Array], Scorer]


class Curve:
    """Points in order, each with the same names."""

    def __init__(self, values: dict[str, list[float]] | None = None) -> None:
        self.values = values or {}

    def add(self, point: dict[str, float]) -> None:
        """One more point."""
        for name, value in point.items():
            self.values.setdefault(name, []).append(value)

    def thinned(self, keep: int | None = None) -> dict[str, tuple[float, ...]]:
        """At most `POINTS` points, evenly, the last one and the one at index ``keep`` always among them."""
        length = len(next(iter(self.values.values()), []))
        chosen = sorted({*np.linspace(0, length - 1, min(length, POINTS)).astype(int).tolist(), *([keep] if keep is not None else [])})
        return {name: tuple(values[index] for index in chosen) for name, values in self.values.items()}


def by_rows(task: FitTask, fit: Fit, final: Scorer, *, validation: tuple[Array, Array]) -> dict[str, tuple[float, ...]]:
    """The curve over a sixteenth, an eighth, a quarter, a half (at most 200,000 rows) and all of the training rows.

    Parts are nested and drawn by the seed; train figures are those of at most 20,000 rows of the part.  ``final`` scores as the model of
    all rows does; its figures close the curve.  Every point is told as progress.
    """
    matrix, target, sizes = _parts(task)
    curve = Curve()
    for size in [*sizes, task.train.rows]:
        score = final if size == task.train.rows else fit(matrix[:size], target[:size])
        shown = min(size, len(target), TRAIN_ROWS)
        figures = named("train", measure(task.task, target[:shown], score(matrix[:shown])))
        figures |= named("validation", measure(task.task, validation[1], score(validation[0])))
        curve.add({"rows": float(size)} | figures)
        task.progress(figures)
    return _same_length(curve)


def _same_length(curve: Curve) -> dict[str, tuple[float, ...]]:
    """Without the figures that some part could not have (the area under the curve of one class)."""
    length = len(curve.values["rows"])
    return {name: tuple(values) for name, values in curve.values.items() if len(values) == length}


def _parts(task: FitTask) -> tuple[Array, Array, list[int]]:
    """The rows of the largest part in a random order (smaller parts are its beginnings), and the sizes in ascending order."""
    rows, width = task.train.rows, max(1, len(task.train.names))
    largest = min(rows // 2, LARGEST_PART, PART_BYTES // (4 * width))
    sizes = sorted({largest >> step for step in range(PARTS)} - set(range(LEAST_ROWS)))
    place = np.random.default_rng(task.seed).permutation(rows)
    kept = max(largest, min(rows, LEAST_ROWS))
    matrix, target, start = np.empty((kept, width), dtype=np.float32), np.empty(kept), 0
    for piece, values in task.train.batches():
        where = place[start : start + len(values)]
        chosen = where < kept
        matrix[where[chosen]], target[where[chosen]] = piece[chosen], values[chosen]
        start += len(values)
    return matrix, target, sizes
