"""Run states as the stations leave them: running, waiting, succeeded, failed."""

from __future__ import annotations

from typing import Any

from mlops_core.contracts.request import TrainingRequest
from mlops_core.contracts.run import PHASES, Change, JobUse, PhaseState, Round, RunState, RunWarning
from mlops_core.contracts.verdict import Interval, Rule, Verdict

DIGEST = "ab" * 32
NOW = "2026-11-21T10:03:30Z"


def request(**changes: Any) -> TrainingRequest:
    values: dict[str, Any] = {
        "model_name": "income",
        "task": "binary",
        "algorithm": "xgboost",
        "dataset": "s3://bucket-of-tests/datasets/adult/raw/train.csv.gz",
        "target": "income",
        "positive_label": ">50K",
        "metric": "roc_auc",
        "threshold": 0.92,
        "hyperparameters": {"max_depth": 6, "n_estimators": 400, "learning_rate": 0.08},
    }
    return TrainingRequest(**(values | changes))


def verdict(decision: Any = "accept", measured: float = 0.9276) -> Verdict:
    return Verdict(
        decision=decision,
        decided_by="threshold",
        rules=(
            Rule(name="threshold", metric="roc_auc", measured=measured, required=0.92, passed=measured >= 0.92),
            Rule(name="beat_baseline", metric="roc_auc", measured=measured, required=0.5, passed=True),
        ),
        metric="roc_auc",
        measured=Interval(value=measured, low=measured - 0.003, high=measured + 0.0031),
        policy_digest=DIGEST,
    )


def phases(done: int, running: bool = True, detail: str = "") -> tuple[PhaseState, ...]:
    rows = []
    for number, name in enumerate(PHASES):
        if number < done:
            clock = f"2026-11-21T10:0{number}"
            rows.append(PhaseState(name=name, status="done", started_at=f"{clock}:00Z", ended_at=f"{clock}:42Z"))
        elif number == done and running:
            rows.append(PhaseState(name=name, status="running", started_at=f"2026-11-21T10:0{number}:00Z", detail=detail))
        else:
            rows.append(PhaseState(name=name))
    return tuple(rows)


def state(**changes: Any) -> RunState:
    values: dict[str, Any] = {
        "run_id": "income-7f3a9c-g1",
        "repository": "ada/models",
        "issue": 7,
        "generation": 1,
        "request": request(),
        "request_digest": DIGEST,
        "body_digest": DIGEST,
        "sender": "ada",
        "approved_by": "grace",
        "policy_commit": "c" * 40,
        "started_at": "2026-11-21T10:00:00Z",
        "algorithm": "xgboost",
        "instance_type": "ml.m5.large",
        "phases": phases(1, detail="round 120 of 400"),
        "jobs": (JobUse(job="income-data", phase="data", instance_type="ml.m5.large", billable_seconds=42),),
    }
    return RunState(**(values | changes))


def waiting(**changes: Any) -> RunState:
    missed = verdict("retrain", 0.9012)
    rounds = (
        Round(number=0, asked_by="ada", verdict=verdict("retrain", 0.88)),
        Round(number=1, asked_by="grace", changes=(Change(name="max_depth", before=None, after=8),), verdict=missed),
    )
    return state(**({"phases": phases(3, running=False), "verdict": missed, "rounds": rounds, "round": 1} | changes))


def succeeded(**changes: Any) -> RunState:
    return state(
        **(
            {
                "phases": phases(7),
                "outcome": "succeeded",
                "ended_at": "2026-11-21T10:06:42Z",
                "verdict": verdict(),
                "model_version": "1.0.0",
                "endpoint": "income-production",
                "plots": ("training_history/income/plots/roc_curve.png", "training_history/income/plots/confusion_matrix.png"),
                "report_path": "training_history/income/report.html",
                "history_path": "training_history/income/income-7f3a9c-g1.md",
                "warnings": (RunWarning(code="W-DATA-001", text="column fnlwgt | looks like an id"),),
            }
            | changes
        )
    )
