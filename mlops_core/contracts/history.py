"""The committed record of a run: everything needed to reproduce it, chained by digest.

``training_history/<model>/<run_id>.json`` is the canonical JSON of a `HistoryRecord`; ``.md`` the same for people; ``index.json`` and
``README.md`` of the folder are rebuilt from the records, never edited.
"""

from __future__ import annotations

from pydantic import Field

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.evaluation import EvaluationResults
from mlops_core.contracts.model import Manifest
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Policy


class HistoryRecord(Message):
    """One closed run; ``previous`` is the digest of the record before it in the same model's folder (64 zeros for the first)."""

    format: int = 1
    sequence: int
    previous: Digest
    run: RunState
    policy: Policy
    validation: EvaluationResults | None = None
    test: EvaluationResults | None = None
    manifest: Manifest | None = None
    test_looks: int = 0
    libraries: dict[str, str] = Field(default_factory=dict)
