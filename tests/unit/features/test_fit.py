"""What is fitted on training rows is what the formulas say, and serves as it was fitted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import FeatureSpec
from mlops_core.errors import InvalidRequest
from mlops_core.features.categories import FOLDS, SMOOTHING
from mlops_core.features.feeds import feeds_of, session
from mlops_core.features.graph import feature_model
from mlops_core.features.spelling import with_spellings
from mlops_core.features.sql import PAIR, feature_names
from tests.unit.features.training_rows import Array, fitted, in_sql, rows_of, served

TABLE = rows_of()
RATIO = {"kind": "ratio", "left": "income", "right": "debt"}
PRODUCT = {"kind": "product", "left": "age", "right": "income"}
CROSS = {"kind": "cross", "left": "city", "right": "sex"}


def _values(name: str) -> Array:
    return np.array([np.nan if value is None else value for value in TABLE.column(name).to_pylist()], dtype=np.float64)


def _with(**changed: object) -> pa.Table:
    """One training row with other values."""
    row = TABLE.to_pylist()[0] | dict.fromkeys(("income", "debt", "twin", "at"), 1.0) | {"age": 30, "city": "Oslo", "sex": "m"}
    return pa.Table.from_pylist([row | changed], schema=TABLE.schema)


def test_a_plain_recipe_writes_version_1_with_the_digest_it_always_had() -> None:
    text = (
        '{"version":1,"task":"binary","target":"y","numeric":[{"name":"a","type":"int64","fill":1.0,"mean":0.0,"scale":1.0}],'
        '"categorical":[{"name":"c","fill":"x","categories":["x"]}],"labels":[],"missing_values":"median","scaling":"none"}'
    )
    spec = FeatureSpec.model_validate_json(text)
    assert spec.model_dump_json() == text
    assert digest(spec) == "4cb3e985d4337817a48cd670bb6c76fbe04b54c8f534a152455cbee8291cfe2c"
    assert fitted(TABLE, ("age", "city")).spec.version == 1
    assert fitted(TABLE, ("age", "city"), encoding="label").spec.version == 2


def test_iqr_clips_to_one_and_a_half_ranges_beyond_the_quartiles_in_training_and_in_serving() -> None:
    done = fitted(TABLE, ("income",), outliers="clip")
    low, high = np.nanquantile(_values("income"), [0.25, 0.75])
    column = done.spec.numeric[0]
    assert column.low == pytest.approx(low - 1.5 * (high - low))
    assert column.high == pytest.approx(high + 1.5 * (high - low))
    assert served(done, _with(income=1e9)).tolist() == [[np.float32(column.high)]]
    beyond = int(((_values("income") > column.high) | (_values("income") < column.low)).sum())
    assert [(item.code, item.values["rows"], item.values["action"]) for item in done.findings] == [("W-DATA-015", beyond, "clip")]
    assert beyond > 0


def test_flagged_outliers_are_counted_and_left_as_they_are() -> None:
    done = fitted(TABLE, ("income",), outliers="flag", outlier_rule="zscore")
    values = _values("income")
    assert done.findings[0].values["rows"] == int((np.abs(values - np.nanmean(values)) > 3 * np.nanstd(values)).sum())
    assert served(done, _with(income=1e9)).tolist() == [[1e9]]


def test_a_column_that_is_mostly_one_value_has_no_iqr_fence() -> None:
    values = [0.0] * 260 + [float(number) for number in range(40)]
    table = TABLE.set_column(TABLE.schema.get_field_index("debt"), "debt", pa.array(values))
    done = fitted(table, ("debt",), outliers="clip")
    assert done.spec.numeric[0].high is None
    assert done.findings == ()


def test_constant_fills_numbers_with_the_constant_text_with_a_category_and_dates_with_the_median() -> None:
    done = fitted(TABLE, ("age", "at", "city"), missing_values="constant", missing_constant=-5)
    row = served(done, _with(age=None, at=None, city=None))[0].tolist()
    assert row[:2] == [-5.0, np.float32(np.nanquantile(_values("at"), 0.5))]
    names = feature_names(done.spec)
    assert [name for name, value in zip(names, row, strict=True) if name.startswith("city=") and value] == ["city=missing"]


@pytest.mark.parametrize(
    ("rule", "center", "width"),
    [
        ("standard", lambda x: x.mean(), lambda x: x.std()),
        ("minmax", lambda x: x.min(), lambda x: x.max() - x.min()),
        ("robust", lambda x: np.quantile(x, 0.5), lambda x: np.quantile(x, 0.75) - np.quantile(x, 0.25)),
    ],
)
def test_scaling_is_fitted_on_filled_training_values(rule: str, center: object, width: object) -> None:
    done = fitted(TABLE, ("debt",), scaling=rule)
    values = _values("debt")
    values[np.isnan(values)] = done.spec.numeric[0].fill
    assert callable(center)
    assert callable(width)
    assert done.spec.numeric[0].mean == pytest.approx(center(values))
    assert done.spec.numeric[0].scale == pytest.approx(width(values))
    served(done, TABLE)


def test_rare_text_and_unknown_text_share_one_category() -> None:
    done = fitted(TABLE, ("city",), rare_share=0.05)
    assert set(done.spec.categorical[0].categories) == {"Oslo", "Bergen", "Molde"}
    for word in ("hamlet 1", "never seen"):
        assert served(done, _with(city=word)).tolist() == [[0, 0, 0, 1]]
    counted = sum(str(word).startswith("hamlet") for word in TABLE.column("city").to_pylist())
    assert [(item.code, dict(item.values)) for item in done.findings] == [("W-DATA-016", {"categories": 9, "rows": counted})]


def test_label_codes_follow_frequency_and_unknown_text_is_minus_one() -> None:
    done = fitted(TABLE, ("city",), encoding="label")
    words = ["Oslo", "Bergen", "Molde", "never seen", None]
    assert [served(done, _with(city=word)).tolist() for word in words] == [[[0]], [[1]], [[2]], [[-1]], [[0]]]


def _smoothed(word: str | None, rows: list[dict[str, object]], name: str) -> float:
    """The smoothed mean of a column over rows, the definition spelt out."""
    values = [float(row["y"] == "yes") if name == "y" else float(str(row[name])) for row in rows]
    prior = sum(values) / len(values)
    own = [value for value, row in zip(values, rows, strict=True) if (row["city"] or "Oslo") == word]
    return (sum(own) + SMOOTHING * prior) / (len(own) + SMOOTHING) if word else prior


@pytest.mark.parametrize(("task", "target"), [("binary", "y"), ("regression", "value")])
def test_target_means_are_smoothed_and_come_from_the_other_folds_in_training(task: str, target: str) -> None:
    done = fitted(TABLE, ("city",), task=task, encoding="target")
    rows = TABLE.to_pylist()
    for word in ("Oslo", "Molde", None):
        row = _with(city=word or "never seen")
        assert served(done, row)[0, 0] == pytest.approx(_smoothed(word, rows, target), rel=1e-6)
    found = in_sql(done.training, TABLE)[:, 0]
    folds = [[row for row in rows if row["__fold"] != fold] for fold in range(FOLDS)]
    expected = [_smoothed(row["city"] or "Oslo", folds[row["__fold"]], target) for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_multiclass_target_gives_one_share_per_class() -> None:
    table = TABLE.append_column("size", pa.array([("a", "b", "c")[number % 3] for number in range(TABLE.num_rows)]))
    done = fitted(table, ("city",), task="multiclass", encoding="target")
    assert feature_names(done.spec) == ["share of a by city", "share of b by city", "share of c by city"]
    np.testing.assert_allclose(served(done, table).sum(axis=1), 1.0, rtol=1e-6)


def test_date_parts_are_made_of_dates_and_constant_ones_are_left_out() -> None:
    done = fitted(TABLE, ("at",), date_parts=True)
    assert feature_names(done.spec) == ["at", "at (month)", "at (day)", "at (weekday)", "at (hour)"]
    assert served(done, _with(at=951_782_400.0 + 7_200)).tolist() == [[np.float32(951_789_600.0), 2, 29, 1, 2]]
    assert [(item.name, item.left_out) for item in done.docs][-1] == ("at (year)", "constant")


def test_a_ratio_over_nothing_is_missing_and_filled() -> None:
    done = fitted(TABLE, ("income", "debt"), derived=[RATIO])
    fill = done.spec.derived[0].fill
    assert [served(done, _with(income=value, debt=0.0))[0, 2] for value in (0.0, 5.0)] == [np.float32(fill)] * 2
    debt, income = _values("debt"), _values("income")
    assert fill == pytest.approx(np.nanmedian(income[debt > 0] / debt[debt > 0]))
    shares = {item.name: item.filled_share for item in done.docs}
    assert shares["income / debt"] == np.mean(~(debt > 0) | np.isnan(income))


def test_a_cross_is_one_category_per_pair_of_filled_texts() -> None:
    done = fitted(TABLE, ("city", "sex"), derived=[CROSS])
    names = feature_names(done.spec)
    assert done.spec.crossed[0].categories[0].count(PAIR) == 1
    row = served(done, _with(city=None, sex="f"))[0]
    assert [name for name, value in zip(names, row, strict=True) if value] == ["city=Oslo", "sex=f", "city & sex=Oslo & f"]


def test_other_spellings_of_a_text_are_read_alike_in_crosses_too() -> None:
    done = fitted(TABLE, ("city", "sex"), derived=[CROSS])
    spec = with_spellings(done.spec, {"city": {"OSLO": "Oslo", "oslo": "Oslo"}})
    graph = session(feature_model(spec))
    rows = [graph.run(None, feeds_of(_with(city=word), spec))[0].tolist() for word in ("Oslo", "OSLO", "oslo", "Osl0")]
    assert rows[0] == rows[1] == rows[2] != rows[3]


def test_correlation_leaves_out_the_later_of_a_pair_and_says_with_which() -> None:
    done = fitted(TABLE, selection="correlation")
    left = {item.name: (item.left_out, item.reason) for item in done.docs if not item.column}
    assert left["twin"][1]["with"] == "income"
    assert "twin" not in [column.name for column in done.spec.numeric]
    assert done.findings[0].values["features"] == len(left)
    assert not done.findings[0].columns, "a feature's name may hold a category of a few rows"
    served(done, TABLE)


def test_importance_keeps_as_many_features_as_asked_and_drops_inputs_that_none_needs() -> None:
    done = fitted(TABLE, selection="importance", keep_features=3, derived=[RATIO, PRODUCT, CROSS], date_parts=True)
    assert len(feature_names(done.spec)) == 3
    assert "age" in [column.name for column in done.spec.numeric]
    assert {"at", "twin"}.isdisjoint(column.name for column in done.spec.numeric)
    assert served(done, TABLE).shape == (TABLE.num_rows, 3)


def test_two_fits_give_the_same_bytes_whatever_the_order_of_rows() -> None:
    recipe = {"encoding": "target", "rare_share": 0.05, "task": "regression", "scaling": "minmax", "date_parts": True}
    once = fitted(TABLE, **recipe)  # type: ignore[arg-type]
    assert once == fitted(TABLE, **recipe)  # type: ignore[arg-type]
    turned = fitted(TABLE.take(list(range(TABLE.num_rows))[::-1]), **recipe)  # type: ignore[arg-type]
    assert turned.spec == once.spec


def test_every_feature_is_documented_in_its_place() -> None:
    done = fitted(TABLE, outliers="clip", scaling="robust", derived=[RATIO, CROSS], date_parts=True, rare_share=0.05)
    shown = [item for item in done.docs if item.column]
    assert [item.name for item in shown] == feature_names(done.spec)
    assert [item.column for item in shown] == [name for _, name in done.training]
    ratio = next(item for item in shown if item.name == "income / debt")
    assert ratio.sources == ("income", "debt")
    assert [step.kind for step in ratio.steps] == ["ratio", "clip", "fill", "scale"]


@pytest.mark.parametrize("wanted", [RATIO | {"right": "city"}, CROSS | {"left": "age"}, PRODUCT | {"left": "nowhere"}])
def test_a_derived_feature_of_the_wrong_columns_is_refused_with_the_right_ones(wanted: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        fitted(TABLE, derived=[wanted])
    assert caught.value.code == "E-DATA-040"
    assert "Choose among" in caught.value.remedy
