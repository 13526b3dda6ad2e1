"""A serving image that declares libraries must declare the model's own."""

from __future__ import annotations

import pytest

from mlops_core.contracts.model import Manifest
from mlops_core.errors import EnvironmentBroken
from mlops_core.serving.declared import check_declared

ZERO = "0" * 64


def manifest(**libraries: str) -> Manifest:
    """A manifest of a model trained with these libraries."""
    plain = {
        "model_name": "income", "version": "1.0.0", "run_id": "income-1", "task": "binary", "algorithm": "xgboost", "hyperparameters": {},
        "seed": 1, "columns": (), "labels": (), "target": "y", "metrics": {}, "files": {}, "weights_digest": ZERO, "dataset_uri": "",
        "dataset_version": "", "dataset_digest": ZERO, "spec_digest": ZERO, "code_commit": "", "issue_url": "", "image": "",
        "libraries": libraries, "licences": {}, "parity_rows": 1, "parity_max_delta": 0.0,
    }  # fmt: skip
    return Manifest.model_validate(plain)


@pytest.mark.parametrize("declared", ["", "xgboost==3.2.0", "numpy==1.0 xgboost==3.2.0", "Scikit_Learn==1.9.1, xgboost==3.2.0"])
def test_nothing_declared_and_the_models_own_versions_are_served(declared: str) -> None:
    check_declared(manifest(xgboost="3.2.0", **{"scikit-learn": "1.9.1"}), {"MLOPS_LIBRARIES": declared})


def test_another_version_than_the_model_was_trained_with_is_refused() -> None:
    """abuse row 89"""
    with pytest.raises(EnvironmentBroken, match=r"declares XGBoost 2\.0\.3, and income 1\.0\.0 was trained with 3\.2\.0") as caught:
        check_declared(manifest(xgboost="3.2.0"), {"MLOPS_LIBRARIES": "XGBoost==2.0.3"})
    assert caught.value.code == "E-SERVE-006"


@pytest.mark.parametrize("declared", ["xgboost", "xgboost>=3", "$(id)", "xgboost==3.2.0;numpy==1"])
def test_a_declaration_of_another_form_is_refused(declared: str) -> None:
    with pytest.raises(EnvironmentBroken, match="name==version"):
        check_declared(manifest(xgboost="3.2.0"), {"MLOPS_LIBRARIES": declared})
