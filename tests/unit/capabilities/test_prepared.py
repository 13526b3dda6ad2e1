"""A prepared folder is used by others when its job has ended, never before."""

from __future__ import annotations

from mlops_core.agents import data as agent
from mlops_core.capabilities import data
from mlops_core.capabilities.issue import start_run
from tests.unit.mcp_server import world as w
from tests.unit.mcp_server.test_agents_over_mcp import close, prepare


def test_what_an_interrupted_job_left_is_not_taken_for_a_preparation() -> None:
    """abuse row 63"""
    line = w.Line(w.world())
    run = start_run(line.memory.ports, w.approved()).run_id
    started = line.act("data", agent.ACTIONS, {"action": "start", "run_id": run, "round": 0})
    prefix = str(line.state(run).prepared_uri)
    w.put(line.memory, f"{prefix}profile.json", w.profile())
    line.memory.jobs.finish(started["job"], "stopped")
    assert data.find_prepared(line.memory.ports, prefix) == {"found": False, "profile": None}
    close(line, run, "failed", "stopped")
    again = start_run(line.memory.ports, w.approved()).run_id
    assert line.act("data", agent.ACTIONS, {"action": "start", "run_id": again, "round": 0})["state"] == "running"


def test_what_a_job_finished_is_used_again_and_what_was_removed_since_is_not() -> None:
    line = w.Line(w.world())
    run = start_run(line.memory.ports, w.approved()).run_id
    prepare(line, run)
    prefix = str(line.state(run).prepared_uri)
    assert data.find_prepared(line.memory.ports, prefix)["found"]
    del line.memory.objects.bodies[f"{prefix}profile.json"]
    assert not data.find_prepared(line.memory.ports, prefix)["found"]
