"""Issue bodies for the tests of intake."""

from __future__ import annotations

from mlops_core.intake.form import FIELDS, by_name

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
