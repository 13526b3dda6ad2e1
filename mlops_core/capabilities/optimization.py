"""Workflow optimization: read request and data profile, propose method, instance, run time and search budget, with reasons.

    plan = propose_plan(ports, run_id)       # {"algorithm": "xgboost", "instance_type": "ml.m5.large", …, "reasons": […]}

The cheapest instance whose memory holds the predicted peak (with a third to spare) and whose speed keeps the asked run time is chosen;
predictions come from `mlops_core.algorithms.estimate`, prices from the dated price table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from mlops_core.algorithms.catalogue import ENTRIES
from mlops_core.contracts.base import RunId
from mlops_core.contracts.dataset import DataProfile
from mlops_core.contracts.request import InstanceType, TrainingRequest
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Policy
from mlops_core.errors import Refused
from mlops_core.ports import Ports
from mlops_core.reporting.messages import method, plain
from mlops_core.runs import names
from mlops_core.runs.operator import current
from mlops_core.runs.progress import COMMON
from mlops_core.runs.state import read_run
from mlops_core.tool import reads

SMALL_ROWS = 2_000
"""Below this many training rows boosting overfits sooner than bagging; the forest is proposed."""
ROWS_PER_FEATURE = 10
"""Below this many training rows a feature, trees find splits by chance; a linear method is proposed (Harrell 2015: 10 to 20 rows each)."""
SPARE = 1.33
SYSTEM_BYTES = 1 << 30
_PROFILE_LIMIT = 8 << 20
_SHAPES: dict[str, tuple[int, int]] = {
    "ml.m5.large": (2, 8),
    "ml.m5.xlarge": (4, 16),
    "ml.m5.2xlarge": (8, 32),
    "ml.m5.4xlarge": (16, 64),
    "ml.c5.xlarge": (4, 8),
    "ml.c5.2xlarge": (8, 16),
}
"""Instance type -> (virtual CPUs, memory in GiB), from the Amazon EC2 instance type tables."""


@dataclass(frozen=True)
class Option:
    """One instance type with what the job would take on it."""

    instance_type: str
    memory_bytes: int
    seconds: float
    hourly: float

    @property
    def fits(self) -> bool:
        """Whether the predicted peak leaves a quarter of the memory beside the system's own."""
        return self.memory_bytes * SPARE + SYSTEM_BYTES <= _SHAPES[self.instance_type][1] << 30


def propose_plan(ports: Ports, run_id: RunId) -> dict[str, Any]:
    """Method, instance type, run time limit, search budget, predicted memory, seconds and price of the next training round."""
    state = read_run(ports, run_id)
    bucket = ports.settings.require("bucket")
    policy = Policy.model_validate_json(ports.objects.read(names.run_uri(bucket, run_id, "policy.json")))
    prepared = (state.prepared_uri or "").rstrip("/")
    profile = DataProfile.model_validate_json(ports.objects.read(f"{prepared}/profile.json", limit=_PROFILE_LIMIT))
    algorithm, why = choose_algorithm(state, profile)
    options = _options(state, profile, policy, algorithm)
    chosen, reason = _choose(options, state.request)
    limit, limit_reason = _limit(state.request, policy, chosen.hourly)
    if chosen.seconds > limit:
        headline = f"training is predicted to take {chosen.seconds:.0f} s on {chosen.instance_type}; {limit} s are allowed."
        raise Refused(headline, remedy='Raise "Maximum run time" or "Maximum cost" and label again.', code="E-PLAN-TIME")
    return {
        "algorithm": algorithm,
        "instance_type": chosen.instance_type,
        "max_runtime_seconds": limit,
        "search_budget": 0,
        "predicted_memory_bytes": chosen.memory_bytes,
        "predicted_seconds": round(chosen.seconds, 1),
        "price_usd_per_hour": chosen.hourly,
        "reasons": [why, reason, *limit_reason],
    }


def choose_algorithm(state: RunState, profile: DataProfile) -> tuple[str, str]:
    """The method asked for, or for ``auto`` one by training rows, features and the hyperparameters given; with the reason.

    ``auto``: fewer than 10 rows a feature, a linear method; else fewer than 2,000 rows, the forest; else boosting.  A method that lacks a
    hyperparameter of the request is passed over.
    """
    asked, language = state.request.algorithm, state.request.language
    if asked != "auto":
        return asked, plain(language, "plan.asked", choice=method(language, asked))
    if state.algorithm in ENTRIES:
        return state.algorithm, plain(language, "plan.as_before", choice=method(language, state.algorithm))
    given = set(state.request.hyperparameters)
    able = [name for name, item in ENTRIES.items() if state.request.task in item.tasks and given <= set(item.hyperparameters)]
    rows, features = profile.rows.get("train", 0), profile.feature_count
    linear = "linear_regression" if state.request.task == "regression" else "logistic_regression"
    if rows < ROWS_PER_FEATURE * features and linear in able:
        return linear, plain(language, "plan.few_per_feature", choice=method(language, linear), rows=rows, features=features)
    wanted = "random_forest" if rows < SMALL_ROWS else "xgboost"
    if wanted not in able and able:
        return able[0], plain(language, "plan.only", choice=method(language, able[0]))
    title = method(language, wanted)
    if rows < SMALL_ROWS:
        return wanted, plain(language, "plan.few_rows", choice=title, rows=rows, limit=SMALL_ROWS)
    return wanted, plain(language, "plan.many_rows", choice=title, rows=rows)


def _options(state: RunState, profile: DataProfile, policy: Policy, algorithm: str) -> list[Option]:
    # Imported here: only this tool needs the formulas and prices.
    from mlops_core.algorithms.estimate import Workload, estimate_training
    from mlops_core.reporting.prices import hourly_price

    request = state.request
    known = [name for name in get_args(InstanceType) if not policy.instance_types or name in policy.instance_types]
    types = [request.instance_type] if request.instance_type != "auto" else known
    table = ENTRIES[algorithm].hyperparameters
    values = {name: item.default for name, item in table.items()} | current(state, state.round + 1)
    text = sum(item.type == "string" for item in profile.columns)
    options = []
    for instance in types:
        work = Workload(
            rows=sum(profile.rows.values()),
            numeric=len(profile.columns) - text,
            text=text,
            task=request.task,
            classes=max(2, len(profile.class_shares)),
            features=profile.feature_count,
            train_rows=profile.rows.get("train"),
            duplicate_share=0.0 if request.duplicates == "drop" else profile.duplicate_rows / max(1, profile.rows_read),
            threads=_SHAPES[instance][0],
        )
        predicted = estimate_training(work, algorithm, values)
        price = hourly_price(instance)
        if price is not None:
            options.append(Option(instance, predicted.memory_bytes, predicted.seconds, price))
    return sorted(options, key=lambda option: option.hourly)


def _choose(options: list[Option], request: TrainingRequest) -> tuple[Option, str]:
    allowed = request.max_runtime_minutes * 60
    fitting = [option for option in options if option.fits]
    if not fitting:
        need = max((option.memory_bytes for option in options), default=0) / (1 << 30)
        headline = f"training is predicted to need {need:.1f} GiB; no allowed instance type has that much."
        raise Refused(headline, remedy="Allow a larger type in the issue or in .github/mlops.yml and label again.", code="E-PLAN-MEMORY")
    chosen = next((option for option in fitting if option.seconds <= allowed), fitting[-1])
    figures = {"gib": chosen.memory_bytes / (1 << 30), "seconds": chosen.seconds}
    if request.instance_type != "auto":
        return chosen, plain(request.language, "plan.instance_asked", choice=chosen.instance_type, **figures)
    return chosen, plain(request.language, "plan.instance_cheapest", choice=chosen.instance_type, **figures)


def _limit(request: TrainingRequest, policy: Policy, hourly: float) -> tuple[int, list[str]]:
    """Seconds the job may run: the asked run time, shortened so that the job alone cannot cost more than allowed."""
    seconds = request.max_runtime_minutes * 60
    costs = [cost for cost in (request.max_cost_usd, policy.max_cost_usd) if cost is not None]
    affordable = int(min(costs) / hourly * 3600) if costs else seconds
    if affordable >= seconds:
        return seconds, []
    told = plain(request.language, "plan.limit", seconds=max(60, affordable), cost=min(costs), hourly=hourly)
    return max(60, affordable), [told]


TOOLS = (*COMMON, reads(propose_plan))
