"""The pieces of the feature graph: all numbers as one matrix, text as codes.

    part = Part()
    number_block(part, spec)               # the name of a float32 tensor [N, numeric + derived]
    text_block(part, columns, spec)        # the same for text columns, side by side

Numbers are concatenated first and ratios, products and date parts are made as matrices, so the number of columns does not change the
number of nodes.  Text goes through one LabelEncoder a column (unknown text -1 or the rare code, missing the fill's code); the codes of all
one-hot columns are compared with 0…K-1 at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from mlops_core.contracts.dataset import CategoricalColumn, CrossedColumn, DerivedColumn, FeatureSpec, NumericColumn
from mlops_core.features import calendar
from mlops_core.features.sql import FLOAT32_MAX, PAIR, codes
from mlops_core.features.typing import MISSING_INT64, input_name

Key = tuple[str, ...]
_LARGEST_PRODUCT = 1_000_000
"""Cells of a constant matrix (4 MB) beyond which columns are gathered."""


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

    def joined(self, blocks: Sequence[str]) -> str:
        """Tensors side by side; a single one stays as it is."""
        return self.node("Concat", *blocks, axis=1) if len(blocks) > 1 else blocks[0]


def number_block(part: Part, spec: FeatureSpec) -> str:
    """Numeric inputs and derived numbers [N,C] as float32: fences, fill, scale, cut at the float32 range."""
    columns: list[NumericColumn | DerivedColumn] = [*spec.numeric, *spec.derived]
    value = _stacked(part, spec.numeric)
    if spec.derived:
        value = _with_derived(part, value, spec)
    value = _filled(part, value, columns)
    means, scales = np.array([column.mean for column in columns]), np.array([column.scale for column in columns])
    if (means != 0).any() or (scales != 1).any():
        value = part.node("Div", part.node("Sub", value, part.constant(means)), part.constant(scales))
    cut = part.node("Clip", value, part.constant(np.array(-FLOAT32_MAX)), part.constant(np.array(FLOAT32_MAX)))
    if any(column.fill is None for column in columns):
        cut = part.node("Where", part.node("IsNaN", value), value, cut)
    return part.node("Cast", cut, to=TensorProto.FLOAT)


def _filled(part: Part, value: str, columns: Sequence[NumericColumn | DerivedColumn]) -> str:
    missing = part.node("IsNaN", value)
    lows = np.array([-np.inf if column.low is None else column.low for column in columns])
    highs = np.array([np.inf if column.high is None else column.high for column in columns])
    if np.isfinite(lows).any():
        value = part.node("Max", value, part.constant(lows))
    if np.isfinite(highs).any():
        value = part.node("Min", value, part.constant(highs))
    fills = np.array([np.nan if column.fill is None else column.fill for column in columns])
    return part.node("Where", missing, part.constant(fills), value)


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
    return _ordered(part, part.joined(blocks), order)


def _ordered(part: Part, value: str, order: Sequence[int]) -> str:
    """Columns that lie in ``order`` brought into ascending order."""
    return value if list(order) == sorted(order) else part.node("Gather", value, part.constant(np.argsort(np.array(order))), axis=1)


def _with_derived(part: Part, value: str, spec: FeatureSpec) -> str:
    """The numbers with the derived ones beside them, each kind made as one matrix."""
    place = {column.name: index for index, column in enumerate(spec.numeric)}
    order: list[int] = []
    blocks: list[str] = []
    for kind, operation in (("ratio", "Div"), ("product", "Mul")):
        pairs = [(index, column) for index, column in enumerate(spec.derived) if column.kind == kind]
        if pairs:
            left, right = (_gathered(part, value, [place[name] for name in names]) for names in _sides(pairs))
            blocks.append(part.node(operation, left, right))
            order.extend(index for index, _ in pairs)
    if blocks:
        made = part.joined(blocks)
        blocks = [part.node("Where", part.node("IsInf", made), part.constant(np.array(np.nan)), made)]
    dated = [(index, column) for index, column in enumerate(spec.derived) if column.kind in calendar.PARTS]
    if dated:
        blocks.append(_date_parts(part, value, dated, place=place))
        order.extend(index for index, _ in dated)
    return part.node("Concat", value, _ordered(part, part.joined(blocks), order), axis=1)


def _sides(pairs: Sequence[tuple[int, DerivedColumn]]) -> tuple[list[str], list[str]]:
    return [column.left for _, column in pairs], [column.right for _, column in pairs]


def _date_parts(part: Part, value: str, dated: Sequence[tuple[int, DerivedColumn]], *, place: Mapping[str, int]) -> str:
    """The date parts asked for: every part for every moment as matrices, then the wanted columns."""
    names = list(dict.fromkeys(column.left for _, column in dated))
    kinds = [kind for kind in calendar.PARTS if any(column.kind == kind for _, column in dated)]
    moments = _gathered(part, value, [place[name] for name in names])
    early = part.node("Less", moments, part.constant(np.array(calendar.FIRST)))
    outside = part.node("Or", early, part.node("Greater", moments, part.constant(np.array(calendar.LAST))))
    moments = part.node("Where", outside, part.constant(np.array(np.nan)), moments)
    found = calendar.date_parts(_Nodes(part), moments, kinds)
    made = part.joined([found[kind] for kind in kinds])
    wanted = [kinds.index(column.kind) * len(names) + names.index(column.left) for _, column in dated]
    return made if wanted == list(range(len(kinds) * len(names))) else _gathered(part, made, wanted)


def _gathered(part: Part, value: str, columns: Sequence[int]) -> str:
    return part.node("Gather", value, part.constant(np.array(columns)), axis=1)


class _Nodes:
    """`calendar.Arithmetic` over tensors of doubles."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def add(self, left: str, right: str | float) -> str:
        return self._part.node("Add", left, self._of(right))

    def sub(self, left: str, right: str | float) -> str:
        return self._part.node("Sub", left, self._of(right))

    def mul(self, left: str, right: str | float) -> str:
        return self._part.node("Mul", left, self._of(right))

    def floor_div(self, left: str, right: float) -> str:
        return self._part.node("Floor", self._part.node("Div", left, self._of(right)))

    def _of(self, value: str | float) -> str:
        return value if isinstance(value, str) else self._part.constant(np.array(value))


def text_block(part: Part, columns: Sequence[CategoricalColumn], spec: FeatureSpec) -> str:
    """The features of text columns side by side, float32; columns of one kind that follow each other are done together."""
    words = _words(part, columns, spec)
    blocks = []
    for encoding, run in groupby(columns, key=lambda column: column.encoding):
        group = list(run)
        if encoding == "one_hot":
            blocks.append(_one_hot(part, group, words))
        elif encoding == "label":
            blocks.extend(_number_of(part, column, words, numbers=range(codes(column)), otherwise=-1.0) for column in group)
        else:
            blocks.extend(_targets(part, column, words) for column in group)
    return part.joined(blocks)


def _words(part: Part, columns: Sequence[CategoricalColumn], spec: FeatureSpec) -> dict[Key, str]:
    """The text tensor of each column: the input itself, or for crossed columns the pair of the filled inputs."""
    words: dict[Key, str] = {(column.name,): input_name(column.name) for column in columns if not isinstance(column, CrossedColumn)}
    crossed = [column for column in columns if isinstance(column, CrossedColumn)]
    known = {item.name: item for item in spec.categorical}
    full = {name: _full(part, known[name]) for name in dict.fromkeys(name for item in crossed for name in (item.left, item.right))}
    for column in crossed:
        left = part.node("StringConcat", full[column.left], part.constant(np.array(PAIR, dtype=object)))
        words[_key(column)] = part.node("StringConcat", left, full[column.right])
    return words


def _full(part: Part, column: CategoricalColumn) -> str:
    """The text of an input with its fill, other spellings brought together."""
    word = input_name(column.name)
    nothing = part.constant(np.array("", dtype=object))
    if column.spellings:
        written, meant = zip(*column.spellings, strict=True)
        respelt = part.node("LabelEncoder", word, keys_strings=list(written), values_strings=list(meant), default_string="")
        word = part.node("Where", part.node("Equal", respelt, nothing), word, respelt)
    return part.node("Where", part.node("Equal", word, nothing), part.constant(np.array(column.fill, dtype=object)), word)


def _key(column: CategoricalColumn) -> Key:
    """A crossed column may bear the name of an input."""
    return (column.left, column.right) if isinstance(column, CrossedColumn) else (column.name,)


def _one_hot(part: Part, columns: Sequence[CategoricalColumn], words: Mapping[Key, str]) -> str:
    """Codes as floats, which are exact this far and half as wide as the int64 that a LabelEncoder gives otherwise."""
    each = [_number_of(part, column, words, numbers=range(codes(column)), otherwise=-1.0) for column in columns]
    spread = _copied(part, part.joined(each), [codes(column) for column in columns]) if len(each) > 1 else each[0]
    wanted = np.concatenate([np.arange(codes(column), dtype=np.float32) for column in columns])
    return part.node("Cast", part.node("Equal", spread, part.constant(wanted)), to=TensorProto.FLOAT)


def _copied(part: Part, value: str, times: Sequence[int]) -> str:
    """Each column of a matrix as often as asked, side by side.

    A product with zeros and ones copies exactly, and for many rows it takes a third of the time of a Gather.
    """
    owners = np.repeat(np.arange(len(times)), times)
    if len(times) * len(owners) > _LARGEST_PRODUCT:
        return _gathered(part, value, owners.tolist())
    return part.node("MatMul", value, part.constant((owners == np.arange(len(times))[:, None]).astype(np.float32)))


def _targets(part: Part, column: CategoricalColumn, words: Mapping[Key, str]) -> str:
    if len(column.prior) == 1:
        return _number_of(part, column, words, numbers=[values[0] for values in column.values], otherwise=column.prior[0])
    table = np.array([*column.values, column.prior], dtype=np.float64).astype(np.float32)
    code = _code(part, column, words, absent=len(table) - 1)
    return part.node("Squeeze", part.node("Gather", part.constant(table), code, axis=0), part.constant(np.array([1])))


def _code(part: Part, column: CategoricalColumn, words: Mapping[Key, str], *, absent: int) -> str:
    """The code of each text [N,1] int64; ``absent`` for text without one."""
    keys, numbers, otherwise = _table(column, [*range(codes(column))], absent)
    return part.node("LabelEncoder", words[_key(column)], keys_strings=keys, values_int64s=numbers, default_int64=otherwise)


def _number_of(part: Part, column: CategoricalColumn, words: Mapping[Key, str], *, numbers: Sequence[float], otherwise: float) -> str:
    """The number of each text's code [N,1] float32."""
    keys, values, default = _table(column, [float(np.float32(number)) for number in numbers], float(np.float32(otherwise)))
    return part.node("LabelEncoder", words[_key(column)], keys_strings=keys, values_floats=values, default_float=default)


def _table(column: CategoricalColumn, numbers: Sequence[Any], otherwise: Any) -> tuple[list[str], list[Any], Any]:
    """Keys, their values and the default of a LabelEncoder; the empty text, which is a missing input, has the value of the fill."""
    count = len(column.categories)
    default = numbers[count] if column.rare else otherwise
    found = dict(zip(column.categories, numbers, strict=False))
    found |= {written: found[category] for written, category in column.spellings if category in found and written not in found}
    if not isinstance(column, CrossedColumn):
        found.setdefault("", found.get(column.fill, default))
    return list(found), list(found.values()), default
