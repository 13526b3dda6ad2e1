"""Issue bodies for the tests of intake."""

from __future__ import annotations

import pytest

from mlops_core.contracts.request import TrainingRequest
from mlops_core.intake.body import parse_body
from mlops_core.intake.form import FIELDS, by_name
from mlops_core.intake.problems import Problem, RequestRefused

BUCKET = "lake-111122223333"
PLAIN = {
    "language": "en",
    "model_name": "census-income",
    "task": "binary",
    "algorithm": "xgboost",
    "dataset": f"s3://{BUCKET}/datasets/adult/raw/train.csv.gz",
    "target": "income",
    "positive_label": ">50K",
    "metric": "roc_auc",
}


def section(name: str, text: str) -> str:
    """One section as GitHub writes it."""
    return f"### {by_name(name).label}\n\n{text or '_No response_'}"


def body(**values: str) -> str:
    """A filled form: the plain request with some fields changed."""
    filled = {**PLAIN, **values}
    return "\n\n".join(section(field.name, filled.get(field.name, "")) for field in FIELDS)


def problems_of(text: str | None, bucket: str = BUCKET) -> list[Problem]:
    """The problems a body is refused for."""
    with pytest.raises(RequestRefused) as caught:
        parse_body(text, bucket=bucket)
    return caught.value.problems


def codes_of(text: str | None) -> set[tuple[str, str]]:
    """Code and field of every problem."""
    return {(problem.code, problem.field) for problem in problems_of(text)}


def parsed(**values: str) -> TrainingRequest:
    """The request of a filled form."""
    return parse_body(body(**values), bucket=BUCKET).request
