"""A FeatureSpec as SQL expressions: the subset that DuckDB and Spark share.

    columns = feature_columns(spec)        # [('cast(… as float)', 'f0'), …] in the order of the feature vector
    target_sql(spec)                       # y: class index, or the number itself

Arithmetic is double and only the result is float, as in the graph: (x - mean) / scale, cut at the float32 range.  No engine hash, no
integer cast of floats, no per-column FIRST.
"""

from __future__ import annotations

from mlops_core.contracts.dataset import CategoricalColumn, FeatureSpec, NumericColumn
from mlops_core.features.typing import identifier, literal

FLOAT32_MAX = 3.4028234663852886e38


def feature_columns(spec: FeatureSpec) -> list[tuple[str, str]]:
    """Expression and name of every feature over the typed columns."""
    expressions = [_numeric(column) for column in spec.numeric]
    for column in spec.categorical:
        expressions.extend(_indicators(column))
    return [(expression, f"f{index}") for index, expression in enumerate(expressions)]


def feature_names(spec: FeatureSpec) -> list[str]:
    """What each feature means, for people: the column, or column=category."""
    return [column.name for column in spec.numeric] + [
        f"{column.name}={value}" for column in spec.categorical for value in column.categories
    ]


def target_sql(spec: FeatureSpec) -> str:
    """The target over the typed columns as double: the class's index in ``spec.labels``, or the value."""
    target = identifier(spec.target)
    if spec.task == "regression":
        return f"cast({target} as double)"
    if spec.task == "binary":
        return f"cast(case when {target} = {literal(spec.labels[1])} then 1 else 0 end as double)"
    whens = " ".join(f"when {literal(label)} then {index}" for index, label in enumerate(spec.labels))
    return f"cast(case {target} {whens} end as double)"


def double(value: float) -> str:
    """A double literal that keeps every bit."""
    return f"cast('{value!r}' as double)"


def _numeric(column: NumericColumn) -> str:
    value = f"nullif(cast({identifier(column.name)} as double), cast('NaN' as double))"
    if column.fill is not None:
        value = f"coalesce({value}, {double(column.fill)})"
    scaled = f"(({value}) - {double(column.mean)}) / {double(column.scale)}" if (column.mean, column.scale) != (0.0, 1.0) else value
    cut = f"greatest(least({scaled}, {double(FLOAT32_MAX)}), {double(-FLOAT32_MAX)})"
    if column.fill is None:
        cut = f"case when {value} is null then null else {cut} end"
    return f"cast({cut} as float)"


def _indicators(column: CategoricalColumn) -> list[str]:
    value = f"coalesce({identifier(column.name)}, {literal(column.fill)})"
    return [f"cast(case when {value} = {literal(category)} then 1 else 0 end as float)" for category in column.categories]
