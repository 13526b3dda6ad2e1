"""What `mlops run` reports: one document for programs, a few lines for people.

document = collect(ports, state, links)
for line in summary(document): ...
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.run import RunState
from mlops_core.errors import NotFound
from mlops_core.ports import Ports

Document = dict[str, Any]


def collect(ports: Ports, state: RunState, *, issue_url: str, report_url: str, endpoint_url: str) -> Document:
    """The whole result of a run: figures with intervals, verdict with its rule, model, endpoint, timings and digests."""
    validation = _results(ports, state.evaluation_uri)
    test = _results(ports, state.test_evaluation_uri)
    return {
        "run_id": state.run_id,
        "outcome": state.outcome,
        "reason": state.reason,
        "issue": issue_url,
        "report": report_url,
        "request": state.request.model_dump(mode="json"),
        "algorithm": state.algorithm,
        "plan": list(state.plan_reasons),
        "metrics": {"validation": _figures(validation), "test": _figures(test)},
        "baseline": {"validation": validation.baseline if validation else {}, "test": test.baseline if test else {}},
        "rows": {"validation": validation.rows if validation else 0, "test": test.rows if test else 0},
        "verdict": state.verdict.model_dump(mode="json") if state.verdict else None,
        "warnings": [item.model_dump() for item in state.warnings],
        "model": {
            "name": state.request.model_name,
            "version": state.model_version,
            "package_arn": state.model_package_arn,
            "uri": state.model_uri,
            "champion": state.champion,
        },
        "endpoint": {"name": state.endpoint, "url": endpoint_url} if state.endpoint else None,
        "timings": _timings(state),
        "billable_seconds": {use.job: use.billable_seconds for use in state.jobs},
        "digests": {"request": state.request_digest, "dataset": state.dataset_digest, "model": state.model_digest},
        "history": state.history_path,
    }


def summary(document: Document) -> list[str]:
    """The result in lines for people."""
    metric = document["request"]["metric"]
    lines = [f"{document['outcome']}: {document['model']['name']} {document['model']['version']}".rstrip()]
    if document["reason"]:
        lines.append(f"  reason      {document['reason']}")
    for split in ("validation", "test"):
        figures = document["metrics"][split]
        if figures:
            shown = ", ".join(f"{name} {value['value']:.4f} [{value['low']:.4f}, {value['high']:.4f}]" for name, value in figures.items())
            lines.append(f"  {split:<11} {shown}  (n = {document['rows'][split]:,})")
    baseline = document["baseline"]["validation"].get(metric)
    if baseline is not None:
        lines.append(f"  baseline    {metric} {baseline:.4f}")
    if document["verdict"]:
        lines.append(f"  verdict     {document['verdict']['decision']} by {document['verdict']['decided_by']}")
    lines.extend(f"  warning     {item['code']} {item['text']}" for item in document["warnings"])
    if document["warnings"]:
        lines.append(f"  more        mlops explain-error {document['warnings'][0]['code']}")
    if document["endpoint"]:
        lines.append(f"  endpoint    {document['endpoint']['url']}")
    lines.append(f"  issue       {document['issue']}")
    if document["report"]:
        lines.append(f"  report      {document['report']}")
    return lines


def _results(ports: Ports, uri: str | None) -> EvaluationResults | None:
    if not uri:
        return None
    try:
        return EvaluationResults.model_validate_json(ports.objects.read(f"{uri.rstrip('/')}/results.json"))
    except NotFound:
        return None


def _figures(results: EvaluationResults | None) -> dict[str, dict[str, float]]:
    return {name: interval.model_dump() for name, interval in results.metrics.items()} if results else {}


def _timings(state: RunState) -> dict[str, float]:
    spent: dict[str, float] = {
        phase.name: (datetime.fromisoformat(phase.ended_at) - datetime.fromisoformat(phase.started_at)).total_seconds()
        for phase in state.phases
        if phase.started_at and phase.ended_at
    }
    if state.ended_at:
        spent["run"] = (datetime.fromisoformat(state.ended_at) - datetime.fromisoformat(state.started_at)).total_seconds()
    return spent
