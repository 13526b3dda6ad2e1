"""What `mlops run` reports: one document for programs, a few lines for people.

document = collect(ports, state, links)
for line in summary(document): ...
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mlops_core.cli.console import padded
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.request import Language
from mlops_core.contracts.run import RunState
from mlops_core.errors import NotFound
from mlops_core.ports import Ports
from mlops_core.reporting.comment import USUAL
from mlops_core.reporting.messages import CATALOGUES
from mlops_core.reporting.messages import plain as word

Document = dict[str, Any]
_HEADING_COLUMNS = {"en": 12, "ja": 15}
_FIGURES_A_LINE = 3


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
    """The result in lines for people, in the language of the request."""
    request, verdict = document["request"], document["verdict"]
    language: Language = request["language"]
    said = [("reason", document["reason"])] if document["reason"] else []
    said += [(split, _measured(document, split)) for split in ("validation", "test") if document["metrics"][split]]
    baseline = document["baseline"]["validation"].get(request["metric"])
    if baseline is not None:
        said.append(("baseline", f"{_metric(request['metric'], language)} {baseline:.4f}"))
    if verdict:
        said.append(("verdict", _decided(verdict, language)))
    said += [("warning", f"{item['code']} {item['text']}") for item in document["warnings"]]
    if document["warnings"]:
        said.append(("more", f"mlops explain-error {document['warnings'][0]['code']}{' --language ja' if language == 'ja' else ''}"))
    if document["endpoint"]:
        said.append(("endpoint", document["endpoint"]["url"]))
    said.append(("issue", document["issue"]))
    if document["report"]:
        said.append(("report", document["report"]))
    outcome = word(language, f"outcome.{document['outcome'] or 'open'}")
    first = f"{outcome}: {document['model']['name']} {document['model']['version']}".rstrip()
    return [first, *(line(name, text, language) for name, text in said)]


def line(name: str, text: str, language: Language) -> str:
    """A line of the summary: its heading in a column of its own."""
    return f"  {padded(word(language, f'terminal.head_{name}'), _HEADING_COLUMNS[language])}{text}"


def _measured(document: Document, split: str) -> str:
    """The figures of a split that the issue's page shows too, a few on a line, the request's metric first; the report has all."""
    language: Language = document["request"]["language"]
    asked = document["request"]["metric"]
    found = [item for item in document["metrics"][split].items() if item[0] in USUAL or item[0] == asked]
    figures = sorted(found, key=lambda item: item[0] != asked)
    shown = [f"{_metric(name, language)} {value['value']:.4f} [{value['low']:.4f}, {value['high']:.4f}]" for name, value in figures]
    lines = [", ".join(shown[place : place + _FIGURES_A_LINE]) for place in range(0, len(shown), _FIGURES_A_LINE)]
    rows = word(language, "terminal.rows", rows=document["rows"][split])
    return f",\n{' ' * (2 + _HEADING_COLUMNS[language])}".join([f"{rows}: {lines[0]}", *lines[1:]])


def _decided(verdict: Document, language: Language) -> str:
    rule = CATALOGUES[language].get(f"rule.{verdict['decided_by']}", verdict["decided_by"])
    return word(language, "verdict.line", decision=word(language, f"decision.{verdict['decision']}"), rule=rule)


def _metric(name: str, language: Language) -> str:
    """In English the name that flags and files use, else the word for it."""
    return name if language == "en" else CATALOGUES[language].get(f"metric.{name}", name)


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
