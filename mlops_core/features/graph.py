"""A FeatureSpec as an ONNX graph that starts from typed columns, and the whole model file around it.

    model = assemble(spec, model_nodes)       # bytes: inputs one per column [N,1], outputs `score` and `label`

Inputs are float64, int64 or string tensors [N,1] named by `typing.input_name`.  Missing is NaN, `MISSING_INT64` or the empty string.
`blocks` builds the features; what selection left out is not computed where a whole column is out, and gathered away elsewhere.
Opset 21, ai.onnx.ml 3, IR 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from mlops_core.contracts.dataset import FeatureSpec
from mlops_core.features.blocks import Part, number_block, text_block
from mlops_core.features.sql import places, width
from mlops_core.features.typing import input_name

FEATURES = "mlops/features"
SCORE = "score"
LABEL = "label"
OPSETS = {"": 21, "ai.onnx.ml": 3}
IR_VERSION = 10


def assemble(spec: FeatureSpec, model_nodes: Sequence[NodeProto], producer: str = "mlops") -> bytes:
    """The model file: features, then ``model_nodes`` (from `FEATURES` to `SCORE`), then the label rule."""
    part = feature_part(spec)
    part.nodes.extend(model_nodes)
    columns = len(spec.labels) if spec.task == "multiclass" else 1
    outputs = [helper.make_tensor_value_info(SCORE, TensorProto.FLOAT, [None, columns])]
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
    wanted = list(places(spec))
    numbers = len(spec.numeric) + len(spec.derived)
    made: list[int] = []
    blocks: list[str] = []
    if numbers and wanted[0] < numbers:
        blocks.append(number_block(part, spec))
        made.extend(range(numbers))
    start, chosen, kept = numbers, [], set(wanted)
    for column in (*spec.categorical, *spec.crossed):
        block = range(start, start + width(column))
        start = block.stop
        if kept.intersection(block):
            chosen.append(column)
            made.extend(block)
    if chosen:
        blocks.append(text_block(part, chosen, spec))
    joined = part.node("Concat", *blocks, axis=1) if len(blocks) > 1 else blocks[0]
    if made == wanted:
        part.node("Identity", joined, output=FEATURES)
    else:
        found = np.array([made.index(place) for place in wanted])
        part.node("Gather", joined, part.constant(found), output=FEATURES, axis=1)
    return part


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
