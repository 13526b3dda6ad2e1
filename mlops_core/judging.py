"""The judge's rules, as a pure function: figures and policy in, verdict out.

    verdict = judge(verdict_input, policy)
    verdict.decision            # "accept", "retrain" (a round is left) or "refuse"
    verdict.rules[0]            # the rule that decided, with the numbers it compared

Four rules, in this order: the request's threshold; the policy's minimum per metric; better than the trivial baseline (always asked where
the request names no threshold); the champion's figure plus the policy's margin.  Errors (rmse, mae, mape) count downwards.
"""

from __future__ import annotations

from mlops_core.contracts.base import digest
from mlops_core.contracts.request import CLASSIFICATION_METRICS, LOWER_IS_BETTER, REGRESSION_METRICS, MetricName
from mlops_core.contracts.verdict import Decision, Policy, Rule, Verdict, VerdictInput
from mlops_core.errors import Refused


def judge(figures: VerdictInput, policy: Policy) -> Verdict:
    """The verdict on one round.

    The first failed rule decides; when none fails the first rule decides.  A policy minimum on a metric of another task is not a rule
    of this run; one on a metric of this task that was not measured raises `Refused`, because silence is no proof.
    """
    rules = _rules(figures, policy)
    failed = [rule for rule in rules if not rule.passed]
    deciding = (failed or rules)[0]
    return Verdict(
        decision=_decision(figures, policy, failed=bool(failed)),
        decided_by=deciding.name,
        rules=(deciding, *(rule for rule in rules if rule is not deciding)),
        metric=figures.metric,
        measured=figures.metrics[figures.metric],
        policy_digest=digest(policy),
    )


def reason(verdict: Verdict) -> str:
    """The deciding rule in one sentence, for the run's record."""
    rule = verdict.rules[0]
    relation = "at most" if rule.metric in LOWER_IS_BETTER else "at least"
    return f"{rule.name.replace('_', ' ')}: {rule.metric} is {rule.measured:.6g} and must be {relation} {rule.required:.6g}."


def _decision(figures: VerdictInput, policy: Policy, *, failed: bool) -> Decision:
    if not failed:
        return "accept"
    return "retrain" if figures.round < min(figures.max_retrains, policy.max_retrains) else "refuse"


def _rules(figures: VerdictInput, policy: Policy) -> list[Rule]:
    metric = figures.metric
    rules: list[Rule] = []
    if figures.threshold is not None:
        rules.append(_rule("threshold", figures, metric, figures.threshold))
    own = REGRESSION_METRICS if figures.task == "regression" else CLASSIFICATION_METRICS
    rules += [_rule("policy_minimum", figures, name, policy.minimum[name]) for name in own if name in policy.minimum]
    if policy.beat_baseline or figures.threshold is None:
        rules.append(_baseline(figures))
    champion = (figures.champion or {}).get(metric)
    if champion is not None:
        margin = -policy.champion_margin if metric in LOWER_IS_BETTER else policy.champion_margin
        rules.append(_rule("champion_margin", figures, metric, champion + margin))
    return rules


def _rule(name: str, figures: VerdictInput, metric: MetricName, required: float) -> Rule:
    measured = _measured(figures, metric)
    passed = measured <= required if metric in LOWER_IS_BETTER else measured >= required
    return Rule.model_validate({"name": name, "metric": metric, "measured": measured, "required": required, "passed": passed})


def _baseline(figures: VerdictInput) -> Rule:
    metric = figures.metric
    measured, required = _measured(figures, metric), figures.baseline.get(metric)
    if required is None:
        raise Refused(
            f"the evaluation holds no trivial baseline for {metric}, so nothing shows that the model learned anything.", code="E-JUDGE-002"
        )
    passed = measured < required if metric in LOWER_IS_BETTER else measured > required
    return Rule(name="beat_baseline", metric=metric, measured=measured, required=required, passed=passed)


def _measured(figures: VerdictInput, metric: MetricName) -> float:
    if metric not in figures.metrics:
        raise Refused(
            f"the policy or the request asks for {metric}, which was not measured on the {figures.split} split ({figures.rows} rows).",
            remedy="Choose a metric that the data allow, or give the split more rows of each class.",
            code="E-JUDGE-001",
        )
    return figures.metrics[metric].value
