"""The policy file: a small strict language, refused by line or field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.contracts.verdict import Policy, Retraining
from mlops_core.errors import InvalidRequest
from mlops_core.runs.policy import parse_policy

WHOLE = b"""# what this repository demands
minimum:
  roc_auc: 0.85   # a floor
  accuracy: 0.8
champion_margin: 0.002
beat_baseline: true
max_retrains: 2
champion_interval: true
fairness:
  selection_rate_ratio: 0.8
  accuracy_difference: 0.05
fairness_action: stop
slice_minimum:
  roc_auc: 0.7
slice_rows: 200
max_cost_usd: 5
retrain:
  on_data: true
  schedule: "rate(7 days)"
  cool_down_hours: 12
instance_types:
  - ml.m5.large
  - ml.m5.xlarge
"""


def test_a_whole_file_is_read() -> None:
    assert parse_policy(WHOLE) == Policy(
        minimum={"roc_auc": 0.85, "accuracy": 0.8},
        champion_margin=0.002,
        max_retrains=2,
        champion_interval=True,
        fairness={"selection_rate_ratio": 0.8, "accuracy_difference": 0.05},
        fairness_action="stop",
        slice_minimum={"roc_auc": 0.7},
        slice_rows=200,
        max_cost_usd=5,
        retrain=Retraining(on_data=True, schedule="rate(7 days)", cool_down_hours=12),
        instance_types=("ml.m5.large", "ml.m5.xlarge"),
    )


def test_no_file_and_an_empty_file_are_the_defaults() -> None:
    assert parse_policy(None) == parse_policy(b"") == parse_policy(b"\n# nothing\n") == Policy()


def test_lists_may_stand_in_brackets() -> None:
    assert parse_policy(b"instance_types: [ml.m5.large, 'ml.c5.xlarge']").instance_types == ("ml.m5.large", "ml.c5.xlarge")


@pytest.mark.parametrize(
    "text",
    [
        "maximum: 1",
        "max_retrains: 4",
        "max_retrains: '2'",
        "max_retrains: 2.5",
        "max_retrains: yes",
        "max_retrains: 02",
        "max_retrains: 0x1",
        "max_retrains: 1_0",
        "max_retrains: ２",
        "champion_margin: .inf",
        "champion_margin: NaN",
        "champion_margin: 1e999",
        "champion_margin: -1",
        "fairness_action: block",
        "fairness:\n  selection_rate_ratio: 1.2",
        "fairness:\n  gender_ratio: 0.8",
        "slice_rows: 5",
        "retrain: {}\nretrain: {}",
        "retrain:\n  schedule: rate(7 days)",
        "retrain:\n  schedule: 'cron(0 0)'",
        "retrain:\n  schedule: 'rate(0 days)'",
        "retrain:\n  cool_down_hours: -1",
        "champion_margin: true",
        "max_retrains: 1\nmax_retrains: 2",
        "minimum:\n  roc_auc: 0.9\n  roc_auc: 0.1",
        "minimum: &a\n  roc_auc: 0.9",
        "minimum: *a",
        "minimum: !!python/object/apply:os.system [id]",
        "minimum:\n  auc: 0.9",
        "minimum:\n  roc_auc: 85",
        "minimum:\n  rmse: -1",
        "slice_minimum:\n  mcc: -1.5",
        "minimum: {roc_auc: 0.9}",
        "- 1",
        "minimum:\n\troc_auc: 0.9",
        "[" * 10_000,
        "---\nmax_retrains: 1",
        "beat_baseline: 1",
        "instance_types: ml.m5.large",
    ],
)
def test_anything_else_is_refused_and_named(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_policy(text.encode())
    assert caught.value.code == "E-POLICY"


def test_a_large_file_and_a_binary_one_are_refused() -> None:
    for body in (b"#" * 20_000, b"\xff\xfe\x00"):
        with pytest.raises(InvalidRequest):
            parse_policy(body)


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_refusal(text: str) -> None:
    try:
        parse_policy(text.encode("utf-8", "replace"))
    except InvalidRequest:
        return


def test_warnings_that_stop_a_run_are_named_by_code_or_family() -> None:
    assert parse_policy(b"stop_on: [W-LEAK-001, W-SHIFT]\n").stop_on == ("W-LEAK-001", "W-SHIFT")


@pytest.mark.parametrize("code", ["W-LEAK-999", "W-LEEK", "E-DATA-001", "leak"])
def test_a_warning_that_nothing_gives_is_refused(code: str) -> None:
    with pytest.raises(InvalidRequest, match="stop_on"):
        parse_policy(f"stop_on: [{code}]\n".encode())
