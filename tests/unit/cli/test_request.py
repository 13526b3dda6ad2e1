"""Flags of `mlops run` become a request, or a clear refusal."""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

import pytest

from mlops_core.cli import request as flags
from mlops_core.cli.issue import read_form
from mlops_core.contracts.request import TrainingRequest
from mlops_core.errors import InvalidRequest
from mlops_core.intake.body import parse_body
from mlops_core.intake.form import FIELDS
from mlops_core.intake.render import render_body


def parse(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    flags.configure(parser)
    return parser.parse_args(["--data", "shop/train.csv", "--target", "y", *given])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("time", {"split": "time", "split_gap": 0}),
        ("time:48", {"split": "time", "split_gap": 48}),
        ("group:user id", {"split": "group", "group_column": "user id"}),
        ("random", {"split": "random", "split_gap": 0}),
    ],
)
def test_a_split_is_read_off_its_flag(given: str, expected: dict[str, object]) -> None:
    assert flags.split_of(parse("--split", given), "binary") == expected


@pytest.mark.parametrize("given", ["kfold", "random:5", "time:x", "group:", "time:-1"])
def test_an_unknown_split_names_the_allowed_ones(given: str) -> None:
    with pytest.raises(InvalidRequest, match="random, stratified"):
        flags.split_of(parse("--split", given), "binary")


def test_derived_features_are_read_as_the_form_reads_them() -> None:
    ratio, cross = flags.derived_of(parse("--derive", "income / rooms", "--derive", "sex & race"))
    assert (ratio.kind, ratio.left, cross.kind, cross.right) == ("ratio", "income", "cross", "race")
    with pytest.raises(InvalidRequest, match="--derive"):
        flags.derived_of(parse("--derive", "income"))


def test_the_model_is_named_after_the_folder_when_the_file_says_only_train() -> None:
    assert flags.model_name(parse()) == "shop"
    assert flags.model_name(parse("--data", "Churn 2026.csv")) == "churn-2026"
    assert flags.model_name(parse("--name", "mine")) == "mine"


def test_regression_is_split_at_random_and_measured_by_rmse_unless_said_otherwise() -> None:
    request = flags.build(parse(), dataset="s3://bucket/datasets/a/raw/a.csv", test_dataset=None, task="regression")
    assert (request.split, request.metric) == ("random", "rmse")


def test_parameters_are_typed_and_checked_against_the_catalogue() -> None:
    assert flags.parameters("xgboost", ["max_depth=8", "learning_rate=0.05"]) == {"max_depth": 8, "learning_rate": 0.05}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["max_dept=8"], "did you mean max_depth"),
        (["max_depth"], "NAME=VALUE"),
        (["max_depth=99"], "1 to 16"),
        (["max_depth=8", "max_depth=9"], "twice"),
    ],
)
def test_a_wrong_parameter_says_what_is_allowed(given: list[str], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        flags.parameters("xgboost", given)


@pytest.mark.parametrize(
    ("content", "positive", "task"),
    [
        ("x,y\n1,yes\n2,no\n3,yes\n", None, "binary"),
        ("x,y\n1,red\n2,green\n3,blue\n", None, "multiclass"),
        ("x,y\n1,red\n2,green\n3,blue\n", "red", "binary"),
        ("x,y\n1,0.5\n2,1.25\n3,7.5\n", None, "regression"),
    ],
)
def test_the_task_is_read_off_the_target_column(tmp_path: Path, content: str, positive: str | None, task: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content)
    assert flags.infer_task(path, "y", positive) == task


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--target", "c"), "for --target 'c'; it has a, b, y"),
        (("--drop", "a,q,r"), "for --drop 'q', --drop 'r'; it has a, b, y"),
        (("--drop", "y"), "--drop names the target 'y'"),
    ],
)
def test_columns_that_the_file_does_not_have_are_named_all_at_once(given: tuple[str, str], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        flags.refuse_unknown_columns(parse(*given), ["a", "b", "y"])


def test_columns_are_read_from_every_kind_of_file(tmp_path: Path) -> None:
    import duckdb

    plain, packed, parquet = tmp_path / "a.csv", tmp_path / "a.csv.gz", tmp_path / "a.parquet"
    plain.write_text("first name;y\nx;1\n")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    duckdb.sql(f"copy (select 1 as \"first name\", 2 as y) to '{parquet}' (format parquet)")
    assert [flags.columns_of(path) for path in (plain, packed, parquet)] == [["first name", "y"]] * 3


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04zip", b"\x1f\x8bbroken", b"\n1,2\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_table_is_refused_before_anything_starts(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest):
        flags.columns_of(path)


def test_every_problem_of_a_request_is_told_at_once() -> None:
    given = parse("--name", "Not Allowed", "--minutes", "0", "--threshold", "nan")
    with pytest.raises(InvalidRequest) as refused:
        flags.build(given, dataset="s3://bucket/datasets/a/raw/a.csv", test_dataset=None, task="binary")
    assert all(flag in refused.value.headline for flag in ("--name", "--minutes", "--threshold"))


def test_a_metric_of_another_task_is_refused_before_anything_starts() -> None:
    request = flags.build(parse("--metric", "rmse"), dataset="s3://bucket/datasets/a/raw/a.csv", test_dataset=None, task="multiclass")
    with pytest.raises(InvalidRequest, match="does not measure this task"):
        flags.refuse_what_the_form_would(request)


def test_a_file_takes_the_place_of_a_forms_dataset_and_nothing_else_changes() -> None:
    request = flags.build(parse(), dataset="s3://bucket/datasets/a/raw/a.csv", test_dataset=None, task="regression")
    body = render_body(request)
    placed = flags.with_answer(
        flags.with_answer(body, "dataset", "s3://bucket/datasets/b/raw/b.csv"), "test_dataset", "s3://bucket/datasets/b/raw/t.csv"
    )
    changes = {"dataset": "s3://bucket/datasets/b/raw/b.csv", "test_dataset": "s3://bucket/datasets/b/raw/t.csv"}
    assert parse_body(placed, bucket="bucket").request == request.model_copy(update=changes)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 300_000])
def test_a_form_that_is_no_text_or_too_long_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "form.md"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest):
        read_form(path)


def test_every_field_of_the_form_has_a_flag() -> None:
    known = {option for action in _actions() for option in action.option_strings}
    assert set(flags.FLAGS) == {field.name for field in FIELDS} == set(TrainingRequest.model_fields)
    assert set(flags.FLAGS.values()) <= known


def test_cost_promotion_and_data_version_reach_the_form() -> None:
    asked = parse("--max-cost", "2.5", "--hold", "--data-version", "v1.0.3")
    place = "s3://bucket/datasets/a/raw/a.csv"
    request = flags.build(asked, dataset=place, test_dataset=None, task="binary")
    found = parse_body(render_body(request), bucket="bucket").request
    assert (found.max_cost_usd, found.promotion, found.dataset_version) == (2.5, "none", "v1.0.3")
    with pytest.raises(InvalidRequest, match="--data-version cannot be '3'"):
        flags.build(parse("--data-version", "3"), dataset=place, test_dataset=None, task="binary")


def _actions() -> list[argparse.Action]:
    parser = argparse.ArgumentParser()
    flags.configure(parser)
    return parser._actions
