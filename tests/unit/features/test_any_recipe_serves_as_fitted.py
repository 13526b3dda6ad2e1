"""Whatever the recipe and the rows: what is fitted in SQL is what the graph serves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.contracts.dataset import DerivedColumn, NumericColumn
from mlops_core.features.fit import pruned
from mlops_core.features.sql import feature_columns, feature_names, places
from tests.unit.features.test_sql_and_graph_agree import specs
from tests.unit.features.training_rows import fitted, rows_of, served

_DERIVED = [
    {"kind": "ratio", "left": "income", "right": "debt"},
    {"kind": "product", "left": "age", "right": "income"},
    {"kind": "cross", "left": "city", "right": "sex"},
]


@st.composite
def _recipes(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "task": draw(st.sampled_from(["binary", "regression"])),
        "missing_values": draw(st.sampled_from(["median", "mean", "mode", "constant", "drop"])),
        "missing_constant": draw(st.sampled_from([0.0, -999.0, 1e300])),
        "outliers": draw(st.sampled_from(["none", "flag", "clip"])), "outlier_rule": draw(st.sampled_from(["iqr", "zscore"])),
        "rare_share": draw(st.sampled_from([0.0, 0.05, 0.4])), "encoding": draw(st.sampled_from(["one_hot", "label", "target"])),
        "scaling": draw(st.sampled_from(["none", "standard", "minmax", "robust"])), "date_parts": draw(st.booleans()),
        "derived": draw(st.lists(st.sampled_from(_DERIVED), unique_by=str)),
        "selection": draw(st.sampled_from(["none", "correlation"])), "one_hot_limit": draw(st.sampled_from([2, 5, 100])),
    }  # fmt: skip


@st.composite
def _tables(draw: st.DrawFn) -> pa.Table:
    """The rows of the fixture in another size, with a few cells of the worst kind."""
    table = rows_of(draw(st.integers(12, 60)))
    worst: dict[str, list[Any]] = {
        "income": [0.0, -1e308, 1e308, 5e-324, None], "debt": [0.0, -0.0, 1e-300, None], "age": [-(2**53), 2**53, 0, None],
        "at": [-1e15, 253_402_300_800.0, 951_782_399.5, None], "city": ["Oslo", "o'Slo", "本", None], "sex": ["f", "missing", None],
    }  # fmt: skip
    rows = table.to_pylist()
    for name in draw(st.lists(st.sampled_from(sorted(worst)), max_size=4)):
        rows[draw(st.integers(0, len(rows) - 1))][name] = draw(st.sampled_from(worst[name]))
    return pa.Table.from_pylist(rows, schema=table.schema)


@settings(max_examples=12, deadline=None)
@given(_recipes(), _tables())
def test_any_recipe_gives_finite_features_that_serve_as_they_were_trained(recipe: dict[str, Any], table: pa.Table) -> None:
    done = fitted(table, **recipe)
    found = served(done, table)
    assert np.isfinite(found).all()
    assert found.shape == (table.num_rows, len(feature_names(done.spec)))
    if recipe["encoding"] != "target":
        assert list(done.training) == feature_columns(done.spec)
    numbers: list[NumericColumn | DerivedColumn] = [*done.spec.numeric, *done.spec.derived]
    for column in numbers:
        assert column.fill is not None
        assert math.isfinite(column.mean)
        assert column.scale > 0


def test_numbers_near_the_end_of_the_range_have_no_fence_and_no_scale_that_is_infinite() -> None:
    rows = rows_of(40).to_pylist()
    for row, value in zip(rows, [1e200, -1e200] * 20, strict=True):
        row["income"] = value
    table = pa.Table.from_pylist(rows, schema=rows_of(40).schema)
    for scaling in ("standard", "minmax", "robust"):
        for rule in ("iqr", "zscore"):
            done = fitted(table, ("income",), outliers="clip", outlier_rule=rule, scaling=scaling)
            assert np.isfinite(served(done, table)).all()


@settings(max_examples=25, deadline=None)
@given(specs(), st.data())
def test_a_selection_leaves_the_features_it_keeps_as_they_were(spec: Any, data: st.DataObject) -> None:
    whole = spec.model_copy(update={"selected": ()})
    kept = sorted(data.draw(st.lists(st.sampled_from(places(whole)), min_size=1, unique=True)))
    less = pruned(whole, kept)
    names, expressions = feature_names(whole), [expression for expression, _ in feature_columns(whole)]
    assert feature_names(less) == [names[place] for place in kept]
    assert [expression for expression, _ in feature_columns(less)] == [expressions[place] for place in kept]
