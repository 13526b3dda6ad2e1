"""What a job costs: billable seconds times a price whose source and date stand beside it.

    cost = price_jobs(state.jobs)
    cost.dollars, cost.seconds, cost.unpriced       # 0.0096, 300, ()

Prices are on-demand dollars an hour in us-east-1, equal for SageMaker training, processing and real-time hosting on these types.
A type that is not in the table has no price: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mlops_core.contracts.run import JobUse

REGION = "us-east-1"
_SOURCE = "Amazon SageMaker AI pricing, on-demand"


@dataclass(frozen=True)
class Price:
    """Dollars an hour of one instance type, the page it comes from and the month in which that was last known to be true."""

    hourly: float
    source: str
    known: str


PRICES: dict[str, Price] = {
    "ml.m5.large": Price(0.115, _SOURCE, "2025-06"),
    "ml.m5.xlarge": Price(0.23, _SOURCE, "2025-06"),
    "ml.m5.2xlarge": Price(0.461, _SOURCE, "2025-06"),
    "ml.m5.4xlarge": Price(0.922, _SOURCE, "2025-06"),
    "ml.c5.xlarge": Price(0.204, _SOURCE, "2025-06"),
    "ml.c5.2xlarge": Price(0.408, _SOURCE, "2025-06"),
}


@dataclass(frozen=True)
class Cost:
    """Dollars of the priced jobs, billable seconds of all jobs, the prices used and the types without a price."""

    dollars: float
    seconds: int
    used: tuple[tuple[str, Price], ...]
    unpriced: tuple[str, ...]


def hourly_price(instance_type: str) -> float | None:
    """Dollars an hour, or None for a type that is not in the table."""
    price = PRICES.get(instance_type)
    return price.hourly if price else None


def price_jobs(jobs: Iterable[JobUse]) -> Cost:
    """The cost of some jobs, each one instance wide."""
    listed = tuple(jobs)
    types = sorted({job.instance_type for job in listed})
    dollars = sum(PRICES[job.instance_type].hourly * job.billable_seconds / 3600 for job in listed if job.instance_type in PRICES)
    return Cost(
        dollars=dollars,
        seconds=sum(job.billable_seconds for job in listed),
        used=tuple((name, PRICES[name]) for name in types if name in PRICES),
        unpriced=tuple(name for name in types if name not in PRICES),
    )
