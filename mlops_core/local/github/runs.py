"""Workflow runs: their record, their events and the identity claims that belong to them.

run = runs.create(event, workflow)
runs.finish(run["id"], "success")
"""

from __future__ import annotations

import json
from typing import Any

from mlops_core.local.github.answers import not_found
from mlops_core.local.github.database import Database, Row, now
from mlops_core.local.github.events import Event, Events
from mlops_core.local.github.git_history import commits
from mlops_core.local.github.identity import Identity
from mlops_core.local.github.repositories import Repositories
from mlops_core.local.github.shapes import Json, Shapes
from mlops_core.local.github.workflows import Workflow


class Runs:
    """Every run of every workflow."""

    def __init__(self, database: Database, repositories: Repositories, events: Events, shapes: Shapes) -> None:
        self._database = database
        self._repositories = repositories
        self._events = events
        self._shapes = shapes

    def create(self, event: Event, workflow: Workflow, inputs: dict[str, str] | None = None) -> Row:
        """A queued run of ``workflow`` for ``event``; ``event.ref`` and ``event.sha`` say where."""
        moment = now()
        number = 1 + int(
            self._database.value("select count(*) from runs where repository = ? and path = ?", event.repository["id"], workflow.path)
        )
        subject = event.payload.get("issue") or event.payload.get("pull_request") or event.payload.get("head_commit") or {}
        title = str(subject.get("title") or str(subject.get("message") or "").partition("\n")[0] or workflow.name)
        with self._database.transaction():
            key = self._database.insert(
                "runs", repository=event.repository["id"], path=workflow.path, name=workflow.name, number=number, event=event.name,
                actor=event.identity.login, status="queued", ref=event.ref, sha=event.sha, title=title, payload=json.dumps(event.payload),
                inputs=json.dumps(inputs or {}), created_at=moment, updated_at=moment,
            )  # fmt: skip
            run = self.get(key)
            self._tell(run, "requested")
        return run

    def get(self, key: int) -> Row:
        """One run."""
        row = self._database.row("select * from runs where id = ?", key)
        if row is None:
            raise not_found()
        return row

    def find(self, repository: Row, key: int) -> Row:
        """One run of a repository; a 404 when it belongs to another."""
        row = self.get(key)
        if row["repository"] != repository["id"]:
            raise not_found()
        return row

    def select(self, repository: Row, **filters: str) -> list[Row]:
        """Newest first; filters by path, event, status, actor, sha or branch when not empty."""
        rows = self._database.rows("select * from runs where repository = ? order by id desc limit 1000", repository["id"])
        branch = filters.pop("branch", "")
        status = filters.pop("status", "")
        rows = [row for row in rows if not branch or row["ref"] == f"refs/heads/{branch}"]
        rows = [row for row in rows if status in {"", row["status"], row["conclusion"]}]
        return [row for row in rows if all(not value or row[key] == value for key, value in filters.items())]

    def of_issue(self, repository: Row, number: int) -> list[Row]:
        """The newest five runs that events of one issue or pull request started."""
        subject = "coalesce(json_extract(payload, '$.issue.number'), json_extract(payload, '$.pull_request.number'))"
        query = f"select * from runs where repository = ? and {subject} = ? order by id desc limit 5"  # noqa: S608 - a constant
        return self._database.rows(query, repository["id"], number)

    def live(self, repository: Row) -> bool:
        """Whether anything waits or runs."""
        return bool(self._database.row("select id from runs where repository = ? and status != 'completed'", repository["id"]))

    def next_queued(self) -> Row | None:
        """Take the oldest waiting run; it is then in progress."""
        with self._database.transaction():
            row = self._database.row("select * from runs where status = 'queued' order by id limit 1")
            if row is None:
                return None
            moment = now()
            self._database.update("runs", row["id"], status="in_progress", started_at=moment, updated_at=moment)
            run = self.get(row["id"])
            self._tell(run, "in_progress")
            return run

    def note(self, key: int, **values: Any) -> None:
        """Keep what was found out about a run."""
        self._database.update("runs", key, updated_at=now(), **values)

    def finish(self, key: int, conclusion: str, reason: str = "") -> None:
        """Complete a run once; a run that is complete already stays as it is."""
        with self._database.transaction():
            if self.get(key)["status"] != "completed":
                self.note(key, status="completed", conclusion=conclusion, reason=reason)
                self._tell(self.get(key), "completed")

    def unfinished(self) -> list[Row]:
        """Runs that wait or run."""
        return self._database.rows("select * from runs where status != 'completed'")

    def fail_interrupted(self) -> None:
        """Mark what was in flight when an earlier process died."""
        for row in self.unfinished():
            self.finish(row["id"], "failure", "The local platform ended while this run was in flight. Start it again.")

    def _tell(self, run: Row, action: str) -> None:
        repository = self._repositories.by_id(run["repository"])
        workflow = self.workflow_shape(repository, run["path"], run["name"])
        shape = self.shape(repository, run)
        self._events.emit(repository, "workflow_run", action, Identity(run["actor"]), workflow_run=shape, workflow=workflow)

    def workflow_shape(self, repository: Row, path: str, name: str) -> Json:
        """A workflow file as JSON."""
        key = workflow_id(repository, path)
        page = f"{self._shapes.repo_page(repository)}/actions"
        times = {"created_at": repository["created_at"], "updated_at": repository["pushed_at"]}
        links = {"url": f"{self._shapes.repo_url(repository)}/actions/workflows/{key}", "html_url": page, "badge_url": page}
        return {"id": key, "node_id": f"W_{key}", "name": name, "path": path, "state": "active", **times, **links}

    def claims(self, run: Row) -> dict[str, str]:
        """The claims of the run's OIDC tokens, less issuer, audience and times."""
        repository = self._repositories.by_id(run["repository"])
        full = f"{repository['owner']}/{repository['name']}"
        owner = self._shapes.user(repository["owner"])
        pull = run["event"].startswith("pull_request")
        workflow_ref = f"{full}/{run['path']}@{run['ref']}"
        return {
            "sub": f"repo:{full}:pull_request" if pull else f"repo:{full}:ref:{run['ref']}", "repository": full,
            "repository_id": str(repository["id"]), "repository_owner": repository["owner"], "repository_owner_id": str(owner["id"]),
            "repository_visibility": "private" if repository["private"] else "public", "actor": run["actor"],
            "actor_id": str(self._shapes.user(run["actor"])["id"]), "workflow": run["name"], "workflow_ref": workflow_ref,
            "workflow_sha": run["sha"], "job_workflow_ref": run["job_workflow_ref"] or workflow_ref, "ref": run["ref"],
            "ref_type": "tag" if run["ref"].startswith("refs/tags/") else "branch", "ref_protected": "false", "sha": run["sha"],
            "event_name": run["event"], "runner_environment": "github-hosted", "run_id": str(run["id"]), "run_number": str(run["number"]),
            "run_attempt": "1", "head_ref": "", "base_ref": "",
        }  # fmt: skip

    def _head_commit(self, repository: Row, sha: str) -> Json:
        commit = commits(self._repositories.git(repository), sha, limit=1)[0]
        people = {key: {"name": who[0], "email": who[1]} for key, who in (("author", commit.author), ("committer", commit.committer))}
        return {"id": sha, "tree_id": commit.tree, "message": commit.message, "timestamp": commit.author[2], **people}

    def shape(self, repository: Row, run: Row) -> Json:
        """A workflow run as JSON."""
        url, page = (
            f"{self._shapes.repo_url(repository)}/actions/runs/{run['id']}",
            f"{self._shapes.repo_page(repository)}/actions/runs/{run['id']}",
        )
        workflow = workflow_id(repository, run["path"])
        links = {f"{name}_url": f"{url}/{tail}" for name, tail in _LINKS.items()}
        return {
            "id": run["id"], "name": run["name"], "node_id": f"WFR_{run['id']}", "head_branch": run["ref"].removeprefix("refs/heads/"),
            "head_sha": run["sha"], "path": run["path"], "run_number": run["number"], "run_attempt": 1, "event": run["event"],
            "display_title": run["title"], "status": run["status"], "conclusion": run["conclusion"], "workflow_id": workflow, "url": url,
            "html_url": page, "created_at": run["created_at"], "updated_at": run["updated_at"],
            "run_started_at": run["started_at"] or run["created_at"],
            "actor": self._shapes.user(run["actor"]), "triggering_actor": self._shapes.user(run["actor"]), "pull_requests": [],
            "check_suite_id": run["id"], "check_suite_node_id": f"CS_{run['id']}",
            "check_suite_url": f"{self._shapes.repo_url(repository)}/check-suites/{run['id']}",
            "referenced_workflows": [], "previous_attempt_url": None,
            "workflow_url": f"{self._shapes.repo_url(repository)}/actions/workflows/{workflow}",
            "head_commit": self._head_commit(repository, run["sha"]), "repository": self._shapes.minimal(repository),
            "head_repository": self._shapes.minimal(repository), **links,
        }  # fmt: skip


_LINKS = {"jobs": "jobs", "logs": "logs", "artifacts": "artifacts", "cancel": "cancel", "rerun": "rerun"}


def workflow_id(repository: Row, path: str) -> int:
    """A stable number for a workflow file of a repository."""
    return int(repository["id"]) * 1000 + sum(ord(sign) * (place + 1) for place, sign in enumerate(path)) % 1000
