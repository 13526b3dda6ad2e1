"""Warnings that the policy of a repository makes stops.

obey(policy, findings, code="E-DATA-STOPPED")      # Refused, naming the codes and columns, when `stop_on` names one of them
"""

from __future__ import annotations

from mlops_core.agents.handler import Document
from mlops_core.errors import Refused

_MOST_COLUMNS = 8


def obey(policy: Document, findings: list[Document], *, code: str) -> None:
    """`Refused` with ``code`` when the policy stops on one of the findings: it names each with its columns."""
    found = stopping(policy["stop_on"], findings)
    if found:
        named = [item["code"] + (f" ({', '.join(item['columns'][:_MOST_COLUMNS])})" if item["columns"] else "") for item in found]
        raise Refused(
            f"the policy of the repository stops on these warnings: {'; '.join(named)}.",
            remedy="Mend the data or drop the columns; or take the code out of stop_on in .github/mlops.yml. Then label the issue again.",
            code=code,
        )


def stopping(stop_on: list[str], findings: list[Document]) -> list[Document]:
    """The findings whose code, or the family that it begins with (``W-LEAK``), is named."""
    return [item for item in findings if any(item["code"] == code or item["code"].startswith(f"{code}-") for code in stop_on)]
