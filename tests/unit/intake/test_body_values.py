"""The strict parser: what single values may be, row by row of the abuse table."""

from __future__ import annotations

import pytest

from mlops_core.intake.form import by_name
from tests.unit.intake.bodies import BUCKET, body, codes_of, parsed, problems_of

NOT_NUMBERS = [
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "1e999",
    "1e-999",
    "1_000",
    "0x1F",
    "012",
    "1:30:00",
    "yes",
    "NO",
    "+1",
    "1.",
    ".5",
    "1e+2",
    "0b1",
    "--1",
]


@pytest.mark.parametrize("text", [*NOT_NUMBERS, "9" * 5_000, "9" * 200, "9" * 60])
def test_only_plain_decimals_are_numbers_abuse_rows_15_16_17(text: str) -> None:
    assert ("E-PARSE-013", "max_runtime_minutes") in codes_of(body(max_runtime_minutes=text)) or len(text) > 1_100
    assert codes_of(body(threshold=text)) & {("E-PARSE-013", "threshold"), ("E-PARSE-011", "threshold")}
    assert codes_of(body(hyperparameters=f"learning_rate={text}")) & {
        ("E-PARSE-020", "hyperparameters"),
        ("E-PARSE-022", "hyperparameters"),
    }


@pytest.mark.parametrize(("text", "point"), [("１２", "U+FF11"), ("٣", "U+0663"), ("四", "U+56DB"), ("4２", "U+FF12")])
def test_digits_of_other_scripts_are_refused_by_code_point_abuse_row_18(text: str, point: str) -> None:
    (problem,) = problems_of(body(seed=text))
    assert problem.code == "E-PARSE-008"
    assert problem.character.startswith(point)
    assert ("E-PARSE-008", "hyperparameters") in codes_of(body(hyperparameters=f"max_depth={text}"))


@pytest.mark.parametrize(
    "line", ["n_estimators = -1", "n_estimators = 0", "n_estimators = 5001", "max_depth = 1000000000", "max_depth = 2.5"]
)
def test_hyperparameters_out_of_range_are_refused_with_the_range_abuse_row_19(line: str) -> None:
    (problem,) = problems_of(body(hyperparameters=line))
    assert problem.code == "E-PARSE-020"
    assert problem.allowed.startswith(line.partition(" ")[0] + ": 1 – ")


@pytest.mark.parametrize("text", ["ml.p5.48xlarge", "ml.m5.large ", "ml.m5.24xlarge", "auto,ml.m5.large"])
def test_instance_types_off_the_list_are_refused_abuse_row_20(text: str) -> None:
    if text.strip() == "ml.m5.large":
        assert parsed(instance_type=text).instance_type == "ml.m5.large"
    else:
        assert codes_of(body(instance_type=text)) == {("E-PARSE-007", "instance_type")}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("max_runtime_minutes", "1441"),
        ("max_runtime_minutes", "0"),
        ("max_retrains", "999"),
        ("max_cost_usd", "1001"),
        ("max_cost_usd", "0"),
    ],
)
def test_what_is_over_a_cap_is_refused_and_not_clamped_abuse_row_21(field: str, text: str) -> None:
    (problem,) = problems_of(body(**{field: text}))
    assert problem.field == field
    assert problem.allowed == by_name(field).allowed


@pytest.mark.parametrize(
    "uri",
    [
        "s3://other-account/datasets/a/x.csv",
        "http://example.org/x.csv",
        "file:///etc/passwd",
        f"S3://{BUCKET}/datasets/a/x.csv",
        f"s3://{BUCKET}/models/a/x.csv",
        f"s3://{BUCKET}/datasets/../models/x",
        f"s3://{BUCKET}/datasets/%2e%2e/models/x",
        f"s3://{BUCKET}/datasets/..\\models",
        f"s3://{BUCKET}/datasets/a/x.csv.",
        f"s3://{BUCKET}/datasets/./x.csv",
        f"s3://{BUCKET}/datasets//x.csv",
        f"s3://{BUCKET}//datasets/a/x.csv",
        f"s3://{BUCKET}/datasets/a/",
        f"s3://{BUCKET}/datasets/x.csv",
        f"s3://{BUCKET}/datasets",
        f"arn:aws:s3:::{BUCKET}/datasets/a/x.csv",
        f"s3://{BUCKET}/datasets/a/x.csv?versionId=1",
        f"s3://{BUCKET}/datasets/a/x.csv#frag",
        f"s3://user:pw@{BUCKET}/datasets/a/x.csv",
        f"s3://{BUCKET}/datasets/a b/x.csv",
        f"s3://{BUCKET}/datasets/" + "a/" * 600 + "x.csv",
    ],
)
def test_only_files_below_the_datasets_folder_of_the_bucket_are_taken_abuse_rows_22_23_24(uri: str) -> None:
    (problem,) = problems_of(body(dataset=uri))
    assert problem.field == "dataset"
    assert problem.code in {"E-PARSE-016", "E-PARSE-017", "E-PARSE-011"}
    assert codes_of(body(test_dataset=uri)) <= {(code, "test_dataset") for code in ("E-PARSE-016", "E-PARSE-017", "E-PARSE-011")}


@pytest.mark.parametrize(
    ("uri", "point"),
    [
        ("s3://mlоps/datasets/a/x.csv", "U+043E CYRILLIC SMALL LETTER O"),
        ("s3://ml\u200bops/datasets/a/x.csv", "U+200B"),
        ("s3://mlops\u202e/datasets/a/x.csv", "U+202E"),
        ("s3://mlops/datasets/e\u0301/x.csv", "U+0301"),
        ("s3://mlops/datasets/\ud800/x.csv", "U+D800"),
        ("s3://mlops/datasets/\x00/x.csv", "U+0000"),
        ("ｓ3://mlops/datasets/a/x.csv", "U+FF53"),
    ],
)
def test_look_alike_and_invisible_characters_are_named_by_code_point_abuse_row_25(uri: str, point: str) -> None:
    (problem,) = problems_of(body(dataset=uri), bucket="mlops")
    assert problem.code == "E-PARSE-008"
    assert problem.character.startswith(point)
    assert problem.value.isascii()


@pytest.mark.parametrize(
    "name",
    [
        "inc\u200bome",
        "income\u202e",
        "\u0301income",
        "in\u00adcome",
        "\u3164",
        "a\ufe0f",
        "\ud800",
        "e\u0301",
        "a\u00a0b",
        "a\tb",
        "a\x1bb",
    ],
)
def test_a_column_name_holds_nothing_that_cannot_be_seen_abuse_row_25(name: str) -> None:
    assert codes_of(body(target=name)) == {("E-PARSE-008", "target")}
    assert codes_of(body(drop_columns=f"age\n{name}")) == {("E-PARSE-008", "drop_columns")}


@pytest.mark.parametrize("name", ["../../x", "-rf", "CON", "con", "lpt1", "a" * 41, "a" * 64, "🚀", "a--b", "a-", "A", "a_b", "a.b", "a b"])
def test_model_names_are_checked_against_the_strictest_pattern_abuse_row_26(name: str) -> None:
    (problem,) = problems_of(body(model_name=name))
    assert problem.field == "model_name"
    assert problem.code in {"E-PARSE-008", "E-PARSE-014", "E-PARSE-015"}


@pytest.mark.parametrize("version", ["latest", "v1", "1.2.3", "v1.2.3-rc1", "v1.2.3 ", "V1.2.3", "v1234567.0.0"])
def test_a_dataset_version_is_immutable_abuse_row_27(version: str) -> None:
    if version.strip() == "v1.2.3":
        assert parsed(dataset_version=version).dataset_version == "v1.2.3"
    else:
        assert codes_of(body(dataset_version=version)) == {("E-PARSE-018", "dataset_version")}
