"""Which champions are trained again without a person, when, and with which data.

    enroll(ports, state)                                    # a champion's data are watched from now on
    names_of(ports, dataset="adult", file="train.csv")      # ["income"]
    terms = terms_of(ports, "income")                       # what the policy asks for, and what is newer than the champion

A model is watched by the folder and the file name that its champion was trained on, so that a test file or somebody else's file in the
same folder starts nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from mlops_core.contracts.model import ModelRecord
from mlops_core.contracts.request import TrainingRequest
from mlops_core.contracts.run import RunState
from mlops_core.contracts.verdict import Retraining
from mlops_core.errors import NotFound
from mlops_core.facts import ObjectFacts
from mlops_core.ports import Item, Ports
from mlops_core.runs import models, policy
from mlops_core.runs.state import read_run

WATCHED = "RETRAIN"
COOL_DOWN = "COOLDOWN"
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)\Z")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_MOST_OBJECTS = 20_000
"""The listing goes by name: the newest file may be the last of a folder that grew for years."""


@dataclass(frozen=True)
class Terms:
    """What the policy on the default branch asks for a model, and what there is to train on (empty: nothing newer than tried before).

    ``mark`` tells the content of the data from what lay under the same URI before.
    """

    repository: str
    policy_commit: str
    wanted: Retraining
    champion: ModelRecord
    dataset: str
    mark: str
    idle_seconds: float


def enroll(ports: Ports, state: RunState) -> None:
    """Watch the data of a model whose champion this run made; keeps nothing of what was tried before."""
    row: Item = {"dataset": dataset_of(state.request.dataset), "file": file_of(state.request.dataset), "tried": "", "at": ""}
    ports.ledger.put(WATCHED, f"MODEL#{state.request.model_name}", row)


def names_of(ports: Ports, *, dataset: str = "", file: str = "") -> list[str]:
    """Models that are watched; those of one folder and file name when given."""
    rows = ports.ledger.query(WATCHED, prefix="MODEL#", limit=1000)
    return [
        sk.removeprefix("MODEL#")
        for sk, row in rows
        if (not dataset or row.get("dataset") == dataset) and (not file or row.get("file") == file)
    ]


def terms_of(ports: Ports, model_name: str, uri: str = "") -> Terms:
    """What is asked for a model and the data to train on: the file named, else the newest; `NotFound` for a model without a champion."""
    champion, row = models.champion(ports, model_name), ports.ledger.get(WATCHED, f"MODEL#{model_name}")
    if champion is None or row is None:
        raise NotFound(f"{model_name} has no champion to train again.", code="E-RETRAIN-CHAMPION")
    repository = models.home(ports, model_name)
    commit = ports.repository.head(repository)
    rules = policy.parse_policy(ports.repository.read(repository, policy.PATH, commit))
    request = read_run(ports, champion.run_id).request
    newest = _newest(ports, request, uri)
    known = newest is None or newest.modified <= _moment(champion.created_at) or _mark(newest) == row.get("tried")
    last = max(_moment(champion.created_at), _moment(str(row.get("at") or champion.created_at)))
    return Terms(
        repository=repository,
        policy_commit=commit,
        wanted=rules.retrain,
        champion=champion,
        dataset="" if known or newest is None else newest.uri,
        mark="" if newest is None else newest.etag,
        idle_seconds=(ports.clock.now() - last).total_seconds(),
    )


def seconds_of(schedule: str) -> int:
    """A schedule's period, 0 without one: ``rate(7 days)`` is 604,800."""
    found = _RATE.match(schedule)
    return int(found[1]) * _UNITS[found[2]] if found else 0


def claim(ports: Ports, model_name: str, seconds: int) -> bool:
    """Begin the cool-down of a model; False while one lasts."""
    now = int(ports.clock.now().timestamp())
    return ports.ledger.claim(WATCHED, f"{COOL_DOWN}#{model_name}", {"at": now}, expires_at=now + max(1, seconds)) is None


def release(ports: Ports, model_name: str) -> None:
    """End a cool-down whose run could not be started for now."""
    ports.ledger.delete(WATCHED, f"{COOL_DOWN}#{model_name}")


def tried(ports: Ports, model_name: str, uri: str, at: str) -> None:
    """Remember the data of a run that was started, so that data which did not make a better model are not tried every day."""
    row = ports.ledger.get(WATCHED, f"MODEL#{model_name}")
    if row is not None:
        ports.ledger.put(WATCHED, f"MODEL#{model_name}", {**row, "tried": _mark(ports.objects.head(uri)), "at": at})


def request_of(ports: Ports, terms: Terms, dataset: str) -> TrainingRequest:
    """The champion's request on other data: its method, every operator's change in it, and nobody to wait for."""
    state = read_run(ports, terms.champion.run_id)
    parameters = dict(state.request.hyperparameters)
    for item in sorted(state.rounds, key=lambda item: item.number):
        parameters.update({change.name: change.after for change in item.changes})
    changes = {
        "dataset": dataset,
        "dataset_version": None,
        "algorithm": state.algorithm or state.request.algorithm,
        "hyperparameters": parameters,
        "max_retrains": 0,
    }
    return TrainingRequest.model_validate(state.request.model_dump() | changes)


def dataset_of(uri: str) -> str:
    """The data set of ``s3://bucket/datasets/<id>/…``."""
    parts = uri.split("/")
    return parts[4] if len(parts) > 5 and parts[3] == "datasets" else ""


def file_of(uri: str) -> str:
    """The last part of a URI."""
    return uri.rpartition("/")[2]


def _newest(ports: Ports, request: TrainingRequest, uri: str) -> ObjectFacts | None:
    if uri:
        return ports.objects.head(uri)
    bucket = request.dataset.split("/")[2]
    there = ports.objects.list(f"s3://{bucket}/datasets/{dataset_of(request.dataset)}/raw/", limit=_MOST_OBJECTS)
    same = [item for item in there if file_of(item.uri) == file_of(request.dataset)]
    return max(same, key=lambda item: (item.modified, item.uri), default=None)


def _mark(found: ObjectFacts) -> str:
    return f"{found.uri}#{found.etag}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
