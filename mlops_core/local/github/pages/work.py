"""Pages about workflow runs and webhooks."""

from __future__ import annotations

import json

from mlops_core.local.github.events import Event
from mlops_core.local.github.pages.view import Page, Redirect, View
from mlops_core.local.github.run_logs import read_jobs


def runs(view: View) -> Page:
    """The newest hundred runs and the workflows that a person may start."""
    head = view.git.resolve(view.repository["default_branch"])
    workflows = view.site.runner.workflows(view.repository, head) if head else []
    startable = [item for item in workflows if "workflow_dispatch" in item.triggers] if view.can("write") else []
    return view.page("runs.html", runs=view.site.runs.select(view.repository)[:100], startable=startable)


def run(view: View) -> Page:
    """One run with the log of each step; it refreshes while the run lives."""
    row = view.site.runs.find(view.repository, view.number("run"))
    jobs = read_jobs(view.site.runner.folder(row) / "log.jsonl")
    return view.page("run.html", run=row, jobs=jobs, write=view.can("write"), markdown=view.markdown)


def start(view: View) -> Redirect:
    """Start a workflow on the default branch with the inputs of its form."""
    view.demand("write")
    branch = view.repository["default_branch"]
    payload = {"repository": view.site.shapes.repository(view.repository), "sender": view.site.shapes.user(view.identity.login)}
    sha = view.git.resolve(branch) or ""
    event = Event(view.repository, "workflow_dispatch", "", view.identity, payload, f"refs/heads/{branch}", sha)
    inputs = {name.removeprefix("input-"): given[0] for name, given in view.form.items() if name.startswith("input-") and given[0]}
    row = view.site.runner.dispatch(event, view.field("path"), inputs)
    return Redirect(f"{view.base}/actions/runs/{row['id']}")


def cancel(view: View) -> Redirect:
    """End a run."""
    view.demand("write")
    row = view.site.runs.find(view.repository, view.number("run"))
    view.site.runner.cancel(row)
    return Redirect(f"{view.base}/actions/runs/{row['id']}")


def hooks(view: View) -> Page:
    """Webhooks with their deliveries, for administrators."""
    view.demand("admin")
    listed = []
    for hook in view.site.hooks.select(view.repository):
        deliveries = [{**row, "payload": _pretty(row["payload"])} for row in view.site.hooks.deliveries(hook)[:30]]
        listed.append({**hook, "events": ", ".join(json.loads(hook["events"])), "deliveries": deliveries})
    return view.page("hooks.html", hooks=listed)


def _pretty(payload: str) -> str:
    return json.dumps(json.loads(payload), indent=2)


def redeliver(view: View) -> Redirect:
    """Send a delivery once more."""
    view.demand("admin")
    hook = view.site.hooks.find(view.repository, view.number("hook"))
    view.site.hooks.redeliver(hook, view.number("delivery"))
    return Redirect(f"{view.base}/settings/hooks")
