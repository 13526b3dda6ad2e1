"""The catalogue reads plain decimals only and knows close spellings."""

from __future__ import annotations

import pytest

from mlops_core.algorithms.catalogue import ENTRIES, columns_tried, entry, suggest
from mlops_core.errors import InvalidRequest


@pytest.mark.parametrize("method", sorted(ENTRIES))
def test_every_default_is_allowed(method: str) -> None:
    for item in entry(method).hyperparameters.values():
        text = item.default if isinstance(item.default, str) else f"{item.default:g}"
        assert item.check(str(text)) == item.default


@pytest.mark.parametrize("text", ["1_0", "0x5", "05", "1:30", "yes", "NaN", "inf", "１２", "٣", "1e999", "17", "0", "-3", "6.5", ""])
def test_other_spellings_and_values_out_of_range_are_refused(text: str) -> None:
    """Abuse rows 15, 17, 18 and 19 at the hyperparameter itself."""
    with pytest.raises(InvalidRequest, match="allowed: a whole number from 1 to 16"):
        entry("xgboost").hyperparameters["max_depth"].check(text)


def test_a_misspelt_name_gets_its_neighbours() -> None:
    assert suggest("xgboost", "max_dept")[0] == "max_depth"
    assert suggest("random_forest", "n_estimator")[0] == "n_estimators"


@pytest.mark.parametrize(
    ("choice", "task", "features", "tried"),
    [
        ("auto", "binary", 105, 10), ("auto", "multiclass", 60, 7), ("auto", "regression", 13, 9), ("sqrt", "regression", 13, 3),
        ("log2", "binary", 105, 6), ("third", "binary", 10, 3), ("two_thirds", "binary", 10, 7), ("all", "regression", 13, 13),
        ("auto", "regression", 1, 1), ("log2", "binary", 1, 1), ("third", "binary", 1, 1),
    ],
)  # fmt: skip
def test_a_forest_tries_as_many_columns_as_the_choice_says(choice: str, task: str, features: int, tried: int) -> None:
    assert columns_tried(choice, task=task, features=features) == tried
