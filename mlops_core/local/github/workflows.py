"""What a workflow file asks for: its events, its permissions and what it calls.

    workflow = Workflow.parse(".github/workflows/on-issue.yml", text)
    workflow.wants("issues", "labeled", ref="refs/heads/main")
    workflow.permissions()     # union over its jobs, e.g. {"issues": "write", "id-token": "write"}

`concurrency`, `environment`, `schedule` and filters on paths are not modelled.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

FOLDER = ".github/workflows"
_LEVELS = {"none": 0, "read": 1, "write": 2}
_ALL = (
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models", "packages", "pages",
    "pull-requests", "security-events", "statuses",
)  # fmt: skip
_DEFAULT = {"contents": "read", "packages": "read"}
# Activities that start a workflow when its file names no types.
_USUAL = {"pull_request": {"opened", "synchronize", "reopened"}, "pull_request_target": {"opened", "synchronize", "reopened"}}


class BadWorkflowError(Exception):
    """The file is no workflow; ``str(error)`` says why."""


def permission_map(given: Any) -> dict[str, str]:
    """The ``permissions`` of a workflow or job as name to level; nothing given is the restricted default."""
    if given is None:
        return dict(_DEFAULT)
    if given in {"read-all", "write-all"} if isinstance(given, str) else False:
        level = str(given).removesuffix("-all")
        return {name: level for name in _ALL if not (name == "id-token" and level == "read")}
    if not isinstance(given, Mapping) or any(level not in _LEVELS for level in given.values()):
        raise BadWorkflowError(f"permissions {given!r} are none of read-all, write-all or a mapping to read, write, none")
    return {str(name): str(level) for name, level in given.items() if level != "none"}


def exceeding(inner: Mapping[str, str], outer: Mapping[str, str]) -> list[str]:
    """What ``inner`` wants beyond ``outer``, as ``name: level``."""
    return [f"{name}: {level}" for name, level in inner.items() if _LEVELS[level] > _LEVELS[outer.get(name, "none")]]


@dataclass(frozen=True)
class Workflow:
    """One parsed workflow file."""

    path: str
    name: str
    triggers: Mapping[str, Any]
    content: Mapping[str, Any]

    @classmethod
    def parse(cls, path: str, text: str) -> Workflow:
        """Raises `BadWorkflowError` for what is no workflow."""
        try:
            content = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError) as error:
            raise BadWorkflowError(f"{path} is not valid YAML: {error}") from error
        if not isinstance(content, dict) or not isinstance(content.get("jobs"), dict):
            raise BadWorkflowError(f"{path} has no jobs")
        # YAML 1.1 reads the key `on` as true.
        on = content.get("on", content.get(True))
        if isinstance(on, str):
            on = {on: None}
        if isinstance(on, list):
            on = dict.fromkeys(map(str, on))
        if not isinstance(on, dict):
            raise BadWorkflowError(f"{path} says no 'on'")
        return cls(path, str(content.get("name") or path), on, content)

    def wants(self, event: str, action: str, ref: str) -> bool:
        """Whether an event with this activity on this reference starts the workflow."""
        if event not in self.triggers:
            return False
        given = self.triggers[event]
        rule = given if isinstance(given, Mapping) else {}
        types = rule.get("types")
        types = [types] if isinstance(types, str) else types
        if types is None and event in _USUAL:
            types = list(_USUAL[event])
        if types is not None and action not in types:
            return False
        return event != "push" or self._wants_ref(rule, ref)

    @staticmethod
    def _wants_ref(rule: Mapping[str, Any], ref: str) -> bool:
        kind, name = (
            ("branches", ref.removeprefix("refs/heads/")) if ref.startswith("refs/heads/") else ("tags", ref.removeprefix("refs/tags/"))
        )
        if any(fnmatch.fnmatchcase(name, str(pattern)) for pattern in rule.get(f"{kind}-ignore") or []):
            return False
        if kind in rule:
            return any(fnmatch.fnmatchcase(name, str(pattern)) for pattern in rule[kind] or [])
        return not ({"branches", "tags"} & set(rule))

    def jobs(self) -> Iterator[tuple[str, Mapping[str, Any], dict[str, str]]]:
        """Each job with its effective permissions."""
        top = self.content.get("permissions")
        for key, job in self.content["jobs"].items():
            if not isinstance(job, Mapping):
                raise BadWorkflowError(f"{self.path}: job {key!r} is empty")
            yield str(key), job, permission_map(job.get("permissions", top))

    def permissions(self) -> dict[str, str]:
        """The union over the jobs: one token serves the whole run here, as act gives all jobs the same."""
        union: dict[str, str] = {}
        for _, _, granted in self.jobs():
            for name, level in granted.items():
                if _LEVELS[level] > _LEVELS[union.get(name, "none")]:
                    union[name] = level
        return union

    def called(self) -> dict[str, dict[str, str]]:
        """Reusable workflow (``OWNER/REPO/PATH@REF``) to the permissions of the job that calls it."""
        return {str(job["uses"]): granted for _, job, granted in self.jobs() if job.get("uses")}

    def token_callers(self) -> set[str]:
        """What may ask for an OIDC token: the called workflow of each such job, empty text for a job of this file."""
        return {str(job.get("uses") or "") for _, job, granted in self.jobs() if granted.get("id-token") == "write"}

    def dispatch_inputs(self) -> dict[str, Mapping[str, Any]]:
        """The inputs of ``workflow_dispatch`` by name."""
        given = self.triggers.get("workflow_dispatch")
        inputs = given.get("inputs") if isinstance(given, Mapping) else None
        return {str(name): rule or {} for name, rule in inputs.items()} if isinstance(inputs, Mapping) else {}
