"""The policy decides whether the expectation suite of the data is carried out."""

from __future__ import annotations

import pytest

from mlops_core.contracts.dataset import DataJobConfig
from tests.unit.mcp_server import world as w
from tests.unit.stepfunctions.walker import Walker


def _prepared(policy: str) -> tuple[DataJobConfig, str]:
    """What the data job was told under a policy, and the folder it writes."""
    memory = w.world()
    memory.repository.files.setdefault(w.REPOSITORY, {})[".github/mlops.yml"] = policy.encode()
    walker = Walker(memory)
    run = walker.start()
    assert walker.run(run).status == "SUCCEEDED"
    stored = next(item.uri for item in memory.objects.list(f"s3://lake/runs/{run}/", limit=100) if "-data/" in item.uri)
    return DataJobConfig.model_validate_json(memory.objects.read(stored)), str(walker.line.state(run).prepared_uri)


@pytest.mark.parametrize(("policy", "suite"), [("champion_margin: 0.0\n", "write"), ("data_suite: run\n", "run")])
def test_the_suite_is_carried_out_when_the_policy_says_so(policy: str, suite: str) -> None:
    assert _prepared(policy)[0].suite == suite


def test_data_whose_suite_is_carried_out_are_a_preparation_of_their_own() -> None:
    assert _prepared("data_suite: run\n")[1] != _prepared("champion_margin: 0.0\n")[1]
