"""A rendered request reads back as itself."""

from __future__ import annotations

import math
from typing import Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.algorithms.catalogue import ENTRIES, Hyperparameter
from mlops_core.contracts.request import (
    LOWER_IS_BETTER,
    METRIC_RANGES,
    TASK_METRICS,
    Derived,
    Encoding,
    MissingValues,
    OutlierRule,
    Outliers,
    Scaling,
    TrainingRequest,
)
from mlops_core.errors import InvalidRequest
from mlops_core.intake.body import parse_body
from mlops_core.intake.characters import offence
from mlops_core.intake.hyperparameters import plain
from mlops_core.intake.render import render_answers, render_body
from mlops_core.intake.values import SIGNS
from tests.unit.intake.bodies import BUCKET

Scalar = int | float | str
KINDS: st.SearchStrategy[Literal["ratio", "product", "cross"]] = st.sampled_from(["ratio", "product", "cross"])


def _writable(text: str) -> bool:
    return (
        bool(text)
        and text == text.strip(" \t")
        and text != "_No response_"
        and not offence(text)
        and "<" not in text
        and not text.startswith(("#", "`", "~"))
    )


COLUMNS = st.one_of(
    st.sampled_from(["income", "年齢", ">50K", "<=50K", "- item", "> quote", "a | b", "e: f", "*x*", "####", "'", '"', "$(id)"]),
    st.text(st.characters(exclude_categories=("C", "Z", "M")) | st.just(" "), min_size=1, max_size=40).filter(_writable),
)
NAMES = st.from_regex(r"\A[a-z0-9](?:-?[a-z0-9]){0,18}\Z").filter(lambda name: name not in {"con", "prn", "aux", "nul"})
URIS = st.from_regex(r"\Adatasets/[A-Za-z0-9_]{1,12}/(?:[a-z]{1,5}/){0,2}[A-Za-z0-9_]{1,9}\.(?:csv|csv\.gz|parquet)\Z").map(
    lambda key: f"s3://{BUCKET}/{key}"
)


def _value(parameter: Hyperparameter, task: str) -> st.SearchStrategy[Scalar]:
    if parameter.kind == "choice":
        return st.sampled_from([choice for choice in parameter.choices if parameter.serves(task, choice)])
    if parameter.kind == "int":
        return st.integers(int(parameter.low), int(parameter.high))
    return st.floats(parameter.low, parameter.high, allow_subnormal=False).filter(lambda value: value == 0 or value > 1e-90)


@st.composite
def requests(draw: st.DrawFn) -> TrainingRequest:
    """Any request that the form can express."""
    task = draw(st.sampled_from(sorted(TASK_METRICS)))
    metric = draw(st.sampled_from(TASK_METRICS[task]))
    algorithm = draw(st.sampled_from(["auto", *(name for name, item in ENTRIES.items() if task in item.tasks)]))
    table = ENTRIES[algorithm].hyperparameters if algorithm != "auto" else {}
    chosen = draw(st.lists(st.sampled_from(sorted(table)), unique=True)) if table else []
    target = draw(COLUMNS)
    low, high = METRIC_RANGES.get(metric, (0.0, 1e9 if metric in LOWER_IS_BETTER else 1.0))
    thresholds = st.none() | st.floats(max(low, -50.0), high, allow_subnormal=False).filter(lambda value: value == 0 or abs(value) > 1e-90)
    split = draw(st.sampled_from(["stratified", "random", "time", "group"]))
    others = COLUMNS.filter(lambda name: name != target and not any(f" {sign} " in f" {name} " for sign in SIGNS))
    selection = draw(st.sampled_from(["none", "correlation", "importance"]))
    dataset, test = draw(st.lists(URIS, min_size=2, max_size=2, unique=True))
    given = draw(st.sampled_from([None, test]))
    return TrainingRequest.model_validate(
        {
            "model_name": draw(NAMES),
            "task": task,
            "algorithm": algorithm,
            "dataset": dataset,
            "test_dataset": given,
            "dataset_version": draw(st.sampled_from([None, "v1.2.3"])),
            "target": target,
            "positive_label": draw(st.none() | COLUMNS) if task == "binary" else None,
            "split": split,
            "split_gap": draw(st.integers(0, 10**9)) if split == "time" else 0,
            "time_column": draw(st.none() | others),
            "group_column": draw(others) if split == "group" else None,
            "validation_share": draw(st.floats(0.01, 0.45)),
            "test_share": draw(st.floats(0.01, 0.45)) if given is None else 0.2,
            "rare_classes": draw(st.sampled_from(["keep", "drop"])) if task == "multiclass" else "keep",
            "drop_columns": tuple(draw(st.lists(COLUMNS.filter(lambda name: name != target), unique=True, max_size=4))),
            "missing_values": draw(st.sampled_from(get_args(MissingValues))),
            "missing_constant": draw(st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda value: value == 0 or abs(value) > 1e-90)),
            "outliers": draw(st.sampled_from(get_args(Outliers))),
            "outlier_rule": draw(st.sampled_from(get_args(OutlierRule))),
            "rare_share": draw(st.floats(0, 0.49, allow_subnormal=False).filter(lambda value: value == 0 or value > 1e-90)),
            "duplicates": draw(st.sampled_from(["keep", "drop"])),
            "encoding": draw(st.sampled_from(get_args(Encoding))),
            "scaling": draw(st.sampled_from(get_args(Scaling))),
            "date_parts": draw(st.booleans()),
            "derived": tuple(draw(st.lists(st.builds(Derived, kind=KINDS, left=others, right=others), max_size=3, unique=True))),
            "selection": selection,
            "keep_features": draw(st.none() | st.integers(1, 10_000)) if selection == "importance" else None,
            "protected_attributes": tuple(draw(st.lists(COLUMNS, unique=True, max_size=2))),
            "metric": metric,
            "threshold": draw(thresholds),
            "hyperparameters": {name: draw(_value(table[name], task)) for name in chosen},
            "seed": draw(st.integers(0, 2**31 - 1)),
            "instance_type": draw(st.sampled_from(["auto", "ml.m5.large", "ml.c5.2xlarge"])),
            "max_runtime_minutes": draw(st.integers(1, 1440)),
            "max_cost_usd": draw(st.none() | st.floats(0.01, 1000)),
            "max_retrains": draw(st.integers(0, 3)),
            "promotion": draw(st.sampled_from(["auto", "none"])),
            "endpoint": draw(st.booleans()),
            "language": draw(st.sampled_from(["en", "ja"])),
        }
    )


@settings(max_examples=150, deadline=None)
@given(requests())
def test_a_rendered_request_reads_back_as_itself(request: TrainingRequest) -> None:
    again = parse_body(render_body(request), bucket=BUCKET).request
    assert again == request
    assert again.model_dump_json() == request.model_dump_json()


@settings(max_examples=100, deadline=None)
@given(requests())
def test_a_request_reads_back_from_its_answers_alone(request: TrainingRequest) -> None:
    assert parse_body(render_answers(request), bucket=BUCKET).request == request


def test_fields_that_nobody_answered_are_left_out_of_the_answers() -> None:
    body = render_answers(_plain().model_copy(update={"seed": 7, "drop_columns": ("id",)}))
    headings = [line.removeprefix("### ").partition(" / ")[0] for line in body.splitlines() if line.startswith("### ")]
    assert headings == ["Language", "Model name", "Task", "Dataset", "Target column", "Columns to drop", "Metric", "Seed"]
    assert "_No response_" not in body


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=400)
    | st.lists(st.sampled_from(["### Target column / 目的変数", "```", "<!--", "-->", ">", "x", "", "### Seed / 乱数シード"])).map(
        "\n".join
    )
)
def test_any_text_is_read_or_refused_and_never_crashes(text: str) -> None:
    try:
        parse_body(text, bucket=BUCKET)
    except InvalidRequest as refused:
        assert refused.code.startswith("E-PARSE-")  # noqa: PT017  (most texts are refused, some are not)


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e17, max_value=1e17).filter(lambda value: value == 0 or abs(value) > 1e-90)
)
def test_a_plain_number_reads_back_to_the_same_bits(value: float) -> None:
    assert math.copysign(1, float(plain(value))) == math.copysign(1, value)
    assert float(plain(value)) == value


@pytest.mark.parametrize("column", [" padded", "two\nlines", "_No response_", ""])
def test_what_the_form_cannot_carry_is_refused_by_name(column: str) -> None:
    request = TrainingRequest.model_construct(**{**_plain().model_dump(), "target": column})
    with pytest.raises(InvalidRequest, match="Target column"):
        render_body(request)


def test_a_derived_feature_that_could_be_read_in_two_ways_is_not_rendered() -> None:
    wrong = Derived(kind="ratio", left="a / b", right="c")
    with pytest.raises(InvalidRequest, match="Rename the column"):
        render_body(_plain().model_copy(update={"derived": (wrong,)}))


def _plain() -> TrainingRequest:
    return TrainingRequest(model_name="m", task="binary", dataset=f"s3://{BUCKET}/datasets/a/x.csv", target="y", metric="f1")
