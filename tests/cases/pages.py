"""Write the page of every run case: ``PYTHONPATH=. python tests/cases/pages.py``.

A case's ``state.json`` holds a run as it starts, what stations then tell it (`RunChanges` with their times) and when the page is looked at.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import get_args

from mlops_core.contracts.changes import RunChanges
from mlops_core.contracts.request import Language
from mlops_core.contracts.run import RunState
from mlops_core.reporting.comment import render_comment
from mlops_core.reporting.links import Links
from mlops_core.runs.state import applied

CASES = Path(__file__).parent
LANGUAGES: tuple[Language, ...] = get_args(Language)
LINKS = Links(
    issue="https://github.com/octo/models/issues/12",
    files="https://github.com/octo/models/blob/main",
    raw="https://github.com/octo/models/raw/main",
    local=True,
)


def run_of(folder: Path, language: Language) -> tuple[RunState, str]:
    """The run after everything it was told, and the time of the look."""
    case = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    state = RunState.model_validate(case["state"])
    state = state.model_copy(update={"request": state.request.model_copy(update={"language": language})})
    for step in case["steps"]:
        state = applied(state, RunChanges.model_validate(step["changes"]), datetime.fromisoformat(step["at"]))
    return state, str(case["now"])


def page(folder: Path, language: Language) -> str:
    """The comment as it then stands."""
    state, now = run_of(folder, language)
    return render_comment(state, links=LINKS, now=now)


def main() -> None:
    """Write all."""
    for case in sorted(CASES.glob("*/state.json")):
        for language in LANGUAGES:
            (case.parent / f"comment.{language}.md").write_text(page(case.parent, language), encoding="utf-8")


if __name__ == "__main__":
    main()
