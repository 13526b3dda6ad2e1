"""The whole recipe through the jobs: prepared, trained, packed, and served as it was fitted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from mlops_core.contracts.dataset import FeatureDocs
from mlops_core.features.feeds import feeds_of, session
from mlops_core.features.graph import feature_model
from mlops_core.features.sql import feature_names
from mlops_core.jobs.packaging import _columns
from tests.unit.jobs import job_files as jobs

DERIVED = [
    {"kind": "ratio", "left": "income", "right": "debt"},
    {"kind": "product", "left": "age", "right": "income"},
    {"kind": "cross", "left": "city", "right": "sex"},
]
RECIPES: list[dict[str, Any]] = [
    {"outliers": "clip", "rare_share": 0.05, "scaling": "robust", "missing_values": "constant", "selection": "correlation"},
    {"outliers": "drop", "outlier_rule": "zscore", "encoding": "target", "scaling": "standard", "missing_values": "mean"},
    {"outliers": "flag", "encoding": "label", "scaling": "minmax", "missing_values": "mode"},
]


def _orders(rows: int = 400) -> bytes:
    table = [["age", "income", "debt", "city", "sex", "at", "y"]]
    for index in range(rows):
        age, debt = 20 + (index * 37) % 50, 0 if index % 9 == 0 else (index * 131) % 700 + 100_000 * (index % 97 == 0)
        city = ("Oslo", "Bergen", "Molde", f"hamlet {index % 40}")[min(3, (index * 7) % 11 // 2)]
        moment = f"20{10 + index % 14}-{index % 12 + 1:02d}-{index % 28 + 1:02d}T{index % 24:02d}:00:00"
        income = "" if index % 11 == 0 else f"{1000.5 + (index * 7919) % 4000:.2f}"
        label = "yes" if (age > 45) != (index % 17 == 0) else "no"
        table.append([str(age), income, str(debt), "?" if index % 13 == 0 else city, "mf"[index % 2], moment, label])
    return jobs.csv(table)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe["outliers"])
def test_prepared_features_are_what_the_graph_makes_of_the_prepared_rows(recipe: dict[str, Any], tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, _orders(), derived=DERIVED, date_parts=True, **recipe)
    assert done.code == 0, done.message
    data = pq.read_table(done.prepared / "validation" / "data.parquet")
    features = pq.read_table(done.prepared / "features" / "validation.parquet")
    (found,) = session(feature_model(done.spec)).run(["features"], feeds_of(data, done.spec))
    names = feature_names(done.spec)
    np.testing.assert_array_equal(found, np.column_stack([features.column(f"f{index}").to_numpy() for index in range(len(names))]))
    docs = FeatureDocs.model_validate_json((done.prepared / "features.json").read_bytes())
    assert [item.name for item in docs.features if item.column] == names
    assert docs.spec_digest == done.profile.spec_digest
    assert done.finding("W-DATA-015")["action"] == recipe["outliers"]
    if recipe["outliers"] == "drop":
        assert done.profile.rows["train"] < 256
        assert done.profile.dropped_rows == done.profile.rows_read - sum(done.profile.rows.values()) > 0


def test_the_schema_of_a_model_says_which_inputs_are_dates(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, _orders(), date_parts=True)
    kinds = {column.name: column.type for column in _columns(done.spec, done.profile)}
    assert kinds == {"age": "int64", "income": "float64", "debt": "int64", "at": "datetime", "city": "string", "sex": "string"}


def test_dropping_outliers_stops_when_a_class_is_lost(tmp_path: Path) -> None:
    table = [["a", "b", "y"]] + [[str(index % 7), str(index % 5), "no"] for index in range(380)]
    table += [["100000", str(index % 5), "yes"] for index in range(20)]
    done = jobs.prepare(tmp_path, jobs.csv(table), outliers="drop")
    assert done.message["code"] == "E-DATA-042"
    assert "clip" in json.dumps(done.message)


INNER = ("value", "n", "place", "part", "digest", "answer", "first", "stratum", "bucket", "train_end", "data", "word", "fold", "g")
"""Names that our own tables use inside the job."""


@pytest.mark.parametrize(
    ("classes", "recipe"),
    [
        (2, {"split": "group", "group_column": "value", "duplicates": "drop", "encoding": "target"}),
        (2, {"split": "group", "group_column": "data"}),
        (45, {"task": "multiclass", "duplicates": "drop"}),
    ],
)
def test_a_column_may_be_named_like_ours(tmp_path: Path, classes: int, recipe: dict[str, Any]) -> None:
    rows = [[*(str((row % 600) * 7919 % (31 + place)) for place in range(len(INNER))), f"class {row % classes}"] for row in range(900)]
    done = jobs.prepare(tmp_path, jobs.csv([[*INNER, "y"], *rows]), **recipe)
    assert done.code == 0, done.message
    assert {column.name for column in done.profile.columns} == {*INNER}
    assert sum(done.profile.rows.values()) == (600 if classes == 2 and "duplicates" in recipe else 900)
