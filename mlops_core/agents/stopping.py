"""Findings that end a run: what the quality gate stops on, and the warnings that the policy of a repository makes stops.

stop_of(policy, findings, code=DATA_STOPPED)          # why the run ends, naming codes and columns; "" when nothing stops it

Such an end is a decision, not a failure: the run is refused and closed in the ordinary way (docs/decisions/0001-one-closing-path.md).
"""

from __future__ import annotations

from mlops_core.agents.handler import Document
from mlops_core.contracts.stops import GATE, told

_MOST_COLUMNS = 8
_MOST_CHECKS = 3


def stop_of(policy: Document, findings: list[Document], *, code: str) -> str:
    """The sentence with rule, next act and code when the gate or the policy stops on one of the findings, else nothing."""
    broken = [_broken(item["values"], item["columns"]) for item in findings if item["code"] == GATE]
    if broken:
        act = "Give files with the same columns, types and classes, filled alike, and label the issue again."
        return told(f"{'; '.join(broken[:_MOST_CHECKS])}.", act, GATE)
    found = stopping(policy["stop_on"], findings)
    if found:
        named = [item["code"] + (f" ({', '.join(item['columns'][:_MOST_COLUMNS])})" if item["columns"] else "") for item in found]
        act = "Mend the data or drop the columns; or take the code out of stop_on in .github/mlops.yml. Then label the issue again."
        return told(f"the policy of the repository stops on these warnings: {'; '.join(named)}.", act, code)
    return ""


def stopping(stop_on: list[str], findings: list[Document]) -> list[Document]:
    """The findings whose code, or the family that it begins with (``W-LEAK``), is named."""
    return [item for item in findings if any(item["code"] == code or item["code"].startswith(f"{code}-") for code in stop_on)]


def _broken(values: Document, columns: list[str]) -> str:
    named = ", ".join(repr(name[:80]) for name in columns[:_MOST_COLUMNS])
    return f"the {values['split']} rows break the schema ({values['check']}): {named}, {values['count']:,} of {values['rows']:,} rows"
