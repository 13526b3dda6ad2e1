"""The judge's rules, as a pure function: figures and policy in, verdict out.

    verdict = judge(verdict_input, policy)
    verdict.decision            # "accept", "retrain" (a round is left) or "refuse"
    verdict.rules[0]            # the rule that decided, with the numbers it compared

Rules in this order: the request's threshold; the policy's minimum per metric; better than the trivial baseline (always asked where the
request names no threshold); the champion's figure plus the policy's margin, compared with the figure or with the pessimistic end of its
interval; the policy's bounds between groups of the protected attributes, where they stop; its floors for the worst slice.  Errors
(rmse, log loss, …) and differences count downwards.  Bounds that are only reported come last and never decide.
"""

from __future__ import annotations

from mlops_core.contracts.base import digest
from mlops_core.contracts.request import LOWER_IS_BETTER, TASK_METRICS, MetricName
from mlops_core.contracts.verdict import Decision, GroupFigure, Policy, Rule, RuleName, Verdict, VerdictInput
from mlops_core.errors import Defect, Refused


def judge(figures: VerdictInput, policy: Policy) -> Verdict:
    """The verdict on one round.

    The first failed rule decides; when none fails the first rule decides.  A policy minimum on a metric of another task is not a rule
    of this run; one on a metric of this task that was not measured raises `Refused` (E-JUDGE-001, -003), because silence is no proof.
    Figures without a trivial baseline raise `Defect`: every evaluation job measures one.
    """
    rules = _rules(figures, policy)
    failed = [rule for rule in rules if not rule.passed and not rule.reported]
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
    strict = rule.strict or rule.name == "beat_baseline"
    relation = ("less than" if strict else "at most") if counts_downwards(rule) else "more than" if strict else "at least"
    subject = f" of {rule.subject}" if rule.subject else ""
    figure = rule.measure or rule.metric
    return f"{rule.name.replace('_', ' ')}: {figure}{subject} is {rule.measured:.6g} and must be {relation} {rule.required:.6g}."


def counts_downwards(rule: Rule) -> bool:
    """Whether a rule's figure is better when it is smaller: errors, and differences between groups."""
    return rule.measure.endswith("_difference") if rule.measure else rule.metric in LOWER_IS_BETTER


def _decision(figures: VerdictInput, policy: Policy, *, failed: bool) -> Decision:
    if not failed:
        return "accept"
    return "retrain" if figures.round < min(figures.max_retrains, policy.max_retrains) else "refuse"


def _rules(figures: VerdictInput, policy: Policy) -> list[Rule]:
    metric = figures.metric
    rules: list[Rule] = []
    if figures.threshold is not None:
        rules.append(_rule("threshold", figures, metric, figures.threshold))
    own = TASK_METRICS[figures.task]
    rules += [_rule("policy_minimum", figures, name, policy.minimum[name]) for name in own if name in policy.minimum]
    if policy.beat_baseline or figures.threshold is None:
        rules.append(_baseline(figures))
    champion = (figures.champion or {}).get(metric)
    if champion is not None:
        rules.append(_champion(figures, policy, champion))
    fairness = _fairness(figures, policy) if figures.task != "regression" else []
    slices = [rule for name in own if name in policy.slice_minimum for rule in _worst_slice(figures, policy, name)]
    return [*rules, *fairness, *slices] if policy.fairness_action == "stop" else [*rules, *slices, *fairness]


def _rule(name: RuleName, figures: VerdictInput, metric: MetricName, required: float) -> Rule:
    measured = _measured(figures, metric)
    return Rule(name=name, metric=metric, measured=measured, required=required, passed=_good(metric, measured, required))


def _good(metric: MetricName, measured: float, required: float, *, strict: bool = False) -> bool:
    over = required - measured if metric in LOWER_IS_BETTER else measured - required
    return over > 0 or (over == 0 and not strict)


def _champion(figures: VerdictInput, policy: Policy, champion: float) -> Rule:
    metric, lower = figures.metric, figures.metric in LOWER_IS_BETTER
    required = champion - policy.champion_margin if lower else champion + policy.champion_margin
    strict = policy.champion_interval or figures.champion_must_lose
    measured = _measured(figures, metric)
    if policy.champion_interval:
        interval = figures.metrics[metric]
        measured = interval.high if lower else interval.low
    return Rule(
        name="champion_interval" if policy.champion_interval else "champion_margin",
        metric=metric,
        measured=measured,
        required=required,
        passed=_good(metric, measured, required, strict=strict),
        strict=strict,
    )


def _fairness(figures: VerdictInput, policy: Policy) -> list[Rule]:
    """One rule for each bounded measure of each protected attribute; a bound that stops needs a figure, for silence is no proof."""
    found = [_between(figures.metric, item, policy) for item in figures.groups if item.measure in policy.fairness]
    told = {(item.attribute, item.measure) for item in figures.groups}
    absent = [(name, measure) for name in figures.protected_attributes for measure in policy.fairness if (name, measure) not in told]
    if policy.fairness_action == "stop" and absent:
        raise Refused(
            f"the policy bounds the {absent[0][1]} of {absent[0][0]!r}, which was not measured on the {figures.split} split.",
            remedy="It needs two groups of ten rows or more: bring more rows, or take the attribute out of the request.",
            code="E-JUDGE-003",
        )
    return sorted(found, key=lambda rule: rule.passed)


def _between(metric: MetricName, figure: GroupFigure, policy: Policy) -> Rule:
    required = policy.fairness[figure.measure]
    groups = f" ({figure.least}, {figure.greatest})" if figure.least or figure.greatest else ""
    lower = figure.measure.endswith("_difference")
    return Rule(
        name="fairness",
        metric=metric,
        measured=figure.value,
        required=required,
        passed=figure.value <= required if lower else figure.value >= required,
        subject=f"{figure.attribute}{groups}",
        measure=figure.measure,
        reported=policy.fairness_action == "report",
    )


def _worst_slice(figures: VerdictInput, policy: Policy, metric: MetricName) -> list[Rule]:
    """The rule on the worst slice that is large enough; none when no slice is."""
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    there = [item for item in figures.slices if item.metric == metric and item.rows >= policy.slice_rows]
    worst = min(there, key=lambda item: (sign * item.value, item.name), default=None)
    if worst is None:
        return []
    required = policy.slice_minimum[metric]
    passed, subject = _good(metric, worst.value, required), f"{worst.name} ({worst.rows:,} rows)"
    return [Rule(name="slice_minimum", metric=metric, measured=worst.value, required=required, passed=passed, subject=subject)]


def _baseline(figures: VerdictInput) -> Rule:
    metric = figures.metric
    measured, required = _measured(figures, metric), figures.baseline.get(metric)
    if required is None:
        raise Defect(
            f"the evaluation holds no trivial baseline for {metric}, so nothing shows that the model learned anything.",
            remedy="Deploy the work image of this release and label the issue again.",
            code="E-JUDGE-002",
        )
    passed = _good(metric, measured, required, strict=True)
    return Rule(name="beat_baseline", metric=metric, measured=measured, required=required, passed=passed, strict=True)


def _measured(figures: VerdictInput, metric: MetricName) -> float:
    if metric not in figures.metrics:
        raise Refused(
            f"the policy or the request asks for {metric}, which was not measured on the {figures.split} split ({figures.rows} rows).",
            remedy="Choose a metric that the data allow, or give the split more rows of each class.",
            code="E-JUDGE-001",
        )
    return figures.metrics[metric].value
