"""Starts the workflows that an event asks for, two runs at a time.

    runner.consider(event)                       # a listener of Events
    runner.dispatch(repository, identity, path, ref, inputs)

Events made with a run's own GITHUB_TOKEN start nothing, dispatches excepted.  `workflow_run`, `schedule` and other events of the
platform itself start nothing here.
"""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_core.local.github.act import ActRun, Plan
from mlops_core.local.github.answers import ApiError
from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.database import Row
from mlops_core.local.github.events import Event
from mlops_core.local.github.identity import RUN_LOGIN, Identities, Identity
from mlops_core.local.github.repositories import Repositories
from mlops_core.local.github.run_logs import read_jobs
from mlops_core.local.github.run_processes import end_processes_of
from mlops_core.local.github.runs import Runs
from mlops_core.local.github.workflows import FOLDER, BadWorkflowError, Workflow, exceeding

_LOG = logging.getLogger(__name__)
_STARTING = {
    "issues", "issue_comment", "pull_request", "pull_request_target", "pull_request_review", "push", "repository_dispatch",
    "workflow_dispatch",
}  # fmt: skip
_REMOTE = re.compile(r"([^/\s]+/[^/\s]+)/(.+)@([^@\s]+)")
WORKERS = 2
_KEPT_COMMITS = 256


class Runner:
    """Two threads, each driving one act at a time."""

    def __init__(self, config: GithubConfig, runs: Runs, identities: Identities, repositories: Repositories) -> None:
        self._config = config
        self._runs = runs
        self._identities = identities
        self._repositories = repositories
        self._wake = threading.Condition()
        self._stopping = False
        self._parsed: dict[tuple[int, str], list[Workflow]] = {}
        self._live: dict[int, ActRun] = {}
        self._threads = [threading.Thread(target=self._work, name=f"runner-{number}", daemon=True) for number in range(WORKERS)]

    def start(self) -> None:
        """End what a killed server left behind and begin to take runs."""
        for work in self._config.folder.resolve().glob("runs/*/work"):
            end_processes_of(work)
            shutil.rmtree(work, ignore_errors=True)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End every run and its processes."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for run in self._runs.unfinished():
            self.cancel(run, "The local platform was stopped.")
        for thread in self._threads:
            thread.join(timeout=10)

    def cancel(self, run: Row, reason: str = "Cancelled by a person.") -> None:
        """End one run, waiting or under way."""
        self._runs.finish(run["id"], "cancelled", reason)
        attempt = self._live.get(run["id"])
        if attempt:
            attempt.stop()

    def folder(self, run: Row) -> Path:
        """Where a run's log is kept."""
        return self._config.folder / "runs" / str(run["id"])

    def workflows(self, repository: Row, sha: str) -> list[Workflow]:
        """The workflow files at a commit; broken ones are named in the server's log."""
        # A commit never changes, so neither do its workflows; the repository is part of the key because two may share a commit.
        key = (repository["id"], sha)
        kept = self._parsed.get(key)
        if kept is None:
            kept = self._read(repository, sha)
            if len(self._parsed) >= _KEPT_COMMITS:
                self._parsed.clear()
            self._parsed[key] = kept
        return kept

    def _read(self, repository: Row, sha: str) -> list[Workflow]:
        git = self._repositories.git(repository)
        found = []
        for entry in git.entries(sha, FOLDER):
            if entry.kind == "blob" and entry.path.endswith((".yml", ".yaml")):
                try:
                    found.append(Workflow.parse(entry.path, git.blob(entry.sha).decode(errors="replace")))
                except BadWorkflowError as error:
                    _LOG.warning("%s/%s: %s", repository["owner"], repository["name"], error)
        return found

    def consider(self, event: Event) -> None:
        """Queue one run for each workflow that wants the event."""
        if (
            event.name not in _STARTING
            or event.name == "workflow_dispatch"
            or (event.identity.kind == "run" and event.name != "repository_dispatch")
        ):
            return
        branch = f"refs/heads/{event.repository['default_branch']}"
        sha = event.sha if event.ref else self._repositories.git(event.repository).resolve(branch)
        if not sha:
            return
        here = replace(event, ref=event.ref or branch, sha=sha)
        for workflow in self.workflows(event.repository, sha):
            if workflow.wants(event.name, event.action, here.ref):
                self._runs.create(here, workflow)
        self.wake()

    def wake(self) -> None:
        """There may be work."""
        with self._wake:
            self._wake.notify_all()

    def dispatch(self, event: Event, path: str, inputs: Mapping[str, Any]) -> Row:
        """Queue a ``workflow_dispatch`` of one workflow; wrong or missing inputs are a 422."""
        workflow = next((item for item in self.workflows(event.repository, event.sha) if item.path == path), None)
        if workflow is None:
            raise ApiError(404, "Not Found")
        if "workflow_dispatch" not in workflow.triggers:
            raise ApiError(422, "Workflow does not have 'workflow_dispatch' trigger")
        values = _inputs(workflow, inputs)
        payload = {**event.payload, "inputs": values, "ref": event.ref, "workflow": path}
        run = self._runs.create(replace(event, payload=payload), workflow, values)
        self.wake()
        return run

    def _work(self) -> None:
        while not self._stopping:
            run = self._runs.next_queued()
            if run is None:
                with self._wake:
                    self._wake.wait(timeout=1.0)
                continue
            try:
                self._execute(run)
            except (BadWorkflowError, ApiError, OSError, subprocess.SubprocessError) as error:
                _LOG.warning("run %s could not start: %s", run["id"], error)
                self._runs.finish(run["id"], "startup_failure", str(error))

    def _execute(self, run: Row) -> None:
        repository = self._repositories.by_id(run["repository"])
        text = self._repositories.git(repository).read(run["sha"], run["path"]) or b""
        workflow = Workflow.parse(run["path"], text.decode(errors="replace"))
        self._check_calls(workflow)
        attempt = ActRun(self._config, self.folder(run), self._plan(repository, run, workflow))
        self._live[run["id"]] = attempt
        try:
            if self._runs.get(run["id"])["status"] == "completed":
                return  # cancelled while it was being planned
            attempt.prepare()
            code = attempt.run()
        finally:
            self._live.pop(run["id"], None)
            self._identities.revoke_run(run["id"])
            attempt.clean()
        jobs = [job for job in read_jobs(self.folder(run) / "log.jsonl") if job.conclusion or job.steps]
        success = "success" if jobs else "skipped"
        self._runs.finish(run["id"], "failure" if code else success, f"act ended with {code}" if code else "")

    def _check_calls(self, workflow: Workflow) -> None:
        """What GitHub refuses before a run begins: unknown callees and callees that want more than their caller has."""
        for target, granted in workflow.called().items():
            found = _REMOTE.fullmatch(target)
            if target.startswith(("./", "$/")) or found is None:
                continue
            name = f"{found[1]}@{found[3]}"
            folder = self._config.actions.get(name)
            path = folder / found[2] if folder else None
            if path is None or not path.is_file():
                known = ", ".join(self._config.actions) or "none"
                raise BadWorkflowError(f"workflow was not found: {target}. Checkouts known to this platform: {known}.")
            callee = Workflow.parse(found[2], path.read_text(encoding="utf-8"))
            for job, content, wanted in callee.jobs():
                declared = content.get("permissions", callee.content.get("permissions"))
                excess = exceeding(wanted, granted) if declared is not None else []
                if excess:
                    raise BadWorkflowError(
                        f"The nested job '{job}' of {target} is requesting '{', '.join(excess)}', which its caller does not grant."
                    )

    def _plan(self, repository: Row, run: Row, workflow: Workflow) -> Plan:
        callers = workflow.token_callers()
        if len(callers) > 1:
            raise BadWorkflowError(
                f"{workflow.path}: jobs that call {sorted(callers)} may all ask for an OIDC token; one run here has one job_workflow_ref."
            )
        full = f"{repository['owner']}/{repository['name']}"
        called = next(iter(callers), "")
        if called.startswith(("./", "$/")):
            called = f"{full}/{called[2:]}@{run['ref']}"
        if called and "@refs/" not in called and not re.search(r"@[0-9a-f]{40}$", called):
            called = called.replace("@", "@refs/tags/" if re.search(r"@v\d", called) else "@refs/heads/")
        granted = workflow.permissions()
        self._runs.note(run["id"], job_workflow_ref=called)
        permissions = {name: level for name, level in granted.items() if name != "id-token"} | {"metadata": "read"}
        identity = Identity(
            RUN_LOGIN,
            "run",
            {name.replace("-", "_"): level for name, level in permissions.items()},
            frozenset({repository["id"]}),
            run["id"],
        )
        token, _ = self._identities.issue_token(identity, prefix="ghs_")
        env = {**self._config.runner_environment, **self._github_environment(repository, run)}
        if callers:
            env |= self._oidc_environment(run)
        secrets = {**self._repositories.settings(repository, "secret"), "GITHUB_TOKEN": token}
        git = self._repositories.git(repository)
        variables = self._repositories.settings(repository, "variable")
        return Plan(full, git, run["ref"], run["sha"], run["path"], run["event"], run["payload"], run["actor"], env, secrets, variables)

    def _github_environment(self, repository: Row, run: Row) -> dict[str, str]:
        claims = self._runs.claims(run)
        return {
            "GITHUB_API_URL": self._config.api_url, "GITHUB_SERVER_URL": self._config.url,
            "GITHUB_GRAPHQL_URL": f"{self._config.url}/api/graphql",
            "GITHUB_RUN_ID": str(run["id"]), "GITHUB_RUN_NUMBER": str(run["number"]), "GITHUB_REPOSITORY_ID": str(repository["id"]),
            "GITHUB_REPOSITORY_OWNER_ID": claims["repository_owner_id"], "GITHUB_ACTOR_ID": claims["actor_id"],
            "GITHUB_TRIGGERING_ACTOR": run["actor"], "GITHUB_WORKFLOW_REF": claims["workflow_ref"], "GITHUB_WORKFLOW_SHA": run["sha"],
            "RUNNER_ENVIRONMENT": "github-hosted",
        }  # fmt: skip

    def _oidc_environment(self, run: Row) -> dict[str, str]:
        token, _ = self._identities.issue_token(Identity(run["actor"], "oidc", {}, frozenset(), run["id"]), prefix="oidc_")
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{self._config.url}/_oidc/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token}


def _inputs(workflow: Workflow, given: Mapping[str, Any]) -> dict[str, str]:
    rules = workflow.dispatch_inputs()
    unknown = sorted(set(given) - set(rules))
    if unknown:
        raise ApiError(422, f"Unexpected inputs provided: {unknown}")
    values = {}
    for name, rule in rules.items():
        value = given.get(name, rule.get("default"))
        if value is None and rule.get("required"):
            raise ApiError(422, f"Required input '{name}' not provided")
        text = str(value).lower() if isinstance(value, bool) else str("" if value is None else value)
        if rule.get("type") == "choice" and text not in [str(option) for option in rule.get("options") or []]:
            raise ApiError(422, f"Provided value '{text}' for input '{name}' not in the list of allowed values")
        values[name] = text
    return values
