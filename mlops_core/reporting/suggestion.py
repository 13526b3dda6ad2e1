"""What an operator could try next: a rule of thumb per method, never a promise.

suggestion(state).command      # '/retrain n_estimators=800 learning_rate=0.04'
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_core.algorithms.catalogue import ENTRIES, Hyperparameter
from mlops_core.contracts.request import Scalar
from mlops_core.contracts.run import RunState


@dataclass(frozen=True)
class Suggestion:
    """A command to copy and the message key of its reason."""

    command: str
    reason: str


_FACTORS: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    "xgboost": ("suggest.smaller_steps", (("n_estimators", 2.0), ("learning_rate", 0.5))),
    "logistic_regression": ("suggest.weaker_penalty", (("C", 10.0),)),
    "linear_regression": ("suggest.some_penalty", (("alpha", 10.0),)),
    "random_forest": ("suggest.deeper", (("n_estimators", 2.0), ("min_samples_leaf", 0.5))),
}


_FIRST = 0.001


def current_parameters(state: RunState) -> dict[str, Scalar]:
    """The parameters of the latest round: the request's, overlaid by every change since."""
    parameters = dict(state.request.hyperparameters)
    for item in state.rounds:
        parameters.update({change.name: change.after for change in item.changes})
    return parameters


def _scaled(parameter: Hyperparameter, now: Scalar, factor: float) -> str:
    number = float(now) if isinstance(now, int | float) else float(parameter.default)
    # Nothing times ten is nothing: a penalty that was off begins small.
    value = min(max(number * factor or _FIRST, parameter.low), parameter.high)
    return str(max(1, round(value))) if parameter.kind == "int" else f"{value:.4g}"


def suggestion(state: RunState) -> Suggestion:
    """A `/retrain` line that stays inside the catalogue's ranges."""
    name = state.algorithm or state.request.algorithm
    reason, factors = _FACTORS.get(name, _FACTORS["xgboost"])
    table = ENTRIES[name if name in _FACTORS else "xgboost"].hyperparameters
    now = current_parameters(state)
    pairs = [f"{key}={_scaled(table[key], now.get(key, table[key].default), factor)}" for key, factor in factors]
    return Suggestion("/retrain " + " ".join(pairs), reason)
