"""Linear regression: least squares, ridge, lasso and elastic net.

    fitted = fit(FitTask(...))

The method is `least_squares`: exact in double precision, rows read in pieces, collinear columns share their weight.  The weights digest is
SHA-256 over the weights for raw features.
"""

from __future__ import annotations

import importlib

import numpy as np

from mlops_core.algorithms.fitting import Array, FitTask, Fitted
from mlops_core.algorithms.learning_curve import Scorer, by_rows
from mlops_core.algorithms.least_squares import Line, Pieces, Standard, factor, pieces_of, sliced, solve, standardise
from mlops_core.algorithms.linear_graph import LinearModel, check_filled, nodes, one_thread


def load() -> None:
    """Import the library, so that the seconds of a fit hold the fit alone."""
    importlib.import_module("sklearn.linear_model")


def fit(task: FitTask) -> Fitted:
    """Train and score the validation rows; progress is told at most five times."""
    with one_thread():
        return _fit(task)


def _fit(task: FitTask) -> Fitted:
    model, line = _solved(task, pieces_of(task.train))
    validation = task.validation.dense()

    def part(matrix: Array, target: Array) -> Scorer:
        return _solved(task, sliced(matrix, target))[0].margins

    return Fitted(
        scores=model.margins(validation[0]),
        weights_digest=model.digest,
        nodes=lambda: nodes(model, "Identity"),
        learning_curve=by_rows(task, part, model.margins, validation=validation),
        libraries=("scikit-learn", "scipy"),
        rounds=line.steps,
        converged=line.converged,
    )


def _solved(task: FitTask, pieces: Pieces) -> tuple[LinearModel, Line]:
    standard = standardise(pieces)
    check_filled(task, standard)
    given = task.hyperparameters
    line = solve(factor(pieces, standard), rows=standard.rows, alpha=float(given["alpha"]), l1_ratio=float(given["l1_ratio"]))
    return unscaled(line, standard), line


def unscaled(line: Line, standard: Standard) -> LinearModel:
    """The model in the target's own unit."""
    scale = standard.target_scale or 1.0
    constants = np.array([standard.target_mean + scale * line.constant])
    return LinearModel.unfolded((line.weights * scale).reshape(-1, 1), constants, standard)
