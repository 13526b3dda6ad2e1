"""Semantic versions of models: what a caller of the endpoint must know decides the number.

    made = allocate(ports, "income", state, profile)       # Numbered(version="1.2.0", parent="1.1.3", change="minor")

* **major**: the way the model is asked or what it answers changed: an input's name or type, the target, the task, the classes;
* **minor**: the same question, another recipe: method, hyperparameters, or how the data are prepared and split;
* **patch**: the same recipe on new data or with another seed.

A number is compared with the newest one of the model, given once, and never given again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import DataProfile
from mlops_core.contracts.model import FIRST_VERSION
from mlops_core.contracts.run import RunState
from mlops_core.errors import Stale
from mlops_core.ports import Item, Ports
from mlops_core.runs import models

Change = Literal["first", "major", "minor", "patch"]
NOT_RECIPE = frozenset(
    {
        "model_name", "task", "target", "positive_label", "algorithm", "hyperparameters", "dataset", "test_dataset", "dataset_version",
        "seed", "protected_attributes", "metric", "threshold", "instance_type", "max_runtime_minutes", "max_cost_usd", "max_retrains",
        "promotion", "endpoint", "language",
    }
)  # fmt: skip
"""Fields of a request that say nothing of how data are prepared: they are data, schema, method, or how the run is done and judged."""
_TRIES = 8
_NUMBER = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})\Z")


@dataclass(frozen=True)
class Numbered:
    """A version with the one it was compared with and what that changed."""

    version: str
    parent: str
    change: Change


def allocate(ports: Ports, model_name: str, state: RunState, profile: DataProfile) -> Numbered:
    """The version of a run's model, the same however often asked; `Stale` when others kept taking numbers."""
    key, run = models.model_key(model_name), state.run_id
    schema, recipe = schema_digest(state, profile), recipe_digest(state)
    for attempt in range(_TRIES):
        there = of_run(ports, model_name, run)
        if there is not None:
            return there
        newest = _newest(ports, key)
        if newest is not None and newest["run_id"] == run:
            made = Numbered(str(newest["version"]), str(newest["parent"]), _change(str(newest["change"])))
        else:
            made = _following(newest, schema, recipe)
            row: Item = {"version": made.version, "run_id": run, "schema": schema, "recipe": recipe, "parent": made.parent}
            if ports.ledger.claim(key, _sortable(made.version), {**row, "change": made.change}) is not None:
                ports.clock.sleep(0.02 * 2**attempt)
                continue
        ports.ledger.claim(key, f"RUN#{run}", {"version": made.version, "parent": made.parent, "change": made.change})
    raise Stale(f"the versions of {model_name} kept moving.", remedy="Call again.")


def of_run(ports: Ports, model_name: str, run_id: str) -> Numbered | None:
    """The version that a run was given."""
    there = ports.ledger.get(models.model_key(model_name), f"RUN#{run_id}")
    if there is None:
        return None
    return Numbered(str(there["version"]), str(there.get("parent") or ""), _change(str(there.get("change") or "first")))


def schema_digest(state: RunState, profile: DataProfile) -> str:
    """What the endpoint is asked and answers: inputs with their types in order, target, task, classes."""
    request = state.request
    columns = [[item.name, item.type] for item in profile.columns if not item.dropped and item.name != request.target]
    labels = sorted(profile.class_shares) if request.task != "regression" else []
    return digest(
        {"columns": columns, "labels": labels, "task": request.task, "target": request.target, "positive": request.positive_label}
    )


def recipe_digest(state: RunState) -> str:
    """Method, hyperparameters with every operator's change, and the preparation of the data."""
    request = state.request.model_dump(mode="json")
    parameters = dict(state.request.hyperparameters)
    for item in sorted(state.rounds, key=lambda item: item.number):
        parameters.update({change.name: change.after for change in item.changes})
    data = {name: value for name, value in request.items() if name not in NOT_RECIPE}
    return digest({"algorithm": state.algorithm or request["algorithm"], "hyperparameters": parameters, "data": data})


def _newest(ports: Ports, key: str) -> Item | None:
    numbered = ports.ledger.query(key, prefix="NUMBER#", limit=1, newest_first=True)
    if numbered:
        return numbered[0][1]
    registered = [sk.removeprefix("VERSION#") for sk, _ in ports.ledger.query(key, prefix="VERSION#", limit=1000)]
    last = max(filter(_NUMBER.match, registered), key=_parts, default=None)
    # Versions from before numbers followed recipes are known by their number alone.
    return {"version": last, "run_id": "", "schema": "", "recipe": ""} if last else None


def _following(newest: Mapping[str, object] | None, schema: str, recipe: str) -> Numbered:
    if newest is None:
        return Numbered(FIRST_VERSION, "", "first")
    parent = str(newest["version"])
    major, minor, patch = _parts(parent)
    if newest["schema"] and newest["schema"] != schema:
        return Numbered(f"{major + 1}.0.0", parent, "major")
    if newest["recipe"] != recipe:
        return Numbered(f"{major}.{minor + 1}.0", parent, "minor")
    return Numbered(f"{major}.{minor}.{patch + 1}", parent, "patch")


def _parts(version: str) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def _sortable(version: str) -> str:
    return "NUMBER#" + ".".join(f"{part:06d}" for part in _parts(version))


def _change(text: str) -> Change:
    found: dict[str, Change] = {"major": "major", "minor": "minor", "patch": "patch"}
    return found.get(text, "first")
