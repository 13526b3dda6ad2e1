"""XGBoost's JSON model to ONNX nodes whose margins are bit-identical.

    nodes = model_nodes(json.loads(booster.save_raw("json")))

Three rules, each measured: the base score goes into the leaves of each class's first tree (float32 sums then run in the library's own
order), never into ``base_values``; the base of a logit is the float32 of a float64 logarithm; missing values follow ``default_left``.
Covers numeric splits of gbtree with scalar leaves, which is all our training makes; anything else is refused.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
from onnx import helper

from mlops_core.algorithms.ensemble import Array, Trees, tree_ensemble
from mlops_core.errors import Defect
from mlops_core.features.graph import FEATURES, SCORE

MARGIN = "mlops/margin"
_ARRAYS = tuple(field.name for field in fields(Trees) if field.name != "branch")
_FINAL = {"binary:logistic": "Sigmoid", "multi:softprob": "Softmax", "reg:squarederror": "Identity"}


def model_nodes(model: dict[str, Any]) -> list[Any]:
    """The tree ensemble and the function that turns its margin into the score."""
    learner = model["learner"]
    objective = learner["objective"]["name"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree" or objective not in _FINAL:
        raise Defect(f"no ONNX form is known for the booster {booster['name']} with the objective {objective}.", code="E-TRAIN-003")
    targets = max(1, int(learner["learner_model_param"]["num_class"]))
    trees = booster["model"]
    packed = _pack(trees["trees"], np.array(trees["tree_info"]), base=_base(learner, objective, targets))
    attributes: dict[str, Any] = {"axis": 1} if objective == "multi:softprob" else {}
    final = helper.make_node(_FINAL[objective], [MARGIN], [SCORE], **attributes)
    return [tree_ensemble(packed, targets=targets, source=FEATURES, output=MARGIN), final]


def _base(learner: dict[str, Any], objective: str, targets: int) -> Array:
    """The base margin per class."""
    text = learner["learner_model_param"]["base_score"].strip("[]")
    values = [np.float32(part) for part in text.split(",")]
    if objective == "binary:logistic":
        values = [np.float32(-math.log(1.0 / float(value) - 1.0)) for value in values]
    return np.array(values * targets if len(values) == 1 else values, dtype=np.float32)


def _pack(trees: list[dict[str, Any]], groups: Array, *, base: Array) -> Trees:
    columns: dict[str, list[Array]] = {name: [] for name in _ARRAYS}
    started: set[int] = set()
    for number, tree in enumerate(trees):
        if any(tree.get("split_type", [])):
            raise Defect("a split on categories has no place in a model trained on numbers.", code="E-TRAIN-003")
        group = int(groups[number])
        left = np.array(tree["left_children"])
        values = np.array(tree["split_conditions"], dtype=np.float32)
        leaves = np.flatnonzero(left < 0)
        weights = values[leaves]
        if group not in started:
            started.add(group)
            weights = base[group] + weights
        _extend(columns, number, left=left, tree=tree, values=values)
        columns["leaf_tree"].append(np.full(len(leaves), number))
        columns["leaf_node"].append(leaves)
        columns["leaf_target"].append(np.full(len(leaves), group))
        columns["leaf_weight"].append(weights)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return Trees(**joined, branch="BRANCH_LT")


def _extend(columns: dict[str, list[Array]], number: int, *, left: Array, tree: dict[str, Any], values: Array) -> None:
    columns["tree"].append(np.full(len(left), number))
    columns["node"].append(np.arange(len(left)))
    columns["feature"].append(np.array(tree["split_indices"]))
    columns["threshold"].append(values)
    columns["left"].append(left)
    columns["right"].append(np.array(tree["right_children"]))
    columns["missing_left"].append(np.array(tree["default_left"]))
