"""When prepared data are used again, and when they are prepared anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.contracts.dataset import Finding
from mlops_core.errors import EnvironmentBroken
from tests.unit.mcp_server import world as w
from tests.unit.stepfunctions.walker import Walker

OLD, NEW = (f"000000000000.dkr.ecr.us-east-1.amazonaws.com/mlops-work:{tag}" for tag in ("1", "2"))


def _run(memory: MemoryPorts, **request: object) -> tuple[str, str, bool]:
    """A run on the same data by the same recipe: its id, the prepared folder, and whether its data job ran."""
    walker = Walker(memory)
    run = walker.start(**request)
    walker.run(run)
    state = walker.line.state(run)
    assert state.phases[0].status == "done"
    return run, str(state.prepared_uri), f"mlops-{run}-data" in memory.jobs.asked


def _with(memory: MemoryPorts, image: str) -> MemoryPorts:
    """The same world after its suite was deployed with another work image."""
    settings = replace(memory.settings, work_image=image)
    return replace(memory, settings=settings)


def test_the_same_request_under_the_same_image_is_prepared_once() -> None:
    memory = w.world(work_image=OLD)
    (_, first, prepared), (_, second, again) = _run(memory), _run(memory, threshold=0.6)
    assert (first == second, prepared, again) == (True, True, False)


def test_another_work_image_prepares_anew_and_leaves_the_older_preparation_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = w.world(work_image=OLD)
    run, first, _ = _run(memory)
    kept = {item.uri: memory.objects.read(item.uri) for item in memory.objects.list(first, limit=100)}
    later = w.profile().model_copy(update={"findings": (Finding(code="W-LEAK-001", columns=("age",)),)})
    monkeypatch.setattr(w, "profile", lambda: later)
    upgraded = _with(memory, NEW)
    newer, second, prepared = _run(upgraded, threshold=0.6)
    line = Walker(upgraded).line
    assert (second != first, prepared) == (True, True)
    assert [found.code for found in line.state(newer).warnings if found.code.startswith("W-LEAK")] == ["W-LEAK-001"]
    assert line.state(newer).dataset_version == line.state(run).dataset_version
    assert {item.uri: memory.objects.read(item.uri) for item in memory.objects.list(first, limit=100)} == kept


def test_without_a_work_image_nothing_is_taken_for_prepared() -> None:
    walker = Walker(w.world(work_image=""))
    run = walker.start()
    ended = walker.run(run)
    assert (ended.status, ended.error) == ("FAILED", EnvironmentBroken.__name__)
    assert "MLOPS_WORK_IMAGE" in walker.line.state(run).reason
