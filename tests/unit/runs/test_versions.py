"""What makes a version major, minor or patch, and that a number is given once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.capabilities import packaging
from mlops_core.capabilities.issue import start_run
from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import ColumnProfile, DataProfile
from mlops_core.contracts.run import Change, Round, RunState
from mlops_core.errors import Refused
from mlops_core.runs import models, versions
from mlops_core.runs.state import read_run
from tests.unit.mcp_server import world as w


def run_of(**changes: Any) -> RunState:
    """The state of a run of the plain request with changes; ``algorithm`` is what the plan chose."""
    memory = w.world()
    state = read_run(memory.ports, start_run(memory.ports, w.approved(**changes)).run_id)
    return state.model_copy(update={"run_id": f"income-{digest(changes)[:8]}-g0", "algorithm": "xgboost"})


def profile(*columns: tuple[str, str], **changes: Any) -> DataProfile:
    """What the data job found."""
    kept = columns or (("age", "float64"), ("sex", "string"))
    rows = tuple(ColumnProfile.model_validate({"name": name, "type": kind, "rows": 9, "missing": 0, "distinct": 2}) for name, kind in kept)
    return w.profile().model_copy(update={"columns": rows, **changes})


@pytest.mark.parametrize(
    ("request_changes", "columns", "expected"),
    [
        ({"seed": 7}, (), ("1.0.1", "patch")),
        ({"dataset": "s3://lake/datasets/adult/raw/new.csv"}, (), ("1.0.1", "patch")),
        ({"metric": "accuracy", "threshold": 0.5, "instance_type": "ml.m5.xlarge", "language": "ja"}, (), ("1.0.1", "patch")),
        ({"hyperparameters": {"max_depth": 5}}, (), ("1.1.0", "minor")),
        ({"missing_values": "mean"}, (), ("1.1.0", "minor")),
        ({"drop_columns": ["fnlwgt"]}, (), ("1.1.0", "minor")),
        ({"split": "random"}, (), ("1.1.0", "minor")),
        ({"target": "wage"}, (), ("2.0.0", "major")),
        ({"task": "multiclass"}, (), ("2.0.0", "major")),
        ({"positive_label": "yes"}, (), ("2.0.0", "major")),
        ({}, (("age", "float64"),), ("2.0.0", "major")),
        ({}, (("age", "int64"), ("sex", "string")), ("2.0.0", "major")),
        ({}, (("age", "float64"), ("gender", "string")), ("2.0.0", "major")),
    ],
)
def test_what_changed_decides_the_number(request_changes: dict[str, Any], columns: Any, expected: tuple[str, str]) -> None:
    ports = w.world().ports
    assert versions.allocate(ports, "income", run_of(), profile()) == versions.Numbered("1.0.0", "", "first")
    made = versions.allocate(ports, "income", run_of(**{"seed": 5, **request_changes}), profile(*columns))
    assert (made.version, made.change, made.parent) == (*expected, "1.0.0")


def test_another_method_and_an_operators_change_are_minor_and_other_classes_are_major() -> None:
    ports, first = w.world().ports, run_of()
    versions.allocate(ports, "income", first, profile())
    forest = first.model_copy(update={"run_id": "income-00000002-g0", "algorithm": "random_forest"})
    assert versions.allocate(ports, "income", forest, profile()).version == "1.1.0"
    asked = Round(number=1, asked_by="wataru", changes=(Change(name="max_depth", before=None, after=9),))
    again = forest.model_copy(update={"run_id": "income-00000003-g0", "rounds": (Round(number=0, asked_by="ana"), asked)})
    assert versions.allocate(ports, "income", again, profile()).version == "1.2.0"
    other = again.model_copy(update={"run_id": "income-00000004-g0"})
    assert versions.allocate(ports, "income", other, profile(class_shares={"yes": 0.5, "perhaps": 0.5})).version == "2.0.0"


def test_a_dropped_column_is_no_input() -> None:
    ports = w.world().ports
    versions.allocate(ports, "income", run_of(), profile())
    dropped = ColumnProfile(name="id", type="int64", rows=9, missing=0, distinct=9, dropped="identifier")
    more = profile().model_copy(update={"columns": (*profile().columns, dropped)})
    assert versions.allocate(ports, "income", run_of(seed=3), more).change == "patch"


def test_a_run_keeps_its_number_and_numbers_are_given_once() -> None:
    ports = w.world().ports
    made = [versions.allocate(ports, "income", run_of(seed=seed), profile()).version for seed in (1, 2, 1, 3, 2)]
    assert made == ["1.0.0", "1.0.1", "1.0.0", "1.0.2", "1.0.1"]


def test_a_call_that_died_after_taking_a_number_finds_it_again() -> None:
    memory = w.world()
    versions.allocate(memory.ports, "income", run_of(seed=1), profile())
    memory.ledger.delete(models.model_key("income"), f"RUN#{run_of(seed=1).run_id}")
    assert versions.allocate(memory.ports, "income", run_of(seed=1), profile()).version == "1.0.0"


def test_numbers_of_models_from_before_the_rules_go_on_from_the_newest() -> None:
    memory = w.world()
    for version in ("1.2.0", "1.10.0"):
        memory.ledger.put(models.model_key("income"), f"VERSION#{version}", {"doc": "{}"})
    assert versions.allocate(memory.ports, "income", run_of(), profile()) == versions.Numbered("1.11.0", "1.10.0", "minor")


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(["major", "minor", "patch"]), max_size=12))
def test_versions_only_ever_rise(steps: list[str]) -> None:
    ports, found = w.world().ports, [(0, 0, 0)]
    columns, depth = [("age", "float64")], 3
    for seed, step in enumerate(["first", *steps]):
        columns = [*columns, (f"c{seed}", "string")] if step == "major" else columns
        depth += step == "minor"
        state = run_of(seed=seed, hyperparameters={"max_depth": depth})
        made = versions.allocate(ports, "income", state, profile(*columns))
        assert made.change == step
        found.append(tuple(map(int, made.version.split("."))))  # type: ignore[arg-type]
    assert found == sorted(set(found))


def test_a_version_needs_prepared_data() -> None:
    memory = w.world()
    run = start_run(memory.ports, w.approved()).run_id
    with pytest.raises(Refused) as caught:
        packaging.next_version(memory.ports, "income", run)
    assert caught.value.code == "E-PACKAGE-VERSION"


def test_the_registry_keeps_the_lineage_of_a_version() -> None:
    memory = w.world()
    run = start_run(memory.ports, w.approved()).run_id
    version = prepared(memory, run)
    record = w.package(memory, run, version)
    signature = packaging.sign_package(memory.ports, record.model_uri.removesuffix("model.tar.gz"))
    arn = packaging.register_model(memory.ports, run, record, signature)["package_arn"]
    kept = memory.registry.describe(arn).properties
    wanted = {"run_id": run, "semantic_version": "1.1.0", "parent_version": "1.0.0", "change": "minor", "dataset_version": "v1.0.0"}
    assert {name: kept.get(name) for name in wanted} == wanted


def prepared(memory: MemoryPorts, run: str) -> str:
    """A run with prepared data whose model follows one of another recipe; its version."""
    from mlops_core.contracts.changes import RunChanges
    from mlops_core.runs.progress import record_progress

    versions.allocate(memory.ports, "income", run_of(missing_values="mean"), profile())
    uri = "s3://lake/datasets/adult/versions/v1.0.0/0123456789abcdef/"
    record_progress(memory.ports, run, RunChanges(prepared_uri=uri, dataset_version="v1.0.0", algorithm="xgboost"))
    w.put(memory, f"{uri}profile.json", profile())
    return str(packaging.next_version(memory.ports, "income", run)["version"])
