"""Logistic regression for two and for many classes, with an L2 penalty.

    fitted = fit(FitTask(...))

Minimises the mean logarithmic loss of the rows plus |w|² / (2·C·N) over standardised features: the optimum of scikit-learn's
``LogisticRegression(C=…)`` (a test compares them), found by the solver that it calls, L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995).  Two
things differ: rows are read in pieces, so memory stays bounded; and the solver walks in coordinates in which Böhning's bound of the
Hessian (1992) is round, so correlated columns take tens of steps instead of thousands.  Constants carry no penalty.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_core.algorithms.fitting import Array, FitTask, Fitted
from mlops_core.algorithms.learning_curve import Scorer, by_rows
from mlops_core.algorithms.least_squares import KEPT_BYTES, Pieces, Standard, pieces_of, sliced, standardise
from mlops_core.algorithms.linear_graph import LinearModel, check_filled, nodes, one_thread
from mlops_core.algorithms.weights import class_weights, row_weights

GRADIENT = 1e-7
GAIN = 1e-8
"""Loss per row, in nats, that a step must gain: classes that lines separate well would be fitted for hundreds of steps more."""
GRADIENT_OF_PART = 1e-3
STEPS_OF_PART = 50


def load() -> None:
    """Import the library, so that the seconds of a fit hold the fit alone."""
    importlib.import_module("scipy.optimize")


def fit(task: FitTask) -> Fitted:
    """Train and score the validation rows; progress is told at most five times."""
    with one_thread():
        return _fit(task)


def _fit(task: FitTask) -> Fitted:
    weights = class_weights(task)
    steps = int(task.hyperparameters["max_iter"])
    solution = _solved(task, pieces_of(task.train), weights, steps=steps, gradient=GRADIENT)
    validation = task.validation.dense()

    def part(matrix: Array, target: Array) -> Scorer:
        found = _solved(task, sliced(matrix, target), weights, steps=min(steps, STEPS_OF_PART), gradient=GRADIENT_OF_PART)
        return lambda rows: _scores(found.model, rows, task)

    return Fitted(
        scores=_scores(solution.model, validation[0], task),
        weights_digest=solution.model.digest,
        nodes=lambda: nodes(solution.model, "Softmax" if task.task == "multiclass" else "Sigmoid"),
        learning_curve=by_rows(task, part, lambda rows: _scores(solution.model, rows, task), validation=validation),
        libraries=("scikit-learn", "scipy"),
        rounds=solution.steps,
        converged=solution.converged,
    )


@dataclass(frozen=True)
class Solution:
    """A model for raw features and how the solver ended."""

    model: LinearModel
    steps: int
    converged: bool


def _scores(model: LinearModel, matrix: Array, task: FitTask) -> Array:
    from scipy.special import expit, softmax

    margins = model.margins(matrix)
    return np.asarray(softmax(margins, axis=1) if task.task == "multiclass" else expit(margins))


def _solved(task: FitTask, pieces: Pieces, weights: dict[int, float] | None, *, steps: int, gradient: float) -> Solution:
    from scipy.optimize import minimize

    standard = standardise(pieces)
    check_filled(task, standard)
    outputs = task.classes if task.task == "multiclass" else 1
    penalty = 1.0 / (float(task.hyperparameters["C"]) * standard.rows)
    scaled = _scaled(pieces, standard)
    walk = _coordinates(scaled, standard, penalty=penalty, curvature=0.5 if outputs > 1 else 0.25)
    loss = Loss(scaled, standard.rows, walk, outputs=outputs, penalty=penalty, weights=weights)
    options: dict[str, Any] = {"maxiter": steps, "maxfun": 20 * steps, "maxcor": 20, "gtol": gradient, "ftol": GAIN}
    found = minimize(loss, np.zeros(walk.shape[1] * outputs), jac=True, method="L-BFGS-B", options=options)
    raw = walk @ found.x.reshape(-1, outputs)
    return Solution(LinearModel.unfolded(raw[:-1], raw[-1], standard), int(found.nit), bool(found.success))


def _scaled(pieces: Pieces, standard: Standard) -> Pieces:
    """Passes over standardised features; what fits into 1.5 GiB as double precision is standardised once."""
    if standard.rows * len(standard.mean) * 8 > KEPT_BYTES:
        return lambda: ((standard.features(matrix), target) for matrix, target in pieces())
    kept = [(standard.features(matrix), target) for matrix, target in pieces()]
    return lambda: kept


def _coordinates(pieces: Pieces, standard: Standard, *, penalty: float, curvature: float) -> Array:
    """The matrix [F + 1, F + 1] from the solver's coordinates to weights and constant (last row)."""
    width = len(standard.mean)
    products = np.zeros((width, width))
    for features, _ in pieces():
        products += features.T @ features
    values, vectors = np.linalg.eigh(products)
    round_ = vectors / np.sqrt(curvature * np.maximum(values, 0.0) / standard.rows + penalty)
    whole = np.zeros((width + 1, width + 1))
    whole[:width, :width] = round_
    whole[width, width] = 1 / np.sqrt(curvature)
    return whole


@dataclass(frozen=True)
class Loss:
    """The value and the gradient at solver coordinates [(F + 1)·K]; one pass over the pieces a call, in their order."""

    pieces: Pieces
    rows: int
    walk: Array
    outputs: int
    penalty: float
    weights: dict[int, float] | None

    def __call__(self, place: Array) -> tuple[float, Array]:
        at = self.walk @ place.reshape(-1, self.outputs)
        value, slope = 0.0, np.zeros_like(at)
        for features, target in self.pieces():
            counted = row_weights(self.weights, target)
            losses, errors = self._rows(features @ at[:-1] + at[-1], target.astype(np.intp))
            if counted is not None:
                losses, errors = losses * counted, errors * counted[:, None]
            value += float(losses.sum())
            slope[:-1] += features.T @ errors
            slope[-1] += errors.sum(axis=0)
        value = value / self.rows + 0.5 * self.penalty * float((at[:-1] ** 2).sum())
        slope /= self.rows
        slope[:-1] += self.penalty * at[:-1]
        return value, (self.walk.T @ slope).ravel()

    def _rows(self, margins: Array, target: Array) -> tuple[Array, Array]:
        """Loss [N] and its derivative by the margins [N, K] of each row."""
        if self.outputs == 1:
            margin = margins[:, 0]
            errors = 1.0 / (1.0 + np.exp(-np.clip(margin, -700, 700))) - target
            return np.logaddexp(0.0, margin) - target * margin, errors[:, None]
        places = np.arange(len(target))
        shifted = margins - margins.max(axis=1, keepdims=True)
        shares = np.exp(shifted)
        totals = shares.sum(axis=1)
        shares /= totals[:, None]
        losses = np.log(totals) - shifted[places, target]
        shares[places, target] -= 1.0
        return losses, shares
