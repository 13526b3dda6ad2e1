"""Packaging: the next version, the archive, its signature, its registration; old versions go when five newer ones exist.

handler({"action": "start", "run_id": "income-1a2b3c4d-g1", "round": 0}, context)
# … describe of a finished job: {"state": "completed", …, "record": ModelRecord}
"""

from __future__ import annotations

from mlops_core.agents.evaluation import output_uri
from mlops_core.agents.following import LongJob, begin, follow, job_name, job_use, line, park, phase
from mlops_core.agents.handler import Agent, Document, answer, key_of

LONG = LongJob(word="packaging", phase="packaging", start="start_packaging_job", describe="describe_packaging_job")
GENERATIONS = 5


def handler(event: Document, context: object) -> Document:
    """Lambda entry."""
    return answer("packaging", ACTIONS, event, context)


def start(agent: Agent, event: Document) -> Document:
    """Allocate the version and start the packaging job."""
    run_id = str(event["run_id"])
    run: Document = agent.tools.call("read_run", run_id=run_id)
    name = run["request"]["model_name"]
    given: Document = agent.tools.call("next_version", model_name=name, run_id=run_id, key=key_of(run_id, "next-version"))
    version = str(given["version"])
    job = job_name(run_id, "pack")
    agent.record(run_id, {"phase": phase("packaging", "running", line("detail.version", version=version), job), "model_version": version})
    return begin(agent, LONG, run_id, job=job, arguments=_arguments(agent, run, given))


def describe(agent: Agent, event: Document) -> Document:
    """Follow the job; a finished package is signed, registered and recorded before anybody else hears of it."""
    run_id = str(event["run_id"])

    def again(name: str) -> None:
        run: Document = agent.tools.call("read_run", run_id=run_id)
        model = run["request"]["model_name"]
        given: Document = agent.tools.call("next_version", model_name=model, run_id=run_id, key=key_of(run_id, "next-version"))
        begin(agent, LONG, run_id, job=name, arguments=_arguments(agent, run, given))

    def finish(facts: Document) -> Document:
        run: Document = agent.tools.call("read_run", run_id=run_id)
        record = _register(agent, run)
        done = phase("packaging", "done", line("detail.registered", version=record["version"]), facts["job"])
        agent.record(
            run_id,
            {
                "phase": done,
                "jobs": [job_use(facts, "packaging")],
                "model_uri": record["model_uri"],
                "model_digest": record["archive_digest"],
                "model_package_arn": record["package_arn"],
            },
        )
        return {"record": record}

    return follow(agent, LONG, event, again=again, finish=finish)


def _prefix(run: Document, version: str) -> str:
    bucket = "/".join(run["request"]["dataset"].split("/")[:3])
    return f"{bucket}/models/{run['request']['model_name']}/{version}/"


def _arguments(agent: Agent, run: Document, given: Document) -> Document:
    request, version = run["request"], str(given["version"])
    config = {
        "run_id": run["run_id"],
        "model_name": request["model_name"],
        "version": version,
        "issue_url": f"{agent.settings.github_server_url}/{run['repository']}/issues/{run['issue']}",
        "code_commit": run["code_commit"] or agent.settings.code_commit,
        "dataset_uri": request["dataset"],
        "dataset_version": run["dataset_version"],
        "image": agent.settings.serve_image,
        "parent_version": given["parent"] or None,
    }
    return {
        "config": config,
        "training_uri": run["training_uri"],
        "prepared_uri": run["prepared_uri"],
        "evaluation_uri": output_uri(run, run["round"], "test"),
        "output_uri": _prefix(run, version),
        "instance_type": "ml.m5.large",
        "max_runtime_seconds": request["max_runtime_minutes"] * 60,
    }


def _register(agent: Agent, run: Document) -> Document:
    run_id, name, version = run["run_id"], run["request"]["model_name"], run["model_version"]
    prefix = _prefix(run, version)
    signature: Document = agent.tools.call("sign_package", model_uri_prefix=prefix, key=key_of(run_id, "sign"))
    record: Document = {
        "model_name": name,
        "version": version,
        "run_id": run_id,
        "package_arn": "",
        "model_uri": f"{prefix}model.tar.gz",
        "archive_digest": signature["archive_digest"],
        "metrics": _metrics(run),
        "metric": run["request"]["metric"],
        "dataset_digest": run["dataset_digest"],
        "created_at": run["started_at"],
    }
    answer_ = agent.tools.call("register_model", run_id=run_id, record=record, signature=signature, key=key_of(run_id, "register"))
    agent.tools.call("prune_versions", model_name=name, keep=GENERATIONS, key=key_of(run_id, "prune"))
    return {**record, "package_arn": answer_["package_arn"]}


def _metrics(run: Document) -> Document:
    """Validation figures that rules compared: what a later challenger is measured against."""
    verdict = run["verdict"]
    figures = {rule["metric"]: rule["measured"] for rule in verdict["rules"]}
    return {**figures, verdict["metric"]: verdict["measured"]["value"]}


ACTIONS = {"start": start, "describe": describe, "park": park}
