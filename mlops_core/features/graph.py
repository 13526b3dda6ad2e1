"""A FeatureSpec as an ONNX graph that starts from typed columns, and the whole model file around it.

    model = assemble(spec, model_nodes)       # bytes: inputs one per column [N,1], outputs `score` and `label`

Inputs are float64, int64 or string tensors [N,1] named by `typing.input_name`.  Missing is NaN, `MISSING_INT64` or the empty string.
Numeric columns are concatenated first, so their number does not change the number of nodes; text goes through one LabelEncoder each
(unknown text -1, missing the fill's index) and a comparison with 0…K-1, which gives all zeros for unknown text.
Opset 21, ai.onnx.ml 3, IR 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from mlops_core.contracts.dataset import CategoricalColumn, FeatureSpec, NumericColumn
from mlops_core.features.sql import FLOAT32_MAX
from mlops_core.features.typing import MISSING_INT64, input_name

FEATURES = "mlops/features"
SCORE = "score"
LABEL = "label"
OPSETS = {"": 21, "ai.onnx.ml": 3}
IR_VERSION = 10


@dataclass
class Part:
    """Nodes and constants of a piece of a graph; `node` and `constant` name their own tensors."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, value: np.ndarray[Any, Any]) -> str:
        name = f"mlops/c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operation: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its one output."""
        name = output or f"mlops/t{len(self.nodes)}"
        domain = "ai.onnx.ml" if operation == "LabelEncoder" else ""
        self.nodes.append(helper.make_node(operation, list(inputs), [name], domain=domain, **attributes))
        return name


def assemble(spec: FeatureSpec, model_nodes: Sequence[NodeProto], producer: str = "mlops") -> bytes:
    """The model file: features, then ``model_nodes`` (from `FEATURES` to `SCORE`), then the label rule."""
    part = feature_part(spec)
    part.nodes.extend(model_nodes)
    width = len(spec.labels) if spec.task == "multiclass" else 1
    outputs = [helper.make_tensor_value_info(SCORE, TensorProto.FLOAT, [None, width])]
    if spec.task != "regression":
        _label(part, spec)
        outputs.append(helper.make_tensor_value_info(LABEL, TensorProto.INT64, [None, 1]))
    return bytes(_model(part, _inputs(spec), outputs, producer).SerializeToString(deterministic=True))


def feature_model(spec: FeatureSpec) -> bytes:
    """The features alone as a model file with the output ``features`` [N,F]: for checks against SQL."""
    part = feature_part(spec)
    part.node("Identity", FEATURES, output="features")
    outputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, None])]
    return bytes(_model(part, _inputs(spec), outputs, "mlops").SerializeToString(deterministic=True))


def feature_part(spec: FeatureSpec) -> Part:
    """The nodes that lead from the typed columns to `FEATURES` [N,F] float32."""
    part = Part()
    blocks = [_numeric(part, spec.numeric)] if spec.numeric else []
    if spec.categorical:
        flags = [_one_hot(part, column) for column in spec.categorical]
        joined = part.node("Concat", *flags, axis=1) if len(flags) > 1 else flags[0]
        blocks.append(part.node("Cast", joined, to=TensorProto.FLOAT))
    if len(blocks) > 1:
        part.node("Concat", *blocks, output=FEATURES, axis=1)
    else:
        part.node("Identity", blocks[0], output=FEATURES)
    return part


def _numeric(part: Part, columns: tuple[NumericColumn, ...]) -> str:
    value = _stacked(part, columns)
    fills = np.array([np.nan if column.fill is None else column.fill for column in columns])
    value = part.node("Where", part.node("IsNaN", value), part.constant(fills), value)
    means, scales = np.array([column.mean for column in columns]), np.array([column.scale for column in columns])
    if (means != 0).any() or (scales != 1).any():
        value = part.node("Div", part.node("Sub", value, part.constant(means)), part.constant(scales))
    cut = part.node("Clip", value, part.constant(np.array(-FLOAT32_MAX)), part.constant(np.array(FLOAT32_MAX)))
    if np.isnan(fills).any():
        cut = part.node("Where", part.node("IsNaN", value), value, cut)
    return part.node("Cast", cut, to=TensorProto.FLOAT)


def _stacked(part: Part, columns: tuple[NumericColumn, ...]) -> str:
    """All numeric columns [N,C] as double, in the order of the specification."""
    order = [index for kind in ("int64", "float64") for index, column in enumerate(columns) if column.type == kind]
    wholes = [input_name(column.name) for column in columns if column.type == "int64"]
    floats = [input_name(column.name) for column in columns if column.type == "float64"]
    blocks = []
    if wholes:
        whole = part.node("Concat", *wholes, axis=1)
        absent = part.node("Equal", whole, part.constant(np.array(MISSING_INT64)))
        blocks.append(part.node("Where", absent, part.constant(np.array(np.nan)), part.node("Cast", whole, to=TensorProto.DOUBLE)))
    if floats:
        blocks.append(part.node("Concat", *floats, axis=1))
    value = part.node("Concat", *blocks, axis=1) if len(blocks) > 1 else blocks[0]
    if order == sorted(order):
        return value
    return part.node("Gather", value, part.constant(np.argsort(np.array(order))), axis=1)


def _one_hot(part: Part, column: CategoricalColumn) -> str:
    keys = [*column.categories]
    values = list(range(len(keys)))
    if "" not in keys:
        keys.append("")
        values.append(column.categories.index(column.fill) if column.fill in column.categories else -1)
    code = part.node("LabelEncoder", input_name(column.name), keys_strings=keys, values_int64s=values, default_int64=-1)
    return part.node("Equal", code, part.constant(np.arange(len(column.categories))))


def _label(part: Part, spec: FeatureSpec) -> None:
    if spec.task == "multiclass":
        part.node("ArgMax", SCORE, output=LABEL, axis=1, keepdims=1, select_last_index=0)
        return
    positive = part.node("GreaterOrEqual", SCORE, part.constant(np.array(0.5, dtype=np.float32)))
    part.node("Cast", positive, output=LABEL, to=TensorProto.INT64)


def _inputs(spec: FeatureSpec) -> list[Any]:
    kinds = {"float64": TensorProto.DOUBLE, "int64": TensorProto.INT64}
    typed = [(column.name, kinds[column.type]) for column in spec.numeric]
    typed += [(column.name, TensorProto.STRING) for column in spec.categorical]
    return [helper.make_tensor_value_info(input_name(name), kind, [None, 1]) for name, kind in typed]


def _model(part: Part, inputs: list[Any], outputs: list[Any], producer: str) -> ModelProto:
    graph = helper.make_graph(part.nodes, "mlops", inputs, outputs, initializer=part.constants)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name=producer)
