"""What the quality gate of the data job finds before anything is trained: ``quality.json`` beside the profile.

`Check` is asked in SQL over every row of a split.  `SuiteRun` tells of the expectation suite (``expectations.json``, the format of
great-expectations 1.x): it is generated from the training profile every time, and carried out on a sample when the policy asks for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.dataset import Finding

CheckName = Literal["columns_alike", "target_filled", "target_known", "column_filled", "missing_share", "in_range", "known_categories"]
CheckKind = Literal["schema", "statistic"]
PartName = Literal["train", "validation", "test"]


class Miss(Message):
    """One column that a check is not content with: ``count`` rows, ``share`` of the rows looked at, and what was expected (a share)."""

    column: str
    count: int
    share: Annotated[float, Field(ge=0, le=1)]
    expected: float = 0.0


class Check(Message):
    """One question to one split: how many rows and columns it saw, and the columns that missed it.

    A ``schema`` check that is missed stops the run when ``stops`` is set; a ``statistic`` warns.
    """

    name: CheckName
    kind: CheckKind
    part: PartName
    rows: int
    columns: int
    missed: tuple[Miss, ...] = ()
    stops: bool = False


class Shift(Message):
    """How unlike training a column of a split is: the population stability index over the profile's bins, all ``rows`` counted."""

    column: str
    part: PartName
    psi: float
    rows: int


class MissedExpectation(Message):
    """An expectation that the sample does not meet: great-expectations' type, the column, and the share of unexpected values."""

    type: str
    column: str = ""
    share: float | None = None
    critical: bool = False


class SuiteRun(Message):
    """The expectation suite: what was written, and what a sample of ``rows`` of ``of_rows`` prepared rows said when it was carried out."""

    expectations: int
    executed: bool = False
    version: str = ""
    rows: int = 0
    of_rows: int = 0
    seed: int = 0
    passed: int = 0
    missed: tuple[MissedExpectation, ...] = ()
    seconds: float = 0.0


class QualityReport(Message):
    """Every check in the order it was asked, the suite, and the findings that the gate adds to the profile's."""

    spec_digest: Digest
    checks: tuple[Check, ...]
    suite: SuiteRun
    shifts: tuple[Shift, ...] = ()
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
