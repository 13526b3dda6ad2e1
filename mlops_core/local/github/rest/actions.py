"""Workflows, runs, dispatches, variables and webhooks."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from mlops_core.local.github.answers import Answer, ApiError, refused
from mlops_core.local.github.database import Row
from mlops_core.local.github.events import Event
from mlops_core.local.github.identity import Need
from mlops_core.local.github.rest.call import Call, Route
from mlops_core.local.github.rest.contents import head_of
from mlops_core.local.github.run_logs import Job, plain_text, read_jobs
from mlops_core.local.github.runs import workflow_id
from mlops_core.local.github.workflows import Workflow

_READ = Need("actions")
_WRITE = Need("actions", "write", "write")
_CONTENTS = Need("contents", "write", "write")
_HOOKS = Need("administration", "write", "admin")
_JOBS_PER_RUN = 1000


def _workflows(call: Call) -> list[Workflow]:
    head = call.git.resolve(call.repository["default_branch"])
    return call.site.runner.workflows(call.repository, head) if head else []


def _workflow(call: Call) -> Workflow:
    wanted = call.path["workflow_id"]
    for workflow in _workflows(call):
        if wanted in {workflow.path, workflow.path.rpartition("/")[2], str(workflow_id(call.repository, workflow.path))}:
            return workflow
    raise ApiError(404, "Not Found")


def _workflow_shape(call: Call, workflow: Workflow) -> dict[str, Any]:
    return call.site.runs.workflow_shape(call.repository, workflow.path, workflow.name)


def list_workflows(call: Call) -> Answer:
    """Workflow files of the default branch."""
    return call.page(_workflows(call), lambda item: _workflow_shape(call, item), key="workflows")


def get_workflow(call: Call) -> Answer:
    """By id or file name."""
    return Answer(200, _workflow_shape(call, _workflow(call)))


def dispatch_workflow(call: Call) -> Answer:
    """Inputs are checked: unknown, missing and not among the options are a 422."""
    workflow = _workflow(call)
    ref = call.text("Workflow", "ref")
    branch = ref.removeprefix("refs/heads/")
    sha = head_of(call, branch)
    inputs = call.wish.get("inputs") or {}
    if not isinstance(inputs, dict):
        raise refused("Workflow", "inputs", "invalid")
    payload = {"repository": call.site.shapes.repository(call.repository), "sender": call.site.shapes.user(call.identity.login)}
    event = Event(call.repository, "workflow_dispatch", "", call.identity, payload, f"refs/heads/{branch}", sha)
    call.site.runner.dispatch(event, workflow.path, inputs)
    return Answer(204)


def list_runs(call: Call) -> Answer:
    """Filters event, status, actor, branch, head_sha; also below one workflow."""
    path = _workflow(call).path if "workflow_id" in call.path else ""
    names = {"event": "event", "status": "status", "actor": "actor", "branch": "branch", "sha": "head_sha"}
    filters = {name: call.query.get(key, "") for name, key in names.items()}
    rows = call.site.runs.select(call.repository, path=path, **filters)
    return call.page(rows, lambda row: call.site.runs.shape(call.repository, row), key="workflow_runs")


def _run(call: Call) -> Row:
    return call.site.runs.find(call.repository, call.number("run_id"))


def get_run(call: Call) -> Answer:
    """One run."""
    return Answer(200, call.site.runs.shape(call.repository, _run(call)))


def cancel_run(call: Call) -> Answer:
    """Ends the run's processes."""
    run = _run(call)
    if run["status"] == "completed":
        raise ApiError(409, "Cannot cancel a workflow run that is completed.")
    call.site.runner.cancel(run)
    return Answer(202, {})


def _jobs(call: Call, run: Row) -> list[tuple[int, Job]]:
    jobs = read_jobs(call.site.runner.folder(run) / "log.jsonl")
    return [(run["id"] * _JOBS_PER_RUN + number, job) for number, job in enumerate(jobs)]


def _job_shape(call: Call, run: Row, key: int, job: Job) -> dict[str, Any]:
    url = f"{call.site.shapes.repo_url(call.repository)}/actions/jobs/{key}"
    page = f"{call.site.shapes.repo_page(call.repository)}/actions/runs/{run['id']}"
    finished = bool(job.conclusion) or run["status"] == "completed"
    ending = (job.conclusion or run["conclusion"]) if finished else None
    steps = [
        {
            "name": step.name, "number": step.number, "status": "completed" if step.conclusion or finished else "in_progress",
            "conclusion": step.conclusion or None, "started_at": step.started_at, "completed_at": step.completed_at or None,
        }
        for step in job.steps
    ]  # fmt: skip
    runner = {"runner_id": 1, "runner_name": "local", "runner_group_id": 1, "runner_group_name": "local", "labels": ["ubuntu-latest"]}
    return {
        "id": key, "run_id": run["id"], "run_url": f"{call.site.shapes.repo_url(call.repository)}/actions/runs/{run['id']}",
        "node_id": f"CR_{key}",
        "head_sha": run["sha"], "head_branch": run["ref"].removeprefix("refs/heads/"), "url": url, "html_url": page, "check_run_url": url,
        "status": "completed" if finished else "in_progress", "conclusion": ending, "created_at": run["created_at"], "run_attempt": 1,
        "started_at": job.started_at, "completed_at": job.completed_at if finished else None, "name": job.name, "steps": steps,
        "workflow_name": run["name"], **runner,
    }  # fmt: skip


def list_jobs(call: Call) -> Answer:
    """Jobs with steps, read from act's log."""
    run = _run(call)
    return call.page(_jobs(call, run), lambda item: _job_shape(call, run, *item), key="jobs")


def _job(call: Call) -> tuple[Row, int, Job]:
    key = call.number("job_id")
    run = call.site.runs.find(call.repository, key // _JOBS_PER_RUN)
    for number, job in _jobs(call, run):
        if number == key:
            return run, number, job
    raise ApiError(404, "Not Found")


def get_job(call: Call) -> Answer:
    """One job."""
    return Answer(200, _job_shape(call, *_job(call)))


def job_logs(call: Call) -> Answer:
    """Plain text, without GitHub's redirect."""
    _, _, job = _job(call)
    return Answer(200, plain_text([job]).encode(), content_type="text/plain; charset=utf-8")


def run_logs(call: Call) -> Answer:
    """A zip with one file per job, without GitHub's redirect."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (_, job) in enumerate(_jobs(call, _run(call))):
            archive.writestr(f"{number}_{job.name.replace('/', '_')}.txt", plain_text([job]))
    return Answer(200, buffer.getvalue(), content_type="application/zip")


def repository_dispatch(call: Call) -> Answer:
    """Starts workflows on ``repository_dispatch`` whose types name the event; also for a run's own token."""
    kind = call.text("Dispatch", "event_type")
    if len(kind) > 100:
        raise refused("Dispatch", "event_type", "invalid", "event_type is longer than 100 characters")
    client = call.wish.get("client_payload") or {}
    if not isinstance(client, dict) or len(client) > 10:
        raise refused("Dispatch", "client_payload", "invalid", "client_payload has at most 10 properties")
    branch = call.repository["default_branch"]
    call.site.events.emit(call.repository, "repository_dispatch", kind, call.identity, branch=branch, client_payload=client)
    return Answer(204)


def _variable(call: Call, name: str, value: str) -> dict[str, str]:
    moment = call.repository["created_at"]
    return {"name": name, "value": value, "created_at": moment, "updated_at": moment}


def list_variables(call: Call) -> Answer:
    """``vars.X`` of workflows."""
    rows = sorted(call.site.repositories.settings(call.repository, "variable").items())
    return call.page(rows, lambda row: _variable(call, *row), key="variables")


def get_variable(call: Call) -> Answer:
    """One variable."""
    name = call.path["name"].upper()
    values = call.site.repositories.settings(call.repository, "variable")
    if name not in values:
        raise ApiError(404, "Not Found")
    return Answer(200, _variable(call, name, values[name]))


def create_variable(call: Call) -> Answer:
    """A new variable."""
    call.site.repositories.set_setting(call.repository, "variable", call.text("Variable", "name"), str(call.wish.get("value") or ""))
    return Answer(201, {})


def _hook_shape(call: Call, hook: Row) -> dict[str, Any]:
    url = f"{call.site.shapes.repo_url(call.repository)}/hooks/{hook['id']}"
    config = {"url": hook["url"], "content_type": "json", "insecure_ssl": "0", **({"secret": "********"} if hook["secret"] else {})}
    links = {"url": url, "test_url": f"{url}/test", "ping_url": f"{url}/pings", "deliveries_url": f"{url}/deliveries"}
    times = {
        "created_at": hook["created_at"],
        "updated_at": hook["created_at"],
        "last_response": {"code": None, "status": "unused", "message": None},
    }
    base = {"type": "Repository", "id": hook["id"], "name": "web", "active": bool(hook["active"]), "events": json.loads(hook["events"])}
    return {**base, "config": config, **links, **times}


def list_hooks(call: Call) -> Answer:
    """Secrets are starred."""
    return call.page(call.site.hooks.select(call.repository), lambda hook: _hook_shape(call, hook))


def create_hook(call: Call) -> Answer:
    """JSON content type only."""
    config = call.wish.get("config") or {}
    if config.get("content_type", "json") != "json":
        raise refused("Hook", "content_type", "invalid", "only json is modelled")
    events = [str(name) for name in call.wish.get("events") or ["push"]]
    hook = call.site.hooks.create(call.repository, url=config.get("url"), secret=str(config.get("secret") or ""), events=events)
    return Answer(201, _hook_shape(call, hook))


def delete_hook(call: Call) -> Answer:
    """Remove a hook."""
    call.site.hooks.delete(call.repository, call.number("hook_id"))
    return Answer(204)


def _delivery_shape(row: Row, *, full: bool = False) -> dict[str, Any]:
    base = {"id": row["id"], "guid": row["guid"], "delivered_at": row["delivered_at"], "redelivery": bool(row["redelivery"])}
    result = {"duration": row["duration"] or 0, "status": "OK" if row["state"] == "ok" else row["state"], "status_code": row["status"] or 0}
    about = {"event": row["event"], "action": row["action"], "installation_id": None, "repository_id": None, "throttled_at": None}
    if not full:
        return {**base, **result, **about}
    body = {"request": {"headers": None, "payload": json.loads(row["payload"])}, "response": {"headers": None, "payload": row["answer"]}}
    return {**base, **result, **about, **body}


def list_deliveries(call: Call) -> Answer:
    """The newest hundred."""
    hook = call.site.hooks.find(call.repository, call.number("hook_id"))
    return call.page(call.site.hooks.deliveries(hook), _delivery_shape)


def get_delivery(call: Call) -> Answer:
    """With request and response."""
    hook = call.site.hooks.find(call.repository, call.number("hook_id"))
    return Answer(200, _delivery_shape(call.site.hooks.delivery(hook, call.number("delivery_id")), full=True))


def redeliver(call: Call) -> Answer:
    """Same payload, same delivery id."""
    hook = call.site.hooks.find(call.repository, call.number("hook_id"))
    call.site.hooks.redeliver(hook, call.number("delivery_id"))
    return Answer(202, {})


_REPO = "/repos/{owner}/{repo}"
_ACTIONS = f"{_REPO}/actions"
_HOOK = f"{_REPO}/hooks/{{hook_id}}"

ROUTES = (
    Route("GET", f"{_ACTIONS}/workflows", list_workflows, _READ),
    Route("GET", f"{_ACTIONS}/workflows/{{workflow_id}}", get_workflow, _READ),
    Route("POST", f"{_ACTIONS}/workflows/{{workflow_id}}/dispatches", dispatch_workflow, _WRITE),
    Route("GET", f"{_ACTIONS}/workflows/{{workflow_id}}/runs", list_runs, _READ),
    Route("GET", f"{_ACTIONS}/runs", list_runs, _READ),
    Route("GET", f"{_ACTIONS}/runs/{{run_id}}", get_run, _READ),
    Route("POST", f"{_ACTIONS}/runs/{{run_id}}/cancel", cancel_run, _WRITE),
    Route("GET", f"{_ACTIONS}/runs/{{run_id}}/jobs", list_jobs, _READ),
    Route("GET", f"{_ACTIONS}/runs/{{run_id}}/logs", run_logs, _READ, "zip, no redirect"),
    Route("GET", f"{_ACTIONS}/jobs/{{job_id}}", get_job, _READ),
    Route("GET", f"{_ACTIONS}/jobs/{{job_id}}/logs", job_logs, _READ, "text, no redirect"),
    Route("POST", f"{_REPO}/dispatches", repository_dispatch, _CONTENTS),
    Route("GET", f"{_ACTIONS}/variables", list_variables, Need("variables", "read", "write")),
    Route("POST", f"{_ACTIONS}/variables", create_variable, Need("variables", "write", "write")),
    Route("GET", f"{_ACTIONS}/variables/{{name}}", get_variable, Need("variables", "read", "write")),
    Route("GET", f"{_REPO}/hooks", list_hooks, _HOOKS),
    Route("POST", f"{_REPO}/hooks", create_hook, _HOOKS),
    Route("DELETE", _HOOK, delete_hook, _HOOKS),
    Route("GET", f"{_HOOK}/deliveries", list_deliveries, _HOOKS),
    Route("GET", f"{_HOOK}/deliveries/{{delivery_id}}", get_delivery, _HOOKS),
    Route("POST", f"{_HOOK}/deliveries/{{delivery_id}}/attempts", redeliver, _HOOKS),
)
