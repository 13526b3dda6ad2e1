"""Trees as one ONNX TreeEnsembleRegressor (ai.onnx.ml 3), built from arrays.

    node = tree_ensemble(trees, targets=1, source=FEATURES, output="mlops/margin")

One builder for boosted trees and forests: libraries' own converters are wrong for some models and slow for large forests.
A node that asks ``x < value`` (boosting) is BRANCH_LT, ``x <= value`` (forest) BRANCH_LEQ; missing follows ``missing_left``.
The regressor form serves classification too (one target per class): the label rule is ours and comes after the scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from onnx import AttributeProto, NodeProto

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Trees:
    """All nodes of all trees, in tree order; arrays of equal length except the leaf ones.

    ``left`` and ``right`` are node numbers within the tree, -1 at leaves.  Leaf arrays: one entry per leaf and target.
    """

    tree: Array
    node: Array
    feature: Array
    threshold: Array
    left: Array
    right: Array
    missing_left: Array
    leaf_tree: Array
    leaf_node: Array
    leaf_target: Array
    leaf_weight: Array
    branch: Literal["BRANCH_LT", "BRANCH_LEQ"]


def tree_ensemble(trees: Trees, *, targets: int, source: str, output: str) -> NodeProto:
    """The node that sums the leaves of all trees per target, in float32 and in tree order (one intra-op thread)."""
    node = NodeProto(op_type="TreeEnsembleRegressor", domain="ai.onnx.ml", input=[source], output=[output])
    leaf = trees.left < 0
    _ints(node, "n_targets", targets)
    _ints(node, "nodes_treeids", trees.tree)
    _ints(node, "nodes_nodeids", trees.node)
    _ints(node, "nodes_featureids", np.where(leaf, 0, trees.feature))
    _ints(node, "nodes_truenodeids", np.where(leaf, 0, trees.left))
    _ints(node, "nodes_falsenodeids", np.where(leaf, 0, trees.right))
    _ints(node, "nodes_missing_value_tracks_true", np.where(leaf, 0, trees.missing_left))
    _ints(node, "target_treeids", trees.leaf_tree)
    _ints(node, "target_nodeids", trees.leaf_node)
    _ints(node, "target_ids", trees.leaf_target)
    _floats(node, "nodes_values", np.where(leaf, 0, trees.threshold))
    _floats(node, "target_weights", trees.leaf_weight)
    names = np.array([trees.branch.encode(), b"LEAF"], dtype=object)
    node.attribute.append(AttributeProto(name="nodes_modes", type=AttributeProto.STRINGS, strings=names[leaf.astype(np.intp)].tolist()))
    node.attribute.append(AttributeProto(name="aggregate_function", type=AttributeProto.STRING, s=b"SUM"))
    node.attribute.append(AttributeProto(name="post_transform", type=AttributeProto.STRING, s=b"NONE"))
    return node


def _ints(node: NodeProto, name: str, values: Array | int) -> None:
    if isinstance(values, int):
        node.attribute.append(AttributeProto(name=name, type=AttributeProto.INT, i=values))
    else:
        node.attribute.append(AttributeProto(name=name, type=AttributeProto.INTS, ints=values.astype(np.int64).tolist()))


def _floats(node: NodeProto, name: str, values: Array) -> None:
    node.attribute.append(AttributeProto(name=name, type=AttributeProto.FLOATS, floats=values.astype(np.float32).tolist()))
