"""Codes that end a run as refused without a verdict: what was found, or could not be measured, decides before any figure is weighed.

    reason = told("the policy stops on W-LEAK-001 (copy).", "Drop the column.", EVALUATION_STOPPED)
    code_of(reason)                 # "E-EVAL-STOPPED"

Imported by agents: nothing of pydantic here.
"""

from __future__ import annotations

import re

GATE = "E-QUALITY-001"
"""The quality gate: splits that break the schema of the training rows."""
DATA_STOPPED, EVALUATION_STOPPED = "E-DATA-STOPPED", "E-EVAL-STOPPED"
"""The policy's ``stop_on``: warnings about the data, and about the figures."""
UNMEASURED = frozenset({"E-JUDGE-001", "E-JUDGE-003"})
"""A rule of the request or the policy whose figure these data do not give."""
MOST_LETTERS = 1000
"""Of a reason: a longer one is cut by what closes the run, and would lose its code."""
_CODE = re.compile(r"\((E-[A-Z]+-[A-Z0-9]+)\)\Z")


def told(what: str, act: str, code: str) -> str:
    """What happened, the next act and the code as one reason; a long beginning is cut."""
    end = f" {act} ({code})"
    room = MOST_LETTERS - len(end)
    return (what if len(what) <= room else what[: room - 2] + " …") + end


def code_of(reason: str) -> str:
    """The code at the end of a reason; "" without one."""
    found = _CODE.search(reason)
    return found[1] if found else ""
