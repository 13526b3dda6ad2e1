"""A linear model as ONNX nodes in double precision, and what its training and its graph share.

    model = LinearModel.unfolded(weights, constant, standard)     # for raw features
    model.margins(matrix)                                          # float64 [N, K], as the graph computes them
    nodes(model, "Softmax")                                        # from `graph.FEATURES` to `graph.SCORE`

Single precision would lose 0.8 dollars of a house price, because weights of raw features cancel each other; the score is rounded last.
"""

from __future__ import annotations

import hashlib
import importlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from mlops_core.algorithms.fitting import Array, FitTask
from mlops_core.algorithms.least_squares import Standard, piece_rows
from mlops_core.errors import InvalidRequest
from mlops_core.features.graph import FEATURES, SCORE


@dataclass(frozen=True)
class LinearModel:
    """``margin = features @ weights + constants``: weights [F, K], constants [K], float64, K = 1 but for many classes."""

    weights: Array
    constants: Array

    @staticmethod
    def unfolded(weights: Array, constants: Array, standard: Standard) -> LinearModel:
        """The model for raw features of one for standardised features: the scaling goes into the weights."""
        raw = weights * standard.inverse[:, None]
        return LinearModel(raw, constants - standard.mean @ raw)

    def margins(self, matrix: Array) -> Array:
        """Margins of raw features, float64 [N, K], in pieces."""
        step = piece_rows(matrix.shape[1])
        parts = [matrix[start : start + step].astype(np.float64) @ self.weights for start in range(0, len(matrix), step)]
        return np.concatenate(parts or [np.zeros((0, len(self.constants)))]) + self.constants

    @property
    def digest(self) -> str:
        """SHA-256 over weights and constants as little-endian doubles, row by row."""
        whole = hashlib.sha256()
        for part in (self.weights, self.constants):
            whole.update(np.ascontiguousarray(part, dtype="<f8").tobytes())
        return whole.hexdigest()


def nodes(model: LinearModel, final: Literal["Identity", "Sigmoid", "Softmax"]) -> list[Any]:
    """The ONNX nodes: margins in double, the function that makes scores of them, and the rounding to single precision."""
    attributes: dict[str, Any] = {"axis": 1} if final == "Softmax" else {}
    return [
        _constant("mlops/weights", model.weights),
        _constant("mlops/constants", model.constants),
        helper.make_node("Cast", [FEATURES], ["mlops/double"], to=TensorProto.DOUBLE),
        helper.make_node("MatMul", ["mlops/double", "mlops/weights"], ["mlops/product"]),
        helper.make_node("Add", ["mlops/product", "mlops/constants"], ["mlops/margin"]),
        helper.make_node(final, ["mlops/margin"], ["mlops/exact"], **attributes),
        helper.make_node("Cast", ["mlops/exact"], [SCORE], to=TensorProto.FLOAT),
    ]


def _constant(name: str, values: Array) -> Any:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.ascontiguousarray(values), name))


def check_filled(task: FitTask, spread: Standard) -> None:
    """`InvalidRequest` (E-TRAIN-002) when a feature has missing values: a sum has no place for them."""
    if np.isnan(spread.mean).any():
        raise InvalidRequest(
            f"{'logistic' if task.task != 'regression' else 'linear'} regression needs a fill for every missing value.",
            remedy="Choose median, mean or mode.",
            code="E-TRAIN-002",
        )


def one_thread() -> AbstractContextManager[Any]:
    """Matrix products on one thread, so that sums, and with them the weights digest, do not depend on the machine's cores.

    Pieces are narrow: a second thread waits more than it works (a factorisation takes three times as long on a machine that others use).
    """
    limits: Any = importlib.import_module("threadpoolctl")
    return cast("AbstractContextManager[Any]", limits.threadpool_limits(1))
