"""The judge's rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.agents import judge as agent
from mlops_core.contracts.base import digest
from mlops_core.contracts.request import BINARY_METRICS, LOWER_IS_BETTER, REGRESSION_METRICS
from mlops_core.contracts.verdict import Policy, Verdict, VerdictInput
from mlops_core.errors import Defect, Refused
from mlops_core.judging import judge, reason

FIGURES = st.floats(0, 1, allow_nan=False)


def figures(value: float = 0.9, metric: str = "roc_auc", **changes: Any) -> VerdictInput:
    """What an evaluation measured; the trivial baseline is 0.5."""
    task = "regression" if metric in REGRESSION_METRICS else "binary"
    plain = {
        "task": task, "metric": metric, "split": "validation", "rows": 1000,
        "metrics": {metric: {"value": value, "low": value, "high": value}}, "baseline": {metric: 0.5},
    }  # fmt: skip
    return VerdictInput.model_validate(plain | changes)


def decided(verdict: Verdict) -> tuple[str, str, float, float]:
    """Decision and deciding rule with its numbers."""
    rule = verdict.rules[0]
    assert rule.name == verdict.decided_by
    return verdict.decision, rule.name, rule.measured, rule.required


@pytest.mark.parametrize(
    ("changes", "policy", "expected"),
    [
        ({}, {}, ("accept", "beat_baseline", 0.9, 0.5)),
        ({"threshold": 0.8}, {}, ("accept", "threshold", 0.9, 0.8)),
        ({"threshold": 0.9}, {}, ("accept", "threshold", 0.9, 0.9)),
        ({"threshold": 0.95}, {}, ("retrain", "threshold", 0.9, 0.95)),
        ({"threshold": 0.95, "round": 3}, {}, ("refuse", "threshold", 0.9, 0.95)),
        ({"threshold": 0.95}, {"max_retrains": 0}, ("refuse", "threshold", 0.9, 0.95)),
        ({"threshold": 0.95, "max_retrains": 0}, {}, ("refuse", "threshold", 0.9, 0.95)),
        ({"threshold": 0.8}, {"minimum": {"roc_auc": 0.92}}, ("retrain", "policy_minimum", 0.9, 0.92)),
        ({}, {"minimum": {"rmse": 1.0}}, ("accept", "beat_baseline", 0.9, 0.5)),
        ({"baseline": {"roc_auc": 0.9}}, {}, ("retrain", "beat_baseline", 0.9, 0.9)),
        ({"threshold": 0.8, "baseline": {"roc_auc": 0.95}}, {"beat_baseline": False}, ("accept", "threshold", 0.9, 0.8)),
        ({"baseline": {"roc_auc": 0.95}}, {"beat_baseline": False}, ("retrain", "beat_baseline", 0.9, 0.95)),
        ({"champion": {"roc_auc": 0.91}}, {}, ("retrain", "champion_margin", 0.9, 0.91)),
        ({"champion": {"roc_auc": 0.9}}, {}, ("accept", "beat_baseline", 0.9, 0.5)),
        ({"champion": {"accuracy": 0.99}}, {}, ("accept", "beat_baseline", 0.9, 0.5)),
    ],
)
def test_the_first_failed_rule_decides_and_shows_its_numbers(
    changes: dict[str, Any], policy: dict[str, Any], expected: tuple[str, str, float, float]
) -> None:
    assert decided(judge(figures(**changes), Policy.model_validate(policy))) == expected


def test_a_champion_must_be_beaten_by_the_margin() -> None:
    verdict = judge(figures(champion={"roc_auc": 0.89}), Policy(champion_margin=0.02))
    assert decided(verdict)[:3] == ("retrain", "champion_margin", 0.9)
    assert verdict.rules[0].required == pytest.approx(0.91)


def test_errors_count_downwards_against_threshold_minimum_baseline_and_champion() -> None:
    policy = Policy(minimum={"rmse": 0.4}, champion_margin=0.05)
    assert judge(figures(0.3, "rmse", threshold=0.35, champion={"rmse": 0.36}), policy).decision == "accept"
    assert decided(judge(figures(0.3, "rmse", champion={"rmse": 0.34}), policy))[1] == "champion_margin"
    assert decided(judge(figures(0.45, "rmse"), policy))[1] == "policy_minimum"
    assert decided(judge(figures(0.36, "rmse", threshold=0.35), policy))[1] == "threshold"
    assert decided(judge(figures(0.6, "rmse"), Policy()))[1] == "beat_baseline"


@pytest.mark.parametrize("metric", sorted(LOWER_IS_BETTER))
def test_every_error_counts_downwards(metric: str) -> None:
    assert judge(figures(0.4, metric, threshold=0.45), Policy()).decision == "accept"
    assert decided(judge(figures(0.46, metric, threshold=0.45), Policy())) == ("retrain", "threshold", 0.46, 0.45)
    assert judge(figures(0.55, metric), Policy()).decided_by == "beat_baseline"


def test_a_metric_that_was_not_measured_is_refused_and_not_taken_for_good() -> None:
    with pytest.raises(Refused, match="f1, which was not measured"):
        judge(figures(), Policy(minimum={"f1": 0.5}))


def test_figures_without_a_baseline_are_the_platform_s_fault_and_no_verdict() -> None:
    with pytest.raises(Defect, match="no trivial baseline"):
        judge(figures(baseline={}), Policy())


def test_the_reason_is_one_sentence_with_the_numbers() -> None:
    assert reason(judge(figures(threshold=0.95), Policy())) == "threshold: roc_auc is 0.9 and must be at least 0.95."
    assert reason(judge(figures(0.6, "rmse"), Policy())) == "beat baseline: rmse is 0.6 and must be less than 0.5."


def test_the_verdict_names_the_policy_it_was_made_under() -> None:
    policy = Policy(minimum={"roc_auc": 0.1})
    assert judge(figures(), policy).policy_digest == digest(policy)


@given(value=FIGURES, threshold=FIGURES, champion=st.none() | FIGURES, margin=st.floats(0, 0.5), number=st.integers(0, 3))
def test_acceptance_means_every_rule_passed(value: float, threshold: float, champion: float | None, margin: float, number: int) -> None:
    given_ = figures(value, threshold=threshold, champion=None if champion is None else {"roc_auc": champion}, round=number)
    verdict = judge(given_, Policy(champion_margin=margin))
    assert (verdict.decision == "accept") == all(rule.passed for rule in verdict.rules)
    assert verdict.rules[0].passed == (verdict.decision == "accept")
    assert (verdict.decision == "retrain") == (verdict.decision != "accept" and number < 3)


@given(value=FIGURES, better=FIGURES, threshold=FIGURES, champion=FIGURES)
def test_a_better_figure_is_never_judged_worse(value: float, better: float, threshold: float, champion: float) -> None:
    low, high = sorted((value, better))
    plain: dict[str, Any] = {"threshold": threshold, "champion": {"roc_auc": champion}}
    worse, best = (judge(figures(item, **plain), Policy()).decision == "accept" for item in (low, high))
    assert best >= worse


@given(value=FIGURES, threshold=FIGURES)
def test_judging_twice_gives_the_same_verdict(value: float, threshold: float) -> None:
    given_ = figures(value, threshold=threshold)
    assert judge(given_, Policy()) == judge(given_, Policy())


def test_test_figures_are_opened_and_not_judged() -> None:
    event = {"verdict_input": figures(0.1, split="test").model_dump(mode="json"), "policy": {}}
    assert agent.handler(event, None) == {"decision": "opened", "reason": "", "verdict": None}


def test_the_judge_answers_with_plain_json() -> None:
    found = agent.handler({"verdict_input": figures(threshold=0.95).model_dump(mode="json"), "policy": {}}, None)
    assert (found["decision"], found["verdict"]["decided_by"]) == ("retrain", "threshold")


def ratio(value: float, attribute: str = "sex", **changes: Any) -> dict[str, Any]:
    """The selection rate ratio of one protected attribute."""
    return {"attribute": attribute, "measure": "selection_rate_ratio", "value": value, "least": "Female", "greatest": "Male"} | changes


def piece(name: str, value: float, rows: int = 200, metric: str = "roc_auc") -> dict[str, Any]:
    """One slice."""
    return {"name": name, "metric": metric, "value": value, "rows": rows}


def between(low: float, high: float, metric: str = "roc_auc") -> dict[str, Any]:
    """Figures with an interval around the middle."""
    return {"metrics": {metric: {"value": (low + high) / 2, "low": low, "high": high}}}


def test_with_an_interval_the_pessimistic_end_must_exceed_the_champion() -> None:
    policy = Policy(champion_interval=True, champion_margin=0.01)
    lucky = judge(figures(champion={"roc_auc": 0.85}, **between(0.84, 0.96)), policy)
    assert decided(lucky)[:3] == ("retrain", "champion_interval", 0.84)
    assert lucky.rules[0].required == pytest.approx(0.86)
    assert judge(figures(champion={"roc_auc": 0.82}, **between(0.84, 0.96)), policy).decision == "accept"
    equal = judge(figures(champion={"roc_auc": 0.84}, **between(0.84, 0.96)), Policy(champion_interval=True))
    assert equal.decided_by == "champion_interval"


def test_the_pessimistic_end_of_an_error_is_its_upper_one() -> None:
    policy = Policy(champion_interval=True)
    given_ = figures(0.3, "rmse", champion={"rmse": 0.35}, **between(0.24, 0.36, "rmse"))
    assert decided(judge(given_, policy)) == ("retrain", "champion_interval", 0.36, 0.35)


def test_a_champion_that_must_lose_is_not_replaced_by_an_equal() -> None:
    assert judge(figures(champion={"roc_auc": 0.9}), Policy()).decision == "accept"
    assert judge(figures(champion={"roc_auc": 0.9}, champion_must_lose=True, max_retrains=0), Policy()).decision == "refuse"
    assert judge(figures(champion={"roc_auc": 0.89}, champion_must_lose=True), Policy()).decision == "accept"


def test_the_four_fifths_rule_is_reported_unless_the_policy_lets_it_stop() -> None:
    given_ = figures(groups=[ratio(0.31)], protected_attributes=("sex",))
    told = judge(given_, Policy())
    assert (told.decision, told.decided_by) == ("accept", "beat_baseline")
    rule = told.rules[-1]
    assert (rule.passed, rule.reported, rule.measured, rule.required) == (False, True, 0.31, 0.8)
    stopped = judge(given_, Policy(fairness_action="stop"))
    assert decided(stopped) == ("retrain", "fairness", 0.31, 0.8)
    assert reason(stopped) == "fairness: selection_rate_ratio of sex (Female, Male) is 0.31 and must be at least 0.8."


def test_the_worst_attribute_decides_and_differences_count_downwards() -> None:
    policy = Policy(fairness={"selection_rate_difference": 0.1}, fairness_action="stop")
    apart = [ratio(value, name, measure="selection_rate_difference") for name, value in (("sex", 0.05), ("race", 0.2))]
    verdict = judge(figures(groups=apart), policy)
    assert decided(verdict) == ("retrain", "fairness", 0.2, 0.1)
    assert reason(verdict).endswith("race (Female, Male) is 0.2 and must be at most 0.1.")


def test_a_bound_that_stops_needs_a_figure() -> None:
    given_ = figures(protected_attributes=("sex",))
    assert judge(given_, Policy()).decision == "accept"
    with pytest.raises(Refused, match="selection_rate_ratio of 'sex', which was not measured") as caught:
        judge(given_, Policy(fairness_action="stop"))
    assert caught.value.code == "E-JUDGE-003"


def test_the_worst_slice_that_is_large_enough_has_a_floor_of_its_own() -> None:
    policy = Policy(slice_minimum={"roc_auc": 0.7, "rmse": 1.0}, slice_rows=100)
    slices = [piece("age < 25", 0.61, 99), piece("region = north", 0.65), piece("region = south", 0.8), piece("all", 0.1, metric="f1")]
    verdict = judge(figures(slices=slices), policy)
    assert decided(verdict) == ("retrain", "slice_minimum", 0.65, 0.7)
    assert reason(verdict) == "slice minimum: roc_auc of region = north (200 rows) is 0.65 and must be at least 0.7."
    assert judge(figures(slices=slices[:1]), policy).decision == "accept"


def test_what_the_judge_sees_stays_below_eight_kilobytes() -> None:
    groups = [ratio(0.5, f"attribute-{number:02d}") for number in range(20)]
    measured = {name: {"value": 1 / 3, "low": 1 / 7, "high": 3 / 7} for name in BINARY_METRICS}
    whole = figures(metrics=measured, groups=groups, slices=[piece(f"a long name of a slice, number {number}", 0.5) for number in range(9)])
    assert len(whole.model_dump_json()) < 8192
