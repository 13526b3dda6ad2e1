"""Data Preparation: pins the bytes, names the version and the recipe, and prepares only what was never prepared before.

    handler({"action": "start", "run_id": "income-1a2b3c4d-g1", "round": 0}, context)
    # {"state": "running" | "skipped", "job": "mlops-income-1a2b3c4d-g1-data", "age_seconds": 0, "detail": ""}

An end also says what follows: ``decision`` is "prepared", or "refuse" with the ``reason``.

The prepared folder is ``datasets/<id>/versions/<version>/<recipe>/``: the version follows the raw bytes, the recipe the preparation's
settings and the image whose program prepares, so equal work is found again by name and another program's work is not taken for it.
"""

from __future__ import annotations

import hashlib
import json

from mlops_core.agents.following import LongJob, begin, follow, job_name, job_use, line, park, phase
from mlops_core.agents.handler import Agent, Document, answer, coded, key_of
from mlops_core.agents.stopping import stop_of
from mlops_core.contracts.stops import DATA_STOPPED
from mlops_core.errors import Refused

LONG = LongJob(word="data", phase="data", start="start_data_job", describe="describe_data_job")
RECIPE = (
    *("task", "target", "positive_label", "drop_columns", "missing_values", "missing_constant", "outliers", "outlier_rule", "rare_share"),
    *("duplicates", "rare_classes", "encoding", "scaling", "date_parts", "derived", "selection", "keep_features"),
    *("split", "split_gap", "time_column", "group_column", "validation_share", "test_share", "seed"),
)
"""Fields of a request that the data job's configuration holds under the same names."""
_GIB = 1 << 30
_VCPUS = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16}
_MIB_PER_VCPU = {"m5": 4096, "c5": 2048}


def handler(event: Document, context: object) -> Document:
    """Lambda entry."""
    return answer("data", ACTIONS, event, context)


def start(agent: Agent, event: Document) -> Document:
    """Pin the source, allocate its version, and start the job unless the same recipe was prepared before."""
    run_id = str(event["run_id"])
    run: Document = agent.tools.call("read_run", run_id=run_id)
    job = job_name(run_id, "data")
    agent.record(run_id, {"phase": phase("data", "running", None, job)})
    source = _pinned(agent, run)
    config = _config(agent, run)
    prepared = f"{_bucket(run)}/datasets/{dataset_id(run['request']['dataset'])}/versions/{source['version']}/{_short(config)}/"
    agent.record(run_id, {"prepared_uri": prepared, "dataset_version": source["version"]})
    found: Document = agent.tools.call("find_prepared", prefix=prepared)
    if found["found"]:
        ended = _accept(agent, {**run, "dataset_version": source["version"]}, found["profile"], job=None, jobs=[])
        return {"state": "skipped", "job": job, "age_seconds": 0, "detail": "prepared before", **ended}
    return begin(agent, LONG, run_id, job=job, arguments=_arguments(run, config, prepared, source["bytes"]))


def describe(agent: Agent, event: Document) -> Document:
    """Follow the job; a finished one leaves its version, digest and findings in the run."""
    run_id = str(event["run_id"])

    def again(name: str) -> None:
        run: Document = agent.tools.call("read_run", run_id=run_id)
        begin(
            agent,
            LONG,
            run_id,
            job=name,
            arguments=_arguments(run, _config(agent, run), run["prepared_uri"], _seen(agent, run)["bytes"]),
        )

    def finish(facts: Document) -> Document:
        run: Document = agent.tools.call("read_run", run_id=run_id)
        profile: Document = agent.tools.call("read_profile", prepared_uri=run["prepared_uri"])
        agent.tools.call("mark_prepared", prefix=run["prepared_uri"], key=key_of(run_id, "prepared", run["prepared_uri"]))
        return _accept(agent, run, profile, job=facts["job"], jobs=[job_use(facts, "data")])

    return follow(agent, LONG, event, again=again, finish=finish)


def recipe(request: Document) -> Document:
    """The part of a request that decides what the prepared data hold."""
    config: Document = {name: request[name] for name in RECIPE}
    # What the model does not see can still be compared by groups.
    config["audit_columns"] = [name for name in request["protected_attributes"] if name in request["drop_columns"]]
    config["has_test_file"] = request["test_dataset"] is not None
    return config


def _config(agent: Agent, run: Document) -> Document:
    """The recipe, the program that follows it, and the expectation suite where the policy asks to carry it out: all name the folder."""
    policy: Document = agent.tools.call("read_policy", run_id=run["run_id"])
    config = {**recipe(run["request"]), "image": agent.settings.require("work_image")}
    return {**config, "suite": "run"} if policy["data_suite"] == "run" else config


def dataset_id(uri: str) -> str:
    """The path segment after ``datasets/``: the name the data were given."""
    return uri.split("/")[4]


def _accept(agent: Agent, run: Document, profile: Document, *, job: str | None, jobs: list[Document]) -> Document:
    """Take the prepared data into the run, unless the bytes changed meanwhile; refuse to train on what the gate or the policy stops."""
    run_id = str(run["run_id"])
    changes = {**_prepared(profile, job=job), "jobs": jobs}
    try:
        _confirm(agent, run, profile)
    except Refused as error:
        told = line("detail.failed", reason=str(coded(error))[:300])
        agent.record(run_id, {**changes, "phase": phase("data", "failed", told, job)})
        raise
    agent.record(run_id, changes)
    reason = stop_of(agent.tools.call("read_policy", run_id=run_id), profile["findings"], code=DATA_STOPPED)
    return {"decision": "refuse", "reason": reason} if reason else {"decision": "prepared"}


def _confirm(agent: Agent, run: Document, profile: Document) -> None:
    """The version's objects are those that were pinned, and their bytes those of its first preparation."""
    run_id, version = str(run["run_id"]), str(run["dataset_version"])
    content = hashlib.sha256(json.dumps([profile["raw_digest"], profile["test_digest"]]).encode()).hexdigest()
    identity = _seen(agent, run)["identity"]
    agent.tools.call(
        "confirm_version",
        run_id=run_id,
        dataset_id=dataset_id(run["request"]["dataset"]),
        version=version,
        raw_identity=identity,
        content=content,
        key=key_of(run_id, "confirm", [version, identity, content]),
    )


def _seen(agent: Agent, run: Document) -> Document:
    """The source objects as they are now: one digest of size, ETag and version id of each, and their bytes together."""
    uris = [uri for uri in (run["request"]["dataset"], run["request"]["test_dataset"]) if uri]
    facts = [agent.tools.call("inspect_object", uri=uri) for uri in uris]
    told = json.dumps([[item["bytes"], item["etag"], item["version_id"]] for item in facts])
    return {"identity": hashlib.sha256(told.encode()).hexdigest(), "bytes": sum(item["bytes"] for item in facts)}


def _pinned(agent: Agent, run: Document) -> Document:
    request = run["request"]
    seen = _seen(agent, run)
    name = dataset_id(request["dataset"])
    key = key_of(run["run_id"], "version", seen["identity"])
    allocated: Document = agent.tools.call(
        "allocate_version", run_id=run["run_id"], dataset_id=name, raw_identity=seen["identity"], key=key
    )
    version = str(allocated["version"])
    wanted = request["dataset_version"]
    if wanted is not None and wanted != version:
        raise Refused(
            f"the data set {name} holds {version} at {request['dataset']}, and the request asks for {wanted}.",
            remedy='Name the file of that version, or leave "Dataset version" empty.',
            code="E-DATA-010",
        )
    return {"version": version, "bytes": seen["bytes"]}


def _arguments(run: Document, config: Document, prepared: str, size: int) -> Document:
    request = run["request"]
    instance = _instance(request["instance_type"], size)
    family, width = instance.split(".")[1:]
    threads = _VCPUS[width]
    limits = {"threads": threads, "memory_limit_mb": threads * _MIB_PER_VCPU[family] * 6 // 10}
    return {
        "config": {**config, **limits},
        "raw_uri": request["dataset"],
        "test_uri": request["test_dataset"],
        "output_uri": prepared,
        "instance_type": instance,
        "max_runtime_seconds": request["max_runtime_minutes"] * 60,
    }


def _instance(asked: str, size: int) -> str:
    if asked != "auto":
        return asked
    if size > 4 * _GIB:
        return "ml.m5.2xlarge"
    return "ml.m5.xlarge" if size > _GIB else "ml.m5.large"


def _prepared(profile: Document, *, job: str | None) -> Document:
    counts = {name: int(profile["rows"].get(name, 0)) for name in ("train", "validation", "test")}
    counts["features"] = int(profile["feature_count"])
    detail = line("detail.prepared", **counts) if job else line("detail.prepared_before", **counts)
    return {
        "phase": phase("data", "done", detail, job),
        "dataset_digest": profile["raw_digest"],
        "warnings": profile["findings"],
    }


def _short(config: Document) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()[:16]


def _bucket(run: Document) -> str:
    return "/".join(run["request"]["dataset"].split("/")[:3])


ACTIONS = {"start": start, "describe": describe, "park": park}
