"""Deployment: brings an endpoint to a production pointer, believes three witnesses only, and points back when they disagree.

    handler({"action": "begin", "run_id": "income-1a2b3c4d-g1", "record": ModelRecord, "owner": "income-…-deploy"}, context)
    handler({"action": "begin", "model_name": "income", "pointer_commit": "<40 hex>", "owner": "…"}, context)
    # {"state": "running" | "skipped", "event": {what the next steps are given}}

With a run the pointer is written here first (``promotion: auto``); without one it was committed before (a rollback, a revert).
"""

from __future__ import annotations

import re

from mlops_core.agents.following import line, phase
from mlops_core.agents.handler import Agent, Document, answer, fresh_key, key_of
from mlops_core.errors import Conflict, JobFailed, MlopsError, NotFound, Refused, Unavailable

LOCK_SECONDS = 7500
SAMPLES = 5
SLOW_MS = 1000.0
"""An endpoint whose quickest sampled answer takes longer than this many milliseconds does not serve."""
_CAPTURE_PERCENT = 100
_CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})


def handler(event: Document, context: object) -> Document:
    """Lambda entry."""
    return answer("deployment", ACTIONS, event, context)


def begin(agent: Agent, event: Document) -> Document:
    """Take the lock, settle which pointer is wanted, and check its package's signature."""
    run_id = str(event.get("run_id", ""))
    if run_id:
        run: Document = agent.tools.call("read_run", run_id=run_id)
        if not run["request"]["endpoint"] or run["request"]["promotion"] != "auto":
            return {"state": "skipped", "event": {"run_id": run_id, "skipped": True}}
        agent.record(run_id, {"phase": phase("release", "running", line("detail.pointer"))})
        name = str(run["request"]["model_name"])
    else:
        name = str(event["model_name"])
    owner = str(event["owner"])
    _lock(agent, endpoint_of(name), owner)
    try:
        wanted = _wanted(agent, event, name) if run_id else _committed(agent, name, str(event["pointer_commit"]))
    except MlopsError:
        agent.tools.call("release_lock", endpoint=endpoint_of(name), owner=owner, key=fresh_key("unlock"))
        raise
    return {"state": "running", "event": {"run_id": run_id, "owner": owner, "model_name": name, **wanted}}


def apply(agent: Agent, event: Document) -> Document:
    """Make model and config under names of version and commit, and point the endpoint to the config."""
    _bring(agent, event["model_name"], event["pointer"], event["pointer_commit"])
    return {}


def check(agent: Agent, event: Document) -> Document:
    """Whether the endpoint has settled; raises `JobFailed` when it failed or went back to its earlier config by itself."""
    pointer = event["pointer"]
    facts: Document = agent.tools.call("describe_endpoint", endpoint=pointer["endpoint"])
    status = facts["status"]
    if status in _CHANGING:
        return {"state": "running", "detail": status}
    wanted = config_name(event["model_name"], pointer["version"], event["pointer_commit"])
    if status != "InService" or facts["config_name"] != wanted:
        reason = facts["failure"] or f"its status is {status} with the config {facts['config_name'] or 'none'}"
        raise JobFailed(
            f"the endpoint {pointer['endpoint']} did not come up with {wanted}: {reason}.",
            remedy="The earlier version serves again; read the endpoint's log.",
            code="E-DEPLOY-001",
        )
    return {"state": "completed", "detail": status}


def verify(agent: Agent, event: Document) -> Document:
    """Ask three witnesses: the config's name, the weights, and the model that sampled answers name; raises when one disagrees."""
    pointer, endpoint = event["pointer"], event["pointer"]["endpoint"]
    facts: Document = agent.tools.call("describe_endpoint", endpoint=endpoint)
    wanted = config_name(event["model_name"], pointer["version"], event["pointer_commit"])
    doubts = [] if facts["config_name"] == wanted else [f"the config is {facts['config_name']}, not {wanted}"]
    if not facts["weights"] or any(weight <= 0 for weight in facts["weights"].values()):
        doubts.append(f"the weights are {facts['weights']}")
    samples = [
        agent.tools.call("sample_endpoint", endpoint=endpoint, model_uri=pointer["model_uri"], number=number) for number in range(SAMPLES)
    ]
    doubts += list(dict.fromkeys(doubt for sample in samples if (doubt := _doubt(sample, event["model_name"], pointer["version"]))))
    quickest = min(float(sample["latency_ms"]) for sample in samples)
    if quickest > SLOW_MS:
        doubts.append(f"the quickest of {SAMPLES} answers took {quickest:.0f} ms, more than {SLOW_MS:.0f}")
    told = [sample["scores"] for sample in samples]
    if doubts and told[0] and all(scores == told[0] for scores in told):
        doubts.append("every row got the same answer")
    if doubts:
        raise JobFailed(f"{endpoint} is not serving {pointer['version']} as promised: {'; '.join(doubts[:3])}.", code="E-DEPLOY-002")
    return {"witnesses": ["config", "weights", "answers"]}


def _doubt(sample: Document, name: str, version: str) -> str:
    if sample["problem"]:
        return str(sample["problem"])
    if (sample["model"], sample["version"]) != (name, version):
        return f"an answer came from {sample['model']} {sample['version']}"
    return "" if sample["matches_smoke"] else "an answer differs from the package's own smoke rows"


def rollback(agent: Agent, event: Document) -> Document:
    """Write the earlier version into the pointer and bring the endpoint back to it; called again while the state is ``running``.

    The lock is held until the endpoint has settled, and released in every other case.
    """
    problem = str(event["problem"].get("Error", "unknown"))
    try:
        if event["run_id"]:
            agent.record(event["run_id"], {"phase": phase("release", "failed", line("detail.going_back", error=problem))})
        found = _withdraw(agent, event) if event["previous"] is None else _back(agent, event, problem)
    except MlopsError:
        _unlock(agent, event)
        raise
    if found["state"] != "running":
        _unlock(agent, event)
    return found


def finish(agent: Agent, event: Document) -> Document:
    """Release the lock and record what serves."""
    run_id = str(event["run_id"])
    if event.get("skipped"):
        agent.record(run_id, {"phase": phase("release", "skipped", line("detail.package_only"))})
        return {"state": "skipped"}
    pointer, owner = event["pointer"], event["owner"]
    swept = {"endpoint": pointer["endpoint"], "model_name": event["model_name"]}
    agent.tools.call("delete_endpoint_config", key=key_of(owner, "sweep", event["pointer_commit"]), **swept)
    _unlock(agent, event)
    if run_id:
        done = phase("release", "done", line("detail.serves", endpoint=pointer["endpoint"], version=pointer["version"]))
        agent.record(run_id, {"phase": done, "endpoint": pointer["endpoint"], "pointer_commit": event["pointer_commit"]})
    return {"state": "completed", "endpoint": pointer["endpoint"], "version": pointer["version"]}


def endpoint_of(model_name: str) -> str:
    """The endpoint that serves a model's production version."""
    return f"mlops-{model_name}"


def config_name(model_name: str, version: str, commit: str) -> str:
    """The name of the model and of the endpoint config of one version under one pointer commit."""
    return f"mlops-{model_name}-{version.replace('.', '-')}-{commit[:8]}"


def _withdraw(agent: Agent, event: Document) -> Document:
    """Take a version that never served out of production where no version serves that git could name instead."""
    pointer = event["pointer"]
    if _serving(agent, str(event["model_name"]), pointer["endpoint"]) not in {None, pointer["version"]}:
        return {"state": "nothing to go back to"}
    key = key_of(event["owner"], "withdraw", pointer["version"])
    found = agent.tools.call("withdraw_pointer", model_name=str(event["model_name"]), version=pointer["version"], key=key)
    return {"state": "withdrawn", "commit": found["commit"]}


def _back(agent: Agent, event: Document, problem: str) -> Document:
    name, pointer = str(event["model_name"]), event["pointer"]
    back, commit = _point_back(agent, name, pointer, event["previous"], owner=str(event["owner"]), problem=problem)
    _bring(agent, name, back, commit)
    facts: Document = agent.tools.call("describe_endpoint", endpoint=pointer["endpoint"])
    if facts["status"] in _CHANGING:
        return {"state": "running", "detail": facts["status"]}
    if facts["status"] != "InService" or facts["config_name"] != config_name(name, back["version"], commit):
        return {"state": "not serving", "detail": facts["failure"] or facts["status"]}
    if event["run_id"]:
        again = line("detail.serves", endpoint=pointer["endpoint"], version=back["version"])
        agent.record(event["run_id"], {"phase": phase("release", "failed", again)})
    return {"state": "rolled back", "version": back["version"], "commit": commit}


def _point_back(agent: Agent, name: str, pointer: Document, previous: Document, *, owner: str, problem: str) -> tuple[Document, str]:
    """Write the earlier version into git again: (pointer, commit)."""
    reason = f"{pointer['version']} did not come up ({problem})"
    back = {**previous, "set_by": "mlops", "previous": pointer["version"], "reason": reason}
    key = key_of(owner, "rollback-pointer", pointer["version"])
    commit = agent.tools.call("commit_pointer", model_name=name, pointer=back, expected_version=pointer["version"], key=key)["commit"]
    return back, str(commit)


def _wanted(agent: Agent, event: Document, name: str) -> Document:
    """Write the pointer of a run's version; a call that finds its own pointer goes on from there."""
    there: Document | None = agent.tools.call("read_pointer", model_name=name) or None
    ours = there is not None and there["run_id"] == event["run_id"] and there["version"] == event["record"]["version"]
    previous = _rebuilt(agent, name, there["previous"]) if there and ours else there
    before = (there["previous"] if ours else there["version"]) if there else None
    pointer = _pointer_of(event["record"], before)
    _check_signature(agent, pointer)
    key = key_of(str(event["run_id"]), "pointer", pointer["version"])
    committed = agent.tools.call("commit_pointer", model_name=name, pointer=pointer, expected_version=before, key=key)
    return {"pointer": pointer, "pointer_commit": str(committed["commit"]), "previous": previous}


def _committed(agent: Agent, name: str, commit: str) -> Document:
    """The pointer that somebody committed, and the one to go back to: that of the version which serves now."""
    pointer: Document | None = agent.tools.call("read_pointer", model_name=name, commit=commit)
    if not pointer:
        raise NotFound(
            f"there is no production pointer of {name} at commit {commit[:12]}.",
            remedy="Name a commit of the default branch.",
            code="E-DEPLOY-004",
        )
    serving = _serving(agent, name, str(pointer["endpoint"]))
    previous = _rebuilt(agent, name, serving if serving != pointer["version"] else None)
    try:
        _check_signature(agent, pointer)
    except Refused:
        # Nothing was touched but git, which must not name what will never serve.
        if previous:
            _point_back(agent, name, pointer, previous, owner=commit, problem="Refused")
        raise
    return {"pointer": pointer, "pointer_commit": commit, "previous": previous}


def _serving(agent: Agent, name: str, endpoint: str) -> str | None:
    """The version that an endpoint serves, by the name of its config."""
    facts: Document = agent.tools.call("describe_endpoint", endpoint=endpoint)
    found = re.fullmatch(re.escape(f"mlops-{name}-") + r"(\d+)-(\d+)-(\d+)-[0-9a-f]{8}", facts["config_name"])
    return ".".join(found.groups()) if found and facts["status"] not in {"Failed", "Deleting", "Missing"} else None


def _rebuilt(agent: Agent, name: str, version: str | None) -> Document | None:
    """The pointer of a registered version."""
    record: Document | None = agent.tools.call("read_version", model_name=name, version=version) if version else None
    return _pointer_of(record, None) if record else None


def _pointer_of(record: Document, before: str | None) -> Document:
    kept = {name: record[name] for name in ("model_name", "version", "package_arn", "model_uri", "archive_digest", "run_id")}
    reason = f"run {record['run_id']} was accepted"
    return {**kept, "endpoint": endpoint_of(record["model_name"]), "set_by": "mlops", "reason": reason, "previous": before}


def _check_signature(agent: Agent, pointer: Document) -> None:
    found: Document = agent.tools.call("verify_package", package_arn=pointer["package_arn"])
    if not found["valid"]:
        raise Refused(f"version {pointer['version']} of {pointer['model_name']} is not deployed: {found['reason']}.", code="E-DEPLOY-003")


def _bring(agent: Agent, name: str, pointer: Document, commit: str) -> None:
    config = config_name(name, pointer["version"], commit)
    key = key_of(config, "serve", pointer["archive_digest"])
    arguments = {"version": pointer["version"], "config_name": config, "model_uri": pointer["model_uri"], "capture": _CAPTURE_PERCENT}
    agent.tools.call("create_serving", model_name=name, key=key, **arguments)
    agent.tools.call("apply_endpoint", endpoint=pointer["endpoint"], config_name=config, key=key_of(config, "apply"))


def _lock(agent: Agent, endpoint: str, owner: str) -> None:
    try:
        agent.tools.call("take_lock", endpoint=endpoint, owner=owner, seconds=LOCK_SECONDS, key=fresh_key("lock"))
    except Conflict as error:
        raise Unavailable(
            f"another deployment holds {endpoint}: {error.headline}", remedy="It is tried again.", code="E-DEPLOY-005"
        ) from error


def _unlock(agent: Agent, event: Document) -> None:
    endpoint, owner = event["pointer"]["endpoint"], event["owner"]
    agent.tools.call("release_lock", endpoint=endpoint, owner=owner, key=fresh_key("unlock"))


ACTIONS = {"begin": begin, "apply": apply, "check": check, "verify": verify, "rollback": rollback, "finish": finish}
