"""Spellings of one category."""

from __future__ import annotations

import duckdb
import numpy as np

from mlops_core.contracts.dataset import CategoricalColumn, FeatureSpec
from mlops_core.features.feeds import session
from mlops_core.features.graph import feature_model
from mlops_core.features.spelling import fold_sql, spellings, with_spellings


def _folds(values: list[str | None]) -> tuple[dict[str, dict[str, str]], list[object]]:
    with duckdb.connect() as connection:
        connection.execute("create table t as select unnest(?::varchar[]) as x", [values])
        found = spellings(connection, "t", ["x"])
        read = fold_sql("x", found["x"]) if found else "x"
        return found, [row[0] for row in connection.execute(f"select {read} from t").fetchall()]  # noqa: S608


def test_spellings_join_the_most_frequent_one() -> None:
    found, values = _folds(["Male", "Male", "MALE", "male", "Fe male", "Fe  male", None])
    assert found == {"x": {"MALE": "Male", "male": "Male", "Fe male": "Fe  male"}}
    assert values == ["Male", "Male", "Male", "Male", "Fe  male", "Fe  male", None]


def test_single_characters_and_different_words_stay_apart() -> None:
    assert _folds(["a", "A", "ab", "abc"])[0] == {}


def test_another_spelling_is_served_as_its_category() -> None:
    column = CategoricalColumn(name="sex", fill="Male", categories=("Male", "Female"))
    plain = FeatureSpec(task="regression", target="y", numeric=(), categorical=(column,), missing_values="median", scaling="none")
    spec = with_spellings(plain, {"sex": {"MALE": "Male", "fe male": "Fe male"}, "other": {}})
    words = np.array([["Male"], ["MALE"], ["fe male"], ["Female"]], dtype=object)
    found = session(feature_model(spec)).run(None, {"sex": words})[0]
    assert found.tolist() == [[1, 0], [1, 0], [0, 0], [0, 1]]
