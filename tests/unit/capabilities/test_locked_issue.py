"""An issue on which no comment can be written any more, closed mid-run or locked, still gets the end of its run."""

from __future__ import annotations

from mlops_core import errors
from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.capabilities import history
from mlops_core.capabilities.issue import start_run
from mlops_core.contracts.changes import PhaseChange, RunChanges
from mlops_core.runs.progress import record_progress
from tests.unit.mcp_server import world as w


def started() -> tuple[MemoryPorts, str]:
    """A run that has begun."""
    memory = w.world()
    return memory, start_run(memory.ports, w.approved()).run_id


def finished(memory: MemoryPorts, run: str) -> tuple[str, dict[str, object]]:
    """Close a run as the history agent does: the path of its record and what became of the issue."""
    record_progress(memory.ports, run, RunChanges(phase=PhaseChange(name="data", status="done")))
    history.close_run(memory.ports, run, "succeeded", "")
    return str(history.write_record(memory.ports, run)["path"]), history.finish_issue(memory.ports, run)


def test_a_locked_issue_gets_its_label_and_its_record_although_no_comment_can_be() -> None:
    """abuse row 39: GitHub answers 403 to comments on a locked conversation."""
    memory, run = started()

    def locked(action: str) -> None:
        if action == "comment":
            raise errors.Unauthorized("403: Unable to create comment because issue is locked.")

    memory.repository.fault = locked
    path, issue = finished(memory, run)
    assert path in memory.repository.files[w.REPOSITORY]
    assert issue == {"label": "mlops:done", "closed": True}


def test_an_issue_that_somebody_closed_mid_run_is_answered_all_the_same() -> None:
    """abuse row 39: closing the issue is no command; the run goes on and ends as it would."""
    memory, run = started()
    memory.ports.repository.close(w.REPOSITORY, 7)
    path, issue = finished(memory, run)
    assert path in memory.repository.files[w.REPOSITORY]
    assert issue["label"] == "mlops:done"
    assert len(memory.repository.comments[w.REPOSITORY, 7]) == 1
